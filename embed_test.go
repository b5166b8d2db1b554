package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/test/noderun"
	"usher/test/program"
)

// embedExample is the folder of the example.
const embedExample = "examples/embed"

// TestEmbed is examples/embed as its README has it, over real HTTP: usher, the
// backend in Go and the one in Node as programs of their own, and the page in a
// browser.
func TestEmbed(t *testing.T) {
	t.Parallel()
	a, shop := embedded(t)
	readme := readExample(t, "README.md")
	for _, rows := range []string{"| EU | 2 | 20 |\n| US | 2 | 23 |\n", "| EU | 1 | 99 |\n| US | 2 | 51 |\n"} {
		if !strings.Contains(readme, rows) {
			t.Errorf("the README does not have the answer\n%s", rows)
		}
	}
	for name, backend := range backends(t, a, shop) {
		t.Run(name, func(t *testing.T) {
			for _, line := range []struct{ who, want string }{
				{"ann", `{"data":{"ordersAggregate":[{"key":{"region":"EU"},"count":2,"sold":20},{"key":{"region":"US"},"count":2,"sold":23}]}}`},
				{"bob", `{"data":{"ordersAggregate":[{"key":{"region":"EU"},"count":1,"sold":99},{"key":{"region":"US"},"count":2,"sold":51}]}}`},
			} {
				v := visit(t, backend)
				v.signIn(t, line.who)
				if got := v.asks(t, v.query); got != line.want {
					t.Errorf("%s sees %s\nwant %s", line.who, got, line.want)
				}
				v.learnsNothing(t, `"US"`, "APAC", "acme", "globex")
			}
			stranger := visit(t, backend)
			if status := stranger.post(t, "/token", nil); status != http.StatusUnauthorized {
				t.Errorf("who is not signed in is answered %d", status)
			}
			if status := stranger.post(t, "/signin", url.Values{"name": {"eve"}}); status != http.StatusForbidden {
				t.Errorf("somebody unknown is answered %d", status)
			}
			noderun.Run(t, "embed.mjs", backend, "Ann", "EU", "2", "20", "US", "2", "23")
		})
	}
}

// embedded serves the example to pages of any origin, with its two tenants and
// the backend's key.
func embedded(t *testing.T) (_ program.Administered, shop string) {
	t.Helper()
	dir := t.TempDir()
	const origins = `["http://127.0.0.1:8090"]`
	text := readExample(t, "usher.yml")
	if !strings.Contains(text, origins) {
		t.Fatal("the example allows other origins than this test knows")
	}
	program.WriteFile(t, filepath.Join(dir, "usher.yml"), strings.Replace(text, origins, `["*"]`, 1))
	program.WriteFile(t, filepath.Join(dir, "orders.csv"), readExample(t, "orders.csv"))
	a := program.Administer(t, filepath.Join(dir, "usher.yml"))
	a.Says(t, "tenant", "create", "acme")
	a.Says(t, "tenant", "create", "globex")
	return a, program.IssuedBy(t, a.Says(t, "key", "create", "shop", "--all-tenants", "--scope", "tokens:create", "--json")).Token
}

func readExample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(embedExample, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// backends runs both for the length of the test.
func backends(t *testing.T, a program.Administered, key string) map[string]string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "backend")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./"+embedExample).CombinedOutput(); err != nil { //nolint:gosec // the test names the package
		t.Fatalf("build the backend: %v\n%s", err, out)
	}
	return map[string]string{
		"go":   startBackend(t, a, key, binary, "-listen", "127.0.0.1:0"),
		"node": startBackend(t, a, key, "node", filepath.Join(embedExample, "backend.mjs"), "0"),
	}
}

func startBackend(t *testing.T, a program.Administered, key, name string, args ...string) (url string) {
	t.Helper()
	out := program.NewOutput()
	command := exec.CommandContext(t.Context(), name, args...) //nolint:gosec // the test names the program
	command.Env = append(os.Environ(), "USHER_SERVER="+a.Base, "USHER_KEY="+key)
	command.Stderr = out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = program.Patience
	if err := command.Start(); err != nil {
		t.Fatalf("%v: run scripts/prerequisites.sh test", err)
	}
	t.Cleanup(func() { // the test's context has ended, and the backend with it
		if err := command.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("the backend ended with %v\n%s", err, out)
		}
	})
	select {
	case url = <-out.Address:
	case <-time.After(program.Patience):
		t.Fatalf("the backend does not listen\n%s", out)
	}
	return url
}

// visitor is a browser at a backend's page: with cookies, and later a token.
type visitor struct {
	client  *http.Client
	backend string
	query   string // the page's
	access  struct{ Graphql, Token string }
}

var pageQuery = regexp.MustCompile(`const query = "(.*)";`)

func visit(t *testing.T, backend string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{client: &http.Client{Jar: jar, Timeout: program.Patience}, backend: backend}
	_, _, page := v.do(t, http.MethodGet, backend+"/", "", nil)
	found := pageQuery.FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("the page has no query: %s", page)
	}
	v.query = found[1]
	return v
}

func (v *visitor) do(t *testing.T, method, address, body string, header http.Header) (status int, got http.Header, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if header != nil {
		r.Header = header
	}
	response, err := v.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(answer)
}

func (v *visitor) post(t *testing.T, path string, form url.Values) (status int) {
	t.Helper()
	status, _, body := v.do(t, http.MethodPost, v.backend+path, form.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	if path == "/token" && status == http.StatusOK {
		if err := json.Unmarshal([]byte(body), &v.access); err != nil {
			t.Fatal(err)
		}
	}
	return status
}

func (v *visitor) signIn(t *testing.T, name string) {
	t.Helper()
	if status := v.post(t, "/signin", url.Values{"name": {name}}); status != http.StatusNoContent {
		t.Fatalf("signing in is answered %d", status)
	}
	if status := v.post(t, "/token", nil); status != http.StatusOK || !strings.HasPrefix(v.access.Token, "usher_et_") {
		t.Fatalf("a token is answered %d", status)
	}
}

// asks asks usher as a page of the backend's origin does.
func (v *visitor) asks(t *testing.T, query string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	_, header, answer := v.do(t, http.MethodPost, v.access.Graphql, string(body), http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + v.access.Token}, "Origin": {v.backend},
	})
	if origin := header.Get("Access-Control-Allow-Origin"); origin != v.backend {
		t.Errorf("pages of %q may read the answer", origin)
	}
	return strings.TrimSpace(string(program.WithoutRequestID([]byte(answer))))
}

// What a holder may try to learn of its token by.
const everyType = `{ __schema { queryType { fields { name description args { name } } } mutationType { fields { name } }
	types { name description fields { name } inputFields { name } enumValues { name } } } }`

var attempts = []string{
	everyType,
	`{ viewer { subject roles strategy scopes expiresAt timezone tokenKind } }`,
	`{ datasets { name description columns { name description } parameters { name type } } }`,
	`{ admin { tokens { items { id filtered metadata parameters accounts { source set } } } } }`,
	`{ admin { serviceKeys { items { id } } } }`,
	`{ admin { tenants { items { id } } } }`,
	`{ admin { auditLog { items { detail } } } }`,
	`mutation { createToken(input: {subject: "eve"}) { token } }`,
	`{ orders(where: {nothing: {eq: 1}}) { id } }`,
	`{ orders(where: {region: {eq: 1}}) { id } }`,
	`{ orders(where: {shop: {eq: "x"}}) { id } }`,
	`{ orders(limit: 1000000000) { id } }`,
	`{ orders(orderBy: [{filter: ASC}]) { id } }`,
	`{ orders { filters metadata account tenant } }`,
	`{ ordersAggregate(having: {count: {gt: "x"}}) { count } }`,
	`{ orders { id `,
}

// learnsNothing tries, and wants none of the texts in any answer.
func (v *visitor) learnsNothing(t *testing.T, texts ...string) {
	t.Helper()
	for _, query := range attempts {
		got := v.asks(t, query)
		for _, text := range texts {
			if before, after, found := strings.Cut(got, text); found {
				t.Errorf("%s\nlearns …%s%s%s…", query, before[max(0, len(before)-100):], text, after[:min(len(after), 100)])
			}
		}
	}
	if got := v.asks(t, `{ viewer { tokenKind } admin { tokens { next } } }`); !strings.Contains(got, `Cannot query field \"admin\" on type \"Query\".`) {
		t.Errorf("the holder may ask for tokens: %s", got)
	}
}

// TestHolderLearnsNothing: whoever holds a token with a filter, metadata and an
// account of another database has that database's rows, and not a word of how.
func TestHolderLearnsNothing(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	own := server.Database(t)
	own.Exec(t, `CREATE TABLE orders (id BIGINT PRIMARY KEY, shop TEXT NOT NULL, region TEXT NOT NULL);
		INSERT INTO orders VALUES (1, 'acme', 'canaryland'), (2, 'acme', 'elsewhere'), (3, 'globex', 'canaryland')`)
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "key"), "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	settings, err := json.MarshalIndent(map[string]any{
		"server":     map[string]any{"allowed_origins": []string{"*"}},
		"control":    map[string]any{"path": "control.duckdb", "key": map[string]any{"id": "k1", "secret": map[string]string{"file": "key"}}},
		"sources":    map[string]any{"silo": map[string]any{"kind": "postgres", "host": own.Host, "port": own.Port, "database": "nobodys", "user": "nobody", "sslmode": "disable", "template": true}},
		"strategies": map[string]any{"database": map[string]any{"kind": "database", "source": "silo"}},
		"datasets": map[string]any{"orders": map[string]any{
			"tenant": "shop", "key": "id", "columns": map[string]string{"id": "BigInt!", "shop": "String!", "region": "String!"},
		}},
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(dir, "usher.yml"), string(settings))
	a := program.Administer(t, filepath.Join(dir, "usher.yml"))
	a.Says(t, "tenant", "create", "acme", "--strategy", "database")
	account, err := json.Marshal([]any{map[string]any{"source": "silo", "database": own.Name, "user": own.User, "password": own.Password}})
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, filepath.Join(dir, "accounts.json"), string(account))
	made := program.IssuedBy(t, a.Says(t, "token", "create", "--tenant", "acme", "--subject", "ann", "--json",
		"--filter", `orders={"region": {"eq": "canaryland"}}`, "--metadata", "desk=canary-metadata", "--accounts", filepath.Join(dir, "accounts.json")))
	v := &visitor{client: &http.Client{Timeout: program.Patience}, backend: "https://app.example"}
	v.access.Graphql, v.access.Token = a.Base+"/graphql", made.Token
	if got := v.asks(t, `{ orders { id } }`); got != `{"data":{"orders":[{"id":1}]}}` {
		t.Fatalf("the token's rows are %s", got)
	}
	v.learnsNothing(t, "canary", own.Name, own.User, own.Password, "silo", "nobody", "globex", "password\"")
	// Its own administrator learns that there are such things, and no more.
	listed := a.Says(t, "token", "list", "--tenant", "acme", "--json")
	for _, want := range []string{`"filtered": [`, `"desk"`, `"source": "silo"`, `"password"`} {
		if !strings.Contains(listed, want) {
			t.Errorf("the list lacks %s: %s", want, listed)
		}
	}
	for _, text := range []string{"canary", own.Name, own.Password, made.Token} {
		if strings.Contains(listed, text) {
			t.Errorf("the list has %q: %s", text, listed)
		}
	}
}
