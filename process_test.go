package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"usher/pgtest"
	"usher/test/program"
)

// asProcess makes the tests' own program usher itself, so that processes of it
// can be started, told to end, and have outputs that nobody reads.
const asProcess = "USHER_TEST_PROCESS"

func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" {
		if text := os.Getenv(fullAt); text != "" {
			signal.Ignore(syscall.SIGXFSZ) // the write fails, and nobody is ended
			bound(syscall.RLIMIT_FSIZE, text)
		}
		if text := os.Getenv(filesAt); text != "" {
			bound(syscall.RLIMIT_NOFILE, text)
		}
		main()
		os.Exit(0)
	}
	pgtest.Main(m)
}

// bound bounds what this process may have of something.
func bound(resource int, text string) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err == nil {
		err = syscall.Setrlimit(resource, &syscall.Rlimit{Cur: n, Max: n})
	}
	if err != nil {
		panic(err)
	}
}

// process is usher as a process of its own.
type process struct {
	base, admin string
	command     *exec.Cmd
	stdout      *program.Output
	ended       chan struct{}
	err         error // once it has ended
}

const processConfig = `
server: {admin_listen: "127.0.0.1:0", drain: %s}
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
issuers:
  tests:
    issuer: tests
    audience: [usher]
    algorithms: [HS256]
    keys: {secret: {file: secret}}
    tenants: trusted
    claims: {tenant: /tenant}
datasets:
  notes:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: String}
`

const notesData = `
	CREATE TABLE notes (id INTEGER PRIMARY KEY, tenant VARCHAR NOT NULL, text VARCHAR);
	INSERT INTO notes VALUES (1, 'acme', 'hello'), (2, 'acme', 'again'), (3, 'globex', 'hi')`

// prepare writes a configuration and its data. Texts of it are replaced by others.
func prepare(t *testing.T, drain string, replaced ...string) (config string) {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), notesData)
	config = filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, strings.NewReplacer(replaced...).Replace(fmt.Sprintf(processConfig, drain)))
	return config
}

// launch starts usher and waits until it serves.
func launch(t *testing.T, config, listen string, stderr io.Writer, more ...string) *process {
	t.Helper()
	return launchIn(t, os.Environ(), config, listen, stderr, more...)
}

// launchIn is launch with an environment.
func launchIn(t *testing.T, env []string, config, listen string, stderr io.Writer, more ...string) *process {
	t.Helper()
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{
		command: exec.CommandContext(context.WithoutCancel(t.Context()), itself, append([]string{"serve", "-c", config, "--listen", listen}, more...)...), //nolint:gosec // it is this program
		stdout:  program.NewOutput(), ended: make(chan struct{}),
	}
	p.command.Env = append(env, asProcess+"=1")
	p.command.Stdout, p.command.Stderr = p.stdout, stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
	})
	go func() {
		p.err = p.command.Wait()
		close(p.ended)
	}()
	select {
	case p.base = <-p.stdout.Address:
	case <-p.ended:
		t.Fatalf("usher ended: %v\n%s", p.err, p.stdout)
	case <-time.After(program.Patience):
		t.Fatalf("usher does not serve\n%s", p.stdout)
	}
	p.admin = regexp.MustCompile(`metrics at (http://\S+)/metrics`).FindStringSubmatch(p.stdout.String())[1]
	return p
}

func (p *process) tell(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// wait waits for the process to end well.
func (p *process) wait(t *testing.T) {
	t.Helper()
	select {
	case <-p.ended:
		if p.err != nil {
			t.Errorf("usher ended with %v", p.err)
		}
	case <-time.After(program.Patience):
		t.Fatal("usher does not end")
	}
}

// question is a request for notes, of acme.
func (p *process) question(t *testing.T) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.base+"/graphql", strings.NewReader(`{"query": "{ notes { id } }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+program.Sign(t, `{"tenant": "acme"}`))
	return r
}

// metric is the value of one without labels.
func (p *process) metric(t *testing.T, name string) int {
	t.Helper()
	_, text := program.Fetch(t, get(t, p.admin+"/metrics"))
	return metricIn(t, text, name)
}

// metricIn is the value of a metric without labels in what was read of all.
func metricIn(t *testing.T, text []byte, name string) int {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("there is no %s", name)
	}
	n, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// TestNobodyReadsTheLog: the standard error output is a pipe that nobody reads,
// and later one that nobody has open. Requests are answered, none later than
// before, and the process ends.
func TestNobodyReadsTheLog(t *testing.T) {
	t.Parallel()
	unread, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := launch(t, prepare(t, "0s"), "127.0.0.1:0", stderr)
	if err := stderr.Close(); err != nil { // it is the process's now
		t.Fatal(err)
	}
	const many, each = 10_000, 4
	took := make([]time.Duration, many)
	var next atomic.Int64
	var asking sync.WaitGroup
	for range each {
		asking.Go(func() {
			client := &http.Client{Transport: &http.Transport{}, Timeout: program.Patience}
			defer client.CloseIdleConnections()
			q := p.question(t)
			for n := next.Add(1); n <= many; n = next.Add(1) {
				q.Body, _ = q.GetBody()
				began := time.Now()
				response, err := client.Do(q)
				if err != nil {
					t.Errorf("request %d: %v", n, err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("request %d: %s", n, response.Status)
				}
				took[n-1] = time.Since(began)
			}
		})
	}
	asking.Wait()
	if t.Failed() {
		return
	}
	slowest := func(of []time.Duration) time.Duration { // of a hundred
		sorted := slices.Sorted(slices.Values(of))
		return sorted[len(sorted)*99/100]
	}
	early, late := slowest(took[:500]), slowest(took[many-2000:])
	t.Logf("one of a hundred takes %s in the beginning, %s in the end", early, late)
	if late > 10*max(early, 50*time.Millisecond) {
		t.Errorf("one of a hundred takes %s in the beginning, and %s in the end", early, late)
	}
	if n := p.metric(t, "usher_log_lines_lost_total"); n == 0 {
		t.Error("no line was lost")
	}
	// Whoever reads at last finds how many lines are missing, and nothing torn.
	lost := regexp.MustCompile(`^\{"time":.*"level":"WARN","msg":"lines of the log were lost.*"lines":\d+\}$`)
	told := false
	for lines := bufio.NewScanner(unread); !told && lines.Scan(); {
		if told = lost.MatchString(lines.Text()); !strings.HasPrefix(lines.Text(), "{") || !strings.HasSuffix(lines.Text(), "}") {
			t.Errorf("a torn line: %.100q", lines.Text())
		}
	}
	if !told {
		t.Error("the log does not say that lines were lost")
	}
	if err := unread.Close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if status, body := program.Fetch(t, p.question(t)); status != http.StatusOK {
			t.Errorf("without a reader: %d %s", status, body)
		}
	}
	p.tell(t, syscall.SIGTERM)
	p.wait(t)
}

// TestLogIsFull: a device without room.
func TestLogIsFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = full.Close() })
	p := launch(t, prepare(t, "0s"), "127.0.0.1:0", full)
	for range 20 {
		if status, body := program.Fetch(t, p.question(t)); status != http.StatusOK {
			t.Errorf("%d %s", status, body)
		}
	}
	p.tell(t, syscall.SIGTERM)
	p.wait(t)
}

// TestLeaving: told to end, usher first says that it is not ready, answers what
// still comes, each connection for the last time, and what has begun; told again,
// it ends.
func TestLeaving(t *testing.T) {
	t.Parallel()
	stderr := program.NewOutput()
	p := launch(t, prepare(t, "10m"), "127.0.0.1:0", stderr)
	client := &http.Client{Transport: &http.Transport{}}
	kept := func() bool { // the connection, after an answer
		t.Helper()
		response, err := client.Do(p.question(t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("the answer is %s", response.Status)
		}
		return !response.Close
	}
	if !kept() {
		t.Error("connections are closed from the beginning")
	}
	p.tell(t, syscall.SIGHUP) // ends nothing
	program.Soon(t, program.Patience, "SIGHUP is in the log", func() bool { return strings.Contains(stderr.String(), "another configuration is served") })
	for _, base := range []string{p.base, p.admin} {
		if status, _ := program.Fetch(t, get(t, base+"/health/ready")); status != http.StatusOK {
			t.Errorf("%s: ready answers %d", base, status)
		}
	}
	half := p.begin(t)
	p.tell(t, syscall.SIGTERM)
	for _, base := range []string{p.base, p.admin} {
		program.Soon(t, program.Patience, "usher is not ready", func() bool {
			status, _ := program.Fetch(t, get(t, base+"/health/ready"))
			return status == http.StatusServiceUnavailable
		})
		if status, _ := program.Fetch(t, get(t, base+"/health/live")); status != http.StatusOK {
			t.Errorf("%s: live answers %d", base, status)
		}
	}
	for range 3 {
		if kept() { // that was open before, and new ones
			t.Error("a connection is kept")
		}
	}
	p.tell(t, syscall.SIGTERM)
	program.Soon(t, program.Patience, "the port is closed", func() bool {
		connection, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		if err == nil {
			_ = connection.Close()
		}
		return err != nil
	})
	half.finish(t)
	p.wait(t)
}

// begun is a request of which half was sent.
type begun struct {
	connection net.Conn
	rest       string
}

func (p *process) begin(t *testing.T) begun {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	const body = `{"query": "{ notes { id } }"}`
	head := fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: usher\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n",
		program.Sign(t, `{"tenant": "acme"}`), len(body))
	if _, err := io.WriteString(connection, head+body[:10]); err != nil {
		t.Fatal(err)
	}
	return begun{connection, body[10:]}
}

func (b begun) finish(t *testing.T) {
	t.Helper()
	if _, err := io.WriteString(b.connection, b.rest); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(b.connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"notes":[{"id":1},{"id":2}]`) {
		t.Errorf("what had begun is answered %s %s %v", response.Status, body, err)
	}
	_ = response.Body.Close()
	_ = b.connection.Close()
}

// asked is the answer to an operation of acme.
func (p *process) asked(t *testing.T, text string) string {
	t.Helper()
	return p.askedBy(t, "", text, nil)
}

// askedBy is the answer to an operation of whose token it is; empty: acme's.
func (p *process) askedBy(t *testing.T, bearer, text string, variables map[string]any) string {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": text, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := p.question(t)
	r.Body, r.ContentLength, r.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	_, answer := program.Fetch(t, r)
	return string(answer)
}

// TestReloadingAFile: with --watch a file that is changed is served, and so is one that was
// named by SIGHUP; one that cannot be served is not, and the log says why.
func TestReloadingAFile(t *testing.T) {
	t.Parallel()
	stderr := program.NewOutput()
	config := prepare(t, "0s")
	p := launch(t, config, "127.0.0.1:0", stderr, "--watch")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	another := strings.Replace(string(text), "text: String", "words: {type: String, column: text}", 1)
	program.WriteFile(t, config, another)
	program.Soon(t, program.Patience, "the changed file is served", func() bool { return strings.Contains(p.asked(t, `{ notes { words } }`), `"words":"hello"`) })
	program.WriteFile(t, config, "datasets: {")
	program.Soon(t, program.Patience, "the log says what is wrong", func() bool { return strings.Contains(stderr.String(), "the configuration cannot be served") })
	if got := p.asked(t, `{ notes { words } }`); !strings.Contains(got, `"words":"hello"`) {
		t.Errorf("after a file that cannot be served: %s", got)
	}
	if p.metric(t, "usher_config_reload_failed") != 1 {
		t.Error("the metrics do not say that the last file was refused")
	}
	// What would be waited for without an end is not read.
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(config, 0o600); err != nil {
		t.Fatal(err)
	}
	p.tell(t, syscall.SIGHUP)
	program.Soon(t, program.Patience, "a pipe is refused", func() bool { return strings.Contains(stderr.String(), "is no regular file") })
	<-time.After(1500 * time.Millisecond) // it is looked at by itself, too
	if err := os.Remove(config); err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, config, another)
	p.tell(t, syscall.SIGHUP)
	program.Soon(t, program.Patience, "a file is served again", func() bool { return p.metric(t, "usher_config_reload_failed") == 0 })
	program.WriteFile(t, config, strings.Replace(another, "words:", "said:", 1))
	program.Soon(t, program.Patience, "it is watched still", func() bool { return strings.Contains(p.asked(t, `{ notes { said } }`), `"said":"hello"`) })
	program.WriteFile(t, config, string(text))
	p.tell(t, syscall.SIGHUP)
	program.Soon(t, program.Patience, "the first file is served again", func() bool { return strings.Contains(p.asked(t, `{ notes { text } }`), `"text":"hello"`) })
}

// TestWatchedFiles: a file is noticed however it comes: put in the place of another, behind links that are turned, in
// parts, removed and brought back. No part of one is ever served, and that it is gone is told once.
func TestWatchedFiles(t *testing.T) {
	t.Parallel()
	stderr := program.NewOutput()
	config := prepare(t, "0s")
	dir := filepath.Dir(config)
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	calling := func(name string) string {
		return strings.Replace(string(text), "text: String", name+": {type: String, column: text}", 1)
	}
	mount := func(name string) { // as a kubelet does
		t.Helper()
		done(os.Mkdir(filepath.Join(dir, ".."+name), 0o700))
		program.WriteFile(t, filepath.Join(dir, ".."+name, "usher.yml"), calling(name))
		done(os.Symlink(".."+name, filepath.Join(dir, "..data_tmp")))
		done(os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	mount("mounted")
	done(os.Remove(config))
	done(os.Symlink("..data/usher.yml", config))
	p := launch(t, config, "127.0.0.1:0", stderr, "--watch")
	serves := func(name string) {
		t.Helper()
		program.Soon(t, program.Patience, "what is called "+name+" is served", func() bool {
			return strings.Contains(p.asked(t, "{ notes { "+name+" } }"), `"`+name+`":"hello"`)
		})
	}
	serves("mounted")
	mount("turned")
	done(os.RemoveAll(filepath.Join(dir, "..mounted")))
	serves("turned")

	program.WriteFile(t, config+"~", calling("renamed")) // as editors do: another file in the place of the link
	done(os.Rename(config+"~", config))
	serves("renamed")

	says := func(line string) {
		t.Helper()
		program.Soon(t, program.Patience, line, func() bool { return strings.Contains(stderr.String(), line) })
	}
	done(os.Remove(config))
	says("usher.yml: no such file or directory")
	if got := p.asked(t, "{ notes { renamed } }"); !strings.Contains(got, "hello") {
		t.Errorf("while there is no file: %s", got)
	}
	if p.metric(t, "usher_config_reload_failed") != 1 {
		t.Error("the metrics do not say that there is no file")
	}
	program.WriteFile(t, config, calling("renamed"))
	served := func() int { return strings.Count(stderr.String(), "another configuration is served") }
	program.Soon(t, program.Patience, "the file is read again", func() bool { return served() >= 3 })
	if p.metric(t, "usher_config_reload_failed") != 0 {
		t.Error("the metrics still say that there is no file")
	}

	whole := calling("whole")
	f, err := os.Create(config)
	done(err)
	// Each part is a configuration, and there is more to come before it has been the same for a second.
	for _, part := range append([]string{calling("part")}, strings.SplitAfter("\n#\n#\n#\n#\n#\n#\n#\n", "\n")...) {
		_, err := f.WriteString(part)
		done(err)
		select {
		case <-time.After(300 * time.Millisecond):
		case <-t.Context().Done():
		}
	}
	done(f.Truncate(0))
	_, err = f.WriteAt([]byte(whole), 0)
	done(errors.Join(err, f.Close()))
	serves("whole")
	program.Soon(t, program.Patience, "the log says so", func() bool { return served() >= 4 })
	if served() != 4 {
		t.Errorf("another configuration is served %d times, and not 4", served())
	}
	for line, times := range map[string]int{"no such file": 1, "cannot be served": 1} {
		if n := strings.Count(stderr.String(), line); n != times {
			t.Errorf("the log says %d times, and not %d: %s", n, times, line)
		}
	}
}

// TestWatchTriesAgain: a changed file that cannot be served for what is not there yet is served by itself when it is. The
// log says once why it was not.
func TestWatchTriesAgain(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, killedTables)
	dir, late := t.TempDir(), "late_"+db.Name
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.WriteFile(t, filepath.Join(dir, "password"), db.Password)
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, fmt.Sprintf(killedConfig, db.Host, db.Port, db.Name, db.User))
	stderr := program.NewOutput()
	p := launch(t, config, "127.0.0.1:0", stderr, "--watch")
	program.WriteFile(t, config, fmt.Sprintf(killedConfig, db.Host, db.Port, db.Name, late))
	refused := regexp.MustCompile(`usher_config_reloads_total\{outcome="refused"\} [2-9]`)
	program.Soon(t, program.Patience, "it is tried again", func() bool {
		_, metrics := program.Fetch(t, get(t, p.admin+"/metrics"))
		return refused.Match(metrics)
	})
	if p.metric(t, "usher_config_reload_failed") != 1 {
		t.Error("the metrics do not say that the file is refused")
	}
	db.Exec(t, "CREATE ROLE "+late+" LOGIN PASSWORD '"+db.Password+"'; GRANT ALL ON notes TO "+late+"; GRANT USAGE ON SCHEMA usher TO "+late+"; GRANT ALL ON usher.idempotency TO "+late)
	owner := db.Open(t)
	t.Cleanup(func() { // the test's own context has ended by then
		if _, err := owner.ExecContext(context.Background(), "DROP OWNED BY "+late+" CASCADE; DROP ROLE "+late); err != nil {
			t.Error(err)
		}
	})
	program.Soon(t, program.Patience, "it is served", func() bool { return strings.Contains(stderr.String(), "another configuration is served") })
	if p.metric(t, "usher_config_reload_failed") != 0 {
		t.Error("the metrics say that the file is refused")
	}
	for text, times := range map[string]int{"the configuration cannot be served": 1, "is tried again by itself": 1, "another configuration is served": 1} {
		if n := strings.Count(stderr.String(), text); n != times {
			t.Errorf("the log says %d times: %s", n, text)
		}
	}
}

// TestHangupBeforeTheFirstFile: who is told of another configuration before the first one
// is read lives on, and serves that.
func TestHangupBeforeTheFirstFile(t *testing.T) {
	t.Parallel()
	config := prepare(t, "0s")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(filepath.Dir(config), "pipe.yml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	itself, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithTimeout(t.Context(), program.Patience) // it ends usher, so that nothing is waited for in vain
	defer end()
	stdout := program.NewOutput()
	usher := exec.CommandContext(ctx, itself, "serve", "-c", pipe, "--listen", "127.0.0.1:0") //nolint:gosec // it is this program
	usher.Env, usher.Stdout, usher.Stderr = append(os.Environ(), asProcess+"=1"), stdout, os.Stderr
	if err := usher.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- usher.Wait() }()
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // when usher reads it
	if err != nil {
		t.Fatal(err)
	}
	_ = usher.Process.Signal(syscall.SIGHUP)
	_, err = w.Write(text)
	if closing := w.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
	select {
	case <-stdout.Address:
	case err := <-ended:
		t.Fatalf("usher ended: %v", err)
	}
	_ = usher.Process.Signal(syscall.SIGTERM)
	if err := <-ended; err != nil {
		t.Errorf("usher ended with %v", err)
	}
}

// TestNotReadyBeforeThePortIsBound: the operators' listener, which says that
// usher is ready, opens behind the one that takes the requests. Of two addresses
// that are taken, usher fails at the one it tries first.
func TestNotReadyBeforeThePortIsBound(t *testing.T) {
	t.Parallel()
	take := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	public, admin := take(), take()
	t.Cleanup(func() { _ = admin.Close() })
	config := prepare(t, "0s", "127.0.0.1:0", admin.Addr().String())
	serve := func() string {
		t.Helper()
		_, err := program.Command(t, "serve", "-c", config, "--listen", public.Addr().String())
		if err == nil {
			t.Fatal("usher has served on an address that is taken")
		}
		return err.Error()
	}
	if got := serve(); !strings.Contains(got, "cannot listen on "+public.Addr().String()) || strings.Contains(got, "admin_listen") {
		t.Errorf("both are taken: %s", got)
	}
	if err := public.Close(); err != nil {
		t.Fatal(err)
	}
	if got := serve(); !strings.Contains(got, "server.admin_listen: cannot listen on "+admin.Addr().String()) {
		t.Errorf("the operators' is taken: %s", got)
	}
	if l, err := net.Listen("tcp", public.Addr().String()); err != nil {
		t.Errorf("the public one stays open: %v", err)
	} else {
		_ = l.Close()
	}
}

// freePort is an address that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// TestSilentKeyServer: usher starts, and is ready, while the server of an
// issuer's keys is silent; its tokens wait for a moment, and others do not.
func TestSilentKeyServer(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{}, 1)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(silent.CloseClientConnections)
	config := prepare(t, "0s", "issuers:\n", `issuers:
  idp:
    issuer: idp
    audience: [usher]
    algorithms: [RS256]
    keys: {jwks_url: "`+silent.URL+`"}
    tenants: trusted
    claims: {tenant: /tenant}
`)
	u := program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
	<-asked
	if status, _ := program.Fetch(t, get(t, u.Base+"/health/ready")); status != http.StatusOK {
		t.Errorf("ready answers %d", status)
	}
	if status, body := program.Fetch(t, u.Ask(t, program.Sign(t, `{"tenant": "acme"}`), "{ notes { id } }")); status != http.StatusOK {
		t.Errorf("tokens of another issuer: %d %s", status, body)
	}
	// {"alg":"RS256"}.{"iss":"idp"}.nothing
	response, err := program.Direct.Do(u.Ask(t, "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJpZHAifQ.AAAA", "{ notes { id } }"))
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") != "5" || !strings.Contains(string(body), `"UNAVAILABLE"`) {
		t.Errorf("its own tokens: %s, Retry-After %q, %s", response.Status, response.Header.Get("Retry-After"), body)
	}
}

// TestLogLinesAreBounded: whatever a caller writes into a request, its lines in
// the log are lines, and short ones.
func TestLogLinesAreBounded(t *testing.T) {
	t.Parallel()
	u := program.Start(t, "serve", "-c", prepare(t, "0s"), "--listen", "127.0.0.1:0")
	long := strings.Repeat("x", 100_000)
	subject := program.Sign(t, `{"tenant": "acme", "sub": "ann\n{\"level\":\"ERROR\"}`+strings.Repeat("\u2028é", 500)+`"}`)
	for _, q := range []*http.Request{
		u.Ask(t, subject, "query "+long+" { notes { id } }"),
		u.Ask(t, subject, "{ "+long+": notes(limit: 1000000000) { id } }"),
		u.Ask(t, subject, "{ "+long+" { id } }"),
		u.Ask(t, program.Sign(t, `{"tenant": "acme", "iss": "`+long[:5000]+`"}`), "{ notes { id } }"),
		u.Ask(t, program.Sign(t, `{"tenant": "`+long[:5000]+`"}`), "{ notes { id } }"),
		u.Ask(t, "usher_"+long[:7000], "{ notes { id } }"),
	} {
		q.Header.Set("User-Agent", long[:5000])
		q.Header.Set("X-Request-Id", long[:5000])
		status, _ := program.Fetch(t, q)
		t.Log(status)
	}
	u.Stop(t)
	lines := strings.Split(strings.TrimSpace(u.Stderr.String()), "\n")
	errored := false
	for _, line := range lines {
		if len(line) > 6<<10 || !strings.HasPrefix(line, `{"time":`) || !strings.HasSuffix(line, "}") {
			t.Errorf("%d bytes: %.200s", len(line), line)
		}
		errored = errored || strings.Contains(line, "a GraphQL error")
	}
	if len(lines) < 6 || !errored {
		t.Errorf("%d lines\n%s", len(lines), u.Stderr)
	}
}
