package sqlgen_test

import (
	"strings"
	"testing"

	"usher/datasource/sqlexec"
	"usher/plan"
	"usher/plan/plantest"
	"usher/sqlgen"
)

const visits = `
CREATE TABLE pages (name text PRIMARY KEY, tenant text NOT NULL);
CREATE TABLE visits (id bigint PRIMARY KEY, tenant text NOT NULL, at timestamptz NOT NULL, left_at timestamptz, page text NOT NULL);
INSERT INTO pages SELECT 'p' || n, 'a' FROM generate_series(1, 1000) AS n;
INSERT INTO visits SELECT n, chr(97 + n % 9), '2026-01-01'::timestamptz + n * interval '50 minutes',
	'2026-01-01'::timestamptz + n * interval '51 minutes', 'p' || n % 700 FROM generate_series(1, 9000) AS n;
CREATE TABLE tags (id int PRIMARY KEY, tenant text NOT NULL, name text NOT NULL);
CREATE TABLE tagged (tenant text NOT NULL, visit bigint NOT NULL, tag int NOT NULL);
INSERT INTO tags SELECT n, chr(97 + n % 9), 'tag ' || n FROM generate_series(0, 89) AS n;
INSERT INTO tagged SELECT tenant, id, (id + k) % 90 FROM visits, generate_series(0, 18, 9) AS k WHERE id % 4 = 0;
INSERT INTO tagged SELECT * FROM tagged WHERE visit % 7 = 0;
CREATE INDEX by_visit ON tagged (tenant, visit);
CREATE INDEX by_time ON visits (tenant, at);
CREATE INDEX by_page ON visits (tenant, page);
DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET random_page_cost = 1.1', current_database()); END $$;
ANALYZE`

const visitsDatasets = `
  pages:
    tenant: tenant
    key: name
    columns: {name: String!, tenant: String!}
    relations: {visits: {to: visits, many: true, on: {name: page}}}
  visits:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String!, at: Timestamp!, left_at: Timestamp, page: String!}
    relations:
      of: {to: pages, on: {page: name}}
      tags: {to: tags, many: true, through: tagged, on: {id: visit}, to_on: {tag: id}}
  tags:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, name: String!}
    relations: {}
  tagged:
    tenant: tenant
    columns: {tenant: String!, visit: BigInt!, tag: Int!}
    relations: {}
`

// TestPostgresPlans shows what PostgreSQL makes of statements whose cost another
// spelling of the same would let grow with the square of the rows, or of groups
// that it would sort the rows for. The answers are those of DuckDB, which is asked
// more plainly.
func TestPostgresPlans(t *testing.T) {
	t.Parallel()
	e := start(t, visits, visitsDatasets)
	for _, c := range []struct {
		name, query string
		want        []string // in this order
		never       []string
	}{
		{
			"by month, along the index", `visitsAggregate { key { at(by: MONTH) page } count }`,
			[]string{"Sort", "HashAggregate", "Index Scan using by_time"},
			[]string{"GroupAggregate", "Sort Key: t0.at"},
		},
		{"by month, where more is asked", `visitsAggregate(where: {page: {neq: "p1"}}) { key { at(by: MONTH) } count }`, []string{"Sort", "HashAggregate"}, []string{"GroupAggregate", "Sort Key: t0.at"}},
		{"by month and a column", `visitsAggregate { key { left_at(by: MONTH) page } count }`, []string{"Sort", "HashAggregate"}, []string{"GroupAggregate"}},
		{"by bins", `visitsAggregate { key { id(bin: 10) } count }`, []string{"Sort", "HashAggregate"}, []string{"GroupAggregate"}},
		{
			"distinct values", `visitsAggregate { key { at(by: MONTH) } count id { max } page { countDistinct } }`,
			[]string{"HashAggregate", "HashAggregate"},
			[]string{"GroupAggregate"},
		},
		{
			"in a range", `visitsAggregate(where: {at: {gte: "2026-03-01T00:00:00Z"}}) { key { at(by: DAY) } count }`,
			[]string{"Sort", "HashAggregate"},
			[]string{"GroupAggregate"},
		},
		{
			"beside the groups before", `visitsAggregate(where: {at: {gte: "2026-03-01T00:00:00Z"}}, compareTo: {at: {n: 1, unit: WEEK}}) { key { page } count previous { count } }`,
			[]string{"Hash Left Join"},
			[]string{"Nested Loop"},
		},
		{
			"the period before by the index", `visitsAggregate(where: {at: {gte: "2026-03-01T00:00:00Z", lt: "2026-03-02T00:00:00Z"}}, compareTo: {at: {n: 1, unit: WEEK}}) { count previous { count } }`,
			[]string{"by_time", "by_time"},
			[]string{"by_page", "Seq Scan"},
		},
		{
			"gap-free for each page", `visitsAggregate(fill: true) { key { at(by: MONTH) page } count }`,
			[]string{"Hash"},
			[]string{"Join Filter"},
		},
		{
			"the first of each by an index", `pages(limit: 20) { name visits(orderBy: [{at: DESC}], limit: 3) { id } }`,
			[]string{"Nested Loop", "Limit", "WindowAgg", "by_page"},
			[]string{"Hash"},
		},
		{
			"many of each at once", `pages(limit: 20) { name visits(orderBy: [{at: DESC}], limit: 300) { id } }`,
			[]string{"WindowAgg", "Run Condition"},
			nil,
		},
		{
			"a page before it is numbered", `visits(orderBy: [{left_at: DESC}], limit: 20) { id tags { name } }`,
			[]string{"CTE p0", "WindowAgg", "Limit", "Sort"},
			nil,
		},
		{
			"grouped before they are joined to their parents", `pages(limit: 200) { name visitsAggregate(where: {of: {name: {neq: "p1"}}}) { count } }`,
			[]string{"Left Join", "Subquery Scan on o", "HashAggregate"},
			nil,
		},
		{
			"what many link to many, of these parents", `visits(orderBy: [{at: DESC}], limit: 20) { id tags { name } }`,
			[]string{"WindowAgg", "Unique", "Nested Loop", "by_visit"},
			[]string{"Seq Scan on tagged"},
		},
		{
			"the same in groups", `visits(orderBy: [{at: DESC}], limit: 20) { id tagsAggregate { count } }`,
			[]string{"Left Join", "Unique", "Nested Loop", "by_visit"},
			[]string{"Seq Scan on tagged"},
		},
		{"without related rows", `pages(where: {visits: {none: {}}}) { name }`, []string{"Anti Join"}, []string{"SubPlan"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := plan.Build(plantest.Request(t, c.query), e.cat, plantest.Principal(t, `tenant: "a", strategy: "pg"`), now)
			if err != nil {
				t.Fatal(err)
			}
			s, err := sqlgen.Together(q.Root(), sqlgen.Postgres)
			if err != nil {
				t.Fatal(err)
			}
			got := explained(t, e, s)
			rest := got
			for _, want := range c.want {
				_, after, ok := strings.Cut(rest, want)
				if !ok {
					t.Fatalf("no %s where it should be:\n%s", want, got)
				}
				rest = after
			}
			if postgres, duckdb := e.both(c.query); postgres != duckdb || len(postgres) < 20 { // an empty list compares nothing
				t.Errorf("PostgreSQL answers\n%.300s\nand DuckDB\n%.300s", postgres, duckdb)
			}
			for _, never := range c.never {
				if strings.Contains(got, never) {
					t.Errorf("%s:\n%s", never, got)
				}
			}
		})
	}
}

// explained is PostgreSQL's plan of a statement.
func explained(t *testing.T, e *engines, s sqlgen.Script) string {
	t.Helper()
	var b strings.Builder
	err := e.postgres.Session(t.Context(), false, func(session sqlexec.Session) error {
		rows, err := session.Query(t.Context(), "EXPLAIN (COSTS OFF) "+s.Text, s.Args.Bind(nil))
		if err != nil {
			return err
		}
		for rows.Next() {
			b.Write(rows.Cell(0).Text)
			b.WriteByte('\n')
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
