#!/usr/bin/env bash
# Makes all that is published of a version, into dist/:
#   scripts/release.sh v1.2.3 [dist]
# For each platform an archive, a package for Debian and Ubuntu, and a bill of materials;
# the chart for Kubernetes; SHA256SUMS of all. The same commit and compiler make the same bytes, for their times
# are that of the commit (or SOURCE_DATE_EPOCH). The package names who has committed it, or MAINTAINER.
#
# DuckDB is linked in, so that each platform needs a C++ compiler for it. Linux on amd64
# and arm64 are built from each other where Debian's cross compiler is installed
# (g++-aarch64-linux-gnu, g++-x86-64-linux-gnu); what cannot be built is named and left out,
# unless PLATFORMS asks for it. macOS is built on macOS only, by `make build`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 022
export LC_ALL=C TZ=UTC

version=${1:-}
out=${2:-dist}
if [[ ! $version =~ ^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ ]]; then
  echo "usage: scripts/release.sh v1.2.3 [dist]: a version is written as v1.2.3 or v1.2.3-rc.1" >&2
  exit 2
fi

# --- what is released ----------------------------------------------------------

if git rev-parse --verify --quiet HEAD >/dev/null 2>&1; then
  if [[ -n $(git status --porcelain) && -z ${ALLOW_CHANGES:-} ]]; then
    echo "there are changes that are in no commit, which nobody could build again: commit them (for a trial: ALLOW_CHANGES=1)" >&2
    exit 1
  fi
  COMMIT=$(git rev-parse HEAD)
  : "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct)}"
  : "${MAINTAINER:=$(git log -1 --format='%cn <%ce>')}"
fi
: "${SOURCE_DATE_EPOCH:?there is no commit to take the time from: set SOURCE_DATE_EPOCH}"
: "${MAINTAINER:?there is no commit to take a name from: set MAINTAINER to 'Name <address>' of who answers for the package}"
VERSION=$version
DATE=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
export VERSION COMMIT=${COMMIT:-} DATE SOURCE_DATE_EPOCH MAINTAINER

# compiler PLATFORM sets CC and CXX; it fails where there is none.
host=$(go env GOHOSTOS)/$(go env GOHOSTARCH)
compiler() {
  local prefix
  CC='' CXX=''
  [[ $1 == "$host" ]] && return 0
  case $host:$1 in
    linux/*:linux/arm64) prefix=aarch64-linux-gnu ;;
    linux/*:linux/amd64) prefix=x86_64-linux-gnu ;;
    *) return 1 ;;
  esac
  command -v "$prefix-g++" >/dev/null || return 1
  CC=$prefix-gcc CXX=$prefix-g++
}

if [[ $host != linux/* ]]; then
  echo "releases are made on Linux; on $host build one with: make build" >&2
  exit 1
fi
# The host's own comes first: it prints what is in all archives.
platforms=("$host")
for platform in ${PLATFORMS:-linux/amd64 linux/arm64}; do
  if [[ $platform == "$host" ]]; then
    continue
  elif compiler "$platform"; then
    platforms+=("$platform")
  elif [[ -n ${PLATFORMS:-} ]]; then
    echo "there is no C++ compiler for $platform here" >&2
    exit 1
  else
    echo "left out: $platform, for which there is no C++ compiler here"
  fi
done

rm -rf "$out"
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# --- building ------------------------------------------------------------------

# pack FOLDER FILE: an archive that says nothing of who made it, and when.
pack() {
  tar --create --directory "$(dirname "$1")" --sort=name --format=gnu --owner=0 --group=0 --numeric-owner \
    --mtime="@$SOURCE_DATE_EPOCH" --mode=u+rwX,go+rX,go-w "$(basename "$1")" | gzip --no-name --best >"$2"
}

for platform in "${platforms[@]}"; do
  arch=${platform#linux/}
  name=usher-$version-linux-$arch
  folder=$work/$name
  compiler "$platform"
  echo "building $name (minutes)"
  GOOS=linux GOARCH=$arch CC=${CC:-$(go env CC)} CXX=${CXX:-$(go env CXX)} \
    scripts/progress.sh "building $name" scripts/build.sh "$folder/usher"
  [[ $platform == "$host" ]] && native=$folder/usher

  go run ./scripts/bom -version "$version" -bill "$out/$name.cdx.json" -licenses "$folder/LICENSES-of-modules.txt" "$folder/usher"
  cp LICENSE README.md CHANGELOG.md "$folder"
  cp console/dist/licenses.txt "$folder/LICENSES-of-pages.txt"
  mkdir -p "$folder"/{docs,completions,deploy}
  cp docs/*.md docs/*.png "$folder/docs"
  cp -R deploy/{systemd,grafana,prometheus} "$folder/deploy"
  "$native" completion bash >"$folder/completions/usher"
  "$native" completion zsh >"$folder/completions/_usher"
  "$native" completion fish >"$folder/completions/usher.fish"
  "$native" config schema >"$folder/usher.schema.json"

  pack "$folder" "$out/$name.tar.gz"
  scripts/release-deb.sh "$folder" "$arch" "$out"
done

# The chart is the same on all platforms.
chart=$work/chart/usher
mkdir -p "$work/chart"
cp -R deploy/helm/usher "$chart"
rm -r "$chart/ci"
sed -i "s/^version: .*/version: ${version#v}/; s/^appVersion: .*/appVersion: $version/" "$chart/Chart.yaml"
pack "$chart" "$out/usher-${version#v}.tgz"

(cd "$out" && sha256sum -- * >SHA256SUMS.tmp && mv SHA256SUMS.tmp SHA256SUMS)
ls -l "$out"
