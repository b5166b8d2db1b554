package gateway_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// reloadable is a gateway with a folder for its files, and what reads a text as its next
// configuration.
func reloadable(t *testing.T, text string) (gate, func(text string) error) {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	parse := func(text string) (*config.Config, error) {
		return config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(pgtest.DB{}))
	}
	cfg, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Errorf("close the gateway: %v", err)
		}
	})
	return gate{g}, func(text string) error {
		cfg, err := parse(text)
		if err != nil {
			return err
		}
		return g.Reload(t.Context(), cfg)
	}
}

// generation is a configuration whose rows say which one it is: a label, and a filter that
// fits it.
func generation(n int) string {
	return fmt.Sprintf(`
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
issuers:
  tests:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    tenants: trusted
    claims: {tenant: /tenant}
    may_grant: {write: true}
datasets:
  notes:
    tenant: tenant
    key: id
    label: "%d"
    filter: {id: {lte: %d}}
    columns: {id: Int!, tenant: String!, text: String}
`, n, 1+n%2)
}

// TestReload: a hundred configurations follow one another under load, some of which cannot
// be served. Every answer is of one of them, whole, and none is lost.
func TestReload(t *testing.T) {
	t.Parallel()
	g, reload := reloadable(t, generation(0))
	token := program.Sign(t, `{"tenant": "acme"}`)
	var asked atomic.Int64
	var load sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got := g.ask(t, token, `{"query": "{ notes { id } dataset(name: \"notes\") { label } }"}`)
				body := got.Body.String()
				even, odd := `{"data":{"notes":[{"id":1}],"dataset":{"label":"`, `{"data":{"notes":[{"id":1},{"id":2}],"dataset":{"label":"`
				_, rest, isEven := strings.Cut(body, even)
				if !isEven {
					_, rest, _ = strings.Cut(body, odd)
				}
				n := -1
				if _, err := fmt.Sscanf(rest, "%d", &n); err != nil || got.Code != http.StatusOK || (n%2 == 0) != isEven {
					t.Errorf("an answer is of no configuration: %d %s", got.Code, body)
					return
				}
				asked.Add(1)
			}
		})
	}
	bad := []string{
		"datasets: {", "", strings.Replace(generation(1), "id: Int!", "id: Int!, missing: Int", 1), strings.Replace(generation(1), "notes:", "notes: {}\n  nothing:", 1),
		"server: {drain: 1s}\n" + generation(1),
	}
	for n := 1; n <= 100; n++ {
		if n%20 == 0 {
			if err := reload(bad[n/20-1]); err == nil {
				t.Errorf("%q is served", bad[n/20-1])
			}
			continue
		}
		if err := reload(generation(n)); err != nil {
			t.Fatalf("generation %d: %v", n, err)
		}
	}
	close(done)
	load.Wait()
	if asked.Load() < 100 {
		t.Errorf("%d questions are no load", asked.Load())
	}
	metrics := operators(t, g.Gateway, "/metrics")
	for _, line := range []string{`usher_config_reloads_total{outcome="refused"} 3`, `usher_config_reloads_total{outcome="served"} 95`, "usher_config_reload_failed 1"} {
		if !strings.Contains(metrics, line) { // two of the bad ones are not read as a configuration at all
			t.Errorf("the metrics do not say %s", line)
		}
	}

	// What counts goes on.
	if err := reload(generation(102)); err != nil {
		t.Fatal(err)
	}
	counted, after := 0, counters(t, operators(t, g.Gateway, "/metrics"))
	for name, n := range counters(t, metrics) {
		if now, is := after[name]; !is || now < n {
			t.Errorf("%s is %v after a reload and was %v", name, now, n)
		}
		if n > 0 {
			counted++
		}
	}
	if after["usher_known_operations_hits_total"] == 0 || counted < 10 {
		t.Errorf("%d counters count something: %v", counted, after)
	}
}

// counters are the values of all of them, by name and labels.
func counters(t *testing.T, metrics string) map[string]float64 {
	t.Helper()
	out := make(map[string]float64)
	for line := range strings.Lines(metrics) {
		at := strings.LastIndexByte(line, ' ')
		name, _, _ := strings.Cut(line, "{")
		if strings.HasPrefix(line, "#") || at < 0 || !strings.HasSuffix(strings.Fields(name)[0], "_total") {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out[line[:at]] = n
	}
	return out
}

// TestReloadKeepsWhatIsUnderWay: rows that are written while configurations follow one
// another are all there: a file is open once, whatever is served.
func TestReloadKeepsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	writable := strings.Replace(generation(1), "    key: id\n", "    key: id\n    writable: true\n    global_keys: true\n", 1)
	writable = strings.Replace(writable, "    filter: {id: {lte: 2}}\n", "", 1)
	g, reload := reloadable(t, writable)
	token := program.Sign(t, `{"tenant": "acme"}`)
	var wrote atomic.Int64
	var load sync.WaitGroup
	done := make(chan struct{})
	for worker := range 3 {
		load.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				id := 100 + worker + 10*n
				body := g.ask(t, token, fmt.Sprintf(`{"query": "mutation { insertNotesOne(row: {id: %d, text: \"x\"}) { id } }"}`, id)).Body.String()
				if !strings.Contains(body, fmt.Sprintf(`"id":%d`, id)) {
					t.Errorf("%d: %s", id, body)
					return
				}
				wrote.Add(1)
			}
		})
	}
	for n := range 20 {
		if err := reload(strings.Replace(writable, `label: "1"`, fmt.Sprintf(`label: "%d"`, n), 1)); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	load.Wait()
	body := g.ask(t, token, `{"query": "{ notesAggregate(where: {id: {gte: 100}}) { count } }"}`).Body.String()
	if wrote.Load() == 0 || !strings.Contains(body, fmt.Sprintf(`"count":%d`, wrote.Load())) {
		t.Errorf("%d rows were written, and there are %s", wrote.Load(), body)
	}
}

// TestRetry: what was refused is tried again without a word, unless there is another reason, and until something is
// served.
func TestRetry(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), program.NewOutput()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	text := generation(0)
	read := func() (*config.Config, error) {
		return config.Parse(filepath.Join(dir, "usher.yml"), []byte(text), controlledEnv(pgtest.DB{}))
	}
	cfg, err := read()
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Read: read, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	said := func(what string, refused, served int, err error, fails bool) {
		t.Helper()
		all := log.String()
		if n := strings.Count(all, "the configuration cannot be served"); n != refused || (err != nil) != fails {
			t.Errorf("%s: %v, and it was said %d times that it cannot be served", what, err, n)
		}
		if n := strings.Count(all, "another configuration is served"); n != served {
			t.Errorf("%s: it was said %d times that it is served", what, n)
		}
	}
	said("nothing was refused", 0, 0, g.Retry(t.Context()), false)
	text = strings.Replace(generation(1), "secret: {file: secret}", "secret: {file: later}", 1)
	said("the first time", 1, 0, g.Reread(t.Context()), true)
	said("again", 1, 0, g.Retry(t.Context()), true)
	text = strings.Replace(text, "id: Int!", "id: Int!, missing: Int", 1)
	program.WriteFile(t, filepath.Join(dir, "later"), program.Secret)
	said("for another reason", 2, 0, g.Retry(t.Context()), true)
	said("for that, again", 2, 0, g.Retry(t.Context()), true)
	said("by a signal", 3, 0, g.Reread(t.Context()), true)
	text = generation(2)
	said("mended", 3, 1, g.Retry(t.Context()), false)
	said("served", 3, 1, g.Retry(t.Context()), false)
}

// TestLastReloadDecides: where a file that is refused comes right behind one that is served still being put in place,
// what is told of it stays, and its answer says why.
func TestLastReloadDecides(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), controlledData)
	var text atomic.Value
	text.Store(generation(0) + "control: {path: control.duckdb}\n")
	began := make(chan struct{}, 2)
	read := func() (*config.Config, error) {
		now, _ := text.Load().(string)
		began <- struct{}{}
		return config.Parse(filepath.Join(dir, "usher.yml"), []byte(now), controlledEnv(pgtest.DB{}))
	}
	cfg, err := read()
	if err != nil {
		t.Fatal(err)
	}
	<-began
	made, err := gateway.New(t.Context(), cfg, gateway.Options{Read: read, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	g := gate{made}
	root := g.bootstrap(t)
	const reload = `mutation { admin { reload { served problems } } }`
	for n := range 4 {
		text.Store(generation(n) + "control: {path: control.duckdb}\n")
		var first sync.WaitGroup
		first.Go(func() { g.check(t, root, reload, `200 {"data":{"admin":{"reload":{"served":true,"problems":[]}}}}`) })
		<-began
		text.Store("")
		if got := g.query(t, root, reload); !strings.Contains(got, `"served":false,"problems":["`) {
			t.Errorf("refused: %s", got)
		}
		<-began
		first.Wait()
		if got := g.query(t, root, `{ admin { configuration { problems refusedAt } } }`); strings.Contains(got, "[]") || strings.Contains(got, "null") {
			t.Errorf("after it was refused: %s", got)
		}
		if got := operators(t, made, "/metrics"); !strings.Contains(got, "\nusher_config_reload_failed 1\n") {
			t.Error("the metrics do not say that it was refused")
		}
	}
}
