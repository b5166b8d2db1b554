SELECT id, to_json({
  id: id, name: name, city: city, region: region, seats: seats, joined_on: joined_on
})::VARCHAR
FROM shared.distributors ORDER BY id
