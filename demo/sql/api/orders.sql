SELECT distributor_id, to_json({
  id: id, distributor_id: distributor_id, region: region, status: status, channel: channel,
  ordered_at: strftime(ordered_at, '%Y-%m-%dT%H:%M:%S.%fZ'), promotion_id: promotion_id,
  discount: discount::VARCHAR, total: total::VARCHAR, receipt_no: receipt_no
})::VARCHAR
FROM shared.orders ORDER BY distributor_id, id
