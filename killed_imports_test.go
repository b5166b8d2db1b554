package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// numberedNotes are lines of so many notes from an id on, of half a KB each, which does not compress. They go on until
// nobody reads, if there is no last.
func numberedNotes(from, to int) io.ReadCloser {
	read, write := io.Pipe()
	go func() {
		_, err := io.WriteString(write, "id,text\n")
		for id := from; err == nil && (to == 0 || id <= to); id++ {
			text := make([]byte, 500)
			for i := range text {
				text[i] = 'a' + byte((i*i*id+i*id*id/7+i/3)%26)
			}
			_, err = fmt.Fprintf(write, "%d,%s\n", id, text)
		}
		_ = write.Close()
	}()
	return read
}

// load imports notes as acme's. Told is how many rows are said to be in meanwhile.
func (p *process) load(t *testing.T, path string, body io.ReadCloser, key string, told *atomic.Int64) string {
	t.Helper()
	defer func() { _ = body.Close() }()
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got1xxResponse: func(_ int, h textproto.MIMEHeader) error {
		if n, err := strconv.ParseInt(h.Get("Usher-Rows"), 10, 64); err == nil && told != nil {
			told.Store(n)
		}
		return nil
	}})
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, body)
	if err != nil {
		t.Error(err)
		return ""
	}
	r.Header.Set("Authorization", "Bearer "+program.Sign(t, `{"tenant": "acme", "sub": "ann"}`))
	r.Header.Set("Prefer", "usher-rows")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return "lost"
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return "lost"
	}
	return strings.TrimSpace(string(program.WithoutRequestID(text)))
}

// killed kills usher in the middle of an import without an end, and returns how many rows were said to be in.
func (p *process) killed(t *testing.T, path, key string, enough int64) int64 {
	t.Helper()
	var told, read atomic.Int64
	answered := make(chan string, 1)
	go func() { answered <- p.load(t, path, counting{numberedNotes(1000, 0), &read}, key, &told) }()
	// More than what is under way between two processes has been taken, or so many rows are in.
	program.Soon(t, program.Patience, "rows are taken", func() bool {
		if enough > 0 {
			return told.Load() >= enough
		}
		return read.Load() > 24<<20
	})
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if got := <-answered; got != "lost" {
		t.Errorf("an import that was cut off is answered %s", got)
	}
	return told.Load()
}

// counting counts what is read.
type counting struct {
	io.ReadCloser
	n *atomic.Int64
}

// Read implements io.Reader.
func (c counting) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// notesIn is how many notes were imported: all up to the last.
func (p *process) notesIn(t *testing.T) (n int64) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+"/graphql", strings.NewReader(`{"query": "{ notesAggregate(where: {id: {gte: 1000}}) { count } notes(orderBy: [{id: DESC}], limit: 1) { id } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+program.Sign(t, `{"tenant": "acme", "sub": "ann"}`))
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Data struct {
			NotesAggregate []struct{ Count int64 }
			Notes          []struct{ ID int64 }
		}
		Errors json.RawMessage
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || len(answer.Errors) > 0 || len(answer.Data.NotesAggregate) != 1 || len(answer.Data.Notes) != 1 {
		t.Fatalf("%v %s", err, answer.Errors)
	}
	if n = answer.Data.NotesAggregate[0].Count; n > 0 && answer.Data.Notes[0].ID != 999+n {
		t.Errorf("of %d rows the last is %d", n, answer.Data.Notes[0].ID)
	}
	return n
}

// TestKilledWhileItImports: usher is killed in the middle of an import. One that is all or nothing leaves nothing;
// of one in batches whole ones are in, as many as were told at least, and it goes on behind them: by their number, or under its
// key.
func TestKilledWhileItImports(t *testing.T) {
	t.Parallel()
	engines := map[string]func(*testing.T) func() *process{
		"postgres": func(t *testing.T) func() *process {
			t.Helper()
			db := pgtest.Start(t).Database(t)
			db.Exec(t, killedTables)
			return func() *process { return launchWriting(t, db) }
		},
		"duckdb": func(t *testing.T) func() *process {
			t.Helper()
			config := prepareWritten(t)
			return func() *process { return launch(t, config, "127.0.0.1:0", t.Output()) }
		},
	}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			again := engine(t)
			p := again()
			p.killed(t, "/import/notes?format=csv", "", 0)
			p = again()
			if n := p.notesIn(t); n != 0 {
				t.Errorf("%d rows of an import that is all or nothing are in", n)
			}
			goesOn := func(path, key string, n int64) {
				t.Helper()
				to := int(1000 + n + 4500)
				want := fmt.Sprintf(`{"rows":%d}`, to-999)
				for range 2 {
					if got := p.load(t, path, numberedNotes(1000, to), key, nil); got != want && key != "" {
						t.Errorf("going on: %s, want %s", got, want)
					} else if got != want {
						t.Fatalf("going on: %s, want %s", got, want)
					} else if key == "" {
						break
					}
				}
				if got := p.notesIn(t); got != int64(to-999) {
					t.Errorf("%d rows are in, want %d", got, to-999)
				}
			}
			told := p.killed(t, "/import/notes?format=csv&batch=2000", "", 2000)
			p = again()
			n := p.notesIn(t)
			if n < told || n%2000 != 0 {
				t.Errorf("%d rows are in, and %d were said to be", n, told)
			}
			goesOn(fmt.Sprintf("/import/notes?format=csv&batch=2000&from=%d", n), "", n)
			p.clear(t)
			told = p.killed(t, "/import/notes?format=csv&batch=2000", "k", 2000)
			p = again()
			if n = p.notesIn(t); n < told || n%2000 != 0 {
				t.Errorf("%d rows are in, and %d were said to be", n, told)
			}
			goesOn("/import/notes?format=csv&batch=2000", "k", n)
		})
	}
}

// clear deletes what was imported.
func (p *process) clear(t *testing.T) {
	t.Helper()
	for p.notesIn(t) > 0 {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+"/graphql", strings.NewReader(`{"query": "mutation { deleteNotes(where: {id: {gte: 1000}}, limit: 100000) { affected } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+program.Sign(t, `{"tenant": "acme", "sub": "ann"}`))
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || !strings.Contains(string(text), `"affected":`) {
			t.Fatalf("%s %v", text, err)
		}
	}
}

// prepareWritten is a configuration with a file whose notes are written.
func prepareWritten(t *testing.T) (config string) {
	t.Helper()
	config = prepare(t, "0s", "claims: {tenant: /tenant}", "claims: {tenant: /tenant}\n    may_grant: {write: true}", "key: id", "key: id\n    writable: true\n    global_keys: true")
	program.MakeDuckDB(t, filepath.Join(filepath.Dir(config), "shop.duckdb"), killedTables[strings.Index(killedTables, "CREATE SCHEMA"):])
	return config
}

// TestKilledWhileItImportsByCalls: usher is killed between the calls of an import into an API. What it had called for is
// in; under its key the import is sent again, and each row is made once.
func TestKilledWhileItImportsByCalls(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	made, order := make(map[string]string), []map[string]any{}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			_ = json.NewEncoder(w).Encode(order)
			return
		}
		key := r.Header.Get("Idempotency-Key")
		if made[key] == "" {
			var row map[string]any
			if err := json.NewDecoder(r.Body).Decode(&row); err != nil || key == "" {
				t.Errorf("a row under the key %q: %v", key, err)
			}
			row["id"] = len(order) + 1
			order = append(order, row)
			text, err := json.Marshal(row)
			if err != nil {
				t.Error(err)
			}
			made[key] = string(text)
		}
		_, _ = io.WriteString(w, made[key])
	}))
	defer api.Close()
	config := prepare(t, "0s", "kind: shared", "kind: api", "{kind: duckdb, path: shop.duckdb}", fmt.Sprintf("{kind: api, base_url: %q, allow_private: true, isolation: gateway}", api.URL),
		"claims: {tenant: /tenant}", "claims: {tenant: /tenant}\n    may_grant: {write: true}",
		"key: id", "key: id\n    writable: [insert]\n    bind: {shop: {writes: {insert: {}, idempotency_key: Idempotency-Key}}}")
	p := launch(t, config, "127.0.0.1:0", t.Output())
	lines := func(n int) io.ReadCloser {
		return io.NopCloser(strings.NewReader("text\n" + strings.Repeat("equal\n", n)))
	}
	answered := make(chan string, 1)
	go func() { answered <- p.load(t, "/import/notes?format=csv&batch=1000000", lines(9000), "k", nil) }()
	program.Soon(t, program.Patience, "rows are in", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(order) > 20
	})
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if got := <-answered; got != "lost" {
		t.Errorf("an import that was cut off is answered %s", got)
	}
	mu.Lock()
	before := len(order)
	mu.Unlock()
	p = launch(t, config, "127.0.0.1:0", t.Output())
	for range 2 {
		if got := p.load(t, "/import/notes?format=csv&batch=500", lines(1000), "k", nil); got != `{"rows":1000}` {
			t.Errorf("sent again: %s", got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(order) != max(before, 1000) {
		t.Errorf("%d rows were made, and %d before usher was killed", len(order), before)
	}
}

// TestFullDiskBelowImports: the disk is full below a file that is imported into. What is said to be in is in, and when there
// is room again the import goes on behind it.
func TestFullDiskBelowImports(t *testing.T) {
	t.Parallel()
	config := prepareWritten(t)
	p := launchIn(t, append(os.Environ(), fullAt+"="+fmt.Sprint(6<<20)), config, "127.0.0.1:0", t.Output())
	const path = "/import/notes?format=csv&batch=1000"
	var stopped struct {
		Errors []struct {
			Message    string
			Extensions struct {
				Code string
				Rows int64
			}
		}
	}
	got := p.load(t, path, numberedNotes(1000, 40_000), "", nil)
	if err := json.Unmarshal([]byte(got), &stopped); err != nil || len(stopped.Errors) != 1 {
		t.Fatalf("%s %v", got, err)
	}
	at := stopped.Errors[0].Extensions
	if at.Code != "UNAVAILABLE" || at.Rows == 0 || at.Rows%1000 != 0 || !strings.Contains(stopped.Errors[0].Message, "file cannot be written") || strings.Contains(got, filepath.Dir(config)) {
		t.Errorf("on a full disk: %s", got)
	}
	if n := p.notesIn(t); n != at.Rows {
		t.Errorf("%d rows are in, and %d were said to be", n, at.Rows)
	}
	if got := p.load(t, "/import/notes?format=csv", numberedNotes(int(1000+at.Rows), 40_000), "", nil); !strings.Contains(got, `"UNAVAILABLE"`) || !strings.Contains(got, `"rows":0`) {
		t.Errorf("all or nothing on a full disk: %s", got)
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	p = launch(t, config, "127.0.0.1:0", t.Output())
	if n := p.notesIn(t); n != at.Rows {
		t.Errorf("%d rows are in, and %d were said to be", n, at.Rows)
	}
	if got := p.load(t, fmt.Sprintf("%s&from=%d", path, at.Rows), numberedNotes(1000, 40_000), "", nil); got != `{"rows":39001}` {
		t.Errorf("when there is room again: %s", got)
	}
	if n := p.notesIn(t); n != 39_001 {
		t.Errorf("%d rows are in", n)
	}
}
