-- An order's detail is the order's, not the product's: it is deleted with it, and the order is further away from the tenant.
-- args: --tenant tenant_id
-- says: Owner     salesorderdetail: of salesorderheader (by salesorderid), since it is part of the key, a row is deleted with it, the table is named after it; it might be of specialofferproduct (by specialofferid, productid)
-- says: Owner     shipments: of deliveries (by delivery), since a row is deleted with it; it might be of product (by productid)
-- says: Left out  opinions: nothing tells which of the rows that it references is its owner: that of customer (by customerid) or that of product (by productid)
-- says: Left out  productreview: it has no column tenant_id, and its column reviewername is hardly for everybody
-- says: Left out  workorder: it has no column tenant_id, and is called like one of what people are or do (workorder)
-- says: Left out  page: it has no column tenant_id, and its column secretary may hold any text
CREATE TABLE page (pageid int PRIMARY KEY, title text, secretary text, token_count int);
CREATE TABLE productreview (id int PRIMARY KEY, pageid int REFERENCES page, reviewername text NOT NULL, emailaddress text NOT NULL);
CREATE TABLE workorder (id int PRIMARY KEY, pageid int REFERENCES page, quantity int);
CREATE TABLE customer (customerid int PRIMARY KEY, tenant_id int NOT NULL);
CREATE TABLE product (productid int PRIMARY KEY, tenant_id int NOT NULL, name text);
CREATE TABLE specialofferproduct (specialofferid int, productid int REFERENCES product, PRIMARY KEY (specialofferid, productid));
CREATE TABLE salesorderheader (salesorderid int PRIMARY KEY, customerid int NOT NULL REFERENCES customer);
CREATE TABLE salesorderdetail (salesorderid int REFERENCES salesorderheader ON DELETE CASCADE, detailid int, specialofferid int NOT NULL, productid int NOT NULL,
	PRIMARY KEY (salesorderid, detailid), FOREIGN KEY (specialofferid, productid) REFERENCES specialofferproduct);
CREATE TABLE deliveries (id int PRIMARY KEY, customerid int NOT NULL REFERENCES customer);
CREATE TABLE shipments (id int PRIMARY KEY, productid int NOT NULL REFERENCES product, delivery int NOT NULL REFERENCES deliveries ON DELETE CASCADE);
CREATE TABLE opinions (id int PRIMARY KEY, productid int NOT NULL REFERENCES product, customerid int NOT NULL REFERENCES customer, note text);
INSERT INTO customer VALUES (1, 1), (2, 2);
INSERT INTO product VALUES (1, 1, 'a'), (2, 2, 'b');
