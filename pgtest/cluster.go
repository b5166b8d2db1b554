package pgtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const startTimeout = 30 * time.Second

// superuser is the name initdb gives the cluster's first user.
const superuser = "usher"

// cluster is the data folder and the processes of a server that is ours.
type cluster struct {
	folder   string
	pid      int
	exited   chan struct{}
	guardian *guardian
}

// startCluster makes a cluster and starts its server.
func startCluster() (_ *Server, err error) {
	programs, account, err := tools()
	if err != nil {
		return nil, err
	}
	c, err := newCluster(account)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.stop()
		}
	}()
	password := rand.Text()
	if err := c.init(programs, account, password); err != nil {
		return nil, err
	}
	return c.serve(programs, account, password)
}

// newCluster makes a folder for a server.
func newCluster(account *syscall.Credential) (*cluster, error) {
	folder, err := os.MkdirTemp("", "usher-postgres-")
	if err != nil {
		return nil, err
	}
	// The guardian knows the server by its folder, as the kernel spells it.
	if folder, err = filepath.EvalSymlinks(folder); err != nil {
		return nil, err
	}
	// From here on the guardian removes everything, whatever happens to us.
	guardian, err := guard(folder)
	if err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	c := &cluster{folder: folder, guardian: guardian}
	if account != nil {
		if err := os.Chown(folder, int(account.Uid), int(account.Gid)); err != nil {
			c.stop()
			return nil, err
		}
	}
	return c, nil
}

// serve starts the server of a folder that has its data.
func (c *cluster) serve(programs string, account *syscall.Credential, password string) (*Server, error) {
	port, err := c.listen(programs, account)
	if err != nil {
		return nil, err
	}
	s := &Server{Host: "127.0.0.1", Port: port, User: superuser, Password: password, sslmode: "disable", cluster: c}
	if err := s.connect(); err != nil {
		return nil, err
	}
	if err := s.ready(); err != nil {
		_ = s.admin.Close()
		return nil, err
	}
	return s, nil
}

// command runs as the account, in the cluster's folder (it may not be allowed
// to stand in ours) and without PostgreSQL's variables of our environment.
func (c *cluster) command(account *syscall.Credential, program string, args ...string) *exec.Cmd {
	//nolint:gosec,noctx // The programs are PostgreSQL's; the server outlives any context and is ended by the guardian.
	cmd := exec.Command(program, args...)
	cmd.Dir = c.folder
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	// A process group of its own: Ctrl-C in the terminal is for the tests.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: account, Setpgid: true}
	return cmd
}

func (c *cluster) data() string { return filepath.Join(c.folder, "data") }

func (c *cluster) log() string { return filepath.Join(c.folder, "log") }

func (c *cluster) init(programs string, account *syscall.Credential, password string) error {
	passwordFile := filepath.Join(c.folder, "password")
	if err := os.WriteFile(passwordFile, []byte(password), 0o600); err != nil {
		return err
	}
	if account != nil {
		if err := os.Chown(passwordFile, int(account.Uid), int(account.Gid)); err != nil {
			return err
		}
	}
	cmd := c.command(account, filepath.Join(programs, "initdb"),
		"--pgdata="+c.data(), "--username="+superuser, "--pwfile="+passwordFile, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

// listen starts the server on a free port. Between our finding the port and
// its taking it another process may come first, so it tries a few.
func (c *cluster) listen(programs string, account *syscall.Credential) (int, error) {
	var report []byte
	for range 5 {
		port, err := freePort()
		if err != nil {
			return 0, err
		}
		up, err := c.launch(programs, account, port)
		if up || err != nil {
			return port, err
		}
		report, _ = os.ReadFile(c.log())
		if !bytes.Contains(report, []byte("Address already in use")) {
			break
		}
	}
	return 0, fmt.Errorf("PostgreSQL did not start:\n%s", report)
}

// launch starts the server and reports whether it came as far as listening;
// false means that it has ended.
func (c *cluster) launch(programs string, account *syscall.Credential, port int) (bool, error) {
	log, err := os.Create(c.log())
	if err != nil {
		return false, err
	}
	defer func() { _ = log.Close() }()
	cmd := c.command(account, filepath.Join(programs, "postgres"), "-D", c.data(),
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(port), "-c", "unix_socket_directories=",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_connections=100", "-c", "shared_buffers=32MB", "-c", "autovacuum=off")
	// Not a pipe of ours: go test waits until all who hold its pipes are gone.
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return false, fmt.Errorf("start PostgreSQL: %w", err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	c.pid, c.exited = cmd.Process.Pid, exited

	deadline := time.After(startTimeout)
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for {
		// Our server writes its pid file before it listens, so a foreign
		// server that has taken the port is not mistaken for it.
		if c.listening(address) {
			return true, nil
		}
		select {
		case <-exited:
			return false, nil
		case <-deadline:
			return false, fmt.Errorf("PostgreSQL did not listen within %s", startTimeout)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (c *cluster) listening(address string) bool {
	if _, err := os.Stat(filepath.Join(c.data(), "postmaster.pid")); err != nil {
		return false
	}
	conn, err := net.DialTimeout("tcp", address, time.Second) //nolint:noctx // It is bounded by its own time.
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// ready waits until the server lets us in; it listens a moment earlier.
func (s *Server) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := s.admin.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.cluster.exited:
			report, _ := os.ReadFile(s.cluster.log())
			return fmt.Errorf("PostgreSQL ended while starting:\n%s", report)
		case <-ctx.Done():
			return fmt.Errorf("PostgreSQL does not answer: %w", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop has the guardian end the server and remove its folder, and waits.
func (c *cluster) stop() {
	c.guardian.release()
	if c.exited != nil {
		<-c.exited
	}
}

func freePort() (int, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // It returns at once.
	if err != nil {
		return 0, err
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port, nil
}

// unprivileged is the account the server runs as if we are root, which
// PostgreSQL refuses to be; nil means our own.
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
		if err := errors.Join(uidErr, gidErr); err != nil {
			return nil, fmt.Errorf("the ids of user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL cannot run as root, and there is neither a user postgres nor nobody: run the tests as another user")
}

// findPrograms returns the folder of initdb and postgres: the newest of
// Debian's folders, which are not on the PATH, else what is on the PATH.
func findPrograms() (string, error) {
	newest, folder := 0, ""
	candidates, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	for _, initdb := range candidates {
		bin := filepath.Dir(initdb)
		version, err := strconv.Atoi(filepath.Base(filepath.Dir(bin)))
		if err == nil && version > newest {
			newest, folder = version, bin
		}
	}
	if folder != "" {
		return folder, nil
	}
	if initdb, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(initdb), nil
	}
	return "", errors.New("the PostgreSQL server programs are missing: run scripts/prerequisites.sh test, or name a server in USHER_TEST_POSTGRES")
}

// guardian is a shell that outlives us by a moment: when we end, in whatever
// way, its input ends, and it stops the server and removes the folder. Signals
// sent to a terminal's processes do not reach it.
type guardian struct {
	shell *exec.Cmd
	leash io.Closer
}

// The server's working folder is its data folder: a process that got the id of
// a server that has crashed is left alone. A frozen server cannot act on a
// signal, so it is thawed with its children after it has been told to quit.
// SIGQUIT is the immediate shutdown.
const guardianScript = `
read -r _
read -r pid < "$1/data/postmaster.pid"
if [ -n "$pid" ] && { [ ! -d /proc/self ] || [ "$(readlink "/proc/$pid/cwd")" = "$1/data" ]; }; then
	kill -QUIT "$pid"
	kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children")
	tries=0
	while kill -0 "$pid" && [ "$tries" -lt 250 ]; do
		sleep 0.02
		tries=$((tries + 1))
	done
	kill -KILL "$pid"
fi
rm -rf "$1"
`

func guard(folder string) (*guardian, error) {
	//nolint:gosec,noctx // The folder is an argument, not script text; the guardian must outlive everything.
	shell := exec.Command("/bin/sh", "-c", guardianScript, "guardian", folder)
	shell.Dir = "/"
	shell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	leash, err := shell.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := shell.Start(); err != nil {
		return nil, fmt.Errorf("start the guardian of the PostgreSQL server: %w", err)
	}
	return &guardian{shell: shell, leash: leash}, nil
}

func (g *guardian) release() {
	_ = g.leash.Close()
	_ = g.shell.Wait()
}
