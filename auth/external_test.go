package auth

import (
	"context"
	"errors"
	"strings"
	"testing"

	"usher/fault"
	"usher/principal"
	"usher/query"
)

// calledSo is shop, which names tenants by what its identity provider calls them.
func calledSo() IssuerSpec {
	s := shop()
	s.Tenants = "registered"
	s.Claims.Tenant = Claim{Pointer: "/org_id", Map: MapRegistry}
	return s
}

// registry knows what tenants are called, and tenants.
type registry struct {
	named map[string]string
	asked []string
	err   error
}

func (r *registry) options() Options {
	return Options{
		TenantOf: func(_ context.Context, externalID string) (string, error) {
			r.asked = append(r.asked, externalID)
			if id, ok := r.named[externalID]; ok || r.err != nil {
				return id, r.err
			}
			return "", ErrNotRegistered
		},
		Tenants: func(_ context.Context, id string) (string, principal.Routing, error) {
			if id == "gone" {
				return "", principal.Routing{}, ErrNotRegistered
			}
			return "key-of-" + id, principal.Routing{}, nil
		},
	}
}

func TestExternalTenants(t *testing.T) {
	t.Parallel()
	r := &registry{named: map[string]string{"org_9ybsU1dN2d": "acme", "42": "globex", "lost": "gone", "-7": "acme", strings.Repeat("ä", 255): "acme"}}
	v := verifier(t, r.options(), calledSo())
	token := func(org any) string { return shopDraft().with(map[string]any{"org_id": org, "tenant": nil}).sign() }
	for org, want := range map[any]string{"org_9ybsU1dN2d": "acme", 42: "globex", "42": "globex", -7: "acme", strings.Repeat("ä", 255): "acme"} {
		for range 2 { // the second time the token is remembered
			p, err := v.Verify(t.Context(), token(org))
			if err != nil || p.Tenant != want || p.TenantKey != "key-of-"+want {
				t.Errorf("%.20v is %q with %q, %v", org, p.Tenant, p.TenantKey, err)
			}
		}
	}
	for _, org := range []any{
		"", " ", "acme", "globex", "gone", "lost", "ORG_9YBSU1DN2D", "org_9ybsU1dN2d ", "null", "undefined", "no_tenant", "0", 0, 42.0000001, 4.2e30, true, nil,
		[]string{"org_9ybsU1dN2d"},
		map[string]any{"a": "org_9ybsU1dN2d"},
		strings.Repeat("x", 256), "a\nb",
	} {
		p, err := v.Verify(t.Context(), token(org))
		checkRefused(t, p, err, err)
		if err == nil || fault.From(err).Code != fault.Unauthenticated {
			t.Errorf("%.20v: %+v, %v", org, p, err)
		}
	}
	// Without the claim there is no tenant, though the token has one under another name.
	p, err := v.Verify(t.Context(), shopDraft().sign())
	checkRefused(t, p, err, ErrTenant)
}

// Whose an external id is, is asked for each request: a token that is remembered
// shows another tenant, or none, once the registry says so.
func TestExternalTenantsMove(t *testing.T) {
	t.Parallel()
	r := &registry{named: map[string]string{"org": "acme"}}
	opts := r.options()
	var judged []string
	opts.Revoked = func(p principal.Principal) bool {
		judged = append(judged, p.Tenant)
		return p.Tenant == "revoked"
	}
	v := verifier(t, opts, calledSo())
	token := shopDraft().with(map[string]any{"org_id": "org"}).sign()
	for _, step := range []struct {
		tenant string
		err    error
		want   fault.Code
	}{{"acme", nil, ""}, {"globex", nil, ""}, {"revoked", nil, fault.Unauthenticated}, {"", ErrNotRegistered, fault.Unauthenticated}, {"", errors.New("silent"), fault.Unavailable}, {"acme", nil, ""}} {
		r.named, r.err = map[string]string{"org": step.tenant}, step.err
		p, err := v.Verify(t.Context(), token)
		if step.want == "" && (err != nil || p.Tenant != step.tenant) || step.want != "" && (err == nil || fault.From(err).Code != step.want) {
			t.Errorf("%+v: %q, %v", step, p.Tenant, err)
		}
	}
	if strings.Join(judged, " ") != "acme globex revoked acme" {
		t.Errorf("revocations are compared with %q", judged)
	}
	// Who knows nobody by such a name lets nobody in.
	unknowing := verifier(t, Options{Tenants: opts.Tenants}, calledSo())
	p, err := unknowing.Verify(t.Context(), token)
	checkRefused(t, p, err, ErrNotRegistered)
}

func TestMapOfClaims(t *testing.T) {
	t.Parallel()
	r := &registry{}
	for want, change := range map[string]func(*IssuerSpec){
		`claims.tenant: map: "other" is not registry`:              func(s *IssuerSpec) { s.Claims.Tenant.Map = "other" },
		"claims.tenant: map: without a pointer":                    func(s *IssuerSpec) { s.Claims.Tenant = Claim{Map: MapRegistry} },
		"claims.tenant: map: a default and map exclude each other": func(s *IssuerSpec) { s.Claims.Tenant.Default = query.Text("acme") },
		"claims.subject: map: only tenants are looked up":          func(s *IssuerSpec) { s.Claims.Subject = Claim{Pointer: "/sub", Map: MapRegistry} },
		"tenants: external ids are looked up in the registry":      func(s *IssuerSpec) { s.Tenants = "trusted" },
		"claims.strategies: ": func(s *IssuerSpec) {
			s.Claims.Strategies.Default = query.Object{{Name: "orders", Value: query.Text("silo")}}
		},
	} {
		spec := calledSo()
		spec.Claims.AllTenants = Claim{}
		change(&spec)
		if _, err := New([]IssuerSpec{spec}, r.options()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if v, err := New([]IssuerSpec{calledSo()}, r.options()); err != nil {
		t.Error(err)
	} else {
		v.Close()
	}
}

// Strategies of single datasets are within what the issuer may grant, each of them.
func TestStrategiesOfDatasets(t *testing.T) {
	t.Parallel()
	spec := shop()
	spec.Claims.Strategies = Claim{Pointer: "/strategies"}
	spec.MayGrant.Strategies = []string{"database", "api"}
	v := verifier(t, Options{}, spec)
	for _, c := range []struct {
		claim any
		want  map[string]string
	}{
		{map[string]any{"orders": "database", "web": "api"}, map[string]string{"orders": "database", "web": "api"}},
		{`{"orders": "database"}`, map[string]string{"orders": "database"}}, // as JSON in a text
		{map[string]any{}, map[string]string{}},
		{map[string]any{"orders": "database", "web": "other"}, nil},
		{map[string]any{"orders": ""}, nil},
		{map[string]any{"orders": nil}, nil},
		{map[string]any{"orders": []string{"api"}}, nil},
		{[]string{"orders", "api"}, nil},
		{"api", nil},
		{nil, nil},
		{true, nil},
	} {
		p, err := v.Verify(t.Context(), shopDraft().with(map[string]any{"strategies": c.claim}).sign())
		if c.want == nil {
			checkRefused(t, p, err, err)
			if err == nil {
				t.Errorf("%v is accepted as %v", c.claim, p.Grant.Strategies)
			}
			continue
		}
		if err != nil || len(p.Grant.Strategies) != len(c.want) {
			t.Errorf("%v: %v, %v", c.claim, p.Grant.Strategies, err)
		}
		for dataset, strategy := range c.want {
			if p.Grant.Strategies[dataset] != strategy {
				t.Errorf("%v: %v", c.claim, p.Grant.Strategies)
			}
		}
	}
	if p, err := v.Verify(t.Context(), shopDraft().sign()); err != nil || p.Grant.Strategies != nil {
		t.Errorf("without the claim: %v, %v", p.Grant.Strategies, err)
	}
}
