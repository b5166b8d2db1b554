package auth

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"usher/fault"
	"usher/principal"
	"usher/query"
)

// where is {region: {eq: "EU"}, total: {gt: 12345678901234567890.10}}.
var where = query.Object{
	{Name: "region", Value: query.Object{{Name: "eq", Value: query.Text("EU")}}},
	{Name: "total", Value: query.Object{{Name: "gt", Value: query.Number("12345678901234567890.10")}}},
}

const filtersText = `[{"dataset":"orders","where":{"region":{"eq":"EU"},"total":{"gt":12345678901234567890.10}}},{"dataset":"visits","having":{"count":{"gte":5}}}]`

// having is {count: {gte: 5}}.
var having = query.Object{{Name: "count", Value: query.Object{{Name: "gte", Value: query.Number("5")}}}}

func alice() principal.Principal {
	return principal.Principal{
		Subject: "alice", Issuer: "shop", TokenID: "t-1", Kind: principal.JWT, Tenant: "acme", TenantKey: "acme",
		Scopes: []principal.Scope{principal.ReadData}, Issued: now.Add(-issueSkew), Expires: now.Add(time.Hour),
	}
}

func TestPrincipal(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	f := func(name string, d *draft, want principal.Principal) {
		t.Helper()
		got, err := v.Verify(t.Context(), d.sign())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if again, err := v.Verify(t.Context(), d.sign()); err != nil || !cmp.Equal(want, again) {
			t.Errorf("%s, the second time: %v", name, err)
		}
	}

	f("a tenant and nothing else", shopDraft(), alice())

	full := alice()
	full.Roles = []string{"viewer", "editor"}
	full.Grant = principal.Grant{
		Strategy:   "shared",
		Filters:    []principal.Filter{{Dataset: "orders", Where: where}, {Dataset: "visits", Having: having}},
		Parameters: map[string]query.Value{"region": query.List{query.Text("EU"), query.Number("1.50")}},
		Cleared:    []string{"year"},
		Metadata:   map[string]query.Value{"team": query.Text("north")},
		Accounts:   map[string]principal.Account{"silo": {Database: "acme", Schema: "sales"}},
		Datasets:   []string{"orders"},
		Timezone:   "Europe/Berlin",
	}
	d := shopDraft().with(map[string]any{
		"access": map[string]any{"roles": []string{"viewer", "editor"}}, "strategy": "shared", "zoneinfo": "Europe/Berlin",
	})
	written(`"filters":` + filtersText + `,"parameters":{"region":["EU",1.50]},"clear":["year"],"metadata":{"team":"north"},"accounts":{"silo":{"database":"acme","schema":"sales"}},"datasets":["orders"]`)(d)
	f("every claim", d, full)

	f("structured claims as JSON in strings", shopDraft().with(map[string]any{
		"access": map[string]any{"roles": `["viewer","editor"]`}, "strategy": "shared", "zoneinfo": "Europe/Berlin",
		"filters": filtersText, "parameters": `{"region":["EU",1.50]}`, "clear": `["year"]`, "metadata": `{"team":"north"}`, "accounts": `{"silo":{"database":"acme","schema":"sales"}}`, "datasets": `["orders"]`,
	}), full)

	none := alice()
	none.Grant.Datasets = []string{}
	f("no dataset is not every dataset", shopDraft().with(map[string]any{"datasets": []string{}}), none)

	nobody := alice()
	nobody.Subject, nobody.TokenID = "", ""
	d = shopDraft()
	delete(d.claims, "sub")
	delete(d.claims, "jti")
	f("no subject", d, nobody)

	f("several audiences", shopDraft().with(map[string]any{"aud": []string{"billing", "reports"}}), alice())
	f("all tenants is false", shopDraft().with(map[string]any{"all_tenants": false}), alice())
	f("claims nobody asks for", shopDraft().with(map[string]any{"email": "a@b.example", "x": map[string]any{"tenant": "globex"}}), alice())
	f("HS512", shopDraft().signedWith(jwt.SigningMethodHS512, []byte(shopSecret)), alice())

	soon := alice()
	soon.Issued, soon.Expires = now.Add(-time.Minute-issueSkew), now.Add(-29*time.Second)
	f("expired within the leeway", shopDraft().with(map[string]any{"exp": in(-29 * time.Second), "iat": in(-time.Minute)}), soon)
	ahead := alice()
	ahead.Issued = now
	f("issued ahead as far as clocks may be", shopDraft().with(map[string]any{"iat": in(issueSkew), "nbf": in(30 * time.Second)}), ahead)
	timeless := alice()
	timeless.Issued = time.Time{}
	d = shopDraft()
	delete(d.claims, "iat")
	f("it does not say when it was issued", d, timeless)

	for _, typ := range []string{"jwt", "at+jwt", "application/at+jwt"} {
		d := shopDraft()
		d.header["typ"] = typ
		f(typ, d, alice())
	}
	d = shopDraft()
	delete(d.header, "typ")
	f("no typ", d, alice())
}

func TestGlobalPrincipal(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, global())
	got, err := v.Verify(t.Context(), allTenants(globalDraft()).sign())
	if err != nil {
		t.Fatal(err)
	}
	want := alice()
	want.Issuer, want.Tenant, want.TenantKey, want.AllTenants = "global", "", "", true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.Claims.AllTenants = Claim{}
	spec.Claims.Tenant.Default = query.Text("acme")
	spec.Claims.Roles.Default = query.List{query.Text("viewer")}
	spec.Claims.Parameters.Default = query.Object{{Name: "region", Value: query.List{query.Text("EU"), query.Number("2"), query.Number("1.5"), query.Bool(true)}}}
	spec.Claims.Filters.Default = query.List{query.Object{{Name: "dataset", Value: query.Text("orders")}, {Name: "where", Value: query.Object{
		{Name: "n", Value: query.Object{{Name: "gt", Value: query.Number("-1")}}},
	}}}}
	v := verifier(t, Options{}, spec)
	d := shopDraft()
	delete(d.claims, "tenant")
	got, err := v.Verify(t.Context(), d.sign())
	if err != nil {
		t.Fatal(err)
	}
	want := alice()
	want.Roles = []string{"viewer"}
	want.Grant.Parameters = map[string]query.Value{
		"region": query.List{query.Text("EU"), query.Number("2"), query.Number("1.5"), query.Bool(true)},
	}
	want.Grant.Filters = []principal.Filter{{Dataset: "orders", Where: query.Object{
		{Name: "n", Value: query.Object{{Name: "gt", Value: query.Number("-1")}}},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDatasetsOfTheIssuer(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.MayGrant.Datasets = []string{"orders", "customers"}
	v := verifier(t, Options{}, spec)
	f := func(claims map[string]any, want []string) {
		t.Helper()
		got, err := v.Verify(t.Context(), shopDraft().with(claims).sign())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.Grant.Datasets); diff != "" {
			t.Error(diff)
		}
	}
	f(nil, []string{"orders", "customers"})
	f(map[string]any{"datasets": []string{"orders"}}, []string{"orders"})
	f(map[string]any{"datasets": []string{}}, []string{})
	p, err := v.Verify(t.Context(), shopDraft().with(map[string]any{"datasets": []string{"orders", "salaries"}}).sign())
	checkRefused(t, p, err, ErrGrant)
}

func TestZeroMayGrantGrantsNothing(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.MayGrant = MayGrant{}
	v := verifier(t, Options{}, spec)
	for _, claims := range []map[string]any{
		{"access": map[string]any{"roles": []string{"viewer"}}},
		{"strategy": "shared"},
		{"parameters": map[string]any{"region": "EU"}},
		{"metadata": map[string]any{"team": "north"}},
	} {
		p, err := v.Verify(t.Context(), shopDraft().with(claims).sign())
		checkRefused(t, p, err, ErrGrant)
	}
	p, err := v.Verify(t.Context(), allTenants(shopDraft()).sign())
	checkRefused(t, p, err, ErrGrant)
}

func TestRegisteredTenants(t *testing.T) {
	t.Parallel()
	registry := map[string]string{"acme": "4711", "keyless": ""}
	spec := shop()
	spec.Tenants = ""
	routing := principal.Routing{Strategy: "own", Accounts: map[string]principal.Account{"silo": {Database: "acme"}}}
	trusting := idp()
	var down error
	v := verifier(t, Options{Tenants: func(_ context.Context, id string) (string, principal.Routing, error) {
		key, ok := registry[id]
		if !ok {
			return "", principal.Routing{}, ErrNotRegistered
		}
		return key, routing, down
	}}, spec, trusting)
	token := shopDraft().sign()
	got, err := v.Verify(t.Context(), token)
	if err != nil || got.Tenant != "acme" || got.TenantKey != "4711" || !reflect.DeepEqual(got.Routing, routing) {
		t.Errorf("got %q with key %q, %v", got.Tenant, got.TenantKey, err)
	}
	// A trusting issuer's tenants need not be registered, and then their keys are
	// their ids; of those that are, what is registered holds.
	byTrust := idpDraft(jwt.SigningMethodES256, private().p256).sign()
	if got, err := v.Verify(t.Context(), byTrust); err != nil || got.Tenant != "acme" || got.TenantKey != "4711" || !reflect.DeepEqual(got.Routing, routing) {
		t.Errorf("got %q with key %q, %v", got.Tenant, got.TenantKey, err)
	}
	if got, err := v.Verify(t.Context(), idpDraft(jwt.SigningMethodES256, private().p256).with(map[string]any{"tenant": "globex"}).sign()); err != nil || got.TenantKey != "globex" || got.Routing.Accounts != nil {
		t.Errorf("got %q with key %q, %v", got.Tenant, got.TenantKey, err)
	}
	down = errors.New("connection refused")
	for _, token := range []string{token, byTrust} {
		if _, err := v.Verify(t.Context(), token); fault.From(err).Code != fault.Unavailable || !errors.Is(err, down) {
			t.Errorf("a registry that does not answer: %v", err)
		}
	}
	for _, down = range []error{context.DeadlineExceeded, fault.New(fault.Timeout, "the data did not arrive in time")} { // whose own time is over has not found out that somebody is silent
		if _, err := v.Verify(t.Context(), token); fault.From(err).Code != fault.Timeout || strings.Contains(fault.From(err).Message, "registry") {
			t.Errorf("a request that ends: %v", err)
		}
	}
	down = nil
	for _, id := range []string{"globex", "keyless"} {
		p, err := v.Verify(t.Context(), shopDraft().with(map[string]any{"tenant": id}).sign())
		checkRefused(t, p, err, ErrTenant)
	}
	delete(registry, "acme")
	if _, err := v.Verify(t.Context(), token); !errors.Is(err, ErrTenant) {
		t.Errorf("a tenant that left the registry, with a token seen before: %v", err)
	}
}

// Who is a tenant, and whose rows are read, does not depend on the issuer: the
// key of one tenant is nobody's id.
func TestKeysAreNobodysIDs(t *testing.T) {
	t.Parallel()
	registered := shop()
	registered.Tenants = ""
	v := verifier(t, Options{Tenants: func(context.Context, string) (string, principal.Routing, error) {
		return "", principal.Routing{}, ErrForeignKey
	}}, registered, idp())
	for _, token := range []string{shopDraft().sign(), idpDraft(jwt.SigningMethodES256, private().p256).sign()} {
		p, err := v.Verify(t.Context(), token)
		checkRefused(t, p, err, ErrForeignKey)
	}
}

// Tokens of an issuer write only where it is trusted to, and no claim says so.
func TestWhoMayWrite(t *testing.T) {
	t.Parallel()
	writers := shop()
	writers.MayGrant.Write, writers.MayGrant.Explain = true, true
	for _, c := range []struct {
		spec IssuerSpec
		want []principal.Scope
	}{
		{shop(), []principal.Scope{principal.ReadData}},
		{writers, []principal.Scope{principal.ReadData, principal.WriteData, principal.Explain}},
	} {
		v := verifier(t, Options{}, c.spec)
		got, err := v.Verify(t.Context(), shopDraft().with(map[string]any{"scope": "data:write", "scopes": []string{"data:write"}}).sign())
		if diff := cmp.Diff(c.want, got.Scopes); err != nil || diff != "" {
			t.Errorf("%v:\n%s", err, diff)
		}
	}
}

func TestNamespacesWithSlashes(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.Claims.Tenant.Pointer = "/https:~1~1usher.example~1claims/the~0tenant"
	v := verifier(t, Options{}, spec)
	got, err := v.Verify(t.Context(), shopDraft().with(map[string]any{
		"https://usher.example/claims": map[string]any{"the~tenant": "globex"},
	}).sign())
	if err != nil || got.Tenant != "globex" {
		t.Errorf("got %q, %v", got.Tenant, err)
	}
}

func TestPublicKeys(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, idp())
	k := private()
	for _, d := range []*draft{
		idpDraft(jwt.SigningMethodRS256, k.rsa),
		idpDraft(jwt.SigningMethodPS256, k.rsa),
		idpDraft(jwt.SigningMethodES256, k.p256),
		idpDraft(jwt.SigningMethodEdDSA, k.ed),
	} {
		d.header["kid"] = "../../../dev/null' or 1=1 --\x00"
		if got, err := v.Verify(t.Context(), d.sign()); err != nil || got.Tenant != "acme" {
			t.Errorf("%s: %q, %v", d.method.Alg(), got.Tenant, err)
		}
	}
	p, err := v.Verify(t.Context(), idpDraft(jwt.SigningMethodRS256, k.otherRSA).sign())
	checkRefused(t, p, err, ErrSignature)
}

func TestSignHS256(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{}, shop())
	token, err := SignHS256([]byte(shopSecret), shopDraft().claims)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(t.Context(), token); err != nil {
		t.Error(err)
	}
	if _, err := SignHS256([]byte("short"), nil); err == nil {
		t.Error("signed with a short secret")
	}
}

// An issuer whose tokens nobody but backends holds may send whole accounts;
// what they may lead to is the catalog's to say.
func TestConfidentialAccounts(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.Confidential = true
	i, problems := newIssuer(spec, remote{})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	read := func(text string) (map[string]principal.Account, error) {
		v, err := parseJSON([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return i.accounts(v)
	}
	got, err := read(`{"silo":{"host":"db.example","port":5433,"database":"acme","schema":"s","user":"u","password":"p","base_url":"https://a.example","headers":{"X-A":"1"},"properties":{"region":"eu"}}}`)
	want := map[string]principal.Account{"silo": {
		Host: "db.example", Port: 5433, Database: "acme", Schema: "s", User: "u", Password: "p",
		BaseURL: "https://a.example", Headers: map[string]string{"X-A": "1"}, Properties: map[string]string{"region": "eu"},
	}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %#v, %v", got["silo"].Host, err)
	}
	for _, text := range []string{
		`{"silo":{"port":"5432"}}`, `{"silo":{"port":0}}`, `{"silo":{"port":65536}}`, `{"silo":{"port":1.5}}`, `{"silo":{"host":""}}`, `{"silo":{"host":7}}`,
		`{"silo":{"Password":"p"}}`, `{"silo":{"headers":[]}}`, `{"silo":{"headers":{"X":1}}}`, `{"silo":{"dsn":"postgres://x"}}`, `{"silo":{"sslmode":"disable"}}`,
	} {
		if got, err := read(text); err == nil {
			t.Errorf("%s was taken as %d accounts", text, len(got))
		}
	}
}

// A tenant that is a whole number is who its digits say, as text or not.
func TestTenantsAsNumbers(t *testing.T) {
	t.Parallel()
	v := verifier(t, Options{Tenants: func(_ context.Context, id string) (string, principal.Routing, error) {
		return id, principal.Routing{}, nil
	}}, shop())
	for claim, want := range map[string]string{"7": "7", `"7"`: "7", "9007199254740991": "9007199254740991", `"9007199254740993"`: "9007199254740993"} {
		p, err := v.Verify(t.Context(), shopDraft().with(map[string]any{"tenant": json.RawMessage(claim)}).sign())
		if err != nil || p.Tenant != want || p.TenantKey != want {
			t.Errorf("%s is %q with %q, %v", claim, p.Tenant, p.TenantKey, err)
		}
	}
	p, err := v.Verify(t.Context(), shopDraft().with(map[string]any{"tenant": 0}).sign())
	checkRefused(t, p, err, ErrTenant)
}
