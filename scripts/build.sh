#!/usr/bin/env bash
# Builds usher as it is released, for the platform that GOOS and GOARCH name:
#   VERSION=v1.2.3 COMMIT=… DATE=2026-01-31T00:00:00Z scripts/build.sh OUT
# The same sources, compiler and version make the same bytes, with a history beside
# them or without.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${1:?usage: VERSION=v1.2.3 scripts/build.sh OUT}
: "${VERSION:?which version is it? VERSION=v1.2.3}"

# DuckDB is C++, linked in.
export CGO_ENABLED=1
exec go build -trimpath -buildvcs=false -o "$out" \
  -ldflags "-s -w -buildid= -X usher/build.version=$VERSION -X usher/build.commit=${COMMIT:-} -X usher/build.date=${DATE:-}" .
