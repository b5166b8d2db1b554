#!/usr/bin/env bash
# Builds the image of a version: scripts/image.sh v1.2.3 [NAME]
# Its layers have the time of the commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

version=${1:-}
if [[ -z $version ]]; then
  echo "usage: make image VERSION=v1.2.3" >&2
  exit 2
fi
commit=$(git rev-parse HEAD 2>/dev/null || true)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || echo 0)}
export SOURCE_DATE_EPOCH DOCKER_BUILDKIT=1
exec docker build --file deploy/docker/Dockerfile --tag "${2:-usher}:$version" \
  --build-arg VERSION="$version" --build-arg COMMIT="$commit" --build-arg SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" \
  --build-arg DATE="$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)" .
