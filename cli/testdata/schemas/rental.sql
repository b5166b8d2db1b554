-- A rental shop: partitions, enums, domains, arrays, a table that leads to itself, two keys to one table, types without a JSON form.
-- args: --tenant store_id
-- says: The column store_id says whose a row is
CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'PG-13', 'NC-17');
CREATE TYPE payment_state AS ENUM ('open', 'paid', 'null_and_void');
CREATE DOMAIN year AS integer CHECK (VALUE >= 1901 AND VALUE <= 2155);
CREATE TABLE language (language_id serial PRIMARY KEY, name character(20) NOT NULL, last_update timestamptz NOT NULL DEFAULT '2022-02-15');
CREATE TABLE film (film_id serial PRIMARY KEY, title text NOT NULL, release_year year, language_id int NOT NULL REFERENCES language, original_language_id int REFERENCES language,
	rental_rate numeric(4,2) NOT NULL DEFAULT 4.99, rating mpaa_rating DEFAULT 'G', special_features text[], fulltext tsvector, sequel_of int REFERENCES film);
CREATE TABLE store (store_id serial PRIMARY KEY, opened date);
CREATE TABLE customer (customer_id serial PRIMARY KEY, store_id int NOT NULL REFERENCES store, first_name text NOT NULL, email text, activebool bool DEFAULT true NOT NULL);
CREATE TABLE inventory (inventory_id serial PRIMARY KEY, film_id int NOT NULL REFERENCES film, store_id int NOT NULL REFERENCES store);
CREATE TABLE rental (rental_id serial PRIMARY KEY, store_id int NOT NULL, rental_date timestamptz NOT NULL, inventory_id int NOT NULL REFERENCES inventory, customer_id int NOT NULL REFERENCES customer,
	staff_out int, staff_in int, period tsrange, address inet, price money, spot point, state payment_state);
CREATE TABLE staff (staff_id serial PRIMARY KEY, store_id int NOT NULL REFERENCES store, username text NOT NULL, password text, picture bytea);
ALTER TABLE rental ADD FOREIGN KEY (staff_out) REFERENCES staff, ADD FOREIGN KEY (staff_in) REFERENCES staff;
CREATE TABLE payment (payment_id int NOT NULL, store_id int NOT NULL REFERENCES store, customer_id int NOT NULL REFERENCES customer, amount numeric(5,2) NOT NULL, payment_date timestamptz NOT NULL,
	PRIMARY KEY (payment_date, payment_id)) PARTITION BY RANGE (payment_date);
CREATE TABLE payment_2022_01 PARTITION OF payment FOR VALUES FROM ('2022-01-01') TO ('2022-02-01');
CREATE TABLE payment_2022_02 PARTITION OF payment FOR VALUES FROM ('2022-02-01') TO ('2022-03-01');
CREATE VIEW customer_list AS SELECT c.customer_id AS id, c.first_name AS name, c.store_id AS sid FROM customer c;
INSERT INTO language (name) VALUES ('English');
INSERT INTO film (title, release_year, language_id, special_features, fulltext, sequel_of) VALUES ('ACADEMY DINOSAUR', 2006, 1, '{Trailers,"Deleted Scenes"}', 'dino', NULL), ('ACE', 2007, 1, NULL, NULL, 1);
INSERT INTO store (opened) VALUES ('2020-01-01'), ('2020-01-02');
INSERT INTO customer (store_id, first_name) VALUES (1, 'MARY'), (2, 'PATRICIA');
INSERT INTO inventory (film_id, store_id) VALUES (1, 1), (1, 2);
INSERT INTO staff (store_id, username, password) VALUES (1, 'Mike', 'hash');
INSERT INTO rental (store_id, rental_date, inventory_id, customer_id, staff_out, period, address, price, spot, state) VALUES (1, '2022-01-24', 1, 1, 1, '[2022-01-24,2022-01-25)', '10.0.0.1', 2.5, '(1,2)', 'paid');
INSERT INTO payment VALUES (1, 1, 1, 1.99, '2022-01-24'), (2, 2, 2, 0.99, '2022-02-01');
