-- Rows that a source has told one gateway of, for the others: they forget what they keep of them. tenants are ids as JSON; empty:
-- everybody's. gateway is the process that was told, which has forgotten already.
CREATE TABLE store.changes (
    id TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    dataset TEXT NOT NULL,
    tenants TEXT NOT NULL,
    gateway TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    generation BIGINT NOT NULL
);
CREATE INDEX changes_generation ON store.changes (generation);
