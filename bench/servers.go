package main

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"text/template"
	"time"

	"usher/bench/token"
)

//go:embed usher.yml.tmpl
var configuration string

var configurationTemplate = template.Must(template.New("usher.yml").Parse(configuration))

// maxConns is how many connections each server may have.
const maxConns = 8

// server is one of those that are compared.
type server struct {
	name     string
	note     string   // what it stands for
	tenants  []string // whose requests it gets; without the largest
	process  *process
	command  func(address string) *exec.Cmd
	log      string
	address  string
	document func(workload) string
}

// stage is everything that runs during a benchmark.
type stage struct {
	plan    plan
	cluster *cluster
	servers []*server // the baseline first
	tokens  map[string]string
	secret  string
	folder  string // of built programs, configurations and logs
	usher   string
}

// newStage loads the data and builds and starts the servers.
func newStage(ctx context.Context, p plan, usher, cache string) (_ *stage, err error) {
	s := &stage{plan: p, secret: rand.Text() + rand.Text(), usher: usher, folder: filepath.Join(cache, p.data.name)}
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

// sign makes the tokens, once: clients keep theirs.
func (s *stage) sign() error {
	s.tokens = make(map[string]string)
	for _, tenant := range append(s.plan.data.rotated(), s.plan.data.large()) {
		signed, err := token.Sign([]byte(s.secret), tenant, time.Now())
		if err != nil {
			return err
		}
		s.tokens[tenant] = signed
	}
	return nil
}

// cast names the servers and says how each is started.
func (s *stage) cast(ctx context.Context) error {
	rotated := s.plan.data.rotated()
	byName := func(w workload) string { return w.usher } // the baseline goes by the operation's name
	for _, written := range []server{
		{name: "baseline", note: "net/http, golang-jwt, lib/pq, fixed prepared SQL, JSON appended by hand", document: byName},
		{name: "gqlgen", note: "gqlgen, sqlx, dataloaders: what people write today", document: func(w workload) string { return w.gqlgen }},
	} {
		folder := map[string]string{"baseline": "./baseline", "gqlgen": "./gqlgenserver"}[written.name]
		program := filepath.Join(s.folder, written.name)
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", program, folder) //nolint:gosec // our own programs
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", written.name, err, out)
		}
		written.tenants = rotated
		written.command = func(address string) *exec.Cmd {
			cmd := exec.Command(program) //nolint:noctx // built above; ended by the stage
			cmd.Env = append(os.Environ(), "BENCH_LISTEN="+address, "BENCH_SECRET="+s.secret,
				"BENCH_DSN="+s.cluster.dsn(reader, shopC)+"&timezone=UTC", "BENCH_MAX_CONNS="+strconv.Itoa(maxConns))
			return cmd
		}
		s.servers = append(s.servers, &written)
	}
	add := func(name, note, shop string, database bool, tenants []string) error {
		config := filepath.Join(s.folder, name+".yml")
		if err := s.configure(config, setting{shop: shop, database: database}); err != nil {
			return err
		}
		s.servers = append(s.servers, &server{
			name: name, note: note, tenants: tenants, document: byName,
			command: s.serving(config),
		})
		return nil
	}
	if err := add("usher", "strategy `shared`, a database in the order of code points", shopC, false, rotated); err != nil {
		return err
	}
	if s.plan.locales {
		if err := add("usher-en", "strategy `shared`, a database in the order of en-US", shopEN, false, rotated); err != nil {
			return err
		}
	}
	if n := s.plan.databases; n > 0 {
		note := fmt.Sprintf("strategy `database`: %d tenants in databases of their own, products in the shared one", n)
		return add("usher-database", note, shopC, true, s.plan.data.siloed(n)[1:])
	}
	return nil
}

// setting is what a configuration of usher is made for.
type setting struct {
	shop     string
	database bool // by databases of the tenants' own
	datasets int  // in the catalog; at least those that are asked
	tenants  int  // registered; 0: those there are
	store    bool // they are in a control store
}

// control is the database of the control store.
const control = "control"

func (how setting) storeName() string {
	if how.store {
		return control
	}
	return ""
}

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
	const own = 3 // datasets of the benchmark itself
	extra := make([]string, max(0, how.datasets-own))
	for i := range extra {
		extra[i] = fmt.Sprintf("catalog%04d", i)
	}
	var text bytes.Buffer
	if err := configurationTemplate.Execute(&text, map[string]any{
		"Port": s.cluster.port, "Shop": how.shop, "User": reader, "Database": how.database, "MaxConns": maxConns,
		"Issuer": token.Issuer, "Audience": token.Audience, "Tenants": tenants, "Extra": extra,
		"Store": how.storeName(), "StoreUser": superuser,
	}); err != nil {
		return err
	}
	return os.WriteFile(name, text.Bytes(), 0o600)
}

func (s *stage) serving(config string) func(string) *exec.Cmd {
	return func(address string) *exec.Cmd {
		cmd := exec.Command(s.usher, "serve", "--config", config, "--listen", address) //nolint:gosec,noctx // the program under test; ended by the stage
		cmd.Env = append(os.Environ(), "BENCH_SECRET="+s.secret, "BENCH_PASSWORD="+s.cluster.password)
		return cmd
	}
}

// start starts a server on a free port and waits until it is ready.
func (s *stage) start(ctx context.Context, v *server) error {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	v.address = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	v.log = filepath.Join(s.folder, v.name+".log")
	if v.process, err = startProcess(v.command(v.address), v.log, syscall.SIGTERM); err != nil {
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

// request is the bytes of a request: headers as common clients send them.
func (v *server) request(w workload, token string) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"operationName": w.name, "query": "query " + w.name + " " + v.document(w)})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	_, err = fmt.Fprintf(&out, "POST /graphql HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nAccept: application/json\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", v.address, token, len(body), body)
	return out.Bytes(), err
}

// askers are the tenants that ask a workload.
func (v *server) askers(w workload, large string) []string {
	if w.large {
		return []string{large}
	}
	return v.tenants
}
