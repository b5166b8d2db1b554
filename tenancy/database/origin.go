package database

// Origin tells a row of a table apart from a copy of it, as one that was restored has.
type Origin struct {
	Server string `db:"server"` // another after each restart, and another standby's
	Table  string `db:"tab"`
	Row    string `db:"version"` // another after each change
}

// OriginColumns are those of the rows of any table. A file is one gateway's as long as that runs.
func (d *DB) OriginColumns() string {
	if d.dsn == nil {
		return "'' AS server, '' AS tab, '' AS version"
	}
	return `CAST(extract(epoch FROM pg_postmaster_start_time()) AS text) AS server,
		(SELECT CAST(oid AS text) FROM pg_database WHERE datname = current_database()) || '.' || CAST(tableoid AS text) AS tab, CAST(xmin AS text) AS version`
}
