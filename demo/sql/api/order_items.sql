SELECT distributor_id, to_json({
  id: id, order_id: order_id, distributor_id: distributor_id, product_id: product_id,
  quantity: quantity, unit_price: unit_price::VARCHAR
})::VARCHAR
FROM shared.order_items ORDER BY distributor_id, id
