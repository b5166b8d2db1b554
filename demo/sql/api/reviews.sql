SELECT distributor_id, to_json({
  id: id, distributor_id: distributor_id, order_id: order_id, product_id: product_id, rating: rating,
  text: text, written_at: strftime(written_at, '%Y-%m-%dT%H:%M:%S'), sentiment: sentiment
})::VARCHAR
FROM shared.reviews ORDER BY distributor_id, id
