#!/usr/bin/env bash
# Installs what is missing to build usher (demo), to run all its tests (test), to
# measure it beside others (bench), to make a release (release), or to look at what
# operators get (deploy):
#   scripts/prerequisites.sh demo|test|bench|release|deploy
# It installs on Debian and Ubuntu only; elsewhere it names what is missing.
# With everything in place it does nothing, quickly.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

purpose=${1:-}
case $purpose in
  demo | test | bench | release | deploy) ;;
  *)
    echo "usage: scripts/prerequisites.sh demo|test|bench|release|deploy" >&2
    exit 2
    ;;
esac

export PATH="$PWD/bin:$PATH"

# The Go version that go.mod names, and the oldest Go that fetches it by itself.
go_wanted=$(awk '$1 == "go" { print $2; exit }' go.mod)
go_oldest=1.21
postgres_oldest=15
node_oldest=18

# --- what is there -----------------------------------------------------------

has() { command -v "$1" >/dev/null 2>&1; }

# at_least 1.22.1 1.21: the first version is the second one or newer.
at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# The version of the installed go itself, empty without one.
go_version() {
  has go || return 0
  (cd / && GOTOOLCHAIN=local go version) | awk '{ sub(/^go/, "", $3); print $3 }'
}

has_compiler() { { [[ -n ${CC:-} ]] || has gcc; } && { [[ -n ${CXX:-} ]] || has g++; }; }

has_certificates() { [[ -s /etc/ssl/certs/ca-certificates.crt || -n ${SSL_CERT_FILE:-} || $(uname) == Darwin ]]; }

has_go() {
  local version
  version=$(go_version)
  [[ -n $version ]] && at_least "$version" "$go_oldest"
}

# A server of one's own (USHER_TEST_POSTGRES) makes the programs unnecessary.
has_postgres() {
  [[ -n ${USHER_TEST_POSTGRES:-} ]] && return 0
  local folder version
  for folder in /usr/lib/postgresql/*/bin; do
    version=${folder#/usr/lib/postgresql/}
    if [[ -x $folder/initdb && -x $folder/postgres ]] && at_least "${version%/bin}" "$postgres_oldest"; then
      return 0
    fi
  done
  has initdb && has postgres && at_least "$(postgres --version | awk '{ print $3 }')" "$postgres_oldest"
}

# has_daemon NAME: Debian has it where only root's PATH leads.
has_daemon() { has "$1" || [[ -x /usr/sbin/$1 ]]; }

has_node() {
  has node && has npm && at_least "$(node --version | tr -d v)" "$node_oldest"
}

has_chromium() { has chromium || has chromium-browser || has google-chrome; }

# missing prints the names of what is not there, one a line.
missing() {
  has_compiler || echo compiler
  has_certificates || echo certificates
  has_go || echo go
  if [[ $purpose == test || $purpose == bench ]]; then
    has_postgres || echo postgres
    has_node || echo node
  fi
  if [[ $purpose == test ]]; then
    has_daemon pgbouncer || echo pgbouncer
    has_chromium || echo chromium
    has_daemon haproxy || echo haproxy
  fi
  if [[ $purpose == release ]]; then
    has dpkg-deb && has readelf || echo packaging
    has lintian || echo lintian
  fi
  if [[ $purpose == deploy ]]; then
    has promtool || echo prometheus
    has_daemon haproxy || echo haproxy
    has shellcheck || echo shellcheck
    has systemd-analyze || echo systemd
  fi
}

describe() {
  case $1 in
    compiler) echo "a C and a C++ compiler (gcc and g++; DuckDB is linked in)" ;;
    certificates) echo "CA certificates (ca-certificates)" ;;
    go) echo "Go $go_oldest or newer (it fetches Go $go_wanted by itself)" ;;
    postgres) echo "the PostgreSQL server programs, $postgres_oldest or newer (initdb and postgres), or a server named in USHER_TEST_POSTGRES" ;;
    pgbouncer) echo "PgBouncer (pgbouncer)" ;;
    node) echo "Node.js $node_oldest or newer with npm" ;;
    chromium) echo "Chromium or Google Chrome" ;;
    haproxy) echo "HAProxy" ;;
    packaging) echo "dpkg-deb and readelf (dpkg and binutils)" ;;
    lintian) echo "lintian" ;;
    prometheus) echo "promtool (prometheus)" ;;
    shellcheck) echo "shellcheck" ;;
    systemd) echo "systemd-analyze (systemd)" ;;
  esac
}

# refuse names what is missing and ends the script.
refuse() {
  local reason=$1 name
  shift
  {
    echo "$reason"
    echo "Please install, then run the command again:"
    for name in "$@"; do echo "  - $(describe "$name")"; done
  } >&2
  exit 1
}

# --- installing --------------------------------------------------------------

as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo "$@"; fi
}

apt_install() {
  echo "installing: $*"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@"
}

# Debian's package makes and starts a cluster named "main" unless told not to.
# The tests start servers of their own, so it is told not to, for this
# installation only: the setting is put back afterwards.
install_postgres() {
  local settings=/etc/postgresql-common/createcluster.conf status=0
  apt_install postgresql-common
  as_root cp -p "$settings" "$settings.before-usher"
  # shellcheck disable=SC2016 # $a is sed's "after the last line".
  as_root sed -i -E '/^[[:space:]]*create_main_cluster/d; $a create_main_cluster = false' "$settings"
  apt_install postgresql || status=$?
  as_root mv "$settings.before-usher" "$settings"
  return "$status"
}

# install_daemon NAME: Debian's packages start what they bring. The tests start
# their own, so services are told not to start, for this installation only, unless
# that is so already.
install_daemon() {
  local name=$1 policy=/usr/sbin/policy-rc.d status=0
  if [[ -e $policy ]]; then
    apt_install "$name"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  apt_install "$name" || status=$?
  as_root rm "$policy"
  as_root deb-systemd-helper disable "$name.service" >/dev/null || true # which the package enables, for the next boot
  return "$status"
}

# Where the distribution's Go is too old to fetch the wanted version by itself,
# it can still fetch it as a module: the toolchains are served (and checked)
# like any other. Files of a module are not executable; these must be.
install_go() {
  has go || apt_install golang-go
  has_go && return 0
  local platform module folder
  platform=$(go env GOOS)-$(go env GOARCH)
  module=golang.org/toolchain@v0.0.1-go$go_wanted.$platform
  echo "Go $(go_version) is too old; fetching Go $go_wanted through the Go module proxy"
  (cd / && "$OLDPWD/scripts/progress.sh" "downloading Go $go_wanted (about 80 MB)" go mod download "$module")
  folder=$(go env GOMODCACHE)/$module
  chmod +x "$folder"/bin/* "$folder"/pkg/tool/*/*
  mkdir -p bin
  ln -sf "$folder/bin/go" bin/go
  hash -r
}

install() {
  case $1 in
    compiler) apt_install gcc g++ libc6-dev ;;
    certificates) apt_install ca-certificates ;;
    go) install_go ;;
    postgres) install_postgres ;;
    pgbouncer | haproxy | prometheus) install_daemon "$1" ;;
    packaging) apt_install dpkg binutils ;;
    lintian | shellcheck | systemd) apt_install "$1" ;;
    node) if has node; then apt_install npm; else apt_install nodejs npm; fi ;;
    chromium) install_chromium ;;
  esac
}

# Ubuntu's package of this name only installs a snap, under another name.
install_chromium() { apt_install chromium || apt_install chromium-browser; }

mapfile -t wanted < <(missing)
if ((${#wanted[@]})); then
  if ! has apt-get; then
    refuse "Something is missing, and this script can install it on Debian and Ubuntu only." "${wanted[@]}"
  fi
  if [[ $(id -u) != 0 ]] && ! has sudo; then
    refuse "Something is missing, and installing it needs root or sudo." "${wanted[@]}"
  fi
  for name in "${wanted[@]}"; do echo "missing: $(describe "$name")"; done
  as_root apt-get update
  for name in "${wanted[@]}"; do install "$name"; done
  hash -r
  mapfile -t wanted < <(missing)
  if ((${#wanted[@]})); then
    refuse "The packages of this system do not bring all that is needed." "${wanted[@]}"
  fi
fi

# --- what the tools fetch themselves -----------------------------------------

# In this folder go replaces itself by the version of go.mod, fetching it if
# need be ("go: downloading go1.26.0").
export GOTOOLCHAIN=${GOTOOLCHAIN:-auto}
if ! go version >/dev/null; then
  echo "Go $go_wanted could not be fetched (message above); a machine without network needs it installed" >&2
  exit 1
fi

# npm notes what it installed in node_modules/.package-lock.json.
install_packages() {
  local folder=$1
  [[ -f $folder/package-lock.json && ! $folder/node_modules/.package-lock.json -nt $folder/package-lock.json ]] || return 0
  echo "installing the Node packages of $folder"
  scripts/progress.sh "installing Node packages" npm ci --prefix "$folder" --no-audit --no-fund
  touch "$folder/node_modules/.package-lock.json"
}

case $purpose in
  test) install_packages test/node ;;
  bench) install_packages bench/postgraphile || echo "PostGraphile cannot be installed: it will be left out" >&2 ;;
esac
