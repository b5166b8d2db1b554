package demo

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	_ "github.com/duckdb/duckdb-go/v2" // the engine that makes and holds the data
)

// engine opens a DuckDB in memory, to which database files are attached. Its
// settings belong to the one connection; end closes both.
func engine(ctx context.Context) (conn *sql.Conn, end func(), err error) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return nil, nil, err
	}
	if conn, err = db.Conn(ctx); err == nil {
		_, err = conn.ExecContext(ctx, `SET TimeZone = 'UTC'`)
	}
	end = func() {
		if conn != nil {
			_ = conn.Close()
		}
		_ = db.Close()
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return conn, end, nil
}

// attach writes the one statement that takes no parameters. The path is the
// operator's own; it is written as a literal all the same.
func attach(path, as string) string {
	return fmt.Sprintf("ATTACH '%s' AS %s", strings.ReplaceAll(path, "'", "''"), as)
}
