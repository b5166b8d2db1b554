-- A trading company: composite keys, views, words that SQL keeps, names with blanks, and root fields of usher's own.
-- args: --tenant company
-- says: Renamed   viewer is served as viewer_rows
-- says: Renamed   ordersAggregate is served as ordersAggregate_rows
CREATE TABLE orders (company varchar(8) NOT NULL, id smallint NOT NULL, "order" text, "group" int, "select" bool, PRIMARY KEY (company, id));
CREATE TABLE "order details" (company varchar(8) NOT NULL, order_id smallint NOT NULL, "product id" smallint NOT NULL, "unit price" real NOT NULL,
	PRIMARY KEY (company, order_id, "product id"), FOREIGN KEY (company, order_id) REFERENCES orders);
CREATE TABLE "user" (company varchar(8) NOT NULL, id int PRIMARY KEY, "key" text, "count" int, "and" text, "not" text, __typename text, password_hash text);
CREATE TABLE viewer (company varchar(8) NOT NULL, id int PRIMARY KEY);
CREATE TABLE datasets (company varchar(8) NOT NULL, id int PRIMARY KEY);
CREATE TABLE "table" (company varchar(8) NOT NULL, id int PRIMARY KEY, "table" text);
CREATE TABLE "Query" (company varchar(8) NOT NULL, id int PRIMARY KEY);
CREATE TABLE query (company varchar(8) NOT NULL, id int PRIMARY KEY);
CREATE TABLE "JSON" (company varchar(8) NOT NULL, id int PRIMARY KEY);
CREATE TABLE "ordersAggregate" (company varchar(8) NOT NULL, id int PRIMARY KEY);
CREATE TABLE "2020 sales" (company varchar(8) NOT NULL, "1st" int, "%" numeric, "é" text, "ë" text);
CREATE TABLE "naïve.table" (company varchar(8) NOT NULL, "größe" int, "Größe" int, "a.b" text, "a""b" text, "a'b" text, "a: b" text, "# c" text);
CREATE TABLE "顧客" (company varchar(8) NOT NULL, "名前" text, "住所" text);
CREATE TABLE __meta (company varchar(8) NOT NULL, id int);
CREATE TABLE us_states (state_id smallint PRIMARY KEY, state_name varchar(100), "true" bool, "null" text, yes text);
CREATE TABLE no_columns ();
CREATE TABLE only_odd (company point);
CREATE VIEW "Category Sales" AS SELECT company, count(*) AS "Sales Count" FROM orders GROUP BY 1;
CREATE MATERIALIZED VIEW kept AS SELECT company, max(id) AS id FROM orders GROUP BY 1;
CREATE VIEW everything AS SELECT 1 AS one;
INSERT INTO orders VALUES ('acme', 1, 'x', 1, true), ('globex', 1, 'y', 2, false), ('acme', 2, NULL, NULL, NULL);
INSERT INTO "order details" VALUES ('acme', 1, 7, 1.5), ('globex', 1, 8, 2);
INSERT INTO "user" VALUES ('acme', 1, 'k', 3, 'a', 'n', 't', 'secret');
INSERT INTO "2020 sales" VALUES ('acme', 1, 0.5, 'e', 'f');
INSERT INTO "naïve.table" VALUES ('acme', 1, 2, 'a', 'b', 'c', 'd', 'e');
INSERT INTO "顧客" VALUES ('acme', '太郎', '東京');
INSERT INTO us_states VALUES (1, 'Alabama', true, NULL, 'y');
INSERT INTO "table" VALUES ('acme', 1, 't');
