package catalog_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
)

const toldConfig = `
sources:
  shop: {kind: duckdb, path: none.duckdb}
  partner: {kind: api, base_url: "https://partner.example", isolation: upstream, headers: {X-Tenant: "{tenant}"HEADERS}}
strategies:
  shared: {kind: shared, source: shop}
  api: {kind: api, source: partner}
default_strategy: shared
datasets:
  orders:
    tenant: tenant_id
    key: id
    columns: {id: BigInt!, tenant_id: String!, clerk: String, gone: Timestamp}FILTER
`

// TestNeeded: what no template and no condition names is left out of what plans
// are made for, and nothing else.
func TestNeeded(t *testing.T) {
	t.Parallel()
	text := func(s string) map[string]query.Value {
		return map[string]query.Value{"team": query.Text(s), "unused": query.Text("x")}
	}
	ann := principal.Principal{
		Subject: "ann", Name: "Ann", Email: "ann@example.com", Issuer: "idp", Tenant: "acme", TenantKey: "17", Roles: []string{"clerk"},
		Acting: &principal.Acting{Subject: "root"}, Grant: principal.Grant{Strategy: "api", Metadata: text("blue")},
	}
	of := func(headers, filter string) principal.Principal {
		config := strings.NewReplacer("HEADERS", headers, "FILTER", filter).Replace(toldConfig)
		return plantest.Catalog(t, config, nil).Needed(ann)
	}
	bare := ann
	bare.Subject, bare.Name, bare.Email, bare.Issuer, bare.Acting, bare.Grant.Metadata = "", "", "", "", nil, map[string]query.Value{}
	for name, c := range map[string]struct {
		headers, filter string
		change          func(*principal.Principal)
	}{
		"nothing":                {"", "", func(*principal.Principal) {}},
		"a subject in a header":  {`, X-User: "u-{subject}"`, "", func(p *principal.Principal) { p.Subject = "ann" }},
		"a subject in a filter":  {"", "\n    filter: {or: [{clerk: {isNull: true}}, {clerk: {eq: $subject}}]}", func(p *principal.Principal) { p.Subject = "ann" }},
		"a subject in a preset":  {"", "\n    writable: true\n    global_keys: true\n    presets: {insert: {clerk: $subject}}", func(p *principal.Principal) { p.Subject = "ann" }},
		"a subject in a stamp":   {"", "\n    deleted: {at: gone, by: clerk}", func(p *principal.Principal) { p.Subject = "ann" }},
		"metadata in a header":   {`, X-Team: "{metadata.team}"`, "", func(p *principal.Principal) { p.Grant.Metadata["team"] = query.Text("blue") }},
		"metadata in a filter":   {"", "\n    filter: {clerk: {eq: $metadata.team}}", func(p *principal.Principal) { p.Grant.Metadata["team"] = query.Text("blue") }},
		"a measure with a value": {"", "\n    measures: {mine: {expr: count(), filter: {clerk: {eq: $subject}}}}", func(p *principal.Principal) { p.Subject = "ann" }},
	} {
		want := bare
		want.Grant.Metadata = map[string]query.Value{}
		c.change(&want)
		if diff := cmp.Diff(want, of(c.headers, c.filter)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	cat := plantest.Catalog(t, strings.NewReplacer("HEADERS", "", "FILTER", "").Replace(toldConfig), nil)
	own := ann
	own.RoleSpecs = map[string]string{"clerk": "{}"}
	filtered := ann
	filtered.Grant.Filters = []principal.Filter{{Dataset: "orders"}}
	for _, p := range []principal.Principal{own, filtered} {
		got := cat.Needed(p)
		if got.Subject != "ann" || len(got.Grant.Metadata) != 2 {
			t.Errorf("conditions that came with the principal may name what is gone: %+v", got)
		}
	}
}
