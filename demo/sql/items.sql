-- One to four items to an order, two on average. Regions differ in what they
-- like, distributors in what they charge (90 to 114 percent of the list price,
-- in steps of five cents). A promotion of one product puts it into the order.
CREATE TEMP TABLE priced AS
WITH lines AS (
  SELECT d.*, line,
    CASE WHEN line = 1 AND promoted_id IS NOT NULL THEN promoted_id
         ELSE 1 + (least(pick('product', id * 10 + line, 18), pick('other product', id * 10 + line, 18))
                   + CASE region WHEN 'North' THEN 7 WHEN 'East' THEN 2 WHEN 'South' THEN 0 WHEN 'West' THEN 4 ELSE 0 END) % 18
         END AS product_id
  FROM drafts d JOIN range(1, 5) AS l (line)
    ON line <= [1, 1, 1, 1, 2, 2, 2, 3, 3, 4][1 + pick('lines', id, 10)]
), regular AS (
  SELECT l.*,
    promotion_id IS NOT NULL AND (promoted_id IS NULL OR promoted_id = l.product_id) AS reduced,
    ((p.list_price * 100)::BIGINT * (90 + (hash('price', distributor_id) % 25)::BIGINT) + 250) // 500 * 5 AS regular_cents
  FROM lines l JOIN products p ON p.id = l.product_id
)
SELECT id AS order_id, distributor_id, line, product_id::INTEGER AS product_id, regular_cents,
  CASE WHEN reduced THEN regular_cents * (10000 - (discount_percent * 100)::BIGINT) // 10000 ELSE regular_cents END AS cents,
  ([1, 1, 1, 1, 1, 1, 1, 2, 2, 3][1 + pick('quantity', id * 10 + line, 10)]
    + CASE WHEN reduced THEN pick('one more', id * 10 + line, 2) ELSE 0 END)::INTEGER AS quantity
FROM regular;

INSERT INTO order_items
SELECT order_id * 10 + line, order_id, distributor_id, product_id, quantity, (cents * 0.01)::DECIMAL(12, 2)
FROM priced
ORDER BY distributor_id, order_id, line;
