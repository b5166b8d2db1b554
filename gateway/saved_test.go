package gateway_test

import (
	"strings"
	"testing"
)

// savedBy are administrators of one tenant, who see more and less of it.
func savedBy(t *testing.T) (g gate, root string, key func(of string) string) {
	t.Helper()
	g = openWorld(t, 20, 2)
	root = g.bootstrap(t)
	g.query(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`)
	return g, root, func(of string) string {
		t.Helper()
		return g.text(t, root, `mutation { admin { createServiceKey(input: {name: "k", tenant: "acme", scopes: [ADMINISTER, READ_DATA, CREATE_TOKENS, EXPLAIN], `+of+`}) { token } } }`, "token")
	}
}

func savedInput(name, document string) string {
	return `{name: "` + name + `", ofTenant: true, document: "` + document + `"}`
}

// An administrator who sees less than others lets nobody see more: what the
// tenant's queries say bounds tokens that run nothing else.
func TestSavedQueriesNameWhatTheirWriterSees(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss, clerk := key(`roles: ["full", "clerk"]`), key(`roles: ["clerk"]`)
	confined, reader := key(`roles: ["full"], datasets: ["customers"]`), g.text(t, root, `mutation { admin { createServiceKey(input: {name: "r", tenant: "acme", scopes: [READ_DATA], roles: ["clerk"]}) { token } } }`, "token")
	create := func(input string) string { return `mutation { createSavedQuery(input: ` + input + `) { id } }` }
	pub := g.text(t, boss, create(savedInput("pub", `{ orders(limit: 1) { id } }`)), "id")
	names := g.text(t, boss, create(savedInput("names", `{ customers { id } }`)), "id")
	visitor := g.text(t, boss, `mutation { createToken(input: {subject: "visitor", roles: ["full"], savedOnly: true}) { token } }`, "token")
	run := func(name string) string {
		return plainAnswer(g.ask(t, visitor, `{"extensions": {"savedQuery": {"name": "`+name+`"}}}`))
	}
	before := run("pub")
	if !strings.HasPrefix(before, `200 {"data":{"orders":[{"id":`) {
		t.Fatalf("the visitor is answered %s", before)
	}
	refused := func(who, text string) {
		t.Helper()
		if got := g.query(t, who, text); !strings.Contains(got, `"errors"`) || !strings.Contains(got, "FORBIDDEN") && !strings.Contains(got, "BAD_USER_INPUT") {
			t.Errorf("%s\nis answered %s", text, got)
		}
	}
	update := func(id, input string) string {
		return `mutation { updateSavedQuery(id: "` + id + `", input: ` + input + `) { id } }`
	}
	for _, document := range []string{
		`{ orders { id margin } secrets { code } }`, `{ customers { id score } }`, `{ customers { id } ...f } fragment f on Query { secrets { code } }`,
		`query($q: TableQuery!) { table(query: $q) { rows } }`, `{ ... { table(query: {dataset: \"secrets\", columns: [\"code\"]}) { rows } } }`,
		`query($w: CustomersWhere) { customers(where: $w) { id } }`, `{ __schema { types { name } } }`, `{ datasets { name } }`, `{`,
	} {
		for _, who := range []string{clerk, confined} {
			refused(who, create(savedInput("mine", document)))
			refused(who, update(pub, savedInput("pub", document)))
			refused(who, update(names, savedInput("names", document)))
		}
	}
	refused(clerk, `mutation { deleteSavedQuery(id: "`+pub+`") }`)
	refused(clerk, update(pub, savedInput("pub", `{ customers { id } }`)))
	for _, text := range []string{
		`mutation { deleteSavedQuery(id: "` + names + `") }`, update(names, savedInput("names", `{ customers { name } }`)), create(savedInput("mine", `{ customers { id } }`)),
	} {
		refused(confined, text)
	}
	if after := run("pub"); after != before {
		t.Errorf("the visitor is answered %s, and was %s", after, before)
	}
	// What is shared names what its writer sees, and runs in the callers' views.
	refused(reader, create(`{name: "s", shared: true, document: "{ secrets { code } }"}`))
	g.text(t, reader, create(`{name: "s", shared: true, document: "{ customers { id } }"}`), "id")
	g.text(t, reader, create(`{name: "o", document: "{ secrets { code } }"}`), "id")

	// Of what they see they keep queries, and whoever sees all changes them.
	g.check(t, clerk, update(names, savedInput("names", `query($n: Int) { customers(limit: $n, orderBy: [{id: DESC}]) { name } }`)), `200 {"data":{"updateSavedQuery":{"id":"`+names+`"}}}`)
	if got := run("names"); got != `200 {"data":{"customers":[{"name":"Cy"},{"name":"Bob"},{"name":"Ann"}]}}` {
		t.Errorf("the clerk's query is answered %s", got)
	}
	g.check(t, boss, update(pub, savedInput("pub", `query($w: CustomersWhere) { customers(where: $w) { id score } table(query: {dataset: \"secrets\", columns: [\"code\"]}) { rows } }`)),
		`200 {"data":{"updateSavedQuery":{"id":"`+pub+`"}}}`)
	// What nobody sees any more is in nobody's way.
	broken := g.text(t, reader, create(`{name: "b", document: "{ gone { id } }"}`), "id")
	g.check(t, reader, `mutation { deleteSavedQuery(id: "`+broken+`") }`, `200 {"data":{"deleteSavedQuery":true}}`)
	g.check(t, boss, `mutation { deleteSavedQuery(id: "`+pub+`") }`, `200 {"data":{"deleteSavedQuery":true}}`)
}

// What is shared with all tenants shows its text and its view to those who see what it
// names, and is copied by nobody else.
func TestTemplatesShowWhatTheirViewerSees(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss, clerk := key(`roles: ["full"]`), key(`roles: ["clerk"]`)
	id := g.text(t, root, `mutation { createSavedQuery(input: {name: "codes", ofTenant: true, shared: true, document: "{ secrets { code } }", view: {dataset: "secrets", n: 1.50}}) { id } }`, "id")
	one := `{ savedQuery(id: "` + id + `") { name document view shared own version } }`
	g.check(t, boss, one, `200 {"data":{"savedQuery":{"name":"codes","document":"{ secrets { code } }","view":{"dataset":"secrets","n":1.50},"shared":true,"own":false,"version":1}}}`)
	g.check(t, clerk, one, `200 {"data":{"savedQuery":{"name":"codes","document":null,"view":null,"shared":true,"own":false,"version":1}}}`)
	g.check(t, root, `{ savedQueries(search: "CODE") { items { name own } } }`, `200 {"data":{"savedQueries":{"items":[{"name":"codes","own":true}]}}}`)
	for who, text := range map[string]string{
		clerk: `mutation { copySavedQuery(id: "` + id + `") { id } }`,
		boss:  `mutation { updateSavedQuery(id: "` + id + `", input: ` + savedInput("codes", "{ customers { id } }") + `) { id } }`,
	} {
		if got := g.query(t, who, text); !strings.Contains(got, "FORBIDDEN") {
			t.Errorf("%s\nis answered %s", text, got)
		}
	}
	for text, want := range map[string]string{
		`copySavedQuery(id: "` + id + `", as: "") { id }`: "BAD_USER_INPUT", `copySavedQuery(id: "` + id + `", as: null) { id }`: "BAD_USER_INPUT",
		`deleteSavedQuery(id: "` + id + `", version: 0)`:                                                                    "BAD_USER_INPUT",
		`createSavedQuery(input: {name: "x", document: "{ customers { id } }", view: []}) { id }`:                           "BAD_USER_INPUT",
		`createSavedQuery(input: {name: "x", document: "{ nothing }", ofTenant: true}) { id }`:                              "BAD_USER_INPUT",
		`updateSavedQuery(id: "` + id + `", version: 7, input: ` + savedInput("codes", "{ customers { id } }") + `) { id }`: "CONFLICT",
	} {
		if got := g.query(t, root, "mutation { "+text+" }"); !strings.Contains(got, want) {
			t.Errorf("%s\nis answered %s", text, got)
		}
	}
	g.check(t, boss, `mutation { copySavedQuery(id: "`+id+`", ofTenant: true) { name view shared own version } }`,
		`200 {"data":{"copySavedQuery":{"name":"codes","view":{"dataset":"secrets","n":1.50},"shared":false,"own":true,"version":1}}}`)
	g.check(t, boss, `{ savedQueries { items { name own } } }`, `200 {"data":{"savedQueries":{"items":[{"name":"codes","own":true}]}}}`)
}

// Who administers a part of a tenant is not told by roles, saved queries,
// explanations or messages what the rest is called.
func TestAdministratorsSeeNoHiddenNames(t *testing.T) {
	t.Parallel()
	g, root, key := savedBy(t)
	boss, clerk := key(`roles: ["full"]`), key(`roles: ["clerk"]`)
	confined, scored := key(`roles: ["full"], datasets: ["customers"]`), key(`roles: ["scored"]`)
	for name, spec := range map[string]string{
		"small": smallRole, "open": `{datasets: {customers: {columns: ["id"], filter: {name: {neq: "Cy"}}}}}`,
		"branched": `{datasets: {customers: {columns: ["id"], filter: {name: {in: "$branches"}}}}}`,
	} {
		g.check(t, root, `mutation { admin { putRole(tenant: "acme", name: "`+name+`", spec: `+spec+`) { name } } }`, `200 {"data":{"admin":{"putRole":{"name":"`+name+`"}}}}`)
	}
	for name, document := range map[string]string{
		"codes": `{ secrets { code } }`, "table": `{ table(query: {dataset: \"orders\", columns: [\"margin\"]}) { rows } }`, "names": `{ customers { name } }`,
	} {
		g.text(t, boss, `mutation { createSavedQuery(input: `+savedInput(name, document)+`) { id } }`, "id")
	}
	g.text(t, boss, `mutation { createSavedQuery(input: {name: "kept", ofTenant: true, document: "query($w: CustomersWhere) { customers(where: $w) { name } }", variables: {w: {score: {gt: 1}}}}) { id } }`, "id")
	const listed = `{ admin { roles { name spec } } savedQueries { items { name document variables } } }`
	hidden := []string{"score", "margin", "region", "secrets", "code", "orders", "branches"}
	for who, token := range map[string]string{"clerk": clerk, "confined": confined} {
		got := g.query(t, token, listed)
		for _, name := range hidden {
			if who == "confined" && name == "score" { // which it sees
				continue
			}
			if strings.Contains(strings.ReplaceAll(got, `"codes"`, ""), name) {
				t.Errorf("%s is told of %s: %s", who, name, got)
			}
		}
		for _, shown := range []string{`{"name":"small","spec":null}`, `{"name":"open","spec":{`, `{"name":"codes","document":null,"variables":null}`, `{"name":"names","document":"{ customers { name } }"`} {
			if !strings.Contains(got, shown) {
				t.Errorf("%s is not told %s: %s", who, shown, got)
			}
		}
	}
	for who, token := range map[string]string{"boss": boss, "root": root} {
		asked := listed
		if who == "root" {
			asked = `{ admin { roles(tenant: "acme") { name spec } } }`
		}
		if got := g.query(t, token, asked); strings.Contains(got, "null,\"v") || strings.Contains(got, `"spec":null`) || !strings.Contains(got, "$branches") {
			t.Errorf("%s: %s", who, got)
		}
	}
	// A parameter that decides on nothing they see is unknown to them.
	put := func(parameter string) string {
		return g.query(t, clerk, `mutation { admin { putRole(name: "mine", spec: {datasets: {customers: {filter: {name: {in: "$`+parameter+`"}}}}}) { name } } }`)
	}
	if is, not := put("branches"), put("xranches"); is != strings.ReplaceAll(not, "xranches", "branches") || !strings.Contains(is, "BAD_USER_INPUT") {
		t.Errorf("a parameter\nhidden  %s\nunknown %s", is, not)
	}
	// Policies are explained without what they read.
	explain := func(token, text string) string {
		return plainAnswer(g.ask(t, token, `{"query": "`+text+`", "extensions": {"explain": true}}`))
	}
	for _, text := range []string{`{ customers { id } }`, `{ a: customers { id } b: customers { score } }`, `{ table(query: {dataset: \"customers\", columns: [\"id\"]}) { rows } }`} {
		got := explain(scored, text)
		if strings.Contains(got, "vip") || !strings.Contains(got, `"strategy":"shared"`) || text == `{ customers { id } }` && (!strings.Contains(got, `"scope":["(t0.tenant = ?)","(hidden)"]`) || !strings.Contains(got, `"sql":"(hidden)"`)) {
			t.Errorf("%s is explained by %s", text, got)
		}
	}
	if got := explain(boss, `{ customers(where: {vip: {eq: true}}) { id } }`); strings.Contains(got, "hidden") || !strings.Contains(got, `"sql":"`) || !strings.Contains(got, "vip") {
		t.Errorf("the boss is told %s", got)
	}
}

// Mutations are saved with variables of what is written, by whoever sees all of that in the tenant; and for all tenants by who
// administers them, whose own mutations name one.
func TestSavedMutationsOfVariables(t *testing.T) {
	t.Parallel()
	g, _ := openWritten(t)
	boss := g.keyOf(t, "boss", "a", "READ_DATA, WRITE_DATA, ADMINISTER")
	for name, document := range map[string]string{
		"set":    `mutation($s: OrdersSet!) { updateOrdersByPk(id: 1, set: $s) { id } }`,
		"insert": `mutation($r: [OrdersInsert!]!, $c: OrdersOnConflict) { insertOrders(rows: $r, onConflict: $c) { affected } }`,
	} {
		input := "{name: \"" + name + "\", ofTenant: true, document: " + quoted(t, document) + "}"
		if got := g.query(t, boss, `mutation { createSavedQuery(input: `+input+`) { name } }`); !strings.HasPrefix(got, `200 {"data":{"createSavedQuery":{"name":`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	operator := g.text(t, g.root, `mutation { admin { createServiceKey(input: {name: "op", allTenants: true, scopes: [READ_DATA, WRITE_DATA, ADMINISTER]}) { token } } }`, "token")
	for name, document := range map[string]string{
		"of_one": `mutation { insertOrdersOne(row: {id: 8}) { id } }`,
		"by_key": `mutation($s: OrdersSet!) { updateOrdersByPk(id: 1, set: $s) { id } }`,
	} {
		input := "{name: \"" + name + "\", ofTenant: true, shared: true, document: " + quoted(t, document) + "}"
		if got := g.query(t, operator, `mutation { createSavedQuery(input: `+input+`) { name } }`); !strings.HasPrefix(got, `200 {"data":{"createSavedQuery":{"name":`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := g.query(t, operator, `mutation { createSavedQuery(input: {name: "none", ofTenant: true, shared: true, document: "mutation { insertNobodysOne(row: {id: 8}) { id } }"}) { name } }`); !strings.Contains(got, "BAD_USER_INPUT") {
		t.Error(got)
	}
}
