package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	_ "github.com/duckdb/duckdb-go/v2" // makes the databases that the cases serve

	"usher/auth"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// patience bounds what a test waits for: far more than it takes.
const patience = time.Minute

// running is usher, started as main starts it.
type running struct {
	base   string // http://127.0.0.1:port
	stdout *output
	stderr *output
	end    context.CancelFunc
	ended  chan error
}

// start runs usher with arguments until it serves.
func start(t *testing.T, args ...string) *running {
	t.Helper()
	ctx, end := context.WithCancel(t.Context())
	u := &running{stdout: newOutput(), stderr: newOutput(), end: end, ended: make(chan error, 1)}
	go func() { u.ended <- run(ctx, args, noEnv, nothing, u.stdout, u.stderr) }()
	select {
	case u.base = <-u.stdout.address:
	case err := <-u.ended:
		t.Fatalf("usher ended: %v\n%s%s", err, u.stdout, u.stderr)
	case <-time.After(patience):
		t.Fatalf("usher does not serve\n%s%s", u.stdout, u.stderr)
	}
	t.Cleanup(func() {
		if u.end != nil {
			u.stop(t)
		}
	})
	return u
}

// stop ends usher as a signal does.
func (u *running) stop(t *testing.T) {
	t.Helper()
	u.end()
	u.end = nil
	select {
	case err := <-u.ended:
		if err != nil {
			t.Errorf("usher ended with %v", err)
		}
	case <-time.After(patience):
		t.Error("usher does not end")
	}
}

func noEnv(string) (string, bool) { return "", false }

// nothing stands on the standard input.
var nothing = strings.NewReader("")

// command runs usher to its end.
func command(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errs output
	err = run(t.Context(), args, noEnv, nothing, &out, &errs)
	return out.String(), err
}

// output is what usher prints; the first address in it is where it serves.
type output struct {
	address chan string // nil: nobody waits for it

	mu    sync.Mutex
	text  bytes.Buffer
	found bool
}

func newOutput() *output { return &output{address: make(chan string, 1)} }

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if at := address.Find(o.text.Bytes()); at != nil && o.address != nil && !o.found {
		o.found = true
		o.address <- string(at)
	}
	return len(p), nil
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// secret signs the tokens of the cases.
const secret = "only-the-tests-know-these-32-bytes"

// TestEndToEnd runs testdata/e2e/*.txtar, each against a server of its own.
// Sections: usher.yml; data.sql, run into shop.duckdb beside it; and steps:
//
//	NAME/token      claims; times are relative to now, "$secret" signs with another
//	                secret, `none` sends no token. Absent: the step before's.
//	NAME/query      GraphQL
//	NAME/variables  JSON
//	NAME/request    method, path and headers, then a blank line and a body, instead
//	                of POST /graphql with the query; a GET carries it in the URL
//	NAME/want       status and body without request ids, or `as OTHER, with A for B`:
//	                the answer of another step when the one word is put for the other
func TestEndToEnd(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/e2e/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			play(t, archive)
			if *update {
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func play(t *testing.T, archive *txtar.Archive) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "secret"), secret)
	for _, f := range archive.Files {
		switch f.Name {
		case "usher.yml":
			write(t, filepath.Join(dir, f.Name), string(f.Data))
		case "data.sql":
			makeDuckDB(t, filepath.Join(dir, "shop.duckdb"), string(f.Data))
		}
	}
	u := start(t, "serve", "-c", filepath.Join(dir, "usher.yml"), "--listen", "127.0.0.1:0")
	answers := make(map[string]string)
	token := ""
	for _, s := range steps(t, archive) {
		if claims, ok := s.parts["token"]; ok {
			token = claims
		}
		got := u.do(t, s, token)
		answers[s.name] = got
		s.check(t, got, answers)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func makeDuckDB(t *testing.T, file, statements string) {
	t.Helper()
	db, err := sql.Open("duckdb", file)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.ExecContext(t.Context(), statements)
	if closed := db.Close(); err == nil {
		err = closed
	}
	if err != nil {
		t.Fatal(err)
	}
}

// step is one request and what is wanted of it.
type step struct {
	name    string
	parts   map[string]string
	archive *txtar.Archive
}

func steps(t *testing.T, archive *txtar.Archive) []*step {
	t.Helper()
	var out []*step
	for _, f := range archive.Files {
		name, part, ok := strings.Cut(f.Name, "/")
		if !ok {
			continue
		}
		if !slices.Contains([]string{"token", "query", "variables", "request", "want"}, part) {
			t.Fatalf("%s: a step has no such part", f.Name)
		}
		i := slices.IndexFunc(out, func(s *step) bool { return s.name == name })
		if i < 0 {
			i = len(out)
			out = append(out, &step{name: name, parts: make(map[string]string), archive: archive})
		}
		out[i].parts[part] = string(f.Data)
	}
	return out
}

var likeOther = regexp.MustCompile(`^as (.+), with (\S+) for (\S+)\n$`)

func (s *step) check(t *testing.T, got string, answers map[string]string) {
	t.Helper()
	want := s.parts["want"]
	if m := likeOther.FindStringSubmatch(want); m != nil {
		other, ok := answers[m[1]]
		if !ok || !strings.Contains(other, m[3]) {
			t.Fatalf("%s: the step %q was not before it, or its answer lacks %q", s.name, m[1], m[3])
		}
		want = strings.ReplaceAll(other, m[3], m[2])
	} else if *update {
		s.record(got)
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", s.name, diff)
	}
}

// record puts an answer into the archive, behind the step's other parts.
func (s *step) record(got string) {
	at := 0
	for i, f := range s.archive.Files {
		switch {
		case f.Name == s.name+"/want":
			s.archive.Files[i].Data = []byte(got)
			return
		case strings.HasPrefix(f.Name, s.name+"/"):
			at = i + 1
		}
	}
	s.archive.Files = slices.Insert(s.archive.Files, at, txtar.File{Name: s.name + "/want", Data: []byte(got)})
}

func (u *running) do(t *testing.T, s *step, token string) string {
	t.Helper()
	r := u.request(t, s)
	if strings.TrimSpace(token) != "none" && r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+sign(t, token))
	}
	return u.answer(t, r)
}

func (u *running) request(t *testing.T, s *step) *http.Request {
	t.Helper()
	head, body, given := strings.Cut(s.parts["request"], "\n\n")
	if head == "" {
		head = "POST /graphql\nContent-Type: application/json"
	}
	if !given {
		asked := map[string]json.RawMessage{}
		asked["query"], _ = json.Marshal(s.parts["query"])
		if v := s.parts["variables"]; v != "" {
			asked["variables"] = json.RawMessage(v)
		}
		text, err := json.Marshal(asked)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		body = string(text)
	}
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	if method == http.MethodGet {
		body = ""
		if s.parts["query"] != "" {
			path += "?" + url.Values{"query": {s.parts["query"]}}.Encode()
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), method, u.base+path, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// direct does not follow redirects, which are answers too.
var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

var requestID = regexp.MustCompile(`,?"requestId":"[A-Z0-9]+"`)

// answer is the status and the body.
func (u *running) answer(t *testing.T, r *http.Request) string {
	t.Helper()
	status, body := fetch(t, r)
	return fmt.Sprintf("%d\n%s\n", status, bytes.TrimSpace(requestID.ReplaceAll(body, nil)))
}

func fetch(t *testing.T, r *http.Request) (status int, body []byte) {
	t.Helper()
	response, err := direct.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// sign makes a token of a step's claims, with those that every token needs.
func sign(t *testing.T, text string) string {
	t.Helper()
	claims := map[string]any{"iss": "tests", "aud": "usher", "sub": "ann", "iat": "0s", "exp": "1h"}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		t.Fatalf("the claims %q: %v", text, err)
	}
	for _, name := range []string{"iat", "nbf", "exp"} {
		if relative, ok := claims[name].(string); ok {
			span, err := time.ParseDuration(relative)
			if err != nil {
				t.Fatal(err)
			}
			claims[name] = time.Now().Add(span).Unix()
		} else if claims[name] == nil {
			delete(claims, name)
		}
	}
	key := secret
	if other, ok := claims["$secret"].(string); ok {
		key = other
		delete(claims, "$secret")
	}
	signed, err := auth.SignHS256([]byte(key), claims)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}
