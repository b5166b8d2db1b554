package gateway_test

import (
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
	"usher/test/program"
)

// limited are two gateways of one store, whose tenants have rows enough.
func limited(t *testing.T) (one, two gate, root string) {
	t.Helper()
	server := pgtest.Start(t)
	shop, store := server.Database(t), server.Database(t)
	shop.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE old_notes (id int PRIMARY KEY, tenant text NOT NULL, text text);
		CREATE TABLE words (word text); INSERT INTO notes SELECT i, 'acme', repeat('x', 100) FROM generate_series(1, 20) i`)
	one, _ = openBound(t, shop, store)
	two, _ = openBound(t, shop, store)
	root = one.bootstrap(t)
	one.text(t, root, `mutation { admin { createTenant(input: {id: "acme", limits: {requests: 1000}}) { id } } }`, "id")
	return one, two, root
}

const limitsShown = ` { limits { requests databaseMilliseconds rows bytes } }`

// A token's own limits hold beside those of its tenant, kind by kind, at all gateways, and are no matter of others'.
func TestLimitsOfTokens(t *testing.T) {
	t.Parallel()
	one, two, root := limited(t)
	mint := func(limits string) string {
		t.Helper()
		return one.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "ann", limits: {`+limits+`}}) { token } }`, "token")
	}
	const ask = `{ notes { text } }`
	free := mint("")
	for limits, says := range map[string]string{
		"requests: 1":               "the token allows 1 requests a minute",
		"databaseMilliseconds: 1":   "the token has used the 1ms of database time",
		"rows: 1, requests: 500":    "the token has used the 1 rows",
		`bytes: "10", rows: 100000`: "the token has used the 10 bytes",
	} {
		narrow := mint(limits)
		if got := one.query(t, narrow, ask); !strings.HasPrefix(got, "200") {
			t.Errorf("%s: %s", limits, got)
		}
		if got := one.query(t, narrow, ask); !strings.HasPrefix(got, "429") || !strings.Contains(got, says) {
			t.Errorf("%s, again: %s", limits, got)
		}
		for _, g := range []gate{one, two} { // another token of the same subject has its own
			if got := g.query(t, free, ask); !strings.HasPrefix(got, "200") {
				t.Errorf("%s, of another: %s", limits, got)
			}
		}
	}

	// Two gateways allow what one would.
	narrow, answered := mint("requests: 3"), 0
	for range 5 {
		for _, g := range []gate{one, two} {
			switch got := g.query(t, narrow, ask); {
			case strings.HasPrefix(got, "200"):
				answered++
			case !strings.Contains(got, "the token allows 3 requests a minute"):
				t.Error(got)
			}
		}
	}
	if answered < 3 || answered > 4 { // a lease of the other gateway is known after a second
		t.Errorf("two gateways answered %d of 3", answered)
	}

	// What is wider than the tenant's is no more than that.
	one.text(t, root, `mutation { admin { setTenantLimits(id: "acme", limits: {requests: 1}) { id } } }`, "id")
	wide, refused := mint("requests: 100000"), false
	for end := time.Now().Add(10 * time.Second); !refused && time.Now().Before(end); { // what a record says is known within a second
		refused = strings.Contains(one.query(t, wide, ask), "the tenant allows 1 requests a minute")
	}
	if !refused {
		t.Error("a token has more than its tenant")
	}
}

// No token has more than the configuration gives every token; limits of one are before that only where they are narrower.
func TestLimitsOfTokensAreWithinThoseOfAll(t *testing.T) {
	t.Parallel()
	shop, store := pgtest.Start(t).Database(t), pgtest.Start(t).Database(t)
	shop.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE old_notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE words (word text)`)
	g, _ := openOf(t, bound+"\nlimits: {token: {requests: 3}}\n", shop, store)
	root := g.bootstrap(t)
	mints := 0
	for limits, want := range map[string]int{"": 3, "requests: 2": 2, "requests: 1000": 3, "rows: 1000000": 3} {
		if mints++; mints%2 == 0 { // whoever mints has only so many requests, too
			root = g.text(t, root, `mutation { admin { createServiceKey(input: {name: "next", allTenants: true, scopes: [ADMINISTER, CREATE_TOKENS, READ_DATA]}) { token } } }`, "token")
		} else if mints == 1 {
			g.text(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, "id")
		}
		token := g.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "ann", limits: {`+limits+`}}) { token } }`, "token")
		answered := 0
		for range 5 {
			if strings.HasPrefix(g.query(t, token, `{ notes { id } }`), "200") {
				answered++
			}
		}
		if answered != want {
			t.Errorf("{%s}: %d were answered, want %d", limits, answered, want)
		}
	}
}

// Limits are shown to whoever lists tokens, and what means none is refused, in createToken and narrowToken.
func TestLimitsOfTokensAreSaid(t *testing.T) {
	t.Parallel()
	one, _, root := limited(t)
	key := one.text(t, root, `mutation { admin { createServiceKey(input: {name: "of acme", tenant: "acme", scopes: [CREATE_TOKENS, ADMINISTER, READ_DATA]}) { token } } }`, "token")
	for _, make := range []string{`createToken(input: {subject: "s", `, `narrowToken(input: {`} {
		for limits, want := range map[string]string{
			``:           `{"requests":null,"databaseMilliseconds":null,"rows":null,"bytes":null}`,
			`limits: {}`: `{"requests":null,"databaseMilliseconds":null,"rows":null,"bytes":null}`,
			`limits: {requests: 5, databaseMilliseconds: 1500, rows: "9007199254740993", bytes: 7}`: `{"requests":5,"databaseMilliseconds":1500,"rows":9007199254740993,"bytes":7}`,
		} {
			id := one.text(t, key, `mutation { `+make+limits+`}) { id } }`, "id")
			one.check(t, root, `{ admin { tokens(tenant: "acme", search: "`+id+`") { items`+limitsShown+` } } }`, `200 {"data":{"admin":{"tokens":{"items":[{"limits":`+want+`}]}}}}`)
		}
		for _, wrong := range []string{
			`null`, `{requests: null}`, `{databaseMilliseconds: null}`, `{rows: null}`, `{bytes: null}`, `{requests: 0}`, `{databaseMilliseconds: 0}`, `{rows: 0}`, `{bytes: "0"}`, `{rows: -1}`,
			`{bytes: 1.5}`, `{rows: ""}`, `{queries: 5}`, `{databaseMilliseconds: 9223372036854775807}`, `[]`, `""`, `5`,
		} {
			if got := one.query(t, key, `mutation { `+make+`limits: `+wrong+`}) { id } }`); !strings.Contains(got, "errors") || strings.Contains(got, "INTERNAL") {
				t.Errorf("%s %s: %s", make, wrong, got)
			}
		}
		// A variable that is forgotten is not "as the minter".
		if got := one.query(t, key, `mutation($l: MinuteLimitsInput) { `+make+`limits: $l}) { id } }`); !strings.Contains(got, "BAD_USER_INPUT") {
			t.Errorf("%s $l: %s", make, got)
		}
	}
	// Nobody has limits of their own by a claim of an issuer.
	one.check(t, program.Sign(t, `{"tenant": "acme", "sub": "ann", "limits": {"rows": 1}}`), `{ notes(limit: 1) { id } }`, `200 {"data":{"notes":[{"id":1}]}}`)
}

// What is narrowed from a token takes from that one's limits: making many of them gives nobody more.
func TestNarrowedTokensShareLimits(t *testing.T) {
	t.Parallel()
	one, _, root := limited(t)
	first := one.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "ann", limits: {requests: 4}}) { token } }`, "token")
	narrow := func(token string, limits principal.Budget) string {
		t.Helper()
		holder, err := one.Control().Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		made, err := one.Control().Narrow(t.Context(), holder, tenancy.Narrowing{Limits: limits})
		if err != nil {
			t.Fatal(err)
		}
		return made.Token
	}
	const ask = `{ notes(limit: 1) { id } }`
	second := narrow(first, principal.Budget{Requests: 2})
	third := narrow(second, principal.Budget{Requests: 1000})
	for n, step := range []struct {
		token, refused string
	}{
		{third, ""},
		{third, ""},
		{third, "the token allows 2 requests"},
		{second, "the token allows 2 requests"},
		{narrow(first, principal.Budget{}), ""},
		{first, ""},
		{first, "the token allows 4 requests"},
		{narrow(first, principal.Budget{Requests: 1}), "the token allows 4 requests"},
	} {
		got := one.query(t, step.token, ask)
		if strings.HasPrefix(got, "200") != (step.refused == "") || !strings.Contains(got, step.refused) {
			t.Errorf("step %d: %s", n, got)
		}
	}
}
