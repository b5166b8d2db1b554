package analytics

import (
	"database/sql"
	"testing"

	"github.com/duckdb/duckdb-go/v2"

	"usher/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// openDuckDB opens a database file, with UTC as its zone.
func openDuckDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	connector, err := duckdb.NewConnector(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `SET GLOBAL TimeZone = 'UTC'`); err != nil {
		t.Fatal(err)
	}
	return db
}
