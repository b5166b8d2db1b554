package equivalence

import (
	"context"
	"database/sql"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lib/pq"

	"usher/catalog"
	"usher/pgtest"
)

// way is one way to the same rows.
type way struct {
	name     string
	gateway  *gateway
	strategy string
	parents  bool // it can tell whose a row is that has no tenant column

	strategies map[string]string // that the token names for single datasets
}

// ask answers an operation as a tenant. The answer is the whole response but for
// the request's id.
func (w way) ask(ctx context.Context, tenant string, o operation) []byte {
	who := ana(tenant, w.strategy)
	who.Grant.Strategies = w.strategies
	return w.gateway.askAs(ctx, who, o)
}

var byParents = regexp.MustCompile(`(?i)trips|stops|scans`)

// answers tells whether an operation can be answered this way. Of rows without a
// tenant column, an API that sends everybody's cannot say whose they are.
func (w way) answers(op operation) bool { return w.parents || !byParents.MatchString(op.String()) }

// duckdbSources has the world in a shared file and in one file for each
// tenant.
func duckdbSources(t *testing.T, w *world) map[string]catalog.SourceSpec {
	t.Helper()
	dir := t.TempDir()
	writeDuckDB(t, filepath.Join(dir, "shared.duckdb"), duckdbSQL.script(w, ""))
	for _, tenant := range tenants {
		writeDuckDB(t, filepath.Join(dir, "of-"+tenant+".duckdb"), duckdbSQL.script(w, tenant))
	}
	return map[string]catalog.SourceSpec{
		"shared": {Kind: "duckdb", Path: catalog.Path(filepath.Join(dir, "shared.duckdb"))},
		"own":    {Kind: "duckdb", Template: true, Path: catalog.Path(filepath.Join(dir, "of-{tenant}.duckdb"))},
	}
}

// embedded reaches the world in DuckDB and behind APIs; what is common is in
// the shared DuckDB, so that the other ways cross sources.
func embedded(t *testing.T, w *world) []way {
	t.Helper()
	sources := duckdbSources(t, w)
	all, allURL := startAPI(t, w, false)
	apart, apartURL := startAPI(t, w, true)
	sources["all"], sources["apart"] = all.source(allURL), apart.source(apartURL)
	basic, basicURL := startBroker(t, w, false, false)
	pushdown, pushdownURL := startBroker(t, w, true, false)
	grouping, groupingURL := startBroker(t, w, false, true)
	sources["grouping"] = grouping.source(groupingURL)
	sources["basic"], sources["pushdown"] = basic.source(basicURL), pushdown.source(pushdownURL)
	spec := w.spec(sources, map[string]catalog.StrategySpec{
		"shared":   {Kind: "shared", Source: "shared"},
		"database": {Kind: "database", Source: "own"},
		"all":      {Kind: "api", Source: "all"},
		"apart":    {Kind: "api", Source: "apart"},
		"basic":    {Kind: "api", Source: "basic"},
		"pushdown": {Kind: "api", Source: "pushdown"},
		"grouping": {Kind: "api", Source: "grouping"},
	}, "shared")
	spec.DefaultStrategy = "shared"
	hideTenant(spec, "apart")
	bindBroker(spec, "basic", basic)
	bindBroker(spec, "pushdown", pushdown)
	bindBroker(spec, "grouping", grouping)
	g := newGateway(t, spec)
	return []way{
		{"a shared DuckDB", g, "shared", true, nil},
		{"a DuckDB of the tenant's own", g, "database", true, nil},
		{"an API with everybody's rows", g, "all", false, nil},
		{"an API that keeps tenants apart", g, "apart", true, nil},
		{"a plugin with everybody's rows", g, "basic", false, nil},
		{"a plugin that keeps tenants apart", g, "pushdown", true, nil},
		{"a plugin that makes groups of everybody's rows", g, "grouping", false, nil},
	}
}

// hideTenant says that a source returns some datasets without the tenant.
func hideTenant(spec catalog.Spec, source string) {
	for _, name := range withoutTenant {
		d := spec.Datasets[name]
		d.Bind = map[string]catalog.BindingSpec{source: {Columns: map[string]*string{tenantColumn: nil}}}
		spec.Datasets[name] = d
	}
}

// served reaches the world in PostgreSQL; what is common is in the database
// that orders text by code point.
func served(t *testing.T, w *world) []way {
	t.Helper()
	server := pgtest.Start(t)
	byCode, english := server.Database(t), server.DatabaseLocale(t, "en_US")
	byCode.Exec(t, postgresSQL.script(w, "")+indexes(w))
	english.Exec(t, postgresSQL.script(w, ""))
	prefix := strings.ToLower(byCode.Name) + "_"
	admin := byCode.Open(t)
	for _, tenant := range tenants {
		makeDatabase(t, admin, prefix+tenant)
		own := byCode
		own.Name = prefix + tenant
		own.URL = strings.Replace(byCode.URL, "/"+byCode.Name, "/"+own.Name, 1)
		own.Exec(t, postgresSQL.script(w, tenant))
	}
	template := postgresSource(server, prefix+"{tenant}")
	template.Template = true
	spec := w.spec(map[string]catalog.SourceSpec{
		"c": postgresSource(server, byCode.Name), "english": postgresSource(server, english.Name), "own": template,
	}, map[string]catalog.StrategySpec{
		"c":        {Kind: "shared", Source: "c"},
		"english":  {Kind: "shared", Source: "english"},
		"database": {Kind: "database", Source: "own"},
	}, "c")
	spec.DefaultStrategy = "c"
	g := newGateway(t, spec)
	return []way{
		{"a shared PostgreSQL", g, "c", true, nil},
		{"a shared PostgreSQL that orders as English does", g, "english", true, nil},
		{"a PostgreSQL database of the tenant's own", g, "database", true, nil},
	}
}

func postgresSource(server *pgtest.Server, database string) catalog.SourceSpec {
	return catalog.SourceSpec{
		Kind: "postgres", Host: server.Host, Port: server.Port, Database: database,
		User: server.User, Password: catalog.Secret(server.Password), SSLMode: "disable",
	}
}

// makeDatabase makes a database of a given name, for the length of the test.
func makeDatabase(t *testing.T, admin *sql.DB, name string) {
	t.Helper()
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE template0 ENCODING 'UTF8'"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP DATABASE "+pq.QuoteIdentifier(name)+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the tenant's database: %v", err)
		}
	})
}
