INSERT INTO products
SELECT id, name, category, cost, list_price, vegetarian, md5('sku ' || id)::UUID
FROM (VALUES
  ( 1, 'Carnitas Burrito',        'Burritos', 3.10,  9.50, false),
  ( 2, 'Pollo Asado Burrito',     'Burritos', 2.85,  9.25, false),
  ( 3, 'Barbacoa Burrito',        'Burritos', 3.60, 10.75, false),
  ( 4, 'Bean & Rice Burrito',     'Burritos', 1.45,  7.25, true),
  ( 5, 'Jalapeño Burrito',        'Burritos', 1.95,  8.25, true),
  ( 6, 'Desayuno Burrito',        'Burritos', 2.15,  7.95, false),
  ( 7, 'The "Big One" Burrito',   'Burritos', 4.90, 14.00, false),
  ( 8, 'Tacos al Pastor',         'Tacos',    2.40,  8.50, false),
  ( 9, 'Fish Tacos',              'Tacos',    3.05,  9.75, false),
  (10, 'Nopales Tacos',           'Tacos',    1.60,  7.50, true),
  (11, 'Quesadilla',              'Sides',    1.35,  5.75, true),
  (12, 'Guacamole & Chips',       'Sides',    1.70,  4.95, true),
  (13, 'Elote',                   'Sides',    0.90,  3.95, true),
  (14, 'Churros con Crème',       'Sweets',   0.80,  4.25, true),
  (15, 'Horchata',                'Drinks',   0.45,  3.25, true),
  (16, 'Agua de Jamaica',         'Drinks',   0.40,  3.25, true),
  (17, 'Cold Brew',               'Drinks',   0.60,  3.75, true),
  (18, 'Chef''s Surprise',        NULL,       3.00,  9.50, NULL)
) AS p (id, name, category, cost, list_price, vegetarian)
ORDER BY id;
