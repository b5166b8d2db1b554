package gateway_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/test/program"
)

// What a caller writes wrongly is the caller's mistake, said at its place: none of it
// is an internal error, and none reads as left out.
func TestMistakes(t *testing.T) {
	t.Parallel()
	g := openGate(t, "path: "+filepath.Join(t.TempDir(), "control.duckdb"), pgtest.DB{})
	root := g.bootstrap(t)
	g.check(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	key := g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA]}) { token } } }`, "token")
	refused := func(token, document, variables, path string) {
		t.Helper()
		answer := g.withVariables(t, token, document, variables)
		var got struct {
			Errors []struct {
				Path       []any
				Extensions struct{ Code string }
			}
		}
		if err := json.Unmarshal([]byte(answer[strings.Index(answer, "{"):]), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Errors) != 1 || got.Errors[0].Extensions.Code != "BAD_USER_INPUT" && got.Errors[0].Extensions.Code != "GRAPHQL_VALIDATION_FAILED" ||
			!strings.Contains(answer, path) {
			t.Errorf("%s %s\nis answered %s", document, variables, answer)
		}
	}
	for _, at := range []string{`" "`, `"null"`, `"2026-12-01"`, `"now"`, `12345`, `"2026-12-01T00:00:00"`, `"2026-12-01 00:00:00Z"`, `true`, `["2026-12-01T00:00:00Z"]`, `{}`} {
		for _, line := range []struct{ token, document, variable string }{
			{root, `mutation%s { createToken(input: {tenant: "acme", subject: "s", expiresAt: %s}) { id } }`, `["createToken","input","expiresAt"]`},
			{key, `mutation%s { narrowToken(input: {expiresAt: %s}) { id } }`, `["narrowToken","input","expiresAt"]`},
			{root, `mutation%s { admin { createServiceKey(input: {name: "x", tenant: "acme", scopes: [READ_DATA], expiresAt: %s}) { id } } }`, `["admin","createServiceKey","input","expiresAt"]`},
			{root, `mutation%s { admin { revokeTokens(by: {tenant: "acme", issuedBefore: %s}) } }`, `["admin","revokeTokens","by","issuedBefore"]`},
			{root, `query%s { admin { auditLog(filter: {from: %s}) { next } } }`, `["admin","auditLog","filter","from"]`},
			{root, `query%s { admin { auditLog(filter: {to: %s}) { next } } }`, `["admin","auditLog","filter","to"]`},
		} {
			written := strings.Replace(strings.Replace(line.document, "%s", "", 1), "%s", at, 1)
			refused(line.token, written, `{}`, "BAD_USER_INPUT")
			refused(line.token, strings.Replace(strings.Replace(line.document, "%s", "($v: Timestamp)", 1), "%s", "$v", 1), `{"v": `+at+`}`, line.variable)
		}
	}
	for _, zero := range []string{"0", "1e-400", "-1", "0.5", "1.00000000000000000000000001"} {
		for _, member := range []string{"rate", "inactivitySeconds"} {
			refused(root, `mutation($in: NewToken!) { createToken(input: $in) { id } }`, `{"in": {"tenant": "acme", "subject": "s", "`+member+`": `+zero+`}}`, "")
			refused(key, `mutation($in: TokenNarrowing!) { narrowToken(input: $in) { id } }`, `{"in": {"`+member+`": `+zero+`}}`, "")
		}
		refused(root, `mutation($port: Int) { admin { setTenantAccounts(id: "acme", accounts: [{source: "shop", port: $port}]) { id } } }`, `{"port": `+zero+`}`, "")
	}
	refused(root, `mutation { createToken(input: {tenant: "acme", subject: "s", rate: 0}) { id } }`, `{}`, "rate is at least 1")
	refused(root, `mutation { admin { setTenantAccounts(id: "acme", accounts: [{source: "shop", port: 65536}]) { id } } }`, `{}`, "from 1 to 65535")

	w := g.ask(t, root, `{"extensions": {"savedQuery": {"name": "a\u0000b"}}}`)
	if !strings.Contains(w.Body.String(), "BAD_USER_INPUT") {
		t.Errorf("a saved query with NUL: %s", w.Body)
	}
	for _, claims := range []map[string]any{{"sub": "ab"}, {"sub": "a\x00b"}, {"sub": "a", "roles": []string{"a\x00"}}, {"sub": "a", "email": "a\x00b"}, {"sub": "a", "jti": "\x00"}} {
		claims["iss"], claims["aud"], claims["tenant"], claims["exp"] = "trusting", "usher", "acme", time.Now().Add(time.Minute).Unix()
		text, err := json.Marshal(claims)
		if err != nil {
			t.Fatal(err)
		}
		if answer := g.query(t, program.Sign(t, string(text)), `{ notes { id } }`); strings.HasPrefix(answer, "401 ") != (claims["sub"] != "ab") {
			t.Errorf("claims with NUL %v: %s", claims, answer)
		}
	}
}

// A login that is refused for the moment is so as an HTTP request, too.
func TestLoginsRefusedForNow(t *testing.T) {
	t.Parallel()
	g := openGate(t, "path: "+filepath.Join(t.TempDir(), "control.duckdb"), pgtest.DB{})
	const login = `{"query": "mutation { login(tenant: \"acme\", username: \"ann\", password: \"a long password\") { token } }"}`
	for range 20 {
		w := g.ask(t, "", login)
		if w.Code == http.StatusTooManyRequests {
			if w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), `"data"`) {
				t.Errorf("refused with %v %s", w.Header(), w.Body)
			}
			return
		}
		if w.Code != http.StatusOK && w.Code != http.StatusUnauthorized {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	t.Error("twenty wrong passwords, and none is refused for now")
}

// Who misspells a tenant or an issuer is told so, and not that all of its tokens, none,
// have ended.
func TestRevokingOfNobody(t *testing.T) {
	t.Parallel()
	g := openWorld(t, 1, 1)
	root := g.bootstrap(t)
	g.check(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"acme"}}}}`)
	for by, want := range map[string]string{
		`{tenant: "acne"}`:                  "there is no tenant acne",
		`{tenant: "acne", subject: "s"}`:    "there is no tenant acne",
		`{issuer: "idp"}`:                   "there is no issuer idp",
		`{issuer: "Usher"}`:                 "there is no issuer Usher",
		`{issuer: "usher", tenant: "acme"}`: `{"revokeTokens":0}`,
		`{tenant: "acme", subject: "no"}`:   `{"revokeTokens":0}`,
	} {
		answer := g.query(t, root, `mutation { admin { revokeTokens(by: `+by+`) } }`)
		if !strings.Contains(answer, want) || strings.HasPrefix(want, "there") && !strings.Contains(answer, "NOT_FOUND") {
			t.Errorf("%s: %s", by, answer)
		}
	}
	controlled := openGate(t, "path: "+filepath.Join(t.TempDir(), "control.duckdb"), pgtest.DB{})
	admin := controlled.bootstrap(t)
	for _, by := range []string{`{tenant: "initech"}`, `{tenant: "whoever", issuer: "trusting"}`, `{issuer: "tests"}`} { // of the file, of a trusted issuer
		controlled.check(t, admin, `mutation { admin { revokeTokens(by: `+by+`) } }`, `200 {"data":{"admin":{"revokeTokens":0}}}`)
	}
}
