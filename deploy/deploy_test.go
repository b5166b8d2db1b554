// Package deploy holds what operators put usher into service with, and the tests
// that it fits the usher of this repository.
package deploy

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"usher/config"
	"usher/pgtest"
	"usher/test/program"
)

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// documented are the metrics in docs/operations.md with their labels: those that
// usher exports, and no others (TestMetricsAreDocumented of usher).
func documented(t *testing.T) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	for _, row := range regexp.MustCompile("(?m)^\\| `(usher_\\w+)` \\|([^|]*)\\|").FindAllStringSubmatch(read(t, "../docs/operations.md"), -1) {
		out[row[1]] = word.FindAllString(row[2], -1)
	}
	if len(out) < 40 {
		t.Fatalf("docs/operations.md has %d metrics", len(out))
	}
	return out
}

// dashboard is what is looked at of deploy/grafana/usher.json.
type dashboard struct {
	Panels []struct {
		ID         int
		Type       string
		Title      string
		Datasource struct{ UID string }
		GridPos    struct{ H, W, X, Y int }
		Targets    []struct{ Expr string }
	}
}

func theDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal([]byte(read(t, "grafana/usher.json")), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// rules is what is looked at of deploy/prometheus/alerts.yml.
type rules struct {
	Groups []struct {
		Rules []struct {
			Alert       string
			Expr        string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

func theRules(t *testing.T) rules {
	t.Helper()
	var r rules
	if err := yaml.Unmarshal([]byte(read(t, "prometheus/alerts.yml")), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// everywhere are the labels that Prometheus and histograms have.
var everywhere = []string{"job", "instance", "le"}

var (
	selector = regexp.MustCompile(`\b(usher_\w+|up|process_\w+|go_\w+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*[=!]`)
	grouping = regexp.MustCompile(`\b(?:by|without) \(([^)]*)\)`)
	word     = regexp.MustCompile(`\w+`)
	part     = regexp.MustCompile(`_(bucket|count|sum)$`)
)

// judge looks for metrics and labels that usher does not export. It returns the
// metrics of usher that there are, and what is wrong.
func judge(expr string, known map[string][]string) (found, wrong []string) {
	labels := slices.Clone(everywhere)
	for _, m := range selector.FindAllStringSubmatch(expr, -1) {
		name := m[1]
		if !strings.HasPrefix(name, "usher_") {
			continue
		}
		if _, whole := known[name]; !whole {
			name = part.ReplaceAllString(name, "")
		}
		of, ok := known[name]
		if !ok {
			wrong = append(wrong, "usher has no metric "+m[1])
			continue
		}
		found = append(found, name)
		labels = append(labels, of...)
		for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(of, l[1]) && !slices.Contains(everywhere, l[1]) {
				wrong = append(wrong, name+" has no label "+l[1])
			}
		}
	}
	for _, m := range grouping.FindAllStringSubmatch(expr, -1) {
		for _, l := range word.FindAllString(m[1], -1) {
			if !slices.Contains(labels, l) {
				wrong = append(wrong, "no metric of it has a label "+l)
			}
		}
	}
	return found, wrong
}

// Each metric that is watched is one that usher exports, and each that it exports
// is on the dashboard.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	known := documented(t)
	shown := make(map[string]bool)
	judged := func(where, expr string) []string {
		found, wrong := judge(expr, known)
		for _, w := range wrong {
			t.Errorf("%s: %s", where, w)
		}
		return found
	}
	for _, p := range theDashboard(t).Panels {
		for _, target := range p.Targets {
			for _, name := range judged(p.Title, target.Expr) {
				shown[name] = true
			}
		}
	}
	for name := range known {
		if !shown[name] {
			t.Errorf("nobody sees %s", name)
		}
	}
	for _, g := range theRules(t).Groups {
		for _, r := range g.Rules {
			if len(judged(r.Alert, r.Expr)) == 0 && !strings.Contains(r.Expr, `up{job="usher"}`) {
				t.Errorf("%s watches nothing of usher", r.Alert)
			}
		}
	}
	for _, m := range regexp.MustCompile(`series: '([^']*)'`).FindAllStringSubmatch(read(t, "prometheus/alerts_test.yml"), -1) {
		judged("alerts_test.yml", m[1])
	}
}

// Judging finds what is not there.
func TestJudge(t *testing.T) {
	t.Parallel()
	known := map[string][]string{"usher_rows_total": {"source"}, "usher_x": nil}
	for expr, wrong := range map[string]bool{
		`sum by (source) (rate(usher_rows_total{job=~"$job"}[5m]))`: false,
		`usher_x + usher_rows_total{source="a"}`:                    false,
		`histogram_quantile(0.9, sum by (le) (usher_x_bucket))`:     false,
		`usher_rows`:                      true,
		`usher_x{source="a"}`:             true,
		`sum by (tenant) (usher_x)`:       true,
		`usher_rows_total{source!~"a.*"}`: false,
	} {
		if _, found := judge(expr, known); (len(found) > 0) != wrong {
			t.Errorf("%s: %q", expr, found)
		}
	}
}

// An alert says what is to be done, and is tried.
func TestAlerts(t *testing.T) {
	t.Parallel()
	tried, told := read(t, "prometheus/alerts_test.yml"), read(t, "../docs/operations.md")
	for _, g := range theRules(t).Groups {
		for _, r := range g.Rules {
			if r.Annotations["summary"] == "" || r.Annotations["description"] == "" || !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
				t.Errorf("%s does not say what is to be done, or how soon: %+v", r.Alert, r)
			}
			if !strings.Contains(tried, "alertname: "+r.Alert+"}") || !strings.Contains(tried, `{alertname="`+r.Alert+`"}`) {
				t.Errorf("alerts_test.yml does not try %s both ways", r.Alert)
			}
			if !strings.Contains(told, "`"+r.Alert+"`") {
				t.Errorf("docs/operations.md does not have %s", r.Alert)
			}
		}
	}
}

// Panels stand beside each other, and ask the data source that was chosen.
func TestDashboard(t *testing.T) {
	t.Parallel()
	taken := make(map[[2]int]string)
	ids := make(map[int]bool)
	for _, p := range theDashboard(t).Panels {
		if ids[p.ID] {
			t.Errorf("%s has the id of another", p.Title)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if at[0] >= 24 || taken[at] != "" {
					t.Fatalf("%s is over %q, or beyond the edge", p.Title, taken[at])
				}
				taken[at] = p.Title
			}
		}
		if p.Type != "row" && (p.Datasource.UID != "${datasource}" || len(p.Targets) == 0) {
			t.Errorf("%s asks another source, or nothing", p.Title)
		}
	}
}

// The configurations of the chart's values are such as usher reads.
func TestChart(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("helm/usher/ci/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		var values struct {
			Config  string
			Secrets struct{ Env []struct{ Name string } }
		}
		if err := yaml.Unmarshal([]byte(read(t, file)), &values); err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		program.WriteFile(t, filepath.Join(dir, "password"), "secret")
		path := filepath.Join(dir, "usher.yml")
		program.WriteFile(t, path, regexp.MustCompile(`/run/secrets/usher/\w+`).ReplaceAllString(values.Config, "password"))
		env := func(name string) (string, bool) {
			for _, e := range values.Secrets.Env {
				if e.Name == name {
					return "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=", true
				}
			}
			return "", false
		}
		cfg, err := config.Load(path, env)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if cfg.Server.AdminListen != "0.0.0.0:9090" {
			t.Errorf("%s: operators look at %q", file, cfg.Server.AdminListen)
		}
	}
}

// What compose.yml puts together fits: the tables that it makes, and the
// configuration that is to serve them.
func TestCompose(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, strings.ReplaceAll(read(t, "compose/postgres/shop.psql"), "TO usher", `TO "`+db.User+`"`))
	dir := t.TempDir()
	for name, text := range map[string]string{
		"usher_password": db.Password, "usher_secret": program.Secret, "issuer_secret": program.Secret,
		"control_key": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
	} {
		program.WriteFile(t, filepath.Join(dir, name), text)
	}
	local := strings.NewReplacer(
		"/run/secrets/", dir+"/", "host: postgres", "host: "+db.Host+", port: "+strconv.Itoa(db.Port), "user: usher", "user: "+db.User,
		"database: shop", `database: "`+db.Name+`"`, "database: control", `database: "`+db.Name+`"`,
		"0.0.0.0:9090", "127.0.0.1:0", "drain: 5s", "drain: 0s",
	)
	path := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, path, local.Replace(read(t, "compose/usher.yml")))
	if out, err := program.Command(t, "check", "-c", path); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	u := program.Administer(t, path)
	u.Says(t, "tenant", "create", "acme")
	token := program.Sign(t, `{"iss": "https://idp.example", "tenant": "acme"}`)
	status, body := program.Fetch(t, u.Ask(t, token, `{ ordersAggregate { count revenue } orders(limit: 1, orderBy: [{id: ASC}]) { id product { name } } }`))
	const want = `{"data":{"ordersAggregate":[{"count":500,"revenue":62625.00}],"orders":[{"id":2,"product":{"name":"bean"}}]}}`
	if string(body) != want {
		t.Errorf("%d %s, want %s", status, body, want)
	}
}
