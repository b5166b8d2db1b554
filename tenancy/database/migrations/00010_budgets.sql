-- What is left of budgets: of what somebody may use in a minute of a kind, as of a moment. who is a hash. The last lease that a
-- gateway took is in granted; wanted and used are what it asked for. gateways are those that share them.
CREATE TABLE store.budgets (
    who TEXT PRIMARY KEY,
    level FLOAT8 NOT NULL,
    granted FLOAT8 NOT NULL,
    wanted FLOAT8 NOT NULL,
    used FLOAT8 NOT NULL,
    per_minute FLOAT8 NOT NULL,
    changed_at BIGINT NOT NULL
);
CREATE TABLE store.gateways (
    id TEXT PRIMARY KEY,
    seen_at BIGINT NOT NULL
);
