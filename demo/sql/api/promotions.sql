SELECT NULL, to_json({
  id: id, name: name, kind: kind, starts_on: starts_on, ends_on: ends_on,
  discount_percent: discount_percent::VARCHAR, product_id: product_id
})::VARCHAR
FROM shared.promotions ORDER BY id
