-- The tables that hold tenants' rows. The shared database has all of them;
-- a distributor's own database has the same ones with its rows alone.
CREATE TABLE distributors (
  id        VARCHAR NOT NULL,
  name      VARCHAR NOT NULL,
  city      VARCHAR NOT NULL,
  region    VARCHAR NOT NULL,
  seats     INTEGER,
  joined_on DATE    NOT NULL
);

CREATE TABLE orders (
  id             BIGINT      NOT NULL,
  distributor_id VARCHAR     NOT NULL,
  region         VARCHAR,
  status         VARCHAR     NOT NULL,
  channel        VARCHAR     NOT NULL,
  ordered_at     TIMESTAMPTZ NOT NULL,
  promotion_id   INTEGER,
  discount       DECIMAL(12, 2),
  total          DECIMAL(12, 2) NOT NULL,
  receipt_no     BIGINT      NOT NULL
);

CREATE TABLE order_items (
  id             BIGINT  NOT NULL,
  order_id       BIGINT  NOT NULL,
  distributor_id VARCHAR NOT NULL,
  product_id     INTEGER NOT NULL,
  quantity       INTEGER NOT NULL,
  unit_price     DECIMAL(12, 2) NOT NULL
);

CREATE TABLE reviews (
  id             BIGINT    NOT NULL,
  distributor_id VARCHAR   NOT NULL,
  order_id       BIGINT    NOT NULL,
  product_id     INTEGER   NOT NULL,
  rating         INTEGER   NOT NULL,
  text           VARCHAR,
  written_at     TIMESTAMP NOT NULL,
  sentiment      DOUBLE
);
