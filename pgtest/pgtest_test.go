package pgtest_test

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// One server serves the whole process.
func TestStartIsShared(t *testing.T) {
	t.Parallel()
	first, second := pgtest.Start(t), pgtest.Start(t)
	if first != second {
		t.Error("two servers in one process")
	}
}

// Each test has a database of its own, which sorts by code point and is gone
// afterwards, open connections or not.
func TestDatabase(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	var name string
	t.Run("one test", func(t *testing.T) {
		db := server.Database(t)
		name = db.Name
		db.Exec(t, "CREATE TABLE words (word text); INSERT INTO words VALUES ('a'), ('B'), ('é')")
		if got, want := sorted(t, db), "Baé"; got != want {
			t.Errorf("sorted words: %q, want %q", got, want)
		}
	})
	other := server.Database(t)
	if other.Name == name {
		t.Errorf("two tests share database %s", name)
	}
	var left int
	if err := other.Open(t).QueryRowContext(t.Context(), "SELECT count(*) FROM pg_database WHERE datname = $1", name).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != 0 {
		t.Errorf("database %s is still there", name)
	}
}

// A database may sort by the rules of a language.
func TestDatabaseLocale(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).DatabaseLocale(t, "en_US")
	db.Exec(t, "CREATE TABLE words (word text); INSERT INTO words VALUES ('z'), ('a'), ('B'), ('é')")
	if got, want := sorted(t, db), "aBéz"; got != want {
		t.Errorf("sorted words: %q, want %q", got, want)
	}
}

// The password counts: tests of accounts depend on it.
func TestWrongPassword(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.URL = strings.Replace(db.URL, db.Password, "wrong", 1)
	if err := db.Open(t).PingContext(t.Context()); err == nil {
		t.Error("a wrong password was accepted")
	}
}

// The server listens on loopback only, on no Unix socket.
func TestListensOnLoopback(t *testing.T) {
	t.Parallel()
	pool := pgtest.StartOwn(t).Database(t).Open(t)
	for setting, want := range map[string]string{
		"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "100",
	} {
		var got string
		if err := pool.QueryRowContext(t.Context(), "SELECT current_setting($1)", setting).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
}

// A server named in the environment is used as it is and is left running.
func TestNamedServer(t *testing.T) {
	t.Parallel()
	db := pgtest.StartOwn(t).Database(t)
	tests := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^(TestStartIsShared|TestDatabase)$") //nolint:gosec // It is this test program.
	tests.Env = append(os.Environ(), "USHER_TEST_POSTGRES="+db.URL)
	if out, err := tests.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := db.Open(t).PingContext(t.Context()); err != nil {
		t.Errorf("the named server is gone: %v", err)
	}
	tests = exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStartIsShared$") //nolint:gosec // It is this test program.
	tests.Env = append(os.Environ(), "USHER_TEST_POSTGRES="+strings.Replace(db.URL, db.Password, "wrong", 1))
	if out, err := tests.CombinedOutput(); err == nil || !strings.Contains(string(out), "the server of USHER_TEST_POSTGRES does not answer") {
		t.Errorf("with a wrong password: %v\n%s", err, out)
	}
}

// A frozen server is silent; thawed, it answers what it was asked meanwhile.
func TestFreezeAndThaw(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	pool := server.Database(t).Open(t)
	var backend int
	if err := pool.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(&backend); err != nil {
		t.Fatal(err)
	}
	pids := server.PIDs(t)
	if len(pids) < 3 || !slices.Contains(pids[1:], backend) {
		t.Errorf("processes %v: want the postmaster and its children, among them %d", pids, backend)
	}
	server.Freeze(t)
	for _, pid := range server.PIDs(t) {
		waitForState(t, pid, "T")
	}
	answered := make(chan error, 1)
	go func() {
		var one int
		answered <- pool.QueryRowContext(context.WithoutCancel(t.Context()), "SELECT 1").Scan(&one)
	}()
	server.Thaw(t)
	if err := <-answered; err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

// A server that its test leaves frozen still ends with the test.
func TestFrozenServerStops(t *testing.T) {
	t.Parallel()
	var pids []int
	t.Run("one test", func(t *testing.T) {
		server := pgtest.StartOwn(t)
		server.Freeze(t)
		pids = server.PIDs(t)
	})
	for _, pid := range pids {
		waitForEnd(t, pid)
	}
}

// A test process that is killed, with its server frozen at that, leaves
// neither the server nor its folder.
func TestKilledProcessLeavesNothing(t *testing.T) {
	if os.Getenv("PGTEST_HOLD") != "" {
		hold(t)
	}
	t.Parallel()
	temp := t.TempDir()
	// The server's account has to reach the folder below.
	for dir := temp; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	held := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$") //nolint:gosec // It is this test program.
	held.Env = append(os.Environ(), "PGTEST_HOLD=1", "TMPDIR="+temp, "USHER_TEST_POSTGRES=")
	held.Stderr = os.Stderr
	stdout, err := held.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := held.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("the held process reported no server: %v", err)
	}
	_ = held.Process.Kill()
	_ = held.Wait()
	fields := strings.Fields(line)
	if len(fields) < 3 {
		t.Fatalf("the held server has too few processes: %q", line)
	}
	for _, field := range fields {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		waitForEnd(t, pid)
	}
	within(t, "the folder is removed", func() bool {
		left, err := filepath.Glob(filepath.Join(temp, "usher-postgres-*"))
		return err == nil && len(left) == 0
	})
}

// hold is what the process to be killed does.
func hold(t *testing.T) {
	server := pgtest.Start(t)
	server.Freeze(t)
	for _, pid := range server.PIDs(t) {
		fmt.Print(pid, " ")
	}
	fmt.Println()
	select {}
}

func sorted(t *testing.T, db pgtest.DB) string {
	t.Helper()
	var words string
	err := db.Open(t).QueryRowContext(t.Context(), "SELECT string_agg(word, '' ORDER BY word) FROM words").Scan(&words)
	if err != nil {
		t.Fatal(err)
	}
	return words
}

func waitForState(t *testing.T, pid int, want string) {
	t.Helper()
	within(t, "process "+strconv.Itoa(pid)+" is in state "+want, func() bool { return state(t, pid) == want })
}

// waitForEnd takes a zombie for ended: who reaps orphans is not our affair.
func waitForEnd(t *testing.T, pid int) {
	t.Helper()
	within(t, "process "+strconv.Itoa(pid)+" ends", func() bool {
		s := state(t, pid)
		return s == "" || s == "Z"
	})
}

// state is the letter of the process's state, empty if there is none.
func state(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return rest[:1]
}

// within looks again and again: other processes do not tell when they change.
func within(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		case <-again.C:
		}
	}
}

// PgBouncer is a test's own, hands out as many connections as it was told and
// ends with the test.
func TestBouncer(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	var through pgtest.DB
	t.Run("one test", func(t *testing.T) {
		through = db.Bouncer(t, "transaction", "default_pool_size = 1")
		first, second := through.Open(t), through.Open(t)
		var one, other int
		for pool, pid := range map[*sql.DB]*int{first: &one, second: &other} {
			if err := pool.QueryRowContext(t.Context(), "SELECT pg_backend_pid()").Scan(pid); err != nil {
				t.Fatal(err)
			}
		}
		if one != other || through.Port == db.Port {
			t.Errorf("backends %d and %d, port %d of %d", one, other, through.Port, db.Port)
		}
	})
	if err := through.Open(t).PingContext(t.Context()); err == nil {
		t.Error("PgBouncer outlives its test")
	}
}
