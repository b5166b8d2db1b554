-- The chain's own tables, the same for every distributor.
CREATE TABLE products (
  id         INTEGER NOT NULL,
  name       VARCHAR NOT NULL,
  category   VARCHAR,
  cost       DECIMAL(12, 2) NOT NULL,
  list_price DECIMAL(12, 2) NOT NULL,
  vegetarian BOOLEAN,
  sku        UUID    NOT NULL
);

CREATE TABLE promotions (
  id               INTEGER NOT NULL,
  name             VARCHAR NOT NULL,
  kind             VARCHAR NOT NULL,
  starts_on        DATE    NOT NULL,
  ends_on          DATE,
  discount_percent DECIMAL(5, 2) NOT NULL,
  product_id       INTEGER
);
