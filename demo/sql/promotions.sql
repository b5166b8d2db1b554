-- Days are counted from the reference day; one promotion never ends, two run
-- now, one is still to come.
INSERT INTO promotions
SELECT id, name, kind, reference_day() + starts, reference_day() + ends, percent, product
FROM (VALUES
  ( 1, 'Regulars’ Reward',   'loyalty',  -725, NULL, 12.50, NULL),
  ( 2, 'Grand Opening',      'seasonal', -725, -690, 30.00, NULL),
  ( 3, 'Fiesta',             'seasonal', -650, -570, 10.00, NULL),
  ( 4, 'Veggie Month',       'product',  -520, -490, 15.00, 4),
  ( 5, 'Second Helping',     'seasonal', -460, -400, 10.00, NULL),
  ( 6, 'Anniversary',        'seasonal', -365, -335, 25.00, NULL),
  ( 7, 'Salsa Weeks',        'seasonal', -300, -230,  8.25, NULL),
  ( 8, 'Game Night',         'evening',  -200, -170, 17.50, NULL),
  ( 9, 'Breakfast Club',     'product',  -120,  -40, 20.00, 6),
  (10, 'Payday',             'weekly',    -45,   10, 10.00, NULL),
  (11, '¡Carnitas, carnitas!', 'product', -20,   18, 15.00, 1),
  (12, 'Coming Soon Week',   'seasonal',    7,   45, 22.50, NULL)
) AS p (id, name, kind, starts, ends, percent, product)
ORDER BY id;
