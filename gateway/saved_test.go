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
	g.query(t, root, `mutation { createTenant(input: {id: "acme"}) { id } }`)
	return g, root, func(of string) string {
		t.Helper()
		return g.text(t, root, `mutation { createServiceKey(input: {name: "k", tenant: "acme", scopes: [ADMINISTER, READ_DATA, CREATE_TOKENS, EXPLAIN], `+of+`}) { token } }`, "token")
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
	confined, reader := key(`roles: ["full"], datasets: ["customers"]`), g.text(t, root, `mutation { createServiceKey(input: {name: "r", tenant: "acme", scopes: [READ_DATA], roles: ["clerk"]}) { token } }`, "token")
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
