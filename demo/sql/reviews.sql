-- One order in twelve is reviewed, a few hours later. Some reviews are a rating
-- only, one has an empty text; sentiment is missing where nobody computed it.
INSERT INTO reviews
SELECT row_number() OVER (ORDER BY d.id), d.distributor_id, d.id, p.product_id, rating,
  CASE rating
    WHEN 5 THEN ['Best burrito in town 🌯🔥', '¡Qué rico! Volveré mañana.', 'Perfect', NULL, 'She said "wow" — so did I'][1 + words]
    WHEN 4 THEN ['Very good, a bit salty', 'Señor, más salsa por favor', NULL, 'It''s good', 'Good value'][1 + words]
    WHEN 3 THEN ['Okay', NULL, 'Fine, 50% rice though', 'So la la', ''][1 + words]
    WHEN 2 THEN ['Cold when it came 😕', 'Too little guacamole', NULL, 'Naïve idea of "extra hot"', 'Meh'][1 + words]
    ELSE ['Never again 👎', 'Wrong order' || chr(10) || 'twice!', NULL, 'C:\menu\price <> bill', 'Soggy'][1 + words]
  END,
  (d.ordered_at AT TIME ZONE 'UTC') + to_minutes(60 + pick('review delay', d.id, 4000)),
  CASE WHEN pick('scored', d.id, 5) > 0 THEN ((rating - 3) * 100 + pick('sentiment', d.id, 61) - 30) / 230.0::DOUBLE END
FROM (SELECT *, [5, 5, 5, 5, 4, 4, 4, 3, 2, 1][1 + pick('rating', id, 10)] AS rating, pick('words', id, 5) AS words
      FROM drafts
      WHERE pick('reviewed', id, 12) = 0 AND ordered_at < reference_instant() - to_days(3)) d
JOIN priced p ON p.order_id = d.id AND p.line = 1
ORDER BY d.distributor_id, d.id;
