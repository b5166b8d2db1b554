#!/usr/bin/env bash
# Generates the code anew and fails when that changes anything in the given
# folders. It compares files, not commits, so it works on a clean clone as well
# as with changes that are not committed yet.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT

for folder in "$@"; do
  mkdir -p "$before/$folder"
  if [[ -d $folder ]]; then cp -R "$folder/." "$before/$folder"; fi
done
make --no-print-directory generate

stale=0
for folder in "$@"; do
  diff -ru "$before/$folder" "$folder" || stale=1
done
if ((stale)); then
  echo "generated code was out of date and has been generated again (diff above): commit it" >&2
  exit 1
fi
echo "generated code is up to date"
