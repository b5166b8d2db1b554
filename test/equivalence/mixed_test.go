package equivalence

import (
	"testing"

	"usher/catalog"
	"usher/pgtest"
)

// mixed reaches the datasets of one tenant in several sources at once: a shared
// PostgreSQL, a DuckDB of the tenant's own, APIs and a plugin. Relations, groups and
// conditions lead from one to the other.
func mixed(t *testing.T, w *world) []way {
	t.Helper()
	server := pgtest.Start(t)
	database := server.Database(t)
	database.Exec(t, postgresSQL.script(w, ""))
	sources := duckdbSources(t, w)
	sources["c"] = postgresSource(server, database.Name)
	all, allURL := startAPI(t, w, false)
	apart, apartURL := startAPI(t, w, true)
	sources["all"], sources["apart"] = all.source(allURL), apart.source(apartURL)
	plugin, pluginURL := startBroker(t, w, true, false)
	sources["plugin"] = plugin.source(pluginURL)
	ways := map[string]string{"trips": "own", "stops": "own", "scans": "own"} // a row and whose it is are in one source
	spec := w.spec(sources, map[string]catalog.StrategySpec{
		"warehouse": {Source: "c", Datasets: map[string]string{"orders": "own", "items": "all", "stores": "plugin"}},
		"silo":      {Source: "own", Datasets: map[string]string{"orders": "apart", "events": "c"}},
		"both":      {Source: "c", Datasets: with(ways, "events", "apart")},
		"plain":     {Kind: "shared", Source: "c"},
		"all":       {Source: "all"},
		"apart":     {Source: "apart"},
		"plugin":    {Source: "plugin"},
	}, "shared")
	spec.DefaultStrategy = "warehouse"
	hideTenant(spec, "apart")
	bindBroker(spec, "plugin", plugin)
	g := newGateway(t, spec)
	return []way{
		{"a shared PostgreSQL, with an API, a plugin and a DuckDB of the tenant's own", g, "warehouse", true, nil},
		{"a DuckDB of the tenant's own, with an API and a shared PostgreSQL", g, "silo", true, nil},
		{"a shared PostgreSQL, with an API and what hangs together in a DuckDB", g, "both", true, nil},
		{"strategies of single datasets that the token names", g, "plain", true, map[string]string{"orders": "silo", "items": "all", "events": "plugin", "stores": "apart"}},
	}
}

func with(m map[string]string, name, v string) map[string]string {
	m[name] = v
	return m
}
