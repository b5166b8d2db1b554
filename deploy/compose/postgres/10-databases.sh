#!/bin/sh
# The account of usher: it owns the control store, and reads the shop. Run once, when
# the volume is empty.
set -eu

psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres --set=password="$(cat /run/secrets/usher_password)" <<'SQL'
CREATE ROLE usher LOGIN PASSWORD :'password';
CREATE DATABASE control OWNER usher;
CREATE DATABASE shop;
SQL
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname shop --file /docker-entrypoint-initdb.d/shop.psql
