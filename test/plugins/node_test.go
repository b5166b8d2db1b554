// Package plugins holds what is true of broker plugins that others wrote: usher
// asks a plugin in Node, written after the vendor's documentation, over HTTP.
package plugins

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"usher/principal"
	"usher/query"
	"usher/test/inprocess"
	"usher/test/noderun"
)

const secret = "the secret of a plugin in Node"

// configuration has no columns: the plugin describes them.
const configuration = `
sources:
  broker:
    kind: api
    protocol: plugin
    base_url: %s
    allow_private: true
    isolation: %s
    secret: {env: PLUGIN_SECRET}
    properties: {Region: eu}
    plugin: {protocol_version: %s, pushdown: %t, supports_order_limit: %t}
    metadata: [desk]
strategies:
  broker: {kind: api, source: broker}
datasets:
  orders:
    tenant: tenant
    key: number
    %s
    bind: {broker: {dataset: public.orders}}
issuers:
  test: {issuer: test, audience: [test], algorithms: [HS256], keys: {secret: {env: ISSUER_SECRET}}, tenants: trusted, claims: {tenant: /tenant}}
`

const declared = `columns: {number: Int!, tenant: String!, note: String, amount: Decimal, placed: Timestamp!}`

// questions reach all that usher asks of a plugin: columns, filters of each
// kind, orders, limits, groups.
var questions = []string{
	`{orders {number note amount placed}}`,
	`{orders(limit: 3, orderBy: [{number: DESC}]) {number note}}`,
	`{orders(where: {note: {eq: "note 1"}}, orderBy: [{amount: ASC}], limit: 5) {number amount}}`,
	`{orders(where: {note: {isNull: true}}) {number}}`,
	`{orders(where: {note: {neq: "note 1"}}) {number note}}`,
	`{orders(where: {number: {in: [4, 5, 6]}}) {number}}`,
	`{orders(where: {amount: {gte: 3, lt: 7.5}}) {number amount}}`,
	`{orders(where: {placed: {gte: "2026-03-01T00:00:00Z", lt: "2026-06-05T06:00:00Z"}}) {number placed}}`,
	`{orders(where: {not: {amount: {gt: 2}}}) {number amount}}`,
	`{ordersAggregate(orderBy: [{count: DESC}]) {key {note} count amount {sum} placed {max}}}`,
}

// TestNode: whatever the version and the mode, declared or described by the
// plugin, the rows are the same and the tenant's own.
func TestNode(t *testing.T) {
	t.Parallel()
	answers := make(map[string]string)
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0", "3.0.0"} {
		for _, pushdown := range []bool{false, true} {
			mode := "basic"
			if pushdown {
				mode = "pushdown"
			}
			url := noderun.Serve(t, []string{"PLUGIN_SECRET=" + secret}, "plugin/plugin.mjs", version, mode)
			isolation := map[bool]string{false: "gateway", true: "upstream"}[version < "2"]
			g := gateway(t, fmt.Sprintf(configuration, url, isolation, version, pushdown, pushdown && version == "3.0.0", declared), secret)
			for _, tenant := range []string{"acme", "bistro"} {
				for _, q := range questions {
					got := string(g.Ask(t, of(tenant), q, ""))
					if strings.Contains(got, `"errors"`) {
						t.Fatalf("%s %s: %s: %s", version, mode, q, got)
					}
					want, asked := answers[tenant+q]
					if !asked {
						answers[tenant+q] = got
					} else if got != want {
						t.Errorf("%s %s: %s\nwant %s\ngot  %s", version, mode, q, want, got)
					}
				}
			}
		}
	}
	for _, q := range questions {
		if answers["acme"+q] == answers["bistro"+q] {
			t.Errorf("%s has one answer for two tenants: %s", q, answers["acme"+q])
		}
	}
}

// TestNodeDescribes: columns that the configuration does not list are the
// plugin's.
func TestNodeDescribes(t *testing.T) {
	t.Parallel()
	url := noderun.Serve(t, []string{"PLUGIN_SECRET=" + secret}, "plugin/plugin.mjs", "2.0.0", "pushdown")
	g := gateway(t, fmt.Sprintf(configuration, url, "upstream", "2.0.0", true, false, ""), secret)
	const want = `{"data":{"orders":[{"note":"note 2","number":2,"amount":0.5,"placed":"2026-03-03T02:00:00Z"}]}}`
	if got := string(g.Ask(t, of("acme"), `{orders(where: {number: {eq: 2}}) {note number amount placed}}`, "")); got != want {
		t.Errorf("want %s\ngot  %s", want, got)
	}
}

// TestNodeRefuses: the plugin's refusals are failures, and a principal without
// what the plugin needs is refused before it is asked.
func TestNodeRefuses(t *testing.T) {
	t.Parallel()
	url := noderun.Serve(t, []string{"PLUGIN_SECRET=" + secret}, "plugin/plugin.mjs", "1.0.0", "basic")
	text := fmt.Sprintf(configuration, url, "gateway", "1.0.0", false, false, declared)
	text = strings.Replace(text, "Region: eu", `Region: eu, Who: "{subject}"`, 1) // nobody is told, so it cannot be looked into
	nobody := of("acme")
	nobody.Grant.Metadata = nil
	for name, c := range map[string]struct {
		gateway *inprocess.Gateway
		who     principal.Principal
		code    string
	}{
		"no metadata":    {gateway(t, text, secret), nobody, "FORBIDDEN"},
		"another secret": {gateway(t, text, "not the secret of that plugin at all"), of("acme"), "UNAVAILABLE"},
		"a property":     {gateway(t, strings.Replace(text, "Region: eu", "Region: us", 1), secret), of("acme"), "UNAVAILABLE"},
		"no dataset":     {gateway(t, strings.Replace(text, "public.orders", "public.other", 1), secret), of("acme"), "UNAVAILABLE"},
	} {
		if got := string(c.gateway.Ask(t, c.who, `{orders {number}}`, "")); !strings.Contains(got, `"code":"`+c.code+`"`) || !strings.Contains(got, `"orders":null`) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func gateway(t *testing.T, text, secret string) *inprocess.Gateway {
	t.Helper()
	return inprocess.New(t, inprocess.Setup{
		File: "usher.yml", Text: text, Env: map[string]string{"PLUGIN_SECRET": secret, "ISSUER_SECRET": secret + secret}, Now: time.Date(2026, 7, 15, 12, 0, 0, 0, time.UTC),
	})
}

func of(tenant string) principal.Principal {
	return principal.Principal{
		Subject: "ann", Tenant: tenant, TenantKey: tenant, Scopes: []principal.Scope{principal.ReadData},
		Grant: principal.Grant{Metadata: map[string]query.Value{"desk": query.Text("north")}},
	}
}
