package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

func TestSpecFromYAML(t *testing.T) {
	t.Parallel()
	const text = `
issuer: https://idp.example
audience: [usher]
algorithms: [RS256]
keys: {jwks_url: "https://idp.example/keys"}
tenants: trusted
max_lifetime: 1h
claims:
  tenant: /tenant
  roles: {pointer: /realm/roles, required: true}
  timezone: {pointer: /zoneinfo}
may_grant: {roles: [viewer], all_tenants: true}
`
	var got IssuerSpec
	if err := yaml.NewDecoder(strings.NewReader(text), yaml.DisallowUnknownField()).Decode(&got); err != nil {
		t.Fatal(err)
	}
	want := IssuerSpec{
		Issuer:      "https://idp.example",
		Audience:    []string{"usher"},
		Algorithms:  []string{"RS256"},
		Keys:        KeysSpec{JWKSURL: "https://idp.example/keys"},
		Tenants:     "trusted",
		MaxLifetime: time.Hour,
		Claims: ClaimsSpec{
			Tenant:   Claim{Pointer: "/tenant"},
			Roles:    Claim{Pointer: "/realm/roles", Required: true},
			Timezone: Claim{Pointer: "/zoneinfo"},
		},
		MayGrant: MayGrant{Roles: []string{"viewer"}, AllTenants: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpecFromYAMLIsStrict(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"claims: {tenant: {pointer: /tenant, require: true}}",
		"claims: {tenant: [/tenant]}",
		"claims: {tenants: /tenant}",
		"may_grant: {role: [viewer]}",
	} {
		var spec IssuerSpec
		if err := yaml.NewDecoder(strings.NewReader(text), yaml.DisallowUnknownField()).Decode(&spec); err == nil {
			t.Errorf("%s: accepted as %+v", text, spec)
		}
	}
}
