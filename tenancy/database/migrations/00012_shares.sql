-- How much of what tenants have in common is a tenant's, as JSON: its weight, and what it may use in a minute; empty: as the
-- configuration says.
ALTER TABLE store.tenants ADD COLUMN share TEXT DEFAULT '';
