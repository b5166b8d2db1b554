package sqlgen_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/query"
	"usher/sqlgen"
	"usher/value"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// engines hold the same tables in PostgreSQL and in DuckDB. The tables are
// made in PostgreSQL, in a database whose own order of text is not that of
// code points, and what a principal of all tenants reads there is loaded into
// DuckDB.
type engines struct {
	testing.TB
	cat      *catalog.Catalog
	grant    string // of the principal, beside the tenant and the strategy
	all      bool   // the principal is of all tenants
	postgres *postgres.DB
	duckdb   *duckdb.Scratch
}

// now is a moment in the middle of what the tests hold.
var now = time.Date(2026, time.June, 15, 12, 0, 0, 0, time.UTC)

// start makes the tables of the statements. Datasets are the lines of the
// configuration below `datasets:`; their columns are those of the tables.
func start(tb testing.TB, statements, datasets string) *engines {
	tb.Helper()
	db := pgtest.Start(tb).DatabaseLocale(tb, "en_US")
	db.Exec(tb, statements)
	pg, err := postgres.Open(catalog.PostgresSpec{
		Host: db.Host, Port: db.Port, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable", MaxConns: 1,
	}, postgres.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = pg.Close() })
	tables, err := pg.Introspect(tb.Context(), "public")
	if err != nil {
		tb.Fatal(err)
	}
	found := make(map[string]catalog.Table)
	for _, t := range tables {
		found[catalog.TableKey(t.Schema, t.Name)] = t
	}
	e := &engines{TB: tb, postgres: pg, cat: plantest.Catalog(tb, `
sources:
  pg: {kind: postgres, host: db.example, database: d, user: u, password: {env: P}}
  duck: {kind: duckdb, path: d.duckdb}
strategies:
  pg: {kind: shared, source: pg}
  duck: {kind: shared, source: duck}
default_strategy: pg
datasets:
`+datasets, catalog.Introspected{"pg": found})}
	engine := duckdb.NewEngine(duckdb.Options{Threads: 1, MaxConns: 1})
	tb.Cleanup(func() { _ = engine.Close() })
	if e.duckdb, err = engine.Scratch(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.duckdb.Close)
	for _, d := range e.cat.Datasets {
		e.load(d)
	}
	return e
}

// load copies all of a dataset's rows to DuckDB.
func (e *engines) load(d *catalog.Dataset) {
	e.Helper()
	var names []string
	for _, col := range d.Columns {
		names = append(names, col.Name)
	}
	q, err := plan.Build(plantest.Request(e, d.Name+"(limit: 10000) {"+strings.Join(names, " ")+"}"), e.cat, plantest.Principal(e, `allTenants: true, strategy: "pg"`), now)
	if err != nil {
		e.Fatal(err)
	}
	f := q.Fetches(q.Root(), 0)[0]
	ref := f.Query().Root().Ref(0)
	columns := make([]duckdb.ScratchColumn, ref.Fields())
	for i := range columns {
		columns[i] = duckdb.ScratchColumn{Name: ref.Field(i).Name, Type: ref.Field(i).Type}
	}
	err = e.postgres.Session(e.Context(), false, func(s sqlexec.Session) error {
		return sqlexec.Fetch(e.Context(), s, sqlgen.Postgres, f.Query(), func(rows value.Rows) error {
			_, err := e.duckdb.Load(e.Context(), d.Bindings["duck"].Table, columns, rows, duckdb.Caps{MaxRows: 10_000, MaxBytes: 1 << 20})
			return err
		})
	})
	if err != nil {
		e.Fatalf("load %s: %v", d.Name, err)
	}
}

// both asks both engines as tenant a and returns their answers.
func (e *engines) both(text string) (fromPostgres, fromDuckDB string) {
	e.Helper()
	return e.answers(plantest.Request(e, text), text)
}

// run answers a query as its source does.
func run(ctx context.Context, q plan.Query, d sqlgen.Dialect, s sqlexec.Session) (*value.Result, error) {
	prepared, err := sqlexec.Prepare(q, d)
	if err != nil {
		return nil, err
	}
	results, err := prepared.Bind(nil).Run(ctx, s)
	if err != nil {
		return nil, err
	}
	return results[0], nil
}

// answers are those of both engines to a request, which the text says in words.
func (e *engines) answers(r query.Request, text string) (fromPostgres, fromDuckDB string) {
	e.Helper()
	ask := func(strategy string, d sqlgen.Dialect, session func(context.Context, bool, func(sqlexec.Session) error) error) string {
		who := `tenant: "a"`
		if e.all {
			who = "allTenants: true"
		}
		q, err := plan.Build(r, e.cat, plantest.Principal(e, who+`, strategy: "`+strategy+`"`+e.grant), now)
		if err != nil {
			e.Fatalf("%s: %v", text, err)
		}
		var result *value.Result
		err = session(e.Context(), false, func(s sqlexec.Session) (err error) {
			result, err = run(e.Context(), q, d, s)
			return err
		})
		if err != nil {
			statement, _ := sqlgen.Render(q.Root(), d)
			e.Logf("%s: %v\n%s", strategy, err, statement.Text)
			return string(fault.From(err).Code)
		}
		return answer(q, result)
	}
	return ask("pg", sqlgen.Postgres, e.postgres.Session), ask("duck", sqlgen.DuckDB, e.duckdb.Session)
}

// same asks both engines and compares their answers with what is wanted: the
// JSON of the rows, or the code of an error.
func (e *engines) same(text, want string) {
	e.Helper()
	fromPostgres, fromDuckDB := e.both(text)
	if diff := cmp.Diff(want, fromPostgres); diff != "" {
		e.Errorf("%s\nPostgreSQL, -want +got:\n%s", text, diff)
	}
	if diff := cmp.Diff(want, fromDuckDB); diff != "" {
		e.Errorf("%s\nDuckDB, -want +got:\n%s", text, diff)
	}
}

// ids asks which rows satisfy a condition.
func (e *engines) ids(dataset, where, want string) {
	e.Helper()
	var rows []string
	for _, id := range strings.Fields(want) {
		rows = append(rows, `{"id":`+id+`}`)
	}
	e.same(dataset+"(where: {"+where+"}) { id }", "["+strings.Join(rows, ",")+"]")
}

// answer writes a result as the GraphQL answer has it; a value that cannot be
// written gives the reason instead.
func answer(q plan.Query, r *value.Result) string {
	w := &answerWriter{}
	w.list(q.Root(), r, 0, r.Rows.Len(), 0)
	if w.err != nil {
		return w.err.Error()
	}
	return string(w.out)
}

type answerWriter struct {
	out []byte
	err error
}

func (w *answerWriter) list(l plan.Level, r *value.Result, start, end, shift int) {
	w.out = append(w.out, '[')
	for i := start; i < end; i++ {
		if i > start {
			w.out = append(w.out, ',')
		}
		w.object(l, r, i, shift, l.Outputs(), l.Output)
	}
	w.out = append(w.out, ']')
}

func (w *answerWriter) object(l plan.Level, r *value.Result, i, shift, n int, field func(int) plan.Output) {
	row := r.Rows.Row(i)
	w.out = append(w.out, '{')
	for f := range n {
		o := field(f)
		if f > 0 {
			w.out = append(w.out, ',')
		}
		w.out = append(w.out, fmt.Sprintf("%q:", o.Key())...)
		switch {
		case o.Kind() == plan.OutCell:
			w.cell(o, row.Cell(shift+o.Index()))
		case o.Kind() == plan.OutList:
			child := r.Children[o.Index()]
			w.list(l.Child(o.Index()), child.Result, child.Start[i], child.Start[i+1], 1)
		case o.Kind() == plan.OutObject && o.Index() >= 0 && row.Cell(shift+o.Index()).Null():
			w.out = append(w.out, "null"...)
		case o.Kind() == plan.OutObject:
			w.object(l, r, i, shift, o.Len(), o.Field)
		default:
			w.out = value.AppendQuoted(w.out, []byte(o.Text()))
		}
	}
	w.out = append(w.out, '}')
}

func (w *answerWriter) cell(o plan.Output, c value.Cell) {
	style := value.Style{Rounded: o.Rounded()}
	if o.Zone() != "" {
		style.Zone, w.err = time.LoadLocation(o.Zone())
	}
	out, err := value.AppendJSON(w.out, o.Type(), c, style)
	w.out = out
	if w.err == nil {
		w.err = err
	}
}

// page asks for the pages of a connection after and before the i-th row, whose
// position each engine says for itself.
func (e *engines) page(order string, ids []string, i int) {
	e.Helper()
	for strategy, engine := range map[string]struct {
		dialect sqlgen.Dialect
		session func(context.Context, bool, func(sqlexec.Session) error) error
	}{"pg": {sqlgen.Postgres, e.postgres.Session}, "duck": {sqlgen.DuckDB, e.duckdb.Session}} {
		ask := func(args string) (plan.Page, *value.Result, []string) {
			text := "cellsConnection(orderBy: " + order + args + ") { nodes { id } }"
			q, err := plan.Build(plantest.Request(e, text), e.cat, plantest.Principal(e, `tenant: "a", strategy: "`+strategy+`"`), now)
			if err != nil {
				e.Fatalf("%s: %v", text, err)
			}
			var result *value.Result
			err = engine.session(e.Context(), false, func(s sqlexec.Session) (err error) {
				result, err = run(e.Context(), q, engine.dialect, s)
				return err
			})
			if err != nil {
				statement, _ := sqlgen.Render(q.Root(), engine.dialect)
				e.Fatalf("%s: %s: %v\n%s", strategy, text, err, statement.Text)
			}
			page, _ := q.Root().Page()
			got := []string{}
			for row := range result.Rows.Len() {
				got = append(got, value.WireText(result.Rows.Row(row).Cell(q.Root().Output(0).Field(0).Index())))
			}
			return page, result, got
		}
		page, result, _ := ask("")
		position := make([]string, page.Position())
		for c := range position {
			position[c] = "null"
			if cell := result.Rows.Row(i).Cell(page.PositionCell(c)); !cell.Null() {
				position[c] = fmt.Sprintf("%q", value.WireText(cell))
			}
		}
		cursor := "[" + strings.Join(position, ", ") + "]"
		if _, _, got := ask(", after: " + cursor); !slices.Equal(got, ids[i+1:]) {
			e.Errorf("%s: %s: after %s come %v, want %v", strategy, order, cursor, got, ids[i+1:])
		}
		before := slices.Clone(ids[:i])
		slices.Reverse(before) // a page that ends somewhere is read backwards
		if _, _, got := ask(", last: 9, before: " + cursor); !slices.Equal(got, before) {
			e.Errorf("%s: %s: before %s come %v, want %v", strategy, order, cursor, got, before)
		}
	}
}
