-- How a saved query is shown, as the JSON object of the page that made it; empty: it is a text alone. The version is raised by each
-- change. Those of no tenant are of who administers all; without an owner and shared, they are templates for all tenants.
ALTER TABLE store.saved ADD COLUMN shown TEXT DEFAULT '';
ALTER TABLE store.saved ADD COLUMN version BIGINT DEFAULT 1;
