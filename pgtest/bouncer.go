package pgtest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Bouncer puts a PgBouncer of this test's own in front of the database and
// returns the database as it is reached through it. Mode is one of PgBouncer's:
// session, transaction or statement. Settings are further lines of its
// configuration, such as "default_pool_size = 1". It ends with the test.
func (db DB) Bouncer(tb testing.TB, mode string, settings ...string) DB {
	tb.Helper()
	b, err := startBouncer(db, append([]string{"pool_mode = " + mode}, settings...))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(b.stop)
	db.URL = strings.Replace(db.URL, net.JoinHostPort(db.Host, strconv.Itoa(db.Port)), net.JoinHostPort("127.0.0.1", strconv.Itoa(b.port)), 1)
	db.Host, db.Port = "127.0.0.1", b.port
	return db
}

// bouncer is a PgBouncer below a shell that outlives us by a moment: when we
// end, in whatever way, its input ends, and it ends PgBouncer and removes the
// folder.
type bouncer struct {
	*guardian
	folder string
	port   int
}

// A failed PgBouncer leaves its reason in the log, so the folder stays until
// the input ends.
const bouncerScript = `
"$2" "$1/pgbouncer.ini" >>"$1/log" 2>&1 &
pid=$!
read -r _
kill -KILL "$pid"
wait "$pid"
rm -rf "$1"
`

func startBouncer(db DB, settings []string) (*bouncer, error) {
	program, err := findBouncer()
	if err != nil {
		return nil, err
	}
	account, err := unprivileged() // which PgBouncer insists on, too
	if err != nil {
		return nil, err
	}
	for range 5 {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		b, err := launchBouncer(program, account, db, port, settings)
		if b != nil || err != nil {
			return b, err
		}
	}
	return nil, errors.New("PgBouncer found no free port")
}

func findBouncer() (string, error) {
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} { // which Debian has not on everybody's PATH
		if program, err := exec.LookPath(name); err == nil {
			return program, nil
		}
	}
	return "", errors.New("PgBouncer is missing: run scripts/prerequisites.sh test")
}

// launchBouncer returns nil if the port was taken meanwhile.
func launchBouncer(program string, account *syscall.Credential, db DB, port int, settings []string) (_ *bouncer, err error) {
	folder, err := os.MkdirTemp("", "usher-pgbouncer-")
	if err != nil {
		return nil, err
	}
	config := fmt.Sprintf("[databases]\n* = host=%s port=%d\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %d\nunix_socket_dir =\n"+
		"auth_type = scram-sha-256\nauth_file = %s\nserver_login_retry = 0.1\nmax_client_conn = 500\n%s\n",
		db.Host, db.Port, port, filepath.Join(folder, "users"), strings.Join(settings, "\n"))
	for name, text := range map[string]string{"pgbouncer.ini": config, "users": fmt.Sprintf("%q %q\n", db.User, db.Password), "log": ""} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
		if account != nil {
			err = errors.Join(err, os.Chown(filepath.Join(folder, name), int(account.Uid), int(account.Gid)))
		}
	}
	if account != nil {
		err = errors.Join(err, os.Chown(folder, int(account.Uid), int(account.Gid)))
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	//nolint:gosec,noctx // The folder and the program are arguments, not script text; the shell must outlive everything.
	shell := exec.Command("/bin/sh", "-c", bouncerScript, "bouncer", folder, program)
	shell.Dir = folder
	shell.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	shell.SysProcAttr = &syscall.SysProcAttr{Credential: account, Setpgid: true}
	leash, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start PgBouncer: %w", err)
	}
	b := &bouncer{guardian: &guardian{shell: shell, leash: leash}, folder: folder, port: port}
	up, err := b.listening()
	if !up || err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

func (b *bouncer) stop() { b.release() }

// listening waits for PgBouncer's own word: somebody else may have the port.
func (b *bouncer) listening() (bool, error) {
	deadline := time.After(startTimeout)
	for {
		report, _ := os.ReadFile(filepath.Join(b.folder, "log"))
		switch {
		case bytes.Contains(report, []byte("process up")):
			return true, nil
		case bytes.Contains(report, []byte("Address already in use")):
			return false, nil
		case bytes.Contains(report, []byte("FATAL")):
			return false, fmt.Errorf("PgBouncer did not start:\n%s", report)
		}
		select {
		case <-deadline:
			return false, fmt.Errorf("PgBouncer did not listen within %s:\n%s", startTimeout, report)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
