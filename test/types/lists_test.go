package types

import (
	"strings"
	"testing"

	"usher/principal"
)

// TestLists: a list of any length is one argument, to either engine, whatever stands in it: also what no
// value of the column can be equal to.
func TestLists(t *testing.T) {
	t.Parallel()
	who := principal.Principal{Subject: "ann", Tenant: "t1", TenantKey: "t1", Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData}}
	for _, e := range []engine{postgres, duckDB} {
		g := e.open(t, `
CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad');
CREATE TABLE cells (id int PRIMARY KEY, tenant text NOT NULL, x numeric(12,2), wide numeric(38,2), mood mood);
INSERT INTO cells VALUES (1, 't1', 1.50, 1.50, 'ok'), (2, 't1', -7, 999999999999999999999999999999999999.99, 'sad'), (3, 't1', NULL, NULL, NULL), (4, 't2', 1.50, 1.50, 'ok');`, `
datasets: {cells: {tenant: tenant, columns: {id: Int!, tenant: String!, x: {}, wide: {}, mood: {type: Enum, name: Mood, labels: [sad, ok, glad]}}}}`)
		for _, c := range []struct{ column, scalar, list, in, notIn string }{
			{"x", "Decimal", `[3]`, "", "1 2 3"},
			{"x", "Decimal", `[1.5, 1.50, "1.505", -7]`, "1 2", "3"},
			{"x", "Decimal", `["1.505"]`, "", "1 2 3"},
			{"x", "Decimal", `["99999999999999999999999999999999999999", "1.5"]`, "1", "2 3"},
			{"x", "Decimal", `[]`, "", "1 2 3"},
			{"wide", "Decimal", `["999999999999999999999999999999999999.99", "99999999999999999999999999999999999999"]`, "2", "1 3"},
			{"mood", "Mood", `["ok", "sad", "ok"]`, "1 2", "3"},
			{"mood", "Mood", `["glad"]`, "", "1 2 3"},
			{"mood", "Mood", `[]`, "", "1 2 3"},
		} {
			for op, want := range map[string]string{"in": c.in, "notIn": c.notIn} {
				var rows []string
				for _, id := range strings.Fields(want) {
					rows = append(rows, `{"id":`+id+`}`)
				}
				text := `query($list: [` + c.scalar + `!]!) {cells(where: {` + c.column + `: {` + op + `: $list}}, orderBy: [{id: ASC}]) {id}}`
				if got, want := string(g.Ask(t, who, text, `{"list": `+c.list+`}`)), `{"data":{"cells":[`+strings.Join(rows, ",")+`]}}`; got != want {
					t.Errorf("%s %s %s in %s:\n got %s\nwant %s", c.column, op, c.list, e.name, got, want)
				}
			}
		}
	}
}
