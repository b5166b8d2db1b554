package gateway_test

import (
	"strings"
	"testing"

	"usher/fault"
	"usher/tenancy"
)

// asked is a step: who asks, and what the refusal says; empty: there is none.
type asked struct{ token, refused string }

func (g gate) steps(t *testing.T, steps []asked) {
	t.Helper()
	for n, step := range steps {
		got := g.query(t, step.token, `{ notes(limit: 1) { id } }`)
		if strings.HasPrefix(got, "200") != (step.refused == "") || !strings.Contains(got, step.refused) {
			t.Errorf("step %d, want %q: %s", n, step.refused, got)
		}
	}
}

// chain is a token of a rate, one that is narrowed from it, and two from that.
func (g gate) chain(t *testing.T, key string) (first, middle, slow, free string) {
	t.Helper()
	first = g.text(t, key, `mutation { createToken(input: {tenant: "acme", subject: "ann", rate: 9}) { token } }`, "token")
	middle = g.narrower(t, first, 5)
	return first, middle, g.narrower(t, middle, 2), g.narrower(t, middle, 1000)
}

// narrower is a token that is made of another one.
func (g gate) narrower(t *testing.T, token string, rate int) string {
	t.Helper()
	made, err := g.narrow(t, token, rate)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func (g gate) narrow(t *testing.T, token string, rate int) (string, error) {
	t.Helper()
	holder, err := g.Control().Authenticate(t.Context(), token) // which counts as a request
	if err != nil {
		t.Fatal(err)
	}
	made, err := g.Control().Narrow(t.Context(), holder, tenancy.Narrowing{Rate: rate})
	return made.Token, err
}

// Each rate in a chain of tokens holds for all that came of it, also one in the middle, and
// over two gateways. A request that is refused takes from none of them.
func TestRatesInTheMiddle(t *testing.T) {
	t.Parallel()
	one, two, root := limited(t)
	first, middle, slow, free := one.chain(t, root) // narrowing was a request of the first, and two of the middle
	one.steps(t, []asked{
		{slow, ""},
		{slow, ""},
		{slow, "the token allows 2 requests"},
		{free, ""},
		{free, "the token allows 5 requests"},
		{middle, "the token allows 5 requests"},
		{slow, "requests a minute"},
		{first, ""},
		{first, ""},
		{first, ""},
		{first, "the token allows 9 requests"},
	})

	first, middle, slow, free = one.chain(t, root)
	answered := 0
	for range 3 {
		for _, g := range []gate{one, two} {
			for _, token := range []string{free, slow, middle} {
				switch got := g.query(t, token, `{ notes(limit: 1) { id } }`); {
				case strings.HasPrefix(got, "200"):
					answered++
				case !strings.Contains(got, "the token allows"):
					t.Error(got)
				}
			}
		}
	}
	if answered < 3 || answered > 4 { // a lease of the other gateway is known after a second
		t.Errorf("two gateways answered %d of the middle's 3", answered)
	}
	one.steps(t, []asked{{first, ""}})
}

// The limits of a service key are those of all that is made with it, keys included, and are shown.
func TestLimitsOfServiceKeys(t *testing.T) {
	t.Parallel()
	one, _, root := limited(t)
	key := func(maker, more string) (id, token string) {
		t.Helper()
		token = one.text(t, maker, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [CREATE_TOKENS, ADMINISTER, READ_DATA]`+more+`}) { token } } }`, "token")
		who, err := one.Control().Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		return who.TokenID, token
	}
	mint := func(key, more string) string {
		t.Helper()
		return one.text(t, key, `mutation { createToken(input: {subject: "ann"`+more+`}) { token } }`, "token")
	}
	id, rated := key(root, ", rate: 7")
	_, second := key(rated, ", rate: 100")
	ann, bob := mint(rated, ""), mint(rated, ", rate: 1") // of its requests two are left
	one.steps(t, []asked{{ann, ""}, {bob, ""}, {bob, "the token allows 1 requests"}, {ann, "the token allows 7 requests"}, {second, "the token allows 7 requests"}, {rated, "the token allows 7 requests"}})
	shown := func(id, want string) {
		t.Helper()
		if got := one.query(t, root, `{ admin { serviceKeys(tenant: "acme") { items { id rate limits { requests rows } } } } }`); !strings.Contains(got, `{"id":"`+id+`",`+want+`}`) {
			t.Errorf("%s is not shown as %s: %s", id, want, got)
		}
	}
	shown(id, `"rate":7,"limits":{"requests":null,"rows":null}`)

	id, narrow := key(root, ", limits: {rows: 5, requests: 500}")
	_, made := key(narrow, "")
	one.steps(t, []asked{{mint(narrow, ""), ""}})
	if got := one.query(t, mint(made, ", limits: {rows: 1000}"), `{ notes { id } }`); !strings.HasPrefix(got, "200") { // twenty rows: the rest is a debt
		t.Error(got)
	}
	one.steps(t, []asked{{mint(narrow, ""), "the token has used the 5 rows"}, {narrow, "the token has used the 5 rows"}})
	shown(id, `"rate":null,"limits":{"requests":500,"rows":5}`)
	for _, wrong := range []string{"rate: 0", "rate: -1", "rate: null", "rate: 1000001", "limits: null", "limits: {rows: 0}", "limits: {rows: null}", `limits: ""`} {
		if got := one.query(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [READ_DATA], `+wrong+`}) { id } } }`); !strings.Contains(got, "errors") || strings.Contains(got, "INTERNAL") {
			t.Errorf("%s: %s", wrong, got)
		}
	}
	acting := one.text(t, one.text(t, root, `mutation { admin { createServiceKey(input: {name: "few", allTenants: true, scopes: [ADMINISTER, READ_DATA], rate: 3}) { token } } }`, "token"),
		`mutation { actAs(tenant: "acme", reason: "a look", minutes: 5) { token } }`, "token")
	one.steps(t, []asked{{acting, ""}, {acting, ""}, {acting, "the token allows 3 requests"}})
}

// A chain of limits has an end: each request is counted in all.
func TestChainsOfLimitsEnd(t *testing.T) {
	t.Parallel()
	one, _, root := limited(t)
	token := one.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "ann", rate: 1000}) { token } }`, "token")
	narrowed := 0
	for narrowed < 20 {
		next, err := one.narrow(t, token, 900-narrowed)
		if err != nil {
			if f := fault.From(err); f.Code != fault.BadUserInput || !strings.Contains(f.Message, "16 tokens") {
				t.Error(err)
			}
			break
		}
		token = next
		narrowed++
	}
	if narrowed != 16 {
		t.Errorf("%d were narrowed", narrowed)
	}
	one.steps(t, []asked{{token, ""}})
}
