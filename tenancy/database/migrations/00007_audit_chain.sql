-- Entries that must stand are links of chains, a few for each process that writes; entries from before, and those of data that was
-- read, are in none.
ALTER TABLE store.audit ADD COLUMN chain TEXT DEFAULT '';
ALTER TABLE store.audit ADD COLUMN seq BIGINT DEFAULT 0;
ALTER TABLE store.audit ADD COLUMN link TEXT DEFAULT '';
CREATE INDEX audit_chain ON store.audit (chain, seq);
CREATE TABLE store.audit_chains (
    chain TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    link TEXT NOT NULL,
    sealed TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    anchor_seq BIGINT NOT NULL,
    anchor_link TEXT NOT NULL,
    anchor_key_id TEXT NOT NULL,
    anchor_sealed TEXT NOT NULL
);
