-- What a framework keeps of rows of all tables is nobody's in particular, and so not everybody's.
-- args: --tenant tenant_id
-- says: Left out  attachments: it has no column tenant_id, and its columns record_type and record_id lead to rows of whichever table
-- says: Left out  attribute_values: it has no column tenant_id, and its column entity_id leads to rows of whichever table
-- says: Left out  logged: it has no column tenant_id, and its column row_data is hardly for everybody
-- says: Left out  schema_migrations: it has no column tenant_id, and is where a tool keeps which migrations were made
-- says: Left out  storage_blobs: it has no column tenant_id, and is called like one of what people are or do (blob)
-- says: Left out  variants: it has no column tenant_id, and references storage_blobs, which is left out
-- says: Left out  versions: it has no column tenant_id, and its columns itemType and itemId lead to rows of whichever table
-- says: Left out  shapes: it has no column tenant_id, and its column external_id looks like a reference
-- says: COMMON    object_types
-- says: Left out  objects: it has no column tenant_id, and nothing but foreign keys
-- says: Left out  rates: it has no column tenant_id, and its column
CREATE TABLE kinds (id int PRIMARY KEY, kind_type text, name text);
CREATE TABLE rates (id int PRIMARY KEY, kind_type text, kind_id int NOT NULL REFERENCES kinds, rate numeric);
CREATE TABLE attribute_values (entity_id uuid, attribute_key text, str_v text, PRIMARY KEY (entity_id, attribute_key));
CREATE TABLE objects (object_id int PRIMARY KEY, name text);
CREATE TABLE object_types (id int PRIMARY KEY, name text);
CREATE TABLE shapes (id int PRIMARY KEY, object_id int REFERENCES objects, external_id text);
CREATE TABLE projects (id int PRIMARY KEY, tenant_id int NOT NULL, rate int REFERENCES rates, object int REFERENCES objects, type int REFERENCES object_types, shape int REFERENCES shapes);
CREATE TABLE versions (id int PRIMARY KEY, "itemType" text NOT NULL, "itemId" int NOT NULL, event text, object jsonb);
CREATE TABLE logged (id int PRIMARY KEY, table_name text NOT NULL, row_data jsonb);
CREATE TABLE storage_blobs (id int PRIMARY KEY, key_name text, filename text);
CREATE TABLE variants (id int PRIMARY KEY, blob int NOT NULL REFERENCES storage_blobs, digest text);
CREATE TABLE attachments (id int PRIMARY KEY, record_type text NOT NULL, record_id int NOT NULL, blob int REFERENCES storage_blobs);
CREATE TABLE schema_migrations (version text PRIMARY KEY);
INSERT INTO projects VALUES (1, 1), (2, 2);
