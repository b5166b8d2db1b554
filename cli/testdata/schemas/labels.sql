-- Enum labels that no GraphQL name is, types of one name in two schemas, a table of secrets alone, and columns of one name in every case.
-- args: --tenant org_id --schema public,other
-- says: Withheld  accounts.password, accounts.api_key
CREATE SCHEMA other;
CREATE TYPE state AS ENUM ('in progress', 'done!', 'won''t fix', '');
CREATE TYPE other.state AS ENUM ('a', 'b');
CREATE TYPE level AS ENUM ('true', 'low', 'high');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE tasks (org_id text NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state state, level level NOT NULL, mood mood NOT NULL DEFAULT 'ok', moods mood[], "State" text, "STATE" int);
CREATE TABLE other.tasks (org_id text NOT NULL, id int PRIMARY KEY, state other.state, mood mood);
CREATE TABLE accounts (org_id text NOT NULL, id int PRIMARY KEY, password text NOT NULL, api_key text, parent_id int REFERENCES accounts);
CREATE TABLE api_tokens (org_id text NOT NULL, token text PRIMARY KEY);
CREATE TABLE secrets (token text PRIMARY KEY, password text);
CREATE TABLE "Tasks" (org_id text NOT NULL, id int PRIMARY KEY);
CREATE TABLE tasks_where (org_id text NOT NULL, id int PRIMARY KEY);
INSERT INTO tasks (org_id, state, level, moods) VALUES ('acme', 'in progress', 'low', '{sad,happy}'), ('Globex Inc', '', 'true', NULL);
INSERT INTO other.tasks VALUES ('acme', 1, 'a', 'ok');
INSERT INTO accounts VALUES ('acme', 1, 'x', 'y', NULL), ('acme', 2, 'x', 'y', 1);
