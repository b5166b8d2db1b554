package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	_ "github.com/duckdb/duckdb-go/v2" // makes the databases that the cases serve

	"usher/test/program"
)

var update = flag.Bool("update", false, "rewrite the golden files")

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
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	for _, f := range archive.Files {
		switch f.Name {
		case "usher.yml":
			program.WriteFile(t, filepath.Join(dir, f.Name), string(f.Data))
		case "data.sql":
			program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), string(f.Data))
		}
	}
	u := program.Start(t, "serve", "-c", filepath.Join(dir, "usher.yml"), "--listen", "127.0.0.1:0")
	answers := make(map[string]string)
	token := ""
	for _, s := range steps(t, archive) {
		if claims, ok := s.parts["token"]; ok {
			token = claims
		}
		got := do(t, u, s, token)
		answers[s.name] = got
		s.check(t, got, answers)
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

func do(t *testing.T, u *program.Running, s *step, token string) string {
	t.Helper()
	r := request(t, u, s)
	if strings.TrimSpace(token) != "none" && r.Header.Get("Authorization") == "" {
		r.Header.Set("Authorization", "Bearer "+program.Sign(t, token))
	}
	return answer(t, r)
}

func request(t *testing.T, u *program.Running, s *step) *http.Request {
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
	r, err := http.NewRequestWithContext(t.Context(), method, u.Base+path, strings.NewReader(body))
	if err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// answer is the status and the body.
func answer(t *testing.T, r *http.Request) string {
	t.Helper()
	status, body := program.Fetch(t, r)
	return fmt.Sprintf("%d\n%s\n", status, bytes.TrimSpace(program.WithoutRequestID(body)))
}
