package equivalence

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/lib/pq" // opens the databases

	"usher/catalog"
)

// distributed reaches the world in PostgreSQL with Citus, by the tenant column: one more way where
// USHER_TEST_CITUS names a database of the coordinator, as a superuser who reaches the workers by the
// same name and password. docs/scaling.md says how such a database is laid out.
func distributed(t *testing.T, w *world) []way {
	t.Helper()
	dsn := os.Getenv("USHER_TEST_CITUS")
	if dsn == "" {
		return nil
	}
	at := citusDatabase(t, dsn)
	citusExec(t, at, postgresSQL.script(ofTenants(w), ""))
	for _, table := range w.tables {
		statement := "SELECT create_distributed_table('" + table.name + "', '" + tenantColumn + "')"
		if table.common || table.lasting != nil || table.through != "" { // whose rows have no tenant column, or a key without it
			statement = "SELECT create_reference_table('" + table.name + "')"
		}
		citusExec(t, at, statement)
	}
	port, err := strconv.Atoi(at.Port())
	if err != nil {
		t.Fatal(err)
	}
	password, _ := at.User.Password()
	spec := w.spec(map[string]catalog.SourceSpec{"citus": {
		Kind: "postgres", Host: at.Hostname(), Port: port, Database: strings.TrimPrefix(at.Path, "/"),
		User: at.User.Username(), Password: catalog.Secret(cmp.Or(password, "none")), SSLMode: "disable",
	}}, map[string]catalog.StrategySpec{"citus": {Kind: "shared", Source: "citus"}}, "citus")
	spec.DefaultStrategy = "citus"
	return []way{{"a PostgreSQL that is distributed by the tenant", newGateway(t, spec), "citus", true, nil}}
}

// ofTenants is the world without what is nobody's: such rows are on no shard.
func ofTenants(w *world) *world {
	out := &world{}
	for _, table := range w.tables {
		kept := *table
		if !table.common {
			kept.rows = slices.DeleteFunc(slices.Clone(table.rows), func(row []cell) bool { return row[0].null })
		}
		out.tables = append(out.tables, &kept)
	}
	return out
}

// citusDatabase makes a database on the coordinator and on its workers, for the length of the test.
func citusDatabase(t *testing.T, dsn string) *url.URL {
	t.Helper()
	coordinator, err := url.Parse(dsn)
	if err != nil || coordinator.Port() == "" || coordinator.User == nil {
		t.Fatalf("USHER_TEST_CITUS is no URL such as postgres://postgres:secret@127.0.0.1:5432/citus?sslmode=disable: %v", err)
	}
	var workers []string
	db := citusOpen(t, coordinator)
	rows, err := db.QueryContext(t.Context(), "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 AND isactive ORDER BY nodename, nodeport")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var host string
		var port int
		if err := rows.Scan(&host, &port); err != nil {
			t.Fatal(err)
		}
		workers = append(workers, net.JoinHostPort(host, strconv.Itoa(port)))
	}
	if err := rows.Err(); err != nil || len(workers) == 0 {
		t.Fatalf("%v; the coordinator has %d workers", err, len(workers))
	}
	name := fmt.Sprintf("usher_equivalence_%d", time.Now().UnixNano())
	for _, host := range append([]string{coordinator.Host}, workers...) {
		admin, made := *coordinator, *coordinator
		admin.Host, admin.Path, made.Host, made.Path = host, "/postgres", host, "/"+name
		server := citusOpen(t, &admin)
		if _, err := server.ExecContext(t.Context(), "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := server.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
				t.Errorf("drop the database on %s: %v", host, err)
			}
		})
		citusExec(t, &made, "CREATE EXTENSION citus")
	}
	coordinator.Path = "/" + name
	citusExec(t, coordinator, fmt.Sprintf("SELECT citus_set_coordinator_host('%s', %s)", coordinator.Hostname(), coordinator.Port()))
	for _, worker := range workers {
		host, port, _ := net.SplitHostPort(worker)
		citusExec(t, coordinator, fmt.Sprintf("SELECT citus_add_node('%s', %s)", host, port))
	}
	return coordinator
}

func citusOpen(t *testing.T, at *url.URL) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func citusExec(t *testing.T, at *url.URL, script string) {
	t.Helper()
	db := citusOpen(t, at)
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), script); err != nil { //nolint:gosec // a test's own
		t.Fatal(err)
	}
}
