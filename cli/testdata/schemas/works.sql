-- A manufacturer: several schemas with tables of one name, keys across them, XML, hierarchies, names like types.
-- args: --schema sales,production,person --tenant businessentityid --naming camel
-- says: Withheld  person.password.passwordhash, person.password.passwordsalt
-- says: Confined  businessentity, customer, emailaddress, password, person, salesorderdetail, salesorderheader, store
CREATE SCHEMA sales; CREATE SCHEMA production; CREATE SCHEMA person; CREATE SCHEMA hidden;
CREATE DOMAIN person."Name" AS varchar(50); CREATE DOMAIN person."Flag" AS boolean NOT NULL;
CREATE TABLE person.businessentity (businessentityid serial PRIMARY KEY, rowguid uuid NOT NULL DEFAULT '00000000-0000-4000-8000-000000000001', modifieddate timestamp NOT NULL DEFAULT '2020-01-01');
CREATE TABLE person.person (businessentityid int PRIMARY KEY REFERENCES person.businessentity, persontype char(2) NOT NULL, namestyle person."Flag" DEFAULT false, firstname person."Name" NOT NULL, additionalcontactinfo xml);
CREATE TABLE person.password (businessentityid int PRIMARY KEY REFERENCES person.person, passwordhash varchar(128) NOT NULL, passwordsalt varchar(10) NOT NULL);
CREATE TABLE person.emailaddress (businessentityid int NOT NULL REFERENCES person.person, emailaddressid serial, emailaddress varchar(50), PRIMARY KEY (businessentityid, emailaddressid));
CREATE TABLE production.product (productid serial PRIMARY KEY, name person."Name" NOT NULL, listprice numeric NOT NULL, weight numeric(8,2));
CREATE TABLE production.document (documentnode varchar NOT NULL DEFAULT '/' PRIMARY KEY, title varchar(50) NOT NULL, rowguid uuid NOT NULL UNIQUE);
CREATE TABLE production.store (storeid int PRIMARY KEY, place text);
CREATE TABLE sales.store (businessentityid int PRIMARY KEY REFERENCES person.businessentity, name person."Name" NOT NULL, demographics xml);
CREATE TABLE sales.customer (customerid serial PRIMARY KEY, businessentityid int NOT NULL REFERENCES sales.store, personid int REFERENCES person.person);
CREATE TABLE sales.salesorderheader (salesorderid serial PRIMARY KEY, businessentityid int NOT NULL, customerid int NOT NULL REFERENCES sales.customer, billto int, shipto int, totaldue numeric);
CREATE TABLE sales.salesorderdetail (salesorderid int NOT NULL REFERENCES sales.salesorderheader ON DELETE CASCADE, salesorderdetailid serial, productid int NOT NULL REFERENCES production.product, PRIMARY KEY (salesorderid, salesorderdetailid));
CREATE TABLE hidden.secret (businessentityid int);
INSERT INTO person.businessentity (businessentityid) VALUES (1), (2);
INSERT INTO person.person VALUES (1, 'EM', false, 'Ken', '<a/>');
INSERT INTO person.password VALUES (1, 'hash', 'salt');
INSERT INTO production.product (name, listprice) VALUES ('Bearing', 1.5);
INSERT INTO production.store VALUES (1, 'North');
INSERT INTO sales.store VALUES (1, 'Next-Door', '<d>1</d>'), (2, 'Other', NULL);
INSERT INTO sales.customer (businessentityid, personid) VALUES (1, 1), (2, NULL);
INSERT INTO sales.salesorderheader (businessentityid, customerid, totaldue) VALUES (1, 1, 10.25), (2, 2, 11);
INSERT INTO sales.salesorderdetail (salesorderid, productid) VALUES (1, 1);
