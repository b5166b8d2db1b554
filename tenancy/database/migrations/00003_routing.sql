-- What a tenant's record says of single datasets, of where its accounts may lead, and of what identity providers call it, as
-- JSON; empty: nothing.
ALTER TABLE store.tenants ADD COLUMN strategies TEXT DEFAULT '';
ALTER TABLE store.tenants ADD COLUMN allow_hosts TEXT DEFAULT '';
ALTER TABLE store.tenants ADD COLUMN external_ids TEXT DEFAULT '';

-- The external ids once more, to be found by: each is one tenant's.
CREATE TABLE store.external_ids (
    external_id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL
);
CREATE INDEX external_ids_tenant ON store.external_ids (tenant);
