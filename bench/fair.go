package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"usher/bench/token"
)

// The report on fairness: what three tenants notice of a fourth that asks for fifty times
// its share, and how much is answered when three times as much is asked as can be.

const (
	fairShare  = 20 // requests a second of each tenant
	fairFlood  = 50 // times its share
	fairWindow = 3500 * time.Millisecond
	fairLoud   = "loud"
	fairRows   = 2000
	fairSleeps = 10 * time.Millisecond // of a question that takes the database's time and nobody else's
	fairConns  = 4
)

var fairQuiet = []string{"ann", "bob", "cid"}

const fairConfiguration = `
server: {drain: 0s, max_waiting: 20}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %[1]d, database: fair, user: bench, password: {env: BENCH_PASSWORD}, sslmode: disable, max_conns: 4}
  own: {kind: postgres, template: true, host: 127.0.0.1, port: %[1]d, database: 'fair_{tenant}', user: bench, password: {env: BENCH_PASSWORD}, sslmode: disable, max_conns: 4}
  partner: {kind: api, base_url: %[2]q, allow_private: true, isolation: gateway, max_concurrent: 4}
strategies:
  shared: {kind: shared, source: shop}
  database: {kind: database, source: own}
  api: {kind: api, source: partner}
default_strategy: %[3]s
issuers:
  bench: {issuer: %[4]s, audience: [%[5]s], algorithms: [HS256], keys: {secret: {env: BENCH_SECRET}}, claims: {tenant: /tenant}, may_grant: {write: true}}
tenants: {loud: {}, ann: {}, bob: {}, cid: {}}
limits: {tenant: {%[6]s}}
datasets:
  orders:
    tenant: tenant
    key: id
    writable: [insert]
    columns: {id: Int!, tenant: String!, note: String}
    bind: {shop: {table: orders}, own: {table: orders}, partner: {path: /orders}}
  naps:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, nap: String}
    bind: {shop: {table: naps}, own: {table: naps}, partner: {path: /orders}}
`

// fair is what the report is made with.
type fair struct {
	cluster *cluster
	api     *httptest.Server
	usher   string
	folder  string
	secret  string
	client  *http.Client
	tokens  map[string]string
	address string

	imported atomic.Int64 // rows
}

func reportFairness(ctx context.Context, usher, cache string, out io.Writer) (err error) {
	f := &fair{usher: usher, folder: filepath.Join(cache, "fair"), secret: rand.Text() + rand.Text(), tokens: make(map[string]string)}
	f.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: 4000, MaxIdleConnsPerHost: 4000}}
	if f.cluster, err = startCluster(ctx, f.folder); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.cluster.stop()) }()
	if err := f.load(ctx); err != nil {
		return err
	}
	f.api = httptest.NewServer(http.HandlerFunc(serveOrders))
	defer f.api.Close()
	for _, tenant := range append([]string{fairLoud}, fairQuiet...) {
		if f.tokens[tenant], err = token.Sign([]byte(f.secret), tenant, nil, time.Now()); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(out, "One tenant at %d times its share of %d requests a second, beside %d that keep to theirs.\n\n| strategy | the one sends | others' p99 alone | beside it, by turns alone | beside it, when its budget is gone | ratio | others' errors | its refusals | 99 of 100 within |\n|---|---|---|---|---|---|---|---|---|\n", fairFlood, fairShare, len(fairQuiet))
	for _, strategy := range []string{"shared", "database", "api"} {
		for _, kind := range []string{"queries", "imports"} {
			if strategy == "api" && kind == "imports" {
				continue
			}
			if err := f.serving(ctx, strategy, fmt.Sprintf("requests: %d, rows: %d", 75*fairShare, 75*fairShare*20), func() error { return f.beside(ctx, strategy, kind, out) }); err != nil {
				return fmt.Errorf("%s, %s: %w", strategy, kind, err)
			}
		}
	}
	return f.serving(ctx, "shared", "", func() error { return f.saturated(ctx, out) })
}

// serveOrders answers as an API of all tenants does.
func serveOrders(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(2 * time.Millisecond):
	case <-r.Context().Done():
	}
	rows := make([]map[string]any, 0, 80)
	for i, tenant := range append([]string{fairLoud}, fairQuiet...) {
		for n := range 20 {
			rows = append(rows, map[string]any{"id": i*1000 + n, "tenant": tenant, "note": "from afar"})
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(rows)
}

func (f *fair) load(ctx context.Context) error {
	databases := map[string][]string{"fair": append([]string{fairLoud}, fairQuiet...)}
	for _, tenant := range databases["fair"] {
		databases["fair_"+tenant] = []string{tenant}
	}
	for database, tenants := range databases {
		if err := f.cluster.do("postgres", func(db *sql.DB) error {
			return execute(ctx, db, "DROP DATABASE IF EXISTS "+database, "CREATE DATABASE "+database)
		}); err != nil {
			return err
		}
		if err := f.cluster.do(database, func(db *sql.DB) error {
			statements := []string{"CREATE TABLE orders (tenant text NOT NULL, id int NOT NULL, note text, PRIMARY KEY (tenant, id))"}
			for _, tenant := range tenants {
				statements = append(statements, fmt.Sprintf("INSERT INTO orders SELECT '%s', i, 'note ' || i FROM generate_series(1, %d) i", tenant, fairRows))
			}
			return execute(ctx, db, append(statements, fmt.Sprintf("CREATE VIEW naps AS SELECT tenant, id, (pg_sleep(%g) IS NULL)::text AS nap FROM orders WHERE id = 1", fairSleeps.Seconds()), "ANALYZE")...)
		}); err != nil {
			return err
		}
	}
	return nil
}

// serving runs fn beside a gateway.
func (f *fair) serving(ctx context.Context, strategy, budget string, fn func() error) (err error) {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	config := filepath.Join(f.folder, "usher.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, fairConfiguration, f.cluster.port, f.api.URL, strategy, token.Issuer, token.Audience, budget), 0o600); err != nil {
		return err
	}
	f.address = net.JoinHostPort("127.0.0.1", fmt.Sprint(port))
	cmd := exec.CommandContext(context.WithoutCancel(ctx), f.usher, "serve", "-c", config, "--listen", f.address) //nolint:gosec // the program to measure
	cmd.Env = append(os.Environ(), "BENCH_PASSWORD="+f.cluster.password, "BENCH_SECRET="+f.secret)
	p, err := startProcess(cmd, filepath.Join(f.folder, "usher.log"), syscall.SIGTERM)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	if err := p.await(ctx, "usher", 20*time.Second, func(ctx context.Context) error {
		return f.send(ctx, fairLoud, "/graphql", "application/json", []byte(`{"query":"{ orders(limit: 1) { id } }"}`)).err
	}); err != nil {
		return err
	}
	return fn()
}

// sent is what became of one request.
type sent struct {
	took    time.Duration
	status  int
	err     error
	comesBy bool // it was told when to come back
}

func (f *fair) send(ctx context.Context, tenant, path, media string, body []byte) (s sent) {
	began := time.Now()
	defer func() { s.took = time.Since(began) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+f.address+path, bytes.NewReader(body))
	if err != nil {
		return sent{err: err}
	}
	r.Header.Set("Authorization", "Bearer "+f.tokens[tenant])
	r.Header.Set("Content-Type", media)
	response, err := f.client.Do(r)
	if err != nil {
		return sent{err: err}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode == http.StatusOK && bytes.Contains(text, []byte(`"errors"`)) {
		err = fmt.Errorf("answered with errors: %.300s", text)
	}
	return sent{status: response.StatusCode, err: err, comesBy: response.Header.Get("Retry-After") != ""}
}

// arrive sends requests at a rate, whatever becomes of them, and waits for all.
func arrive(ctx context.Context, perSecond float64, send func(n int) sent) []sent {
	var mu sync.Mutex
	var all []sent
	var group sync.WaitGroup
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			group.Wait()
			return all
		case <-tick.C:
		}
		if time.Since(began) > fairWindow {
			group.Wait()
			return all
		}
		for ; float64(n) < perSecond*time.Since(began).Seconds(); n++ {
			at := n // n goes on
			group.Go(func() {
				s := send(at)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, s)
			})
		}
	}
}

// beside measures what the quiet tenants notice.
func (f *fair) beside(ctx context.Context, strategy, kind string, out io.Writer) error {
	query := func(tenant string, n int) sent {
		return f.send(ctx, tenant, "/graphql", "application/json", fmt.Appendf(nil, `{"query":"query($n: Int!) { orders(where: {id: {gt: $n}}, limit: 20, orderBy: [{id: ASC}]) { id note } }","variables":{"n":%d}}`, n%(fairRows-20)))
	}
	quiet := func() []sent {
		return arrive(ctx, float64(fairShare*len(fairQuiet)), func(n int) sent { return query(fairQuiet[n%len(fairQuiet)], n) })
	}
	quiet() // warm
	alone := quiet()
	flood := func() []sent {
		rate := float64(fairShare * fairFlood)
		if kind == "queries" {
			return arrive(ctx, rate, func(n int) sent { return query(fairLoud, n) })
		}
		return arrive(ctx, rate/20, func(int) sent { // of 20 times as many rows
			var body strings.Builder
			body.WriteString("id,note\n")
			first := int(f.imported.Add(400))
			for i := range 400 {
				fmt.Fprintf(&body, "%d,imported\n", 1_000_000+first+i)
			}
			return f.send(ctx, fairLoud, "/import/orders", "text/csv", []byte(body.String()))
		})
	}
	both := func() (others, loud []sent) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			loud = flood()
		}()
		others = quiet()
		<-done
		return others, loud
	}
	byTurns, first := both()
	beside, second := both()
	failed, refused, slow := 0, 0, []time.Duration(nil)
	others := slices.Concat(alone, byTurns, beside)
	for _, s := range others {
		if s.err != nil || s.status != http.StatusOK {
			failed++
			progress("a quiet tenant was answered %d, %v", s.status, s.err)
		}
	}
	loud := slices.Concat(first, second)
	for _, s := range loud {
		if s.status == http.StatusTooManyRequests {
			refused++
			slow = append(slow, s.took)
			if !s.comesBy {
				return errors.New("a refusal does not say when to come back")
			}
		}
	}
	before, after := p99(times(alone)), p99(times(beside))
	_, err := fmt.Fprintf(out, "| %s | %s | %.1f ms | %.1f ms | %.1f ms | %.2f | %d of %d | %d of %d | %.1f ms |\n", strategy, kind, ms(before), ms(p99(times(byTurns))), ms(after), float64(after)/float64(before), failed, len(others), refused, len(loud), ms(p99(slow)))
	return err
}

// saturated measures how much is answered when three times as much is asked as can be.
func (f *fair) saturated(ctx context.Context, out io.Writer) error {
	tenants := append([]string{fairLoud}, fairQuiet...)
	nap := func(n int) sent {
		return f.send(ctx, tenants[n%len(tenants)], "/graphql", "application/json", fmt.Appendf(nil, `{"query":"query($n: Int!) { naps(where: {id: {gt: $n}}) { nap } }","variables":{"n":%d}}`, -n))
	}
	// As much as can be: as many ask, one question after another, as keep all connections at work.
	var answered atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for w := range 4 * fairConns {
		group.Go(func() {
			for n := w; time.Since(began) < fairWindow; n += 4 * fairConns {
				if s := nap(n); s.err == nil && s.status == http.StatusOK {
					answered.Add(1)
				}
			}
		})
	}
	group.Wait()
	most := float64(answered.Load()) / time.Since(began).Seconds()
	began = time.Now()
	all := arrive(ctx, 3*most, nap)
	took := time.Since(began)
	n, refusals := 0, []time.Duration(nil)
	for _, s := range all {
		switch {
		case s.status == http.StatusOK && s.err == nil:
			n++
		case s.status == http.StatusTooManyRequests:
			refusals = append(refusals, s.took)
		}
	}
	good := float64(n) / took.Seconds()
	_, err := fmt.Fprintf(out, "\nOf questions that take %s on %d connections, %.0f a second can be answered. Of three times as many %.0f a second are: %.0f %%; 99 of 100 refusals within %.1f ms.\n", fairSleeps, fairConns, most, good, 100*good/most, ms(p99(refusals)))
	return err
}

func times(all []sent) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, s := range all {
		out[i] = s.took
	}
	return out
}

func p99(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}
