package gateway_test

import (
	"strings"
	"testing"
)

// Where a parameter of a dashboard has options, nobody has it ask anything else: a token for dashboards
// alone tells its holder nothing of columns that no tile shows.
func TestOptionsAreAllThatIsTaken(t *testing.T) {
	t.Parallel()
	g, _, key := savedBy(t)
	boss := key(`roles: ["full", "clerk"]`)
	const options = `{"name": "what", "type": "CustomersWhere!", "control": "select", "default": {}, "options": [{"value": {}}, {"value": {"id": {"gte": 1, "lt": 3}, "name": {"in": ["Ann", "Bob"]}}}]}, ` +
		`{"name": "top", "type": "Int", "options": [{"value": 1}, {"value": 2}]}, ` +
		`{"name": "names", "type": "[String!]", "options": [{"value": "Ann"}, {"value": ["Ann", "Bob"]}]}, ` +
		`{"name": "score", "type": "Decimal", "default": "-1", "options": [{"value": "700.50"}]}, ` +
		`{"name": "none", "type": "String", "options": []}, ` +
		`{"name": "since", "type": "Timestamp", "options": [{"value": "2026-01-01T00:00:00Z"}]}`
	board := func(parameters string) string {
		return dashboardOf(parameters, tile("one", `query($what: CustomersWhere!, $top: Int = 9, $names: [String!] = ["Ann", "Bob", "Cy"]) {
			customers(where: {and: [$what, {name: {in: $names}}]}, limit: $top, orderBy: [{id: ASC}]) { id } }`, listChart))
	}
	if got := g.save(t, boss, "sales", board(options), ""); !strings.Contains(got, `"version":1`) {
		t.Fatal(got)
	}
	visitor := g.text(t, boss, `mutation { createToken(input: {subject: "visitor", roles: ["full"], dashboards: ["sales"]}) { token } }`, "token")
	shows := func(parameters string, ids ...string) {
		t.Helper()
		var want []string
		for _, id := range ids {
			want = append(want, `{"id":`+id+`}`)
		}
		for _, who := range []string{boss, visitor} {
			if got := g.look(t, who, "sales", `{"parameters": `+parameters+`}`); !strings.HasSuffix(got, `"one":{"data":{"customers":[`+strings.Join(want, ",")+`]}}}}`) {
				t.Errorf("%s is answered %s", parameters, got)
			}
		}
	}
	for _, parameters := range []string{
		`{}`, `{"what": {}}`, `{"score": 700.5}`, `{"score": "700.500"}`, `{"score": -1}`, `{"since": "2026-01-01T01:00:00+01:00"}`,
	} {
		shows(parameters, "1", "2", "3")
	}
	shows(`{"what": {"name": {"in": ["Ann", "Bob"]}, "id": {"lt": 3.0, "gte": 1}}}`, "1", "2")
	shows(`{"names": ["Ann"]}`, "1")
	shows(`{"names": ["Ann", "Bob"], "top": 2e0}`, "1", "2")
	shows(`{"names": "Ann", "top": 1}`, "1")

	refused := func(who, name, value string) {
		t.Helper()
		got := g.look(t, who, "sales", `{"parameters": {"`+name+`": `+value+`}}`)
		if !strings.HasPrefix(got, "400 ") || !strings.Contains(got, `"code":"BAD_USER_INPUT"`) || !strings.Contains(got, "the parameter "+name+" takes its options alone") || strings.Contains(got, "A0") || strings.Contains(got, `"dashboard"`) {
			t.Errorf("%s of %s is answered %s", name, value, got)
		}
	}
	for _, who := range []string{boss, visitor} {
		for _, value := range []string{
			`{"name": {"startsWith": "A0"}}`, `{"name": {"in": ["Ann"]}}`, `{"name": {"in": ["Bob", "Ann"]}, "id": {"gte": 1, "lt": 3}}`, `{"id": {"gte": 1, "lt": 3}}`,
			`{"id": {"gte": 1, "lt": 3}, "name": {"in": ["Ann", "Bob"]}, "score": {"gt": 1}}`, `{"id": {"gte": 1, "lt": 3}, "name": {"in": ["Ann", "Bob"], "startsWith": "A0"}}`,
			`{"and": [{}]}`, `{"not": {}}`, `[{}]`, `"{}"`, `1`, `{"gone": {"eq": "A0"}}`, `{"name": null}`, `{"id": {"gte": 1, "lt": "3"}, "name": {"in": ["Ann", "Bob"]}}`,
		} {
			refused(who, "what", value)
		}
		for name, values := range map[string][]string{
			"top": {`3`, `1.5`, `"1"`, `[1]`, `true`}, "names": {`"A0"`, `["Bob"]`, `["Bob", "Ann"]`, `["Ann", "Bob", "A0"]`, `["Ann", "Ann"]`, `[]`, `[["Ann"]]`, `["Ann", null]`},
			"score": {`700`, `"700.5A0"`, `[]`}, "since": {`"2026-01-01T00:00:00+01:00"`, `"2026-01-01"`}, "none": {`""`, `"A0"`},
		} {
			for _, value := range values {
				refused(who, name, value)
			}
		}
		if got := g.look(t, who, "sales", `{"parameters": {"what": null}}`); !strings.HasPrefix(got, "400 ") {
			t.Errorf("null is answered %s", got)
		}
	}
	// An option that is taken away is one no more; without options any value of the type is taken.
	g.save(t, boss, "sales", board(strings.Replace(options, `, {"value": 2}`, ``, 1)), ", version: 1")
	refused(visitor, "top", "2")
	g.save(t, boss, "sales", board(strings.Replace(options, `, "options": [{"value": 1}, {"value": 2}]`, ``, 1)), ", version: 2")
	shows(`{"top": 2}`, "1", "2")
}

// Options and defaults of parameters are told, and taken, by those who see what they name.
func TestParametersShowNoHiddenNames(t *testing.T) {
	t.Parallel()
	g, _, key := savedBy(t)
	boss, clerk := key(`roles: ["full", "clerk"]`), key(`roles: ["clerk"]`)
	chosen := dashboardOf(`{"name": "what", "type": "CustomersWhere!", "control": "select", "default": {}, "options": [{"value": {}}, {"value": {"id": {"eq": 1}}, "label": "One"}, {"value": {"score": {"gt": 120}}, "label": "Good"}]}, `+
		`{"name": "best", "type": "CustomersWhere", "default": {"score": {"gt": 130}}, "options": [{"value": {"score": {"gt": 140}}}]}, `+
		`{"name": "codes", "type": "[String!]", "default": ["C-150"], "options": [{"value": "C-150"}]}, {"name": "which", "type": "SecretsWhere!", "default": {"code": {"eq": "C-160"}}}`,
		tile("some", `query($what: CustomersWhere!) { customers(where: $what, orderBy: [{id: ASC}]) { id } }`, listChart),
		tile("top", `query($best: CustomersWhere) { customers(where: $best) { id } }`, listChart),
		tile("secret", `query($codes: [String!], $which: SecretsWhere!) { secrets(where: {and: [$which, {code: {in: $codes}}]}) { code } }`, `{"kind": "table", "rows": "secrets"}`))
	if got := g.save(t, boss, "chosen", chosen, ""); !strings.Contains(got, `"version":1`) {
		t.Fatal(got)
	}
	got := g.look(t, clerk, "chosen", "{}")
	if !strings.Contains(got, `"parameters":[{"control":"select","default":{},"name":"what","options":[{"value":{}},{"label":"One","value":{"id":{"eq":1}}}],"type":"CustomersWhere!"},{"name":"best","options":[],"type":"CustomersWhere"}]`) ||
		!strings.Contains(got, `"some":{"data":{"customers":[{"id":1},`) || !strings.Contains(got, `"top":{"errors":[{"message":"the tile shows what is not there, or not for you"`) {
		t.Errorf("the clerk is answered %s", got)
	}
	all := got + g.look(t, clerk, "chosen", "") + g.query(t, clerk, `{ dashboard(name: "chosen") { title document } }`)
	for _, hidden := range []string{"score", "120", "130", "140", "150", "160", "Secrets", "codes"} {
		if strings.Contains(all, hidden) {
			t.Errorf("the clerk is told of %s: %s", hidden, all)
		}
	}
	for _, guess := range []string{"120", "121"} {
		if got := g.look(t, clerk, "chosen", `{"parameters": {"what": {"score": {"gt": `+guess+`}}}}`); !strings.HasPrefix(got, "400 ") || !strings.Contains(got, "takes its options alone") {
			t.Errorf("a guess is answered %s", got)
		}
	}
	if got := g.look(t, boss, "chosen", "{}"); !strings.Contains(got, `{"label":"Good","value":{"score":{"gt":120}}}`) || !strings.Contains(got, "C-150") || !strings.Contains(got, "C-160") || strings.Contains(got, "errors") {
		t.Errorf("the boss is answered %s", got)
	}
}
