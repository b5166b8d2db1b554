package types

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/duckdb/duckdb-go/v2"

	"usher/pgtest"
	"usher/principal"
	"usher/test/inprocess"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// now is the instant of every question.
var now = time.Date(2026, 10, 25, 9, 30, 15, 0, time.UTC)

// engine makes a gateway whose source main holds what the statements have made,
// with the rest of a configuration. The one strategy is the shared one.
type engine struct {
	name string
	open func(t *testing.T, statements, config string, sources ...string) *gateway
}

// gateway is asked by somebody of a tenant.
type gateway struct{ *inprocess.Gateway }

// postgres holds the rows in PostgreSQL.
var postgres = engine{"postgres", func(t *testing.T, statements, config string, sources ...string) *gateway {
	t.Helper()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, statements)
	return start(t, fmt.Sprintf("main: {kind: postgres, host: %s, port: %d, database: %s, user: %s, password: {env: PGPASSWORD}, sslmode: disable}",
		db.Host, db.Port, db.Name, db.User), db.Password, config, sources)
}}

// duckDB holds the rows in a file of DuckDB.
var duckDB = engine{"duckdb", func(t *testing.T, statements, config string, sources ...string) *gateway {
	t.Helper()
	path := filepath.Join(t.TempDir(), "main.duckdb")
	fill(t, path, statements)
	return start(t, "main: {kind: duckdb, path: "+path+"}", "", config, sources)
}}

// fill runs statements in a file of DuckDB.
func fill(t *testing.T, path, statements string) {
	t.Helper()
	connector, err := duckdb.NewConnector(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	if _, err := db.ExecContext(t.Context(), "SET TimeZone = 'UTC';"+statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func start(t *testing.T, source, password, config string, others []string) *gateway {
	t.Helper()
	return &gateway{inprocess.New(t, inprocess.Setup{
		Text: "sources:\n  " + strings.Join(append([]string{source}, others...), "\n  ") + "\nstrategies: {shared: {kind: shared, source: main}}\n" + issuers + config,
		Env:  map[string]string{"PGPASSWORD": password, "SECRET": "a secret of tests that nobody else knows"}, Now: now,
	})}
}

const issuers = `issuers: {idp: {issuer: idp, audience: [usher], algorithms: [HS256], keys: {secret: {env: SECRET}}, tenants: trusted, claims: {tenant: /tenant}}}
`

// answers asks as somebody of the tenant t1 and compares the whole response.
func (g *gateway) answers(t *testing.T, question, want string) {
	t.Helper()
	g.answersTo(t, "t1", question, want)
}

func (g *gateway) answersTo(t *testing.T, tenant, question, want string) {
	t.Helper()
	if got := g.askAs(t, tenant, question); got != want {
		t.Errorf("%s\n got %s\nwant %s", question, got, want)
	}
}

func (g *gateway) ask(t *testing.T, question string) string {
	t.Helper()
	return g.askAs(t, "t1", question)
}

func (g *gateway) askAs(t *testing.T, tenant, question string) string {
	t.Helper()
	who := principal.Principal{Subject: "ann", Tenant: tenant, TenantKey: tenant, Kind: principal.JWT, Scopes: []principal.Scope{principal.ReadData}}
	return string(g.Ask(t, who, question, ""))
}

// pages asks for the things in the order of a column, one by one.
func (g *gateway) pages(t *testing.T, column string, want ...string) {
	t.Helper()
	after := ""
	for _, id := range want {
		got := g.ask(t, `{thingsConnection(orderBy: [{`+column+`: ASC}], first: 1`+after+`) {nodes {id} pageInfo {endCursor}}}`)
		rest, ok := strings.CutPrefix(got, `{"data":{"thingsConnection":{"nodes":[{"id":`+id+`}],"pageInfo":{"endCursor":"`)
		cursor, _, _ := strings.Cut(rest, `"`)
		if !ok {
			t.Errorf("by %s, want %s: %s", column, id, got)
			return
		}
		after = `, after: "` + cursor + `"`
	}
}
