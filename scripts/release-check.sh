#!/usr/bin/env bash
# Tries a release on this machine, without touching it:
#   scripts/release-check.sh [dist]
# The sums hold; the archive's program says its version and serves; the package is as
# Debian wants it, installs into a folder of its own, runs there, leaves the operator's
# files alone when it is installed again and purged.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dist=$(realpath "${1:-dist}")
arch=$(go env GOHOSTARCH)
work=$(mktemp -d)
running=''
trap '[[ -z $running ]] || kill "$running"; rm -rf "$work"' EXIT

say() { echo "ok: $*"; }
fail() {
  echo "release-check: $*" >&2
  exit 1
}

(cd "$dist" && sha256sum --check --quiet --strict SHA256SUMS)
say "the sums hold"

# --- the archive ---------------------------------------------------------------

archives=("$dist"/usher-v*-linux-"$arch".tar.gz)
name=$(basename "${archives[0]}" .tar.gz)
version=${name#usher-}
version=${version%-linux-"$arch"}
tar -xzf "${archives[0]}" -C "$work"
usher=$work/$name/usher
[[ $("$usher" --version) == "usher $version (go"* ]] || fail "$("$usher" --version), not $version"
"$usher" version | grep -q '^github.com/duckdb/duckdb-go-bindings ' || fail "usher version does not name its engines"
for file in LICENSE README.md CHANGELOG.md LICENSES-of-modules.txt LICENSES-of-pages.txt docs/operations.md docs/upgrading.md \
  completions/usher completions/_usher completions/usher.fish usher.schema.json deploy/systemd/usher.service deploy/prometheus/alerts.yml; do
  [[ -s $work/$name/$file ]] || fail "the archive has no $file"
done
bash -c "source '$work/$name/completions/usher' && complete -p usher" >/dev/null
grep -q '"name": "github.com/duckdb/duckdb-go-bindings/lib/linux-' "$dist/$name.cdx.json" || fail "the bill of materials lacks DuckDB"
if readelf --sections --wide "$usher" | grep -qF .symtab; then fail "the program has its symbols"; fi
say "the archive of $version"

tar -xzf "$dist/usher-${version#v}.tgz" -C "$work"
grep -q "^appVersion: $version$" "$work/usher/Chart.yaml" || fail "the chart is of another version"
if [[ -x bin/helm ]]; then
  bin/helm template usher "$dist/usher-${version#v}.tgz" --kube-version 1.37 --values deploy/helm/usher/ci/minimal.yaml >"$work/chart.yaml"
  grep -q "image: \"usher:$version\"" "$work/chart.yaml" || fail "the chart wants another image"
fi
say "the chart"

# serve PROGRAM: it serves a file, is ready, and ends in order.
serve() {
  local folder=$work/served address=
  mkdir -p "$folder"
  printf 'id,tenant\n1,acme\n' >"$folder/notes.csv"
  head -c 32 /dev/urandom | base64 >"$folder/secret"
  cat >"$folder/usher.yml" <<'END'
server: {drain: 0s}
sources: {main: {kind: duckdb, files: {notes: notes.csv}}}
strategies: {shared: {kind: shared, source: main}}
default_strategy: shared
issuers: {idp: {issuer: idp, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}}
datasets: {notes: {tenant: tenant, key: id, columns: {id: BigInt!, tenant: String!}}}
END
  "$1" serve -c "$folder/usher.yml" --listen 127.0.0.1:0 >"$folder/out" 2>"$folder/err" &
  running=$!
  for _ in {1..60}; do
    address=$(grep -oE 'http://[0-9.:]+' "$folder/out" 2>/dev/null | head -n 1 || true)
    if [[ -n $address ]]; then break; fi
    kill -0 "$running" 2>/dev/null || fail "it does not serve: $(cat "$folder/err")"
    sleep 0.5
  done
  "$1" health --server "$address" >/dev/null
  kill -TERM "$running"
  wait "$running" || fail "it ended with $?: $(cat "$folder/err")"
  running=''
}
serve "$usher"
say "it serves, is ready and ends"

# --- the package ---------------------------------------------------------------

debs=("$dist"/usher_*_"$arch".deb)
deb=${debs[0]}
if command -v lintian >/dev/null; then
  lintian --allow-root --fail-on error,warning "$deb"
  say "lintian has nothing to say"
fi

if [[ $(id -u) != 0 ]]; then
  echo "left out: installing into a folder needs root"
  exit 0
fi

root=$work/root
install_package() {
  # Scripts run outside of the folder and keep to it (DPKG_ROOT); what it depends on is this machine's.
  dpkg --root="$root" --force-depends --force-script-chrootless --force-confold --log="$work/dpkg.log" "$@" >>"$work/dpkg.out" 2>&1 ||
    fail "dpkg $*: $(tail -n 20 "$work/dpkg.out")"
}
mkdir -p "$root"/{etc,var/lib/dpkg/{info,updates}}
touch "$root/var/lib/dpkg/"{status,available}
install_package --install "$deb"
[[ $(dpkg-query --root="$root" -W -f '${db:Status-Status}' usher) == installed ]] || fail "dpkg did not configure it"
grep -q '^usher:.*:/var/lib/usher:/usr/sbin/nologin$' "$root/etc/passwd" || fail "there is no user usher"
uid=$(awk -F: '$1 == "usher" { print $3 ":" $4 }' "$root/etc/passwd")
for want in "755 0:0 usr/bin/usher" "750 0:${uid#*:} etc/usher" "700 0:0 etc/usher/credentials" "700 $uid var/lib/usher" "644 0:0 etc/default/usher"; do
  file=${want##* }
  [[ "$(stat -c '%a %u:%g' "$root/$file") $file" == "$want" ]] || fail "$(stat -c '%a %u:%g' "$root/$file") $file, not $want"
done
serve "$root/usr/bin/usher"
say "the package installs and runs"

echo '# mine' >>"$root/etc/default/usher"
touch "$root/etc/usher/usher.yml" "$root/var/lib/usher/control.duckdb"
install_package --install "$deb"
grep -q '^# mine$' "$root/etc/default/usher" || fail "an upgrade has overwritten a conffile"
install_package --remove usher
[[ ! -e $root/usr/bin/usher && -e $root/etc/default/usher ]] || fail "removing leaves the program, or takes the configuration"
install_package --purge usher
[[ ! -e $root/etc/default/usher && -e $root/etc/usher/usher.yml && -e $root/var/lib/usher/control.duckdb && ! -e $root/etc/usher/credentials ]] ||
  fail "purging leaves the conffile, or takes what is the operator's"
say "upgrades, removal and purge leave what is the operator's"
