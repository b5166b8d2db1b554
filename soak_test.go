package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"usher/pgtest"
	"usher/test/program"
)

const soakConfig = `
server: {admin_listen: "127.0.0.1:0", drain: 0s}
control:
  postgres: {host: 127.0.0.1, port: $port, database: $control, user: $user, password: {file: pg}, sslmode: disable}
issuers:
  tests:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    tenants: trusted
    claims: {tenant: /tenant, strategy: /strategy}
    may_grant: {strategies: [shared, own, rest, gone], explain: true, write: true, export: true}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: $port, database: $database, user: $user, password: {file: pg}, sslmode: disable}
  files: {kind: duckdb, path: "of_{tenant}.duckdb", template: true}
  gone: {kind: postgres, host: 127.0.0.1, port: 1, database: "of_{tenant}", user: nobody, password: {file: pg}, sslmode: disable, template: true, allow_private: true}
  rest: {kind: api, base_url: $rest, allow_private: true, isolation: upstream, query: {of: "{tenant_key}"}, rows: /data}
  words: {kind: duckdb, files: {words: words.csv}}
strategies:
  shared: {kind: shared, source: shop}
  own: {kind: database, source: files}
  gone: {kind: database, source: gone}
  rest: {kind: api, source: rest}
default_strategy: shared
datasets:
  notes:
    tenant: tenant
    key: id
    writable: true
    columns: {id: Int!, tenant: String!, text: String, word: BigInt}
    relations: {said: {to: words, on: {word: id}}}
    bind:
      shop: {table: notes}
      files: {table: notes}
      gone: {table: notes}
      rest: {path: /notes}
  words: {common: true, source: words, key: id, columns: {id: BigInt!, text: String}}
`

// soaked is one kind of request: what is asked, and the status and the text that its answer
// has to have.
type soaked struct {
	name, strategy, text string
	status               int
	has                  string
}

// TestSoak: usher is asked everything, good and bad, for a long time, while its configuration
// is read again and again. Goroutines, file descriptors and memory do not grow.
// USHER_TEST_SOAK says for how long (45m); some seconds are enough to notice what each request
// leaves behind.
func TestSoak(t *testing.T) {
	t.Parallel()
	lasts, every := 6*time.Second, 10*time.Millisecond
	if text := os.Getenv("USHER_TEST_SOAK"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
		every = 100 * time.Millisecond // a load beside which others can work
	}
	const tenants = 10
	s := newSoak(t, tenants)
	ask := func(n int) {
		kind := soakedKinds[n%len(soakedKinds)]
		tenant := fmt.Sprintf("t%d", n/len(soakedKinds)%tenants)
		if why := s.ask(t, kind, tenant, n); why != "" {
			t.Errorf("%s of %s: %s", kind.name, tenant, why)
		}
	}
	n := 0
	for ; n < 3*tenants*len(soakedKinds); n++ { // what is kept by tenant and by text, is there
		ask(n)
	}
	rest := s.rest(t)
	t.Logf("at rest, after %d requests: %s", n, rest)

	var samples []sample
	tick := time.NewTicker(every)
	defer tick.Stop()
	began := time.Now()
	for next := lasts / 60; time.Since(began) < lasts && !t.Failed(); n++ {
		<-tick.C
		ask(n)
		if time.Since(began) > next {
			samples = append(samples, s.sample(t))
			next += lasts / 60
			s.tell(t, syscall.SIGHUP)
			if len(samples)%6 == 0 {
				t.Logf("after %s and %d requests: %s", time.Since(began).Round(time.Second), n, samples[len(samples)-1])
			}
		}
	}
	if t.Failed() {
		return
	}
	early, late := median(samples[:len(samples)/3]), median(samples[2*len(samples)/3:])
	if late.goroutines > early.goroutines+20 || late.files > early.files+10 || late.heap > early.heap+early.heap/2+32<<20 {
		t.Errorf("it has grown from %s to %s", early, late)
	}
	after := s.rest(t)
	t.Logf("at rest, after %d requests: %s", n, after)
	if after.goroutines > rest.goroutines+10 || after.files > rest.files+10 {
		t.Errorf("%s are left, of %s before", after, rest)
	}
}

var soakedKinds = []soaked{
	{"a list", "shared", `{ notes(limit: 20) { id text } }`, 200, `{"notes":[{`},
	{"a list, prepared", "shared", `query L($n: Int = 3) { notes(where: {id: {gt: $n}}, limit: 5) { id } }`, 200, `{"notes":[{`},
	{"an aggregate", "shared", `{ notesAggregate { count } }`, 200, `"count"`},
	{"rows of two sources", "shared", `{ notes(limit: 5) { id said { text } } }`, 200, `"said":`},
	{"an explanation", "shared", `{ notes(limit: 1) { id } }`, 200, `"explain":`},
	{"a change", "shared", `mutation { updateNotesByPk(id: <id>, set: {text: "at <n>"}) { id } }`, 200, `"id":`},
	{"a change that is refused", "shared", `mutation { insertNotesOne(row: {id: <id>, text: "there already"}) { id } }`, 200, `"CONFLICT"`},
	{"a text of its own", "shared", `query Q<n> { a<n>: notes(limit: 2) { id } }`, 200, `"a<n>":[{`},
	{"a file of the tenant's", "own", `{ notes(limit: 20) { id text } }`, 200, `{"notes":[{`},
	{"an aggregate of a file", "own", `{ notesAggregate { count } }`, 200, `"count"`},
	{"an API that fails now and then", "rest", `{ notes(limit: 2) { id text } }`, 200, `{"notes":`},
	{"a database that is not there", "gone", `{ notes(limit: 2) { id } }`, 200, `"UNAVAILABLE"`},
	{"a wrong document", "shared", `{ notes { nothing } }`, 200, `"GRAPHQL_VALIDATION_FAILED"`},
	{"no document", "shared", `{ notes { `, 200, `"GRAPHQL_PARSE_FAILED"`},
	{"introspection", "shared", `{ __schema { types { name fields { name } } } }`, 200, `"__schema"`},
	{"a forged token", "shared", `{ notes { id } }`, 401, `"UNAUTHENTICATED"`},
	{"a client that leaves", "shared", `{ notes(limit: 20, offset: 1) { id text } }`, -1, ""},
	{"an export", "shared", "", 200, "text"},
	{"an export that is left", "shared", "", -1, ""},
}

// soak is usher as a process, and what it is asked with.
type soak struct {
	*process
	tokens map[string]string // by strategy and tenant
}

func newSoak(t *testing.T, tenants int) *soak {
	t.Helper()
	dir := t.TempDir()
	server := pgtest.Start(t)
	db, control := server.Database(t), server.Database(t)
	db.Exec(t, fmt.Sprintf(`CREATE TABLE notes (id int NOT NULL, tenant text NOT NULL, text text, word bigint, PRIMARY KEY (tenant, id));
INSERT INTO notes SELECT i, 't' || t, repeat('x', 200), i %% 3 FROM generate_series(0, %d) t, generate_series(1, 2000) i`, tenants-1))
	var calls atomic.Int64
	rest := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		of := r.URL.Query().Get("of")
		if calls.Add(1)%20 == 0 { // it hangs up half-way
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusOK)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"data":[{"id":1,"tenant":%[1]q,"text":"one","word":1},{"id":2,"tenant":%[1]q,"text":"two","word":2}]}`, of)
	}))
	t.Cleanup(rest.Close)
	for name, text := range map[string]string{"secret": program.Secret, "pg": db.Password, "words.csv": "id,text\n0,none\n1,bean\n2,corn\n"} {
		program.WriteFile(t, filepath.Join(dir, name), text)
	}
	s := &soak{tokens: make(map[string]string)}
	for i := range tenants {
		tenant := fmt.Sprintf("t%d", i)
		program.MakeDuckDB(t, filepath.Join(dir, "of_"+tenant+".duckdb"), `CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, text VARCHAR, word BIGINT);
			INSERT INTO notes SELECT i, '`+tenant+`', 'x', 1 FROM range(1, 500) r(i)`)
		for _, strategy := range []string{"shared", "own", "rest", "gone"} {
			s.tokens[strategy+" "+tenant] = program.Sign(t, fmt.Sprintf(`{"tenant": %q, "strategy": %q, "exp": "24h"}`, tenant, strategy))
		}
	}
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, os.Expand(soakConfig, func(name string) string {
		return map[string]string{"user": db.User, "port": fmt.Sprint(db.Port), "database": db.Name, "control": control.Name, "rest": rest.URL}[name]
	}))
	s.process = launch(t, config, "127.0.0.1:0", io.Discard)
	return s
}

// ask asks, and tells what is wrong with the answer.
func (s *soak) ask(t *testing.T, kind soaked, tenant string, n int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), program.Patience)
	defer cancel()
	fill := strings.NewReplacer("<id>", fmt.Sprint(1+n%2000), "<n>", fmt.Sprint(n))
	body, err := json.Marshal(map[string]any{"query": fill.Replace(kind.text), "extensions": map[string]bool{"explain": kind.name == "an explanation"}})
	if err != nil {
		t.Fatal(err)
	}
	method, path := http.MethodPost, "/graphql"
	if strings.HasPrefix(kind.name, "an export") {
		method, path, body = http.MethodGet, "/export/notes?query=%7B%20notes%20%7B%20id%20text%20%7D%20%7D", nil
	}
	if kind.status < 0 {
		leaving := time.AfterFunc(time.Duration(n%5)*time.Millisecond, cancel)
		defer leaving.Stop()
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	token := s.tokens[kind.strategy+" "+tenant]
	if kind.name == "a forged token" {
		token = token[:len(token)-8] + "AAAAAAAA"
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if kind.status < 0 {
		if err == nil {
			_ = response.Body.Close()
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != kind.status || !strings.Contains(string(answer), fill.Replace(kind.has)) {
		return fmt.Sprintf("%s %.500s %v", response.Status, answer, err)
	}
	return ""
}

// sample is what a process holds at a moment.
type sample struct{ goroutines, files, heap, resident int }

func (s sample) String() string {
	return fmt.Sprintf("%d goroutines, %d file descriptors, %d MiB of heap, %d MiB resident", s.goroutines, s.files, s.heap>>20, s.resident>>20)
}

func (s *soak) sample(t *testing.T) sample {
	t.Helper()
	_, text := program.Fetch(t, get(t, s.admin+"/metrics"))
	of := func(name string) int { return metricIn(t, text, name) }
	return sample{of("go_goroutines"), of("process_open_fds"), of("go_memstats_heap_inuse_bytes"), of("process_resident_memory_bytes")}
}

// rest is what is held when nobody asks: the least of some looks, for what was begun ends.
func (s *soak) rest(t *testing.T) sample {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	least := s.sample(t)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for range 30 {
		<-tick.C
		if now := s.sample(t); now.goroutines <= least.goroutines {
			least = now
		}
	}
	return least
}

// median is of each figure its own.
func median(samples []sample) sample {
	of := func(figure func(sample) int) int {
		var all []int
		for _, s := range samples {
			all = append(all, figure(s))
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	return sample{
		of(func(s sample) int { return s.goroutines }), of(func(s sample) int { return s.files }),
		of(func(s sample) int { return s.heap }), of(func(s sample) int { return s.resident }),
	}
}
