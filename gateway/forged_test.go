package gateway_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/tenancy"
	"usher/test/program"
)

// Whatever text is shown for a token, and whatever was wrong with it, the
// answer is one: the same status, headers and body, for JWTs and for the
// tokens usher makes. The control store is a real one.
func TestForgedTokens(t *testing.T) {
	t.Parallel()
	g := openGate(t, "path: control.duckdb", pgtest.DB{})
	admin := g.bootstrap(t)
	g.check(t, admin,
		`mutation { admin { a: createTenant(input: {id: "acme"}) { id } b: createTenant(input: {id: "globex"}) { id } } }`, `200 {"data":{"admin":{"a":{"id":"acme"},"b":{"id":"globex"}}}}`)
	g.check(t, admin, `mutation { admin { createUser(input: {tenant: "acme", username: "ann", password: "correct horse battery"}) { username } } }`,
		`200 {"data":{"admin":{"createUser":{"username":"ann"}}}}`)
	mint := func(tenant string) string {
		return g.text(t, admin, `mutation { createToken(input: {tenant: "`+tenant+`", subject: "browser"}) { token } }`, "token")
	}
	key := g.text(t, admin, `mutation { admin { createServiceKey(input: {name: "backend", tenant: "acme", scopes: [READ_DATA]}) { token } } }`, "token")
	session := g.text(t, "", `mutation { login(tenant: "acme", username: "ann", password: "correct horse battery") { token } }`, "token")
	embed, other := mint("acme"), mint("globex")
	good := map[string]string{"embed token": embed, "service key": key, "session": session, "JWT": program.Sign(t, `{"tenant": "acme"}`)}
	for what, token := range good {
		if got := g.query(t, token, notes); got != ofAcme {
			t.Fatalf("%s: %s", what, got)
		}
	}

	cases := map[string]string{}
	add := func(what, token string) {
		if _, twice := cases[what]; twice {
			t.Fatalf("%s is there twice", what)
		}
		cases[what] = token
	}
	for what, token := range map[string]string{"embed token": embed, "service key": key, "session": session} {
		kind, id, hidden := token[6:8], strings.Split(token, "_")[2], strings.Split(token, "_")[3]
		for _, c := range []struct{ how, token string }{
			{"with another secret", "usher_" + kind + "_" + id + "_" + strings.Repeat("0", len(hidden))},
			{"with the secret of another", "usher_" + kind + "_" + id + "_" + strings.Split(other, "_")[3]},
			{"with the id of another", "usher_" + kind + "_" + strings.Split(other, "_")[2] + "_" + hidden},
			{"with an id that was never given", "usher_" + kind + "_" + strings.Repeat("z", len(id)) + "_" + hidden},
			{"with its last letter changed", token[:len(token)-1] + changed(token[len(token)-1])},
			{"with its first secret letter changed", strings.TrimSuffix(token, hidden) + changed(hidden[0]) + hidden[1:]},
			{"without its last letter", token[:len(token)-1]},
			{"with a letter more", token + "0"},
			{"in capitals", strings.ToUpper(token)},
			{"with its secret in capitals", strings.TrimSuffix(token, hidden) + strings.ToUpper(hidden)},
			{"without its secret", strings.TrimSuffix(token, "_"+hidden)},
			{"with an empty secret", strings.TrimSuffix(token, hidden)},
			{"without its id", "usher_" + kind + "_" + hidden},
			{"with id and secret exchanged", "usher_" + kind + "_" + hidden + "_" + id},
			{"without its prefix", strings.TrimPrefix(token, "usher_")},
			{"with its prefix twice", "usher_" + token},
			{"of no kind", "usher_xx_" + id + "_" + hidden},
			{"with a kind in capitals", "usher_" + strings.ToUpper(kind) + "_" + id + "_" + hidden},
			{"with a percent for a letter", token[:len(token)-1] + "%"},
			{"with a NUL escaped", token + `\x00`},
			{"as a part of a JWT", token + "." + token + "." + token},
			{"in base64", base64.RawURLEncoding.EncodeToString([]byte(token))},
			{"in quotes", `'` + token + `'`},
			{"with what SQL would make of it", token + "'--"},
			{"eight thousand letters long", token + strings.Repeat("0", 8<<10)},
		} {
			add(what+" "+c.how, c.token)
		}
	}
	for _, kind := range []string{"et", "sk", "st"} {
		for what, token := range map[string]string{"embed token": embed, "service key": key, "session": session} {
			if token[6:8] != kind {
				add(what+" that calls itself "+kind, "usher_"+kind+token[8:])
			}
		}
	}
	for what, claims := range map[string]string{
		"signed by another":           `{"tenant": "acme", "$secret": "another secret of 32 bytes or more"}`,
		"expired":                     `{"tenant": "acme", "exp": "-1h", "iat": "-2h"}`,
		"not valid yet":               `{"tenant": "acme", "nbf": "1h"}`,
		"issued in the future":        `{"tenant": "acme", "iat": "1h", "exp": "2h"}`,
		"without an end":              `{"tenant": "acme", "exp": null}`,
		"of an unknown tenant":        `{"tenant": "umbrella"}`,
		"of no tenant":                `{}`,
		"of two kinds of tenant":      `{"tenant": "acme", "all": true}`,
		"for another audience":        `{"tenant": "acme", "aud": "billing"}`,
		"of an unknown issuer":        `{"tenant": "acme", "iss": "nobody"}`,
		"of usher itself":             `{"tenant": "acme", "iss": "usher"}`,
		"with a role it may not have": `{"tenant": "acme", "roles": ["admin"]}`,
		"of all tenants, but trusted": `{"all": true, "iss": "trusting"}`,
	} {
		add("JWT "+what, program.Sign(t, claims))
	}
	jwt := good["JWT"]
	parts := strings.Split(jwt, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
	add("JWT without a signature", parts[0]+"."+parts[1]+".")
	add("JWT that says none", none+"."+parts[1]+".")
	widened := strings.Split(program.Sign(t, `{"all": true}`), ".")
	add("JWT with wider claims under its signature", parts[0]+"."+widened[1]+"."+parts[2])
	add("JWT with another tenant under its signature", parts[0]+"."+strings.Split(program.Sign(t, `{"tenant": "globex"}`), ".")[1]+"."+parts[2])
	add("JWT of two parts", parts[0]+"."+parts[1])
	for what, token := range misspelled(t, jwt) {
		add("JWT "+what, token)
	}
	add("JWT behind usher's prefix", "usher_"+jwt)
	add("JWT behind an embed token's prefix", "usher_et_"+jwt)
	add("the prefix alone", tenancy.Prefix)
	add("nothing that is a token", "null")

	// What was good once: revoked, narrowed and ended with its parent, logged
	// out, of a suspended tenant, of a user who is gone, expired.
	const narrow = `mutation { narrowToken(input: {}) { token } }`
	minter := g.text(t, admin, `mutation { admin { createServiceKey(input: {name: "minter", tenant: "acme", scopes: [CREATE_TOKENS, READ_DATA]}) { token } } }`, "token")
	minted, narrowed := g.text(t, minter, `mutation { createToken(input: {subject: "s"}) { token } }`, "token"), g.text(t, minter, narrow, "token")
	for _, token := range []string{minted, narrowed} {
		g.check(t, token, notes, ofAcme)
	}
	id := func(token string) string { return strings.Split(token, "_")[2] }
	g.check(t, admin, `mutation { admin { revokeServiceKey(id: "`+id(minter)+`") } }`, `200 {"data":{"admin":{"revokeServiceKey":3}}}`)
	add("a key that is revoked", minter)
	add("a token minted with it", minted)
	add("a token narrowed from it", narrowed)
	g.check(t, admin, `mutation { admin { revokeTokens(by: {token: "`+id(other)+`"}) } }`, `200 {"data":{"admin":{"revokeTokens":1}}}`)
	add("an embed token that is revoked", other)
	left := g.text(t, "", `mutation { login(tenant: "acme", username: "ann", password: "correct horse battery") { token } }`, "token")
	g.check(t, left, `mutation { logout }`, `200 {"data":{"logout":true}}`)
	add("a session that is logged out", left)
	suspended := mint("globex")
	g.check(t, admin, `mutation { admin { suspendTenant(id: "globex") { id } } }`, `200 {"data":{"admin":{"suspendTenant":{"id":"globex"}}}}`)
	add("a token of a suspended tenant", suspended)
	add("JWT of a suspended tenant", program.Sign(t, `{"tenant": "globex"}`))
	add("JWT of a suspended tenant by a trusted issuer", program.Sign(t, `{"tenant": "globex", "iss": "trusting"}`))

	short := g.text(t, admin, `mutation { createToken(input: {tenant: "acme", subject: "s", expiresAt: "`+
		time.Now().Add(1500*time.Millisecond).UTC().Format(time.RFC3339Nano)+`"}) { token } }`, "token")
	g.check(t, short, notes, ofAcme)
	program.Soon(t, program.Patience, "a token expires", func() bool { return g.query(t, short, notes) != ofAcme })
	add("an embed token that has expired", short)

	if len(cases) < 140 {
		t.Fatalf("only %d cases", len(cases))
	}
	var want string
	for what, token := range cases {
		w := g.ask(t, token, `{"query": "{ notes { id } }"}`)
		got := everything(w)
		if want == "" {
			want = got
		}
		if got != want || !strings.HasPrefix(got, unauthenticated) {
			t.Errorf("%s is answered\n%s\nand another\n%s", what, got, want)
		}
		if strings.Contains(w.Body.String(), token) {
			t.Errorf("%s is repeated: %s", what, w.Body)
		}
	}
	for what, token := range good {
		if got := g.query(t, token, notes); got != ofAcme {
			t.Errorf("in the end, the %s: %s", what, got)
		}
	}
}

// misspelled are tokens that somebody with the issuer's secret has written
// otherwise than they are written, and tokens whose signature is no longer one.
func misspelled(t *testing.T, good string) map[string]string {
	t.Helper()
	parts := strings.Split(good, ".")
	encode := base64.RawURLEncoding.EncodeToString
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	signed := func(header, claims string) string {
		mac := hmac.New(sha256.New, []byte(program.Secret))
		mac.Write([]byte(header + "." + claims))
		return header + "." + claims + "." + encode(mac.Sum(nil))
	}
	if signed(parts[0], parts[1]) != good {
		t.Fatal("the tests sign otherwise than usher's issuers")
	}
	headed := func(header string) string { return signed(encode([]byte(header)), parts[1]) }
	claimed := func(claims string) string { return signed(parts[0], encode([]byte(claims))) }
	with := func(member string) string {
		return claimed(strings.TrimSuffix(string(claims), "}") + "," + member + "}")
	}
	return map[string]string{
		"with padding behind":           good + "=",
		"with a padded header":          signed(parts[0]+"=", parts[1]),
		"with padded claims":            signed(parts[0], parts[1]+"="),
		"with a letter behind":          good + "A",
		"with a dot behind":             good + ".",
		"with its signature twice":      good + "." + parts[2],
		"with half of its signature":    good[:len(good)-20],
		"with no claims":                signed(parts[0], ""),
		"with no header":                signed("", parts[1]),
		"that is not encoded":           signed(`{"alg":"HS256"}`, string(claims)),
		"with claims that are a JWT":    claimed(good),
		"with claims that are a list":   claimed("[" + string(claims) + "]"),
		"with claims twice":             claimed(string(claims) + string(claims)),
		"with a mark of byte order":     claimed("\ufeff" + string(claims)),
		"with the tenant twice":         with(`"tenant":"globex"`),
		"with the tenant in capitals":   with(`"Tenant":"globex"`),
		"with the tenant twice, hidden": with(`"t\u0065nant":"globex"`),
		"with half a character":         with(`"x":"\ud800"`),
		"that is nested too deep":       with(`"x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40)),
		"that is no Unicode":            with("\"x\":\"\xff\""),
		"that demands an extension":     headed(`{"alg":"HS256","crit":["x"],"x":1}`),
		"that is compressed":            headed(`{"alg":"HS256","zip":"DEF"}`),
		"that is detached":              headed(`{"alg":"HS256","b64":false,"crit":["b64"]}`),
		"that brings its key":           headed(`{"alg":"HS256","jwk":{"kty":"oct","k":"AAAA"}}`),
		"that says where its key is":    headed(`{"alg":"HS256","jku":"https://evil.example/keys"}`),
		"that brings a certificate":     headed(`{"alg":"HS256","x5c":["AAAA"]}`),
		"with another in it":            headed(`{"alg":"HS256","cty":"JWT"}`),
		"of another type":               headed(`{"alg":"HS256","typ":"logout+jwt"}`),
		"of two algorithms":             headed(`{"alg":"none","alg":"HS256"}`),
		"of an algorithm in small":      headed(`{"alg":"hs256"}`),
		"of an algorithm in a list":     headed(`{"alg":["HS256"]}`),
		"of no algorithm":               headed(`{"typ":"JWT"}`),
		"of HS384":                      headed(`{"alg":"HS384"}`),
		"of RS256":                      headed(`{"alg":"RS256"}`),
		"whose key's id is a number":    headed(`{"alg":"HS256","kid":7}`),
		"whose key's id is a book":      headed(`{"alg":"HS256","kid":"` + strings.Repeat("k", 1000) + `"}`),
		"with an end in words":          claimed(strings.Replace(string(claims), `"exp":`, `"exp":"never","was":`, 1)),
		"with an end far off":           claimed(strings.Replace(string(claims), `"exp":`, `"exp":1e18,"was":`, 1)),
		"with an end in a list":         claimed(strings.Replace(string(claims), `"exp":`, `"exp":[9999999999],"was":`, 1)),
		"with a start in words":         with(`"nbf":"now"`),
	}
}

// changed is another letter of the tokens' alphabet.
func changed(c byte) string {
	if c == '0' {
		return "1"
	}
	return "0"
}

// everything is all of an answer but the request's id.
func everything(w *httptest.ResponseRecorder) string {
	header := w.Header().Clone()
	header.Del("X-Request-Id")
	return plainAnswer(w) + fmt.Sprint(header)
}
