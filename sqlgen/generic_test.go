package sqlgen_test

import (
	"fmt"
	"strings"
	"testing"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/pgtest"
	"usher/plan"
	"usher/plan/plantest"
	"usher/sqlgen"
	"usher/value"
)

// moves are those of a huge tenant, of one with three rows, and of fifty between
// them.
const moves = `
CREATE TABLE places (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE moves (id bigint PRIMARY KEY, tenant text NOT NULL, at timestamptz NOT NULL, amount numeric(10,2) NOT NULL, place int NOT NULL, kind text NOT NULL);
CREATE TABLE steps (id bigint PRIMARY KEY, tenant text NOT NULL, move bigint NOT NULL, n int NOT NULL);
INSERT INTO places SELECT n, 'p' || n FROM generate_series(1, 50) AS n;
INSERT INTO moves SELECT n, CASE WHEN n <= 3 THEN 'tiny' WHEN n % 2 = 0 THEN 'huge' ELSE 't' || n % 50 END,
	'2026-01-01'::timestamptz + n * interval '1 minute', n % 500, 1 + n % 50, 'k' || n % 3 FROM generate_series(1, 200000) AS n;
INSERT INTO steps SELECT n, tenant, id, n % 7 FROM (SELECT row_number() OVER () AS n, tenant, id FROM moves, generate_series(1, 2) WHERE id % 5 = 0 OR id <= 3) AS s;
CREATE INDEX moves_at ON moves (tenant, at);
CREATE TABLE legs (id bigint PRIMARY KEY, move bigint NOT NULL, n int NOT NULL);
INSERT INTO legs SELECT id, move, n FROM steps;
CREATE INDEX legs_move ON legs (move);
CREATE INDEX steps_move ON steps (tenant, move);
ANALYZE`

const movesDatasets = `
sources: {pg: {kind: postgres, host: db.example, database: d, user: u, password: {env: P}}}
strategies: {pg: {kind: shared, source: pg}}
datasets:
  places: {common: true, source: pg, key: id, columns: {id: Int!, name: String!}, relations: {}}
  moves:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String!, at: Timestamp!, amount: "Decimal!", place: Int!, kind: String!}
    relations:
      where: {to: places, on: {place: id}}
      steps: {to: steps, many: true, on: {id: move}}
      legs: {to: legs, many: true, on: {id: move}}
  steps:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String!, move: BigInt!, n: Int!}
    relations: {}
  legs:
    tenant: {through: of}
    key: id
    columns: {id: BigInt!, move: BigInt!, n: Int!}
    relations: {of: {to: moves, on: {move: id}}}
`

// likeAnyOther asks as if the statement could not be planned for all.
type likeAnyOther struct{ sqlexec.Session }

// TestGenericPlans: the plan for any values goes along the index, for whom it was
// made last as for everybody, and answers what a plan for the values answers.
func TestGenericPlans(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, moves)
	pg, err := postgres.Open(catalog.PostgresSpec{
		Host: db.Host, Port: db.Port, Database: db.Name, User: db.User, Password: db.Password, SSLMode: "disable", MaxConns: 1,
	}, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pg.Close() })
	tables, err := pg.Introspect(t.Context(), "public")
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]catalog.Table)
	for _, table := range tables {
		found[catalog.TableKey(table.Schema, table.Name)] = table
	}
	cat := plantest.Catalog(t, movesDatasets, catalog.Introspected{"pg": found})
	for _, c := range []struct{ query, along string }{
		{`moves(orderBy: [{at: DESC}], limit: 20) { id at amount }`, "moves_at"},
		{`moves(where: {amount: {gte: "%d"}}, orderBy: [{at: ASC}], limit: 20) { id at amount where { name } }`, "moves_at"},
		{`moves(where: {amount: {lt: "%d"}, kind: {eq: "k1"}}, orderBy: [{at: DESC}], limit: 10) { id at amount }`, "moves_at"},
		{`moves(where: {amount: {gte: "%d"}}, orderBy: [{at: DESC}], limit: 20) { id steps(where: {n: {lt: 5}}) { id n } where { name } }`, "steps_move"},
		{`moves(where: {amount: {gte: "%d"}}, orderBy: [{at: DESC}], limit: 20) { id steps(orderBy: [{n: ASC}], limit: 1) { id n } }`, "steps_move"},
		{`moves(where: {amount: {gte: "%d"}}, orderBy: [{at: DESC}], limit: 20) { id legs(where: {n: {lt: 5}}) { id n } }`, "legs_move"},
		{`moves(orderBy: [{at: ASC}], limit: 20) { id legs(orderBy: [{n: ASC}], limit: 1) { id n } where { name } }`, "legs_move"},
		{`movesConnection(orderBy: [{at: DESC}], first: 20, after: ["2026-03-01 00:00:00+00", "%d"]) { nodes { id at amount } }`, "moves_at"},
		{`moves(where: {id: {in: ["2", "%d", "77"]}}, orderBy: [{id: ASC}]) { id at amount where { name } }`, "moves_pkey"},
	} {
		for i, tenant := range []string{"huge", "tiny", "t7", "nobody", "huge", "tiny", "t7", "huge"} {
			text := c.query
			if strings.Contains(text, "%d") {
				text = fmt.Sprintf(text, []int{0, 499, 5, 600, 250, 499, 1, 498}[i])
			}
			q, err := plan.Build(plantest.Request(t, text), cat, plantest.Principal(t, fmt.Sprintf(`tenant: %q, strategy: "pg"`, tenant)), now)
			if err != nil {
				t.Fatal(err)
			}
			if !q.Root().Generic() {
				t.Fatalf("%s is planned for each", text)
			}
			s, err := sqlexec.Prepare(q, sqlgen.Postgres)
			if err != nil {
				t.Fatal(err)
			}
			var forAll, forEach *value.Result
			err = pg.Session(t.Context(), false, func(session sqlexec.Session) error {
				got, err := s.Bind(nil).Run(t.Context(), session)
				if err != nil {
					return err
				}
				want, err := s.Bind(nil).Run(t.Context(), likeAnyOther{session})
				if err != nil {
					return err
				}
				forAll, forEach = got[0], want[0]
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := printed(forAll), printed(forEach); got != want {
				t.Errorf("%s for %s: %s, not %s", text, tenant, got, want)
			}
			if tenant == "huge" {
				if got := explainedForAll(t, pg, s.Text(), q); !strings.Contains(got, "using "+c.along) && !strings.Contains(got, "Backward using "+c.along) || strings.Contains(got, "Seq Scan on moves") || strings.Contains(got, "Seq Scan on steps") || strings.Contains(got, "Seq Scan on legs") || strings.Contains(got, "Bitmap") {
					t.Errorf("%s:\n%s", text, got)
				}
			}
		}
	}
}

// explainedForAll is PostgreSQL's plan of a statement for any arguments.
func explainedForAll(t *testing.T, pg *postgres.DB, text string, q plan.Query) string {
	t.Helper()
	args := arguments(t, q)
	var b strings.Builder
	err := pg.Session(t.Context(), true, func(session sqlexec.Session) error {
		quoted := make([]string, len(args))
		for i, arg := range args {
			quoted[i] = "'" + arg + "'"
		}
		run := func(text string) error {
			rows, err := session.Query(t.Context(), text, nil)
			if err != nil {
				return err
			}
			for rows.Next() {
				b.Write(rows.Cell(0).Text)
				b.WriteByte('\n')
			}
			return rows.Err()
		}
		for _, text := range []string{"SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE asked AS " + text, "EXPLAIN (COSTS OFF) EXECUTE asked(" + strings.Join(quoted, ", ") + ")", "DEALLOCATE asked"} {
			if err := run(text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func arguments(t *testing.T, q plan.Query) []string {
	t.Helper()
	if q.Statements() > 1 {
		s, err := sqlgen.Together(q.Root(), sqlgen.Postgres)
		if err != nil {
			t.Fatal(err)
		}
		return s.Args.Bind(nil)
	}
	s, err := sqlgen.Render(q.Root(), sqlgen.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	return s.Args.Bind(nil)
}

// printed is a result's cells, with those nested in it.
func printed(r *value.Result) string {
	var b strings.Builder
	for i := range r.Rows.Len() {
		for j := range r.Rows.Width() {
			c := r.Rows.Row(i).Cell(j)
			fmt.Fprintf(&b, "%v %v %v %s|", c.Kind, c.Int, c.Float, c.Text)
		}
	}
	for _, child := range r.Children {
		fmt.Fprint(&b, child.Start, printed(child.Result))
	}
	return b.String()
}
