-- Chance without randomness: the same salt and number always give the same
-- pick from 0 to n-1.
CREATE TEMP MACRO pick(salt, i, n) AS (hash(salt, i::BIGINT) % n)::BIGINT;

CREATE TEMP MACRO order_count() AS getvariable('orders')::BIGINT;
CREATE TEMP MACRO reference_day() AS getvariable('reference')::DATE;
CREATE TEMP MACRO reference_instant() AS reference_day()::TIMESTAMP AT TIME ZONE 'UTC';
