#!/bin/sh
# Makes the secrets of compose.yml, once: what is there stays.
set -eu
cd "$(dirname "$0")"

mkdir -p secrets
# Compose binds each file as it is, so it has to be readable by whoever usher runs as
# in the container; on this machine the folder keeps others out.
chmod 700 secrets
for name in postgres usher_password usher_secret control_key issuer_secret grafana; do
	if [ ! -s "secrets/$name" ]; then
		openssl rand -base64 32 | tr -d '\n' >"secrets/$name"
		chmod 644 "secrets/$name"
		echo "made secrets/$name"
	fi
done
