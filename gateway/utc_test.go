package gateway_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

const instants = `
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, claims: {tenant: /tenant}, may_grant: {write: true, export: true}}
tenants: {a: {}, b: {strategy: own}}
sources:
  shop: {kind: postgres, host: %[1]s, port: %[2]d, database: %[3]q, user: %[4]q, password: {env: PG}, sslmode: disable}
  own: {kind: postgres, template: true, host: %[1]s, port: %[2]d, database: '%[3]s_{tenant}', user: %[4]q, password: {env: PG}, sslmode: disable}
strategies: {all: {kind: shared, source: shop}, own: {kind: database, source: own}}
default_strategy: all
datasets:
  bare:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, at: Timestamp, n: Int}
    writable: true
    relations: {beside: {to: bare, many: true, on: {n: n}}}
    bind: {shop: {table: bare}, own: {table: bare}}
  zone:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, at: Timestamp, n: Int}
    writable: true
    relations: {beside: {to: zone, many: true, on: {n: n}}}
    bind: {shop: {table: zone}, own: {table: zone}}
`

// Each is asked of a table whose times have a zone and of one whose have none, and are of UTC.
var ofInstants = []string{
	`{ rows: %s(orderBy: [{at: ASC}, {id: ASC}]) { id at } }`,
	`{ rows: %s(orderBy: [{at: DESC_NULLS_FIRST}, {id: ASC}], limit: 3) { id at } }`,
	`{ rows: %s(where: {at: {gte: "2025-11-02T05:30:00Z"}}, orderBy: [{id: ASC}]) { id } }`,
	`{ rows: %s(where: {at: {eq: "2025-11-01T23:30:00-06:00"}}) { id } }`,
	`{ rows: %s(where: {at: {in: ["2025-11-02T05:30:00Z", "2025-03-09T08:00:00Z"]}}, orderBy: [{id: ASC}]) { id } }`,
	`{ rows: %s(where: {not: {at: {lt: "2025-11-02T06:59:59.999Z"}}}, orderBy: [{id: ASC}]) { id } }`,
	`{ rows: %s(where: {at: {isNull: true}}) { id } }`,
	`{ rows: %s(where: {at: {lastAvailable: {n: 2, unit: HOUR}}}, orderBy: [{id: ASC}]) { id } }`,
	`{ rows: %s(where: {at: {in: [` + strings.Repeat(`"2025-11-02T05:30:00Z", "2025-11-02T06:17:00+00:00", `, 30) + `"2025-03-09T08:00:00Z"]}}, orderBy: [{id: ASC}]) { id at } }`,
	`{ rows: %s(where: {at: {previous: {n: 30, unit: YEAR}}}, orderBy: [{id: ASC}]) { id } }`,
	`{ rows: %sAggregate(timezone: "America/Chicago", orderBy: [{key: {at: {by: DAY}}}]) { key { at(by: DAY) } count n { sum } } }`,
	`{ rows: %sAggregate(timezone: "America/Chicago") { key { at(by: HOUR) } count } }`,
	`{ rows: %sAggregate(timezone: "Asia/Kathmandu") { key { at(by: MONTH) } count at { min max } } }`,
	`{ rows: %sAggregate { at { min max } n { max } } }`,
	`{ rows: %sAggregate(where: {at: {lt: "2025-11-02T09:00:00Z"}}) { count at { max } } more: %sAggregate(timezone: "America/Chicago", where: {at: {lt: "2025-11-02T09:00:00Z"}}) { key { at(by: DAY) } count } }`,
	`{ rows: %s(where: {id: {lte: 3}}, orderBy: [{id: ASC}]) { id beside(where: {at: {gt: "2025-11-02T07:30:00Z"}}, orderBy: [{at: DESC}], limit: 2) { id at } besideAggregate { at { min } count } } }`,
	`{ rows: %s(where: {beside: {some: {at: {eq: "2025-03-09T08:00:00Z"}}}, id: {lt: 3}}, orderBy: [{id: ASC}]) { id } }`,
	`{ rows: %sAggregate(timezone: "America/Chicago", fill: true, where: {at: {gte: "2025-11-01T00:00:00Z", lt: "2025-11-05T00:00:00Z"}}) { key { at(by: DAY) } count } }`,
	`{ rows: %sConnection(first: 2, orderBy: [{at: ASC}]) { nodes { id at } pageInfo { hasNextPage } } }`,
	`mutation { rows: insert<Dataset>(rows: [{id: 90, at: "2026-01-01T00:30:00+01:00", n: 9}, {id: 91, at: null}]) { affected rows { id at } } }`,
	`mutation { rows: insert<Dataset>One(row: {id: 92, at: "2026-01-01T00:30:00.125Z"}) { id at } }`,
	`mutation { rows: update<Dataset>ByPk(id: 90, set: {at: "2025-12-31T23:45:00-01:00"}) { id at } }`,
	`mutation { rows: update<Dataset>(where: {at: {gt: "2025-12-31T00:00:00Z"}}, set: {n: 5}) { affected } }`,
	`mutation { rows: insert<Dataset>(rows: [{id: 92, at: "2026-02-01T00:00:00Z"}], onConflict: {key: id, update: [at]}) { affected rows { id at } } }`,
	`mutation { rows: delete<Dataset>(where: {at: {gte: "2026-01-01T00:45:00Z", lt: "2026-01-01T01:00:00Z"}}) { affected } }`,
	`{ rows: %s(orderBy: [{id: ASC}]) { id at n } }`,
}

// TestTimesOfUTC: times without a zone that are of UTC are read, compared, cut and written as instants where the
// configuration says that they are, in tenants' own databases, too.
func TestTimesOfUTC(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	db := server.Database(t)
	const tables = `
		CREATE TABLE bare (id int, tenant text NOT NULL DEFAULT 'b', at timestamp(3), n int, PRIMARY KEY (tenant, id));
		CREATE TABLE zone (id int, tenant text NOT NULL DEFAULT 'b', at timestamptz(3), n int, PRIMARY KEY (tenant, id));
		INSERT INTO zone SELECT n, $1, CASE WHEN n = 7 THEN NULL ELSE timestamptz '2025-11-02 05:30:00Z' + (n - 1) * interval '47 minutes' END, n FROM generate_series(1, 9) n;
		INSERT INTO zone VALUES (20, $1, '2025-03-09 08:00:00Z', 1), (21, $1, '2025-03-09 07:59:59.999Z', 1), (22, $1, 'infinity', 1);
		INSERT INTO bare SELECT id, tenant, at AT TIME ZONE 'UTC', n FROM zone;`
	db.Exec(t, strings.ReplaceAll(tables, "$1", "'a'"))
	admin := db.Open(t)
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+db.Name+"_b"); err != nil {
		t.Fatal(err)
	}
	own := db
	own.Name, own.URL = db.Name+"_b", strings.Replace(db.URL, db.Name, db.Name+"_b", 1)
	t.Cleanup(func() { _, _ = admin.ExecContext(context.Background(), "DROP DATABASE "+own.Name+" WITH (FORCE)") })
	own.Exec(t, strings.ReplaceAll(tables, "$1", "'b'"))
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, instants, db.Host, db.Port, db.Name, db.User), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = opened.Close() })
	g := gate{opened}
	for _, tenant := range []string{"a", "b"} {
		token := program.Sign(t, `{"tenant": "`+tenant+`"}`)
		ask := func(text, of string) string {
			text = strings.ReplaceAll(strings.ReplaceAll(text, "%s", of), "<Dataset>", strings.ToUpper(of[:1])+of[1:])
			return g.query(t, token, text)
		}
		for _, text := range ofInstants {
			want, got := ask(text, "zone"), ask(text, "bare")
			want = strings.ReplaceAll(want, "zone", "bare")
			if got != want || strings.Contains(want, "VALIDATION") || strings.Contains(text, "mutation") && strings.Contains(want, "errors") {
				t.Errorf("%s: %s\n got %s\nwant %s", tenant, text, got, want)
			}
		}
		walk := func(of string) (ids string) {
			for after := ""; ; {
				got := ask(`{ rows: %sConnection(first: 2`+after+`, orderBy: [{at: DESC}]) { nodes { id } pageInfo { hasNextPage endCursor } } }`, of)
				nodes, end, found := strings.Cut(got, `"pageInfo":{"hasNextPage":true,"endCursor":"`)
				if ids += nodes; !found {
					return ids
				}
				cursor, _, _ := strings.Cut(end, `"`)
				after = `, after: "` + cursor + `"`
			}
		}
		want, _, _ := strings.Cut(walk("zone"), `"pageInfo"`)
		if got := walk("bare"); !strings.HasPrefix(got, want) || got != walk("bare") || strings.Count(got, `"id"`) != strings.Count(walk("zone"), `"id"`) {
			t.Errorf("%s: pages %s, and of times with a zone %s", tenant, got, walk("zone"))
		}
		for _, of := range []string{"zone", "bare"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/import/"+of+"?format=csv", strings.NewReader("id,at\n100,2026-03-01T01:00:00+02:00\n"))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "text/csv")
			w := httptest.NewRecorder()
			g.Handler().ServeHTTP(w, r)
			if got, want := ask(`{ rows: %s(where: {id: {eq: 100}}) { at } }`, of), `200 {"data":{"rows":[{"at":"2026-02-28T23:00:00Z"}]}}`; got != want {
				t.Errorf("%s: %s imported as %s: %d %s", tenant, of, got, w.Code, w.Body)
			}
		}
	}
}
