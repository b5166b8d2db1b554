-- Which bindings a tenant's datasets are read by, of those that the configuration has by name, as JSON; empty: none.
ALTER TABLE store.tenants ADD COLUMN bindings TEXT DEFAULT '';
