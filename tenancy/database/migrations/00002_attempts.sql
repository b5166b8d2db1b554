-- Attempts to log in, of a name, from an address, and of a name from an address. who is a hash: people type passwords where the
-- name belongs. Without an index on changed_at: on DuckDB an update of an indexed column deletes and inserts the row.
CREATE TABLE store.attempts (
    who TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    open_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL
);
