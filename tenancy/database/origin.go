package database

// Origin tells a row of a table apart from a copy of it, as one that was restored has.
type Origin struct {
	Server string `db:"server"` // another after each restart, and another standby's
	Table  string `db:"tab"`
	Row    string `db:"version"` // another after each change
	Clock  int64  `db:"clock"`   // microseconds since 1970 by the server's clock; 0: of a file
}

// OriginColumns are those of the rows of any table. A file is one gateway's as long as that runs.
func (d *DB) OriginColumns() string {
	if d.dsn == nil {
		return "'' AS server, '' AS tab, '' AS version, CAST(0 AS BIGINT) AS clock"
	}
	return `CAST(extract(epoch FROM pg_postmaster_start_time()) AS text) AS server,
		(SELECT CAST(oid AS text) FROM pg_database WHERE datname = current_database()) || '.' || CAST(tableoid AS text) AS tab, CAST(xmin AS text) AS version,
		CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint) AS clock`
}
