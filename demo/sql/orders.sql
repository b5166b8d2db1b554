-- The rows of one distributor lie together, so a scan for it reads little else.
INSERT INTO orders
SELECT d.id, d.distributor_id, d.region, d.status, d.channel, d.ordered_at, d.promotion_id,
  CASE WHEN d.promotion_id IS NOT NULL THEN (s.reduced_cents * 0.01)::DECIMAL(12, 2) END,
  (s.cents * 0.01)::DECIMAL(12, 2), d.receipt_no
FROM drafts d
JOIN (SELECT order_id, sum(quantity * cents)::BIGINT AS cents,
        sum(quantity * (regular_cents - cents))::BIGINT AS reduced_cents
      FROM priced GROUP BY order_id) s ON s.order_id = d.id
ORDER BY d.distributor_id, d.id;
