-- Where the tenant's rows are in sources that have cells; empty: where those are themselves.
ALTER TABLE store.tenants ADD COLUMN cell TEXT DEFAULT '';
