-- What does not fit is left out for what it is: a tenant's column of another type, keys that are not compared, what is an extension's, and what may not be read.
-- says: It was taken rather than workspace_id (in 2 of 11 tables), which is in fewer.
-- says: Left out  numbered: its column org_id is integer, and that of most tables is text: no tenant has a key that is both
-- says: Left out  numbers: it has no column org_id, and references numbered, which is left out
-- says: Left out  blobs_parts: its rows belong to those of blobs (by blob), but no relation can be made of their columns, whose values are not compared
-- says: Left out  parts_notes: its rows belong to those of blobs_parts, which is left out
-- says: Left out  pieces: it has no column org_id, and references hidden.wholes, which is in another schema than those that were looked into (--schema), or which the account may not read
-- says: Left out  spatial_ref_sys: it belongs to an extension of the database
CREATE SCHEMA hidden;
CREATE TABLE hidden.wholes (id int PRIMARY KEY);
CREATE TABLE orgs (org_id text PRIMARY KEY, title text);
CREATE TABLE projects (org_id text NOT NULL REFERENCES orgs, workspace_id text, id int PRIMARY KEY);
CREATE TABLE tasks (org_id text NOT NULL REFERENCES orgs, workspace_id text, id int PRIMARY KEY);
CREATE TABLE settings (project int PRIMARY KEY REFERENCES projects, colour text);
CREATE TABLE numbered (org_id int NOT NULL, id int PRIMARY KEY);
CREATE TABLE numbers (id int PRIMARY KEY, numbered int REFERENCES numbered);
CREATE TABLE blobs (org_id text NOT NULL, id bytea PRIMARY KEY);
CREATE TABLE blobs_parts (id int PRIMARY KEY, blob bytea NOT NULL REFERENCES blobs);
CREATE TABLE parts_notes (id int PRIMARY KEY, part int NOT NULL REFERENCES blobs_parts);
CREATE TABLE pieces (id int PRIMARY KEY, whole int REFERENCES hidden.wholes);
CREATE TABLE labels (id int PRIMARY KEY, title text);
CREATE TABLE spatial_ref_sys (srid int PRIMARY KEY, srtext text);
ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys;
INSERT INTO orgs VALUES ('Acme Inc', 'a'), ('globex', 'g');
INSERT INTO projects VALUES ('Acme Inc', 'w', 1), ('globex', 'w', 2);
INSERT INTO settings VALUES (1, 'red'), (2, 'blue');
INSERT INTO numbered VALUES (7, 1);
