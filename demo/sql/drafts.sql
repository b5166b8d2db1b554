-- Orders without their sums, which follow from the items. A later order has a
-- higher id by the day, not within it, and the chain grows: the last days have
-- three times the orders of the first. Times are full minutes, so some are
-- equal, but one in sixteen has microseconds.
CREATE TEMP TABLE drafts AS
WITH lots AS (
  SELECT lot, d.id AS distributor_id
  FROM range(1000) AS l (lot) JOIN chain d ON lot >= d.lots_from AND lot < d.lots_until
), counted AS (
  SELECT i AS id,
    CASE WHEN i % (order_count() // 7) = 0 THEN getvariable('smallest') ELSE l.distributor_id END AS distributor_id,
    730 * i * (3 * order_count() - i) // (2 * order_count() * order_count() + 1) AS day,
    1 + pick('promotion', i, 12) AS candidate
  FROM range(1, order_count() + 1) AS o (i) JOIN lots l ON l.lot = pick('distributor', i, 1000)
), dated AS (
  SELECT c.*, d.region AS home, p.id AS promotion_id, p.product_id AS promoted_id, p.discount_percent,
    reference_instant() - to_days((730 - day)::INTEGER)
      + to_minutes(CASE WHEN pick('meal', c.id, 5) < 2 THEN 660 + pick('lunch', c.id, 210)
                        WHEN pick('meal', c.id, 5) < 4 THEN 1050 + pick('dinner', c.id, 240)
                        ELSE pick('any time', c.id, 1440) END)
      + to_microseconds(CASE WHEN pick('exact', c.id, 16) = 0 THEN pick('microsecond', c.id, 60000000) ELSE 0 END)
      AS ordered_at
  FROM counted c
  JOIN chain d ON d.id = c.distributor_id
  LEFT JOIN promotions p ON p.id = c.candidate
    AND reference_day() - (730 - day)::INTEGER BETWEEN p.starts_on AND coalesce(p.ends_on, reference_day())
)
SELECT id, distributor_id, ordered_at, promotion_id::INTEGER AS promotion_id, promoted_id, discount_percent,
  CASE WHEN pick('no region', id, 50) = 0 THEN NULL
       WHEN pick('away', id, 10) < 7 THEN home
       ELSE ['North', 'East', 'South', 'West'][1 + pick('region', id, 4)] END AS region,
  CASE WHEN ordered_at >= reference_instant() - to_hours(2) THEN 'preparing'
       WHEN pick('status', id, 100) < 4 THEN 'cancelled'
       WHEN pick('status', id, 100) < 6 THEN 'refunded'
       ELSE 'delivered' END AS status,
  ['app', 'app', 'counter', 'counter', 'counter', 'web', 'phone'][1 + pick('channel', id, 7)] AS channel,
  9007199254740993 + id * 7919 AS receipt_no
FROM dated;
