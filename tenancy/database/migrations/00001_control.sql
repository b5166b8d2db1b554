-- One portable subset for PostgreSQL and DuckDB: text keys made by usher, moments as microseconds since 1970 (0: none),
-- no identity, no JSON type, no partial index, no cascade. store stands for the configured schema.
CREATE TABLE store.generation (
    id INTEGER PRIMARY KEY,
    n BIGINT NOT NULL,
    people BIGINT NOT NULL
);
INSERT INTO store.generation (id, n, people) VALUES (1, 1, 1);

CREATE TABLE store.tenants (
    id TEXT PRIMARY KEY,
    tenant_key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    strategy TEXT NOT NULL,
    accounts TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    generation BIGINT NOT NULL
);
CREATE INDEX tenants_generation ON store.tenants (generation);

CREATE TABLE store.users (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    username TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    password TEXT NOT NULL,
    status TEXT NOT NULL,
    roles TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (tenant, username)
);

CREATE TABLE store.roles (
    tenant TEXT NOT NULL,
    name TEXT NOT NULL,
    spec TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (tenant, name)
);

-- Embed tokens, service keys and sessions: what they have in common is how they are shown, verified and revoked.
CREATE TABLE store.tokens (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    user_id TEXT NOT NULL,
    minter_issuer TEXT NOT NULL,
    minter_subject TEXT NOT NULL,
    minter_token TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    inactivity BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    revoked_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    accounts TEXT NOT NULL
);
CREATE INDEX tokens_subject ON store.tokens (tenant, subject);
CREATE INDEX tokens_minter ON store.tokens (minter_token);
CREATE INDEX tokens_user ON store.tokens (user_id);

CREATE TABLE store.marks (
    id TEXT PRIMARY KEY,
    issuer TEXT NOT NULL,
    tenant TEXT NOT NULL,
    subject TEXT NOT NULL,
    token TEXT NOT NULL,
    issued_before BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    generation BIGINT NOT NULL
);
CREATE INDEX marks_generation ON store.marks (generation);

CREATE TABLE store.saved (
    id TEXT PRIMARY KEY,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    variables TEXT NOT NULL,
    description TEXT NOT NULL,
    shared BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    UNIQUE (tenant, owner, name)
);

CREATE TABLE store.audit (
    id TEXT PRIMARY KEY,
    happened_at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    issuer TEXT NOT NULL,
    token TEXT NOT NULL,
    tenant TEXT NOT NULL,
    acting TEXT NOT NULL,
    reason TEXT NOT NULL,
    operation TEXT NOT NULL,
    hash TEXT NOT NULL,
    datasets TEXT NOT NULL,
    strategy TEXT NOT NULL,
    source TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    duration BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX audit_tenant ON store.audit (tenant, id);
CREATE INDEX audit_happened ON store.audit (happened_at);
