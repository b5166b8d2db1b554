SELECT NULL, to_json({
  id: id, name: name, category: category, cost: cost::VARCHAR, list_price: list_price::VARCHAR,
  vegetarian: vegetarian, sku: sku
})::VARCHAR
FROM shared.products ORDER BY id
