package gateway_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// A burst of answers, each of which is an eighth of what may be held. With
// USHER_TEST_BURST it is of that many MiB for each answer.
const (
	burstAnswers = 16
	burstMiB     = 8
)

// heldBack is a client that takes its answer when all may.
type heldBack struct {
	*httptest.ResponseRecorder
	began  func()
	resume <-chan struct{}
	once   sync.Once
}

func (h *heldBack) Write(p []byte) (int, error) {
	h.once.Do(h.began)
	<-h.resume
	return h.ResponseRecorder.Write(p)
}

// heap is what is on the heap, garbage included.
func heap() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// TestBurst: large answers that are asked for at the same time, by clients that
// read slowly, take as much memory as is configured. Those that do not fit are
// told to come later, and afterwards nothing is held. It runs alone, for it
// looks at the heap of the whole process.
func TestBurst(t *testing.T) {
	size := burstMiB
	if text, set := os.LookupEnv("USHER_TEST_BURST"); set {
		var err error
		if size, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	limit := int64(size) * 8 << 20
	defer debug.SetGCPercent(debug.SetGCPercent(200))
	db := pgtest.Start(t).Database(t)
	db.Exec(t, fmt.Sprintf(`CREATE TABLE files (id int PRIMARY KEY, tenant text NOT NULL, body text NOT NULL);
		INSERT INTO files SELECT i, 'acme', repeat(chr(97 + i %% 26), 1000000) FROM generate_series(1, %d) i`, size))
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, `
server: {max_held: %d}
sources: {pg: {kind: postgres, host: %q, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}}
strategies: {shared: {kind: shared, source: pg}}
default_strategy: shared
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}}
datasets:
  files: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!, body: String!}}
`, limit, db.Host, db.Port, db.Name, db.User), controlledEnv(db))
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = g.Close() }()
	token := program.Sign(t, `{"tenant":"acme"}`)
	ask := func(w http.ResponseWriter, i int) {
		// Different questions, so that none is shared.
		body := fmt.Sprintf(`{"query":"{ files(where: {id: {gt: %d}}) { id body } }"}`, -i)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+token)
		g.Handler().ServeHTTP(w, r)
	}
	check := func(w *httptest.ResponseRecorder) (answered bool) {
		var answer struct {
			Data   struct{ Files []struct{ Body string } }
			Errors []struct{ Extensions struct{ Code string } }
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		switch {
		case w.Code == http.StatusOK && len(answer.Data.Files) == size && len(answer.Data.Files[size-1].Body) == 1_000_000 && answer.Errors == nil:
			return true
		case w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") != "1" || len(answer.Errors) != 1 || answer.Errors[0].Extensions.Code != "UNAVAILABLE":
			t.Errorf("%d, %v, %.200s", w.Code, w.Header(), w.Body)
		}
		return false
	}

	runtime.GC()
	before, peak, most := heap(), int64(0), int64(0)
	writing, resume, sampled := make(chan struct{}, burstAnswers), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		every := time.NewTicker(5 * time.Millisecond)
		defer every.Stop()
		for {
			peak, most = max(peak, heap()-before), max(most, g.Held())
			select {
			case <-every.C:
			case <-resume:
				return
			}
		}
	}()
	clients := make([]*heldBack, burstAnswers)
	var group sync.WaitGroup
	for i := range clients {
		clients[i] = &heldBack{ResponseRecorder: httptest.NewRecorder(), began: func() { writing <- struct{}{} }, resume: resume}
		group.Go(func() { ask(clients[i], i) })
	}
	for range clients {
		<-writing
	}
	close(resume)
	<-sampled
	group.Wait()
	answered := 0
	for _, c := range clients {
		if check(c.ResponseRecorder) {
			answered++
		}
	}
	t.Logf("%d of %d answered; %d MiB held, the heap grew by %d MiB at most; an answer has %d MB", answered, burstAnswers, most>>20, peak>>20, size)
	if answered < 2 || answered == burstAnswers {
		t.Errorf("%d of %d were answered", answered, burstAnswers)
	}
	if most > limit {
		t.Errorf("%d bytes were held, %d may be", most, limit)
	}
	if peak > 4*limit { // with gcPercent, three times what is held and what is on its way
		t.Errorf("the heap grew by %d bytes when %d may be held", peak, limit)
	}
	clients = nil
	if n := g.Held(); n != 0 {
		t.Errorf("%d bytes are still held", n)
	}
	runtime.GC()
	runtime.GC() // of what pools kept
	if n := heap() - before; n > limit/4 {
		t.Errorf("the heap has %d bytes more than before", n)
	}
	w := httptest.NewRecorder()
	if ask(w, 0); !check(w) {
		t.Error("afterwards there is no answer")
	}
}
