#!/usr/bin/env bash
# Looks at all of deploy/ with the tools that will read it. `make lint-deploy` installs
# those of Go into bin/; promtool, systemd-analyze, haproxy and shellcheck are the
# system's (scripts/prerequisites.sh deploy).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PATH="$PWD/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { echo "ok: $*"; }

# --- scripts -------------------------------------------------------------------

shellcheck scripts/*.sh deploy/debian/{postinst,prerm,postrm} deploy/compose/secrets.sh deploy/compose/postgres/*.sh
say "scripts"

# --- Prometheus and Grafana ------------------------------------------------------

promtool check rules deploy/prometheus/alerts.yml >/dev/null
promtool test rules deploy/prometheus/alerts_test.yml >/dev/null
cp deploy/compose/prometheus.yml deploy/prometheus/alerts.yml "$work"
promtool check config "$work/prometheus.yml" >/dev/null
# Each question of the dashboard as the rule that it could be.
go run ./scripts/dashboard deploy/grafana/usher.json >"$work/dashboard.yml"
promtool check rules "$work/dashboard.yml" >/dev/null
say "alerts, their tests, and the questions of the dashboard"

# --- systemd -------------------------------------------------------------------

# The program need not be installed to judge the unit.
sed "s,/usr/bin/usher ,$(command -v env) ," deploy/systemd/usher.service >"$work/usher.service"
systemd-analyze verify --man=no "$work/usher.service"
systemd-analyze security --offline=true --threshold=15 --no-pager "$work/usher.service" >"$work/security" || {
  cat "$work/security"
  exit 1
}
mkdir "$work/root"
systemd-sysusers --dry-run --root="$work/root" "$PWD/deploy/systemd/usher.sysusers" >/dev/null 2>&1
say "the unit: $(grep -o 'exposure level.*' "$work/security" | grep -oE '[0-9.]+ [A-Z]+')"

# --- Compose -------------------------------------------------------------------

(cd deploy/compose && compose-spec compose.yml >"$work/compose.yml")
for want in usher-a usher-b balancer postgres collector tempo prometheus grafana; do
  grep -q "^    $want:" "$work/compose.yml" || {
    echo "compose.yml has no service $want" >&2
    exit 1
  }
done
haproxy=$(command -v haproxy || echo /usr/sbin/haproxy)
"$haproxy" -c -q -f deploy/compose/haproxy.cfg 2>"$work/haproxy" || {
  cat "$work/haproxy" >&2
  exit 1
}
say "compose.yml and its balancer"

# --- Kubernetes ------------------------------------------------------------------

chart=deploy/helm/usher
for values in "$chart"/ci/*.yaml; do
  helm lint --quiet --strict "$chart" --values "$values"
  for kubernetes in 1.25 1.37; do
    helm template usher "$chart" --kube-version "$kubernetes" --values "$values" |
      kubeconform -strict -schema-location 'bin/kube-schemas/{{ .ResourceKind }}{{ .KindSuffix }}.json'
  done
done
# What the chart refuses: values, and what it is to say.
refused() {
  local said=$1
  shift
  if helm template usher "$chart" --kube-version 1.37 --values "$chart/ci/minimal.yaml" "$@" >/dev/null 2>"$work/refused"; then
    echo "the chart takes $*" >&2
    exit 1
  fi
  grep -qF -- "$said" "$work/refused" || {
    cat "$work/refused" >&2
    exit 1
  }
}
refused 'config: the text of usher.yml is required' --set config=
refused 'server.admin_listen has to be' --set ports.admin=9100
for loopback in 127.0.0.1 localhost '[::1]'; do
  refused 'nobody outside of the pod reaches it' --set-string "config=server:
  admin_listen: '$loopback:9090'"
done
refused 'server.tls is not for this chart' --set-string 'config=server:
  admin_listen: 0.0.0.0:9090
  tls: {cert: tls.crt}'
refused 'server.drain has to be 30s' --set drainSeconds=30
refused 'server.secret has to be there' --set replicaCount=2
refused 'server.secret has to be there' --set autoscaling.enabled=true
refused 'usher.yml is no YAML' --set-string 'config=a: [b'
refused "additional properties 'replicacount' not allowed" --set replicacount=2
refused "at '/config': got object, want string" --set-json 'config={"server": {}}'
store='config=server: {admin_listen: "0.0.0.0:9090"\, drain: 10s\, secret: x}
control: {path: /srv/control.duckdb}'
refused 'control.path is a file' --set replicaCount=2 --set-string "$store"
refused 'control.path is a file' --set autoscaling.enabled=true --set-string "$store"
helm template usher "$chart" --kube-version 1.37 --values "$chart/ci/minimal.yaml" --set-string "$store" | grep -q '^    type: Recreate$' || {
  echo "two pods would open one control store" >&2
  exit 1
}
# What is to be served is looked at before anything is installed or replaced, by a pod that no service, policy or budget takes
# for one of those that answer; nor is that of the test.
fails() {
  echo "the chart: $*" >&2
  exit 1
}
# The name by which pods, or a service, know each other: a file of templates/, its kind, and where it says that.
named() {
  helm template usher "$chart" --kube-version 1.37 --values "$values" --set "nameOverride=$name" --show-only "templates/$1" |
    awk -v kind="$2" -v at="$3" '$1 == "kind:" { is = $2 == kind } is && index($0, at) == 1 { getline; print $2; exit }'
}
for values in "$chart"/ci/*.yaml; do
  for name in usher usher-check usher-test; do
    answer=$(named service.yaml Service '  selector:')
    check=$(named check.yaml Job '      labels:')
    test=$(named tests/health.yaml Pod '  labels:')
    [[ $answer == "$name" && $check == "$name-check" && $test == "$name-test" ]] || fails "$answer answers, $check checks, $test tests"
  done
  helm template usher "$chart" --kube-version 1.37 --values "$values" >"$work/chart.yml"
  grep -A12 '^kind: Job' "$work/chart.yml" | grep -q 'helm.sh/hook: pre-install,pre-upgrade' || fails "nothing is checked before an upgrade"
  helm template usher "$chart" --kube-version 1.37 --values "$values" --set check.enabled=false >"$work/chart.yml"
  if grep -qE '^kind: Job|: usher-check$' "$work/chart.yml"; then fails "it is checked though check.enabled is false"; fi
done
helm template usher "$chart" --kube-version 1.37 --values "$chart/ci/minimal.yaml" --set-string "$store" --show-only templates/check.yaml | grep -q '^        podAffinity:$' ||
  fails "the check waits for a volume that another node has"
say "the chart"
