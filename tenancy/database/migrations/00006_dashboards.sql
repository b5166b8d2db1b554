-- Dashboards: of a tenant, or of those who administer all (tenant empty), who share them with all tenants or not yet. What a list
-- shows stands beside the document.
CREATE TABLE store.dashboards (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    document TEXT NOT NULL,
    shared BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);
