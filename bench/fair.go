package main

import (
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

// The report on fairness: what tenants that keep to their share notice of one that asks for
// fifty times as much, and how much is answered when three times as much is asked as can be.
//
// The flood comes from a process of its own. So that what the machine does is told from
// what usher does, the quiet tenants are measured beside three things in turn: nothing, the same
// flood sent to a server that does nothing (a stand-in), and the flood sent to usher. And so that what
// those who send take of the processors is told from both, clients that never rest are measured
// once more from a process that gives way to all others, on one processor at most.

const (
	fairShare  = 20 // requests a second of each tenant
	fairFlood  = 50 // times its share
	fairWindow = 2 * time.Second
	fairRounds = 2 // unless it is told otherwise
	fairLoud   = "loud"
	fairRows   = 2000
	fairImport = 400                   // rows of an import
	fairSleeps = 10 * time.Millisecond // of a question that takes the database's time and nobody else's
	fairConns  = 4
)

var (
	fairQuiet   = []string{"ann", "bob", "cid", "dan", "eve", "fay", "gil", "hal", "ida"}
	fairTenants = append([]string{fairLoud}, fairQuiet...)
)

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
tenants: {%[7]s}
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
	rounds  int
	usher   string
	folder  string
	secret  string
	client  *http.Client
	tokens  map[string]string
	address string
	serves  *process

	imported atomic.Int64 // rows
}

func reportFairness(ctx context.Context, usher, cache, only string, rounds int, out io.Writer) (err error) {
	f := &fair{rounds: rounds, usher: usher, folder: filepath.Join(cache, "fair"), secret: rand.Text() + rand.Text(), tokens: make(map[string]string), client: manyConnections()}
	if f.cluster, err = startCluster(ctx, f.folder); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.cluster.stop()) }()
	if err := f.load(ctx); err != nil {
		return err
	}
	orders, err := ordersOfAll()
	if err != nil {
		return err
	}
	f.api = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serveOrders(w, r, orders) }))
	defer f.api.Close()
	for _, tenant := range fairTenants {
		if f.tokens[tenant], err = token.Sign([]byte(f.secret), tenant, nil, time.Now()); err != nil {
			return err
		}
	}
	_, _ = fmt.Fprintf(out, "One tenant at %d times its share of %d requests a second, beside %d that keep to theirs; times of these, in ms.\n\n"+
		"| strategy | the one sends | its budget | p50 alone | beside a stand-in | beside it | p99 alone | beside a stand-in | beside it | p99, ratio to alone | to the stand-in | others' errors | its refusals | 99 of 100 within | CPU of usher, PostgreSQL, all senders |\n|"+strings.Repeat("---|", 15)+"\n", fairFlood, fairShare, len(fairQuiet))
	for _, strategy := range []string{"shared", "database", "api"} {
		for _, kind := range []string{fairQueries, fairImports, fairHog, fairMeek, fairRests} {
			if strategy == "api" && kind == fairImports || only != "" && !slices.Contains(strings.Split(only, ","), strategy+"_"+kind) {
				continue
			}
			for _, budget := range []string{"", fmt.Sprintf("requests: %d, rows: %d", 75*fairShare, 75*fairShare*20)} {
				if kind == fairMeek && budget != "" { // what is refused takes no processor from anybody
					continue
				}
				if err := f.serving(ctx, strategy, budget, func() error { return f.beside(ctx, strategy, kind, budget, out) }); err != nil {
					return fmt.Errorf("%s, %s: %w", strategy, kind, err)
				}
			}
		}
	}
	if only != "" && !slices.Contains(strings.Split(only, ","), "saturated") {
		return nil
	}
	return f.serving(ctx, "shared", "", func() error { return f.saturated(ctx, out) })
}

func manyConnections() *http.Client {
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConns: 4000, MaxIdleConnsPerHost: 4000}}
}

// ordersOfAll is what the API answers: rows of all tenants, of which usher takes one's.
func ordersOfAll() ([]byte, error) {
	var rows []map[string]any
	for i, tenant := range fairTenants {
		for n := range 20 {
			rows = append(rows, map[string]any{"id": i*1000 + n, "tenant": tenant, "note": "from afar"})
		}
	}
	return json.Marshal(rows)
}

func serveOrders(w http.ResponseWriter, r *http.Request, orders []byte) {
	select {
	case <-time.After(2 * time.Millisecond):
	case <-r.Context().Done():
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(orders)
}

func (f *fair) load(ctx context.Context) error {
	databases := map[string][]string{"fair": fairTenants}
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
	if err := os.WriteFile(config, fmt.Appendf(nil, fairConfiguration, f.cluster.port, f.api.URL, strategy, token.Issuer, token.Audience, budget, strings.Join(fairTenants, ": {}, ")+": {}"), 0o600); err != nil {
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
	f.serves = p
	if err := p.await(ctx, "usher", 20*time.Second, func(ctx context.Context) error {
		return f.send(ctx, fairLoud, "/graphql", "application/json", []byte(`{"query":"{ orders(limit: 1) { id } }"}`)).Err
	}); err != nil {
		return err
	}
	return fn()
}

// query asks for a list that is another one each time.
func (f *fair) query(ctx context.Context, tenant string, n int) sent {
	return f.send(ctx, tenant, "/graphql", "application/json", listOf(n))
}

func listOf(n int) []byte {
	return fmt.Appendf(nil, `{"query":"query($n: Int!) { orders(where: {id: {gt: $n}}, limit: 20, orderBy: [{id: ASC}]) { id note } }","variables":{"n":%d}}`, n%(fairRows-20))
}

func (f *fair) send(ctx context.Context, tenant, path, media string, body []byte) sent {
	return send(ctx, f.client, "http://"+f.address+path, f.tokens[tenant], media, body)
}

// used is the CPU time of usher, of PostgreSQL, and of all that send and play the API.
type used [3]time.Duration

func (f *fair) used(flood time.Duration) (u used, err error) {
	if u[0], _, err = usage(f.serves.pid(), false); err != nil {
		return u, err
	}
	if u[1], _, err = usage(f.cluster.process.pid(), true); err != nil {
		return u, err
	}
	u[2], _, err = usage(os.Getpid(), false)
	u[2] += flood
	return u, err
}

// beside measures what the quiet tenants notice.
func (f *fair) beside(ctx context.Context, strategy, kind, budget string, out io.Writer) error {
	tenants := fairQuiet
	if strategy == "api" { // a question that is combined takes milliseconds of a processor
		tenants = fairQuiet[:3]
	}
	quiet := func() []sent {
		return arrive(ctx, float64(fairShare*len(tenants)), fairWindow, func(n int) sent { return f.query(ctx, tenants[n%len(tenants)], n) })
	}
	quiet() // warm
	for n := range fairFlood {
		f.query(ctx, fairLoud, n) // its connections are open, as theirs are
	}
	if budget != "" { // is gone from the beginning
		if _, err := f.flood(ctx, flood{Address: f.address, Token: f.tokens[fairLoud], Kind: kind, First: int(f.imported.Add(1_000_000))}); err != nil {
			return err
		}
	}
	var alone, standIn, beside, loud []sent
	var busy used
	for range f.rounds {
		alone = append(alone, quiet()...)
		for _, address := range []string{"", f.address} {
			ended := make(chan error, 1)
			var theirs flooded
			before, err := f.used(0)
			if err != nil {
				return err
			}
			go func() {
				var err error
				theirs, err = f.flood(ctx, flood{Address: address, Token: f.tokens[fairLoud], Kind: kind, First: int(f.imported.Add(1_000_000))})
				ended <- err
			}()
			others := quiet()
			if err := <-ended; err != nil {
				return err
			}
			if address == "" {
				standIn = append(standIn, others...)
				continue
			}
			beside, loud = append(beside, others...), append(loud, theirs.Sent...)
			after, err := f.used(theirs.CPU)
			if err != nil {
				return err
			}
			for i := range busy {
				busy[i] += after[i] - before[i]
			}
		}
	}
	failed := 0
	others := slices.Concat(alone, standIn, beside)
	for _, s := range others {
		if s.Err != nil || s.Status != http.StatusOK {
			failed++
			progress("a quiet tenant was answered %d, %v", s.Status, s.Err)
		}
	}
	var slow []time.Duration
	for _, s := range loud {
		if s.Status == http.StatusTooManyRequests {
			slow = append(slow, s.Took)
			if !s.ComesBy {
				return errors.New("a refusal does not say when to come back")
			}
		}
	}
	of := func(all []sent, percent int) float64 { return ms(percentile(times(all), percent)) }
	all := float64(f.rounds) * fairWindow.Seconds() / 100
	_, err := fmt.Fprintf(out, "| %s | %s | %s | %.2f | %.2f | %.2f | %.1f | %.1f | %.1f | %.2f | %.2f | %d of %d | %d of %d | %.1f | %.0f, %.0f, %.0f %% |\n", strategy, kind, map[bool]string{true: "none", false: "gone"}[budget == ""],
		of(alone, 50), of(standIn, 50), of(beside, 50), of(alone, 99), of(standIn, 99), of(beside, 99), of(beside, 99)/of(alone, 99), of(beside, 99)/of(standIn, 99),
		failed, len(others), len(slow), len(loud), ms(percentile(slow, 99)), busy[0].Seconds()/all, busy[1].Seconds()/all, busy[2].Seconds()/all)
	return err
}

// saturated measures how much is answered when three times as much is asked as can be.
func (f *fair) saturated(ctx context.Context, out io.Writer) error {
	nap := func(n int) sent {
		return f.send(ctx, fairTenants[n%len(fairTenants)], "/graphql", "application/json", fmt.Appendf(nil, `{"query":"query($n: Int!) { naps(where: {id: {gt: $n}}) { nap } }","variables":{"n":%d}}`, -n))
	}
	// As much as can be: as many ask, one question after another, as keep all connections at work.
	const window = 3 * fairWindow / 2
	var answered atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for w := range 4 * fairConns {
		group.Go(func() {
			for n := w; time.Since(began) < window; n += 4 * fairConns {
				if s := nap(n); s.Err == nil && s.Status == http.StatusOK {
					answered.Add(1)
				}
			}
		})
	}
	group.Wait()
	most := float64(answered.Load()) / time.Since(began).Seconds()
	began = time.Now()
	all := arrive(ctx, 3*most, window, nap)
	took := time.Since(began)
	n, refusals := 0, []time.Duration(nil)
	for _, s := range all {
		switch {
		case s.Status == http.StatusOK && s.Err == nil:
			n++
		case s.Status == http.StatusTooManyRequests:
			refusals = append(refusals, s.Took)
		}
	}
	good := float64(n) / took.Seconds()
	_, err := fmt.Fprintf(out, "\nOf questions that take %s on %d connections, %.0f a second can be answered. Of three times as many %.0f a second are: %.0f %%; 99 of 100 refusals within %.1f ms.\n", fairSleeps, fairConns, most, good, 100*good/most, ms(percentile(refusals, 99)))
	return err
}

func times(all []sent) []time.Duration {
	out := make([]time.Duration, len(all))
	for i, s := range all {
		out[i] = s.Took
	}
	return out
}

func percentile(took []time.Duration, percent int) time.Duration {
	if len(took) == 0 {
		return 0
	}
	slices.Sort(took)
	return took[len(took)*percent/100]
}
