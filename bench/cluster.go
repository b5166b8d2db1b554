package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/lib/pq" // registers the driver
)

// cluster is a PostgreSQL server of the benchmark's own. Its data outlives the
// run; the server does not. It is none of pgtest's, which end with all they
// hold, are set up for tests, and need a test to belong to; this module knows
// nothing of usher's packages, as little as the servers it compares know.
type cluster struct {
	folder   string
	account  *syscall.Credential // nil: ours
	programs string
	password string
	port     int
	process  *process
}

// The accounts: one loads, the servers read with the others.
const (
	superuser  = "bench"
	reader     = "reader"
	peerReader = "peer"
)

// startCluster starts the server on the folder's data, made now if there is
// none.
func startCluster(ctx context.Context, folder string) (*cluster, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged()
	if err != nil {
		return nil, err
	}
	c := &cluster{folder: folder, account: account, programs: programs}
	if err := c.init(ctx); err != nil {
		return nil, err
	}
	return c, c.start(ctx)
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

// own hands a file to the account the server runs as.
func (c *cluster) own(name string) error {
	if c.account == nil {
		return nil
	}
	return os.Chown(name, int(c.account.Uid), int(c.account.Gid))
}

func (c *cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.programs, program), args...) //nolint:gosec // PostgreSQL's own programs
	cmd.Dir = c.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.account, Pdeathsig: syscall.SIGINT}
	return cmd
}

func (c *cluster) init(ctx context.Context) error {
	passwordFile := filepath.Join(c.folder, "password")
	if password, err := os.ReadFile(passwordFile); err == nil {
		c.password = string(password)
		return nil
	}
	progress("making a PostgreSQL data folder in %s", c.folder)
	if err := os.MkdirAll(c.folder, 0o755); err != nil { //nolint:gosec // PostgreSQL's account has to get in
		return err
	}
	if err := errors.Join(os.RemoveAll(c.data()), c.own(c.folder)); err != nil {
		return err
	}
	c.password = rand.Text()
	draft := passwordFile + ".new"
	if err := errors.Join(os.WriteFile(draft, []byte(c.password), 0o600), c.own(draft)); err != nil {
		return err
	}
	out, err := c.command(ctx, "initdb", "--pgdata="+c.data(), "--username="+superuser, "--pwfile="+draft,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return os.Rename(draft, passwordFile)
}

// start runs the server with what a small machine would give it, without the
// costs of writing: nothing is written while measuring.
func (c *cluster) start(ctx context.Context) error {
	port, err := freePort(ctx)
	if err != nil {
		return err
	}
	c.port = port
	cmd := c.command(context.WithoutCancel(ctx), "postgres", "-D", c.data(),
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(port), "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "wal_level=minimal", "-c", "max_wal_senders=0",
		"-c", "max_connections=200", "-c", "shared_buffers=1GB", "-c", "max_wal_size=4GB", "-c", "maintenance_work_mem=256MB",
		"-c", "work_mem=16MB", "-c", "random_page_cost=1.1", "-c", "effective_cache_size=4GB", "-c", "autovacuum=off", "-c", "jit=off")
	if c.process, err = startProcess(cmd, filepath.Join(c.folder, "log"), syscall.SIGINT); err != nil {
		return err
	}
	db, err := sql.Open("postgres", c.dsn(superuser, "postgres"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	return c.process.await(ctx, "PostgreSQL", time.Minute, db.PingContext)
}

func (c *cluster) stop() error {
	if c.process == nil {
		return nil
	}
	return c.process.stop()
}

// dsn is the URL of a database.
func (c *cluster) dsn(account, database string) string {
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(account, c.password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port)), Path: "/" + database, RawQuery: "sslmode=disable",
	}
	return u.String()
}

func freePort(ctx context.Context) (int, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// unprivileged is the account PostgreSQL runs as if we are root, which it
// refuses to be.
func unprivileged() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		account, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(uidErr, gidErr)
	}
	return nil, errors.New("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody: run the benchmark as another user")
}

// findPrograms returns the folder of the newest PostgreSQL server, 15 or later
// for databases with ICU collations.
func findPrograms() (string, error) {
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if path, err := exec.LookPath("postgres"); err == nil {
		candidates = append(candidates, path)
	}
	newest, folder := 14, ""
	for _, candidate := range candidates {
		out, err := exec.Command(candidate, "--version").Output() //nolint:gosec,noctx // PostgreSQL's own program; it returns at once
		if err != nil {
			continue
		}
		fields := bytes.Fields(out) // postgres (PostgreSQL) 15.8 (Debian …)
		if len(fields) < 3 {
			continue
		}
		major, _, _ := strings.Cut(string(fields[2]), ".")
		if version, err := strconv.Atoi(major); err == nil && version > newest {
			newest, folder = version, filepath.Dir(candidate)
		}
	}
	if folder == "" {
		return "", errors.New("the programs of a PostgreSQL server, version 15 or later, are missing: run scripts/prerequisites.sh test")
	}
	return folder, nil
}
