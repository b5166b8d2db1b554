package datasource

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/value"
)

const laterLabels = `CREATE TYPE state AS ENUM ('todo', 'lost', 'done');
	CREATE TABLE orders (id bigint PRIMARY KEY, n int, spot int, state state);
	CREATE TABLE places (id int PRIMARY KEY, state state);
	INSERT INTO places VALUES (1, 'done'), (2, 'lost'), (3, 'todo');
	INSERT INTO orders VALUES (1, 2, 1, 'done'), (2, 1, 2, 'lost'), (3, NULL, NULL, NULL), (4, 1, 3, 'todo'), (5, 2, 2, 'lost'), (6, 1, 9, NULL), (7, 2, 3, 'done');`

// A list that is ordered by an enum has all its rows on its pages, those of labels that nobody has told usher
// among them: forwards and backwards, from each row, whether usher knows what the source calls the type or not.
func TestPagesByLabelsThatCameLater(t *testing.T) {
	t.Parallel()
	of, dir := pgtest.Start(t), t.TempDir()
	db := of.Database(t)
	db.Exec(t, laterLabels)
	made, err := sql.Open("duckdb", filepath.Join(dir, "a.duckdb"))
	if err == nil {
		_, err = made.ExecContext(t.Context(), laterLabels)
	}
	if err != nil || made.Close() != nil {
		t.Fatal(err)
	}
	datasets := `
datasets:
  orders: {tenant: tenant, key: id, columns: {tenant: String!, id: BigInt!, n: Int, spot: Int, state: {type: Enum, name: State, labels: [todo, done]}}, bind: {silo: {columns: {tenant: ~}}}, relations: {place: {to: places, on: {spot: id}}}}
  places: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, state: {type: Enum, name: State, labels: [todo, done]}}, bind: {silo: {columns: {tenant: ~}}}, relations: {}}
`
	inServer := open(t, db, Options{}, `
sources: {silo: {`+server(of.Database(t))+`, template: true}}
strategies: {own: {kind: database, source: silo}}`+datasets)
	inFile := open(t, db, Options{}, `
sources: {silo: {kind: duckdb, path: "`+filepath.Join(dir, "{tenant}.duckdb")+`", template: true}}
strategies: {own: {kind: database, source: silo}}`+datasets)
	ways := []struct {
		*gate
		p principal.Principal
	}{{inServer, at("a", db)}, {inFile, named("a")}}
	rows := map[string]struct{ state, n, place string }{
		"1": {"done", "2", "done"}, "2": {"lost", "1", "lost"}, "3": {}, "4": {"todo", "1", "todo"}, "5": {"lost", "2", "lost"}, "6": {"", "1", ""}, "7": {"done", "2", "todo"},
	}
	for _, c := range []struct {
		order string
		terms string // of positions, before the key
		list  string
	}{
		{"{state: ASC}", "s", "4 2 5 1 7 3 6"},
		{"{state: DESC}", "s", "1 7 2 5 4 3 6"},
		{"{state: ASC_NULLS_FIRST}", "s", "3 6 4 2 5 1 7"},
		{"{state: DESC_NULLS_FIRST}", "s", "3 6 1 7 2 5 4"},
		{"{n: DESC_NULLS_LAST}, {state: ASC}", "ns", "5 1 7 4 2 6 3"},
		{"{state: ASC}, {n: DESC}", "sn", "4 5 2 1 7 6 3"},
		{"{place: {state: DESC}}, {state: ASC}", "ps", "1 2 5 4 7 3 6"},
	} {
		list := strings.Fields(c.list)
		for i, id := range list {
			position := ""
			for _, term := range c.terms {
				text := map[rune]string{'s': rows[id].state, 'n': rows[id].n, 'p': rows[id].place}[term]
				if position += fmt.Sprintf("%q, ", text); text == "" {
					position = strings.TrimSuffix(position, `"", `) + "null, "
				}
			}
			position += fmt.Sprintf("%q", id)
			ahead, behind := list[i+1:min(i+3, len(list))], slices.Clone(list[max(i-2, 0):i])
			slices.Reverse(behind) // the rows that the source is asked for
			for _, w := range ways {
				all := fmt.Sprintf("ordersConnection(orderBy: [%s], first: 10) { nodes { id } }", c.order)
				w.wantIDs(w.p, all, list)
				w.wantIDs(w.p, fmt.Sprintf("ordersConnection(orderBy: [%s], first: 2, after: [%s]) { nodes { id } }", c.order, position), ahead)
				w.wantIDs(w.p, fmt.Sprintf("ordersConnection(orderBy: [%s], last: 2, before: [%s]) { nodes { id } }", c.order, position), behind)
			}
		}
	}
	for _, w := range ways { // groups stand in the same order
		w.want(w.p, "orders(where: {state: {isNull: false}}, orderBy: [{state: DESC}], limit: 4) { id }", "1", "7", "2", "5")
		w.want(w.p, "ordersAggregate(where: {id: {in: [4, 1, 7]}}, orderBy: [{key: {state: ASC}}]) { key { state } count }", "todo|1", "done|2")
		w.want(w.p, "ordersAggregate(where: {id: {in: [1, 4]}}, orderBy: [{key: {state: DESC}}], allValues: true) { key { state } count }", "done|1", "todo|1")
		if _, err := w.ask(w.p, `ordersConnection(orderBy: [{state: ASC}], first: 2, after: ["gone", "1"]) { nodes { id } }`); err == nil {
			t.Error("a list goes on from a label that there is not")
		}
	}
}

// wantIDs compares the first cells of a page, without the row behind it.
func (g *gate) wantIDs(p principal.Principal, text string, ids []string) {
	g.Helper()
	var got []string
	q, err := plan.Build(plantest.Request(g, text), g.cat, p, now)
	if err == nil {
		var result *value.Result
		if result, err = g.Answer(g.Context(), q); err == nil {
			for i := range min(result.Rows.Len(), max(len(ids), 2)) {
				row := result.Rows.Row(i)
				got = append(got, strconv.FormatInt(row.Cell(0).Int, 10))
			}
		}
	}
	if err != nil || !slices.Equal(got, ids) {
		g.Errorf("%s is answered %v, %v; want %v", text, got, err, ids)
	}
}
