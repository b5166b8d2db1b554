package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
// browser. What is shown is what adding up the file's rows says.
func TestEmbed(t *testing.T) {
	t.Parallel()
	a, shop := embedded(t)
	readme := readExample(t, "README.md")
	for name, backend := range backends(t, a, shop) {
		t.Run(name, func(t *testing.T) {
			for _, line := range []struct {
				who, name string
				tenant    string
				regions   []string
			}{
				{"ann", "Ann", "burrito-bros", []string{"South", "West"}},
				{"bob", "Bob", "luna-y-sol", nil},
			} {
				v := visit(t, backend, a.Base)
				v.signIn(t, line.who)
				months := soldByMonth(t, line.tenant, line.regions)
				if got := v.shows(t, "sold"); got != months.sold {
					t.Errorf("%s sees %s\nwant %s", line.who, got, months.sold)
				}
				if row := fmt.Sprintf("| %s | %s | %s | %s |", line.name, months.last[0], months.last[1], months.last[2]); !strings.Contains(readme, row) {
					t.Errorf("the README does not say %s", row)
				}
				for _, query := range attempts { // the token is for one dashboard, and for nothing else
					if got := v.asks(t, query); strings.Contains(got, `"data":{`) {
						t.Errorf("%s\nis answered %s", query, got)
					}
				}
				if status, body := v.run(t, "others", `{}`); status != http.StatusForbidden {
					t.Errorf("a dashboard that the token does not name is answered %d %s", status, body)
				}
				noderun.Run(t, "embed.mjs", backend, line.name, months.last[0], months.last[1], months.last[2])
			}
			besides := make([]string, 0, 4)
			for _, tenant := range []string{"burrito-bros", "luna-y-sol"} {
				numbers, err := json.Marshal(soldByMonth(t, tenant, nil).last)
				if err != nil {
					t.Fatal(err)
				}
				besides = append(besides, tenant, string(numbers))
			}
			noderun.Run(t, "side.mjs", append([]string{backend, a.Base + "/", shop}, besides...)...)
			stranger := visit(t, backend, a.Base)
			if status := stranger.post(t, "/token", nil); status != http.StatusUnauthorized {
				t.Errorf("who is not signed in is answered %d", status)
			}
			if status := stranger.post(t, "/signin", url.Values{"name": {"eve"}}); status != http.StatusForbidden {
				t.Errorf("somebody unknown is answered %d", status)
			}
		})
	}
}

// months are what the example's cards say.
type months struct {
	sold string    // the answer of the tile
	last [3]string // pieces, revenue and margin of the last month, as people read them
}

// soldByMonth adds up the rows of the file that somebody may see.
func soldByMonth(t *testing.T, tenant string, regions []string) months {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(readExample(t, "sales.csv"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	pieces, revenue, costs := make(map[string]int64), make(map[string]int64), make(map[string]int64)
	cents := func(text string) int64 {
		n, err := strconv.ParseInt(strings.Replace(text, ".", "", 1), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, row := range rows[1:] {
		if row[1] != tenant || regions != nil && !slices.Contains(regions, row[2]) {
			continue
		}
		month := row[9][:len("2026-01")]
		n, err := strconv.ParseInt(row[6], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		pieces[month] += n
		revenue[month] += n * cents(row[7])
		costs[month] += n * cents(row[8])
	}
	all := slices.Sorted(maps.Keys(pieces))
	var sold []string
	for _, month := range all {
		sold = append(sold, fmt.Sprintf(`{"key":{"sold_on":"%s-01"},"sold":%d}`, month, pieces[month]))
	}
	last := all[len(all)-1]
	dollars := (revenue[last] + 50) / 100
	shown := fmt.Sprintf("$%d", dollars)
	if dollars >= 1000 {
		shown = fmt.Sprintf("$%d,%03d", dollars/1000, dollars%1000)
	}
	return months{
		sold: `{"salesAggregate":[` + strings.Join(sold, ",") + `]}`,
		last: [3]string{strconv.FormatInt(pieces[last], 10), shown, fmt.Sprintf("%.1f%%", 100*(1-float64(costs[last])/float64(revenue[last])))},
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
	program.WriteFile(t, filepath.Join(dir, "sales.csv"), readExample(t, "sales.csv"))
	if err := os.Mkdir(filepath.Join(dir, "dashboards"), 0o700); err != nil {
		t.Fatal(err)
	}
	for file, text := range map[string]string{"portal.yml": readExample(t, "dashboards/portal.yml"), "others.yml": readExample(t, "dashboards/portal.yml")} {
		program.WriteFile(t, filepath.Join(dir, "dashboards", file), text)
	}
	a := program.Administer(t, filepath.Join(dir, "usher.yml"))
	for _, tenant := range []string{"burrito-bros", "casa-verde", "luna-y-sol"} {
		a.Says(t, "tenant", "create", tenant)
	}
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
	client         *http.Client
	backend, usher string
	access         struct{ Token, ExpiresAt string }
}

func visit(t *testing.T, backend, usher string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{client: &http.Client{Jar: jar, Timeout: program.Patience}, backend: backend, usher: usher}
}

// run asks for a dashboard as the element does.
func (v *visitor) run(t *testing.T, name, body string) (status int, answer string) {
	t.Helper()
	status, _, answer = v.do(t, http.MethodPost, v.usher+"/dashboards/"+name, body, http.Header{
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + v.access.Token}, "Origin": {v.backend},
	})
	return status, answer
}

// shows is the data of a tile.
func (v *visitor) shows(t *testing.T, tile string) string {
	t.Helper()
	_, answer := v.run(t, "portal", `{"tiles":["`+tile+`"]}`)
	var run struct {
		Tiles map[string]struct{ Data json.RawMessage }
	}
	if err := json.Unmarshal([]byte(answer), &run); err != nil || len(run.Tiles) != 1 {
		t.Fatalf("%v: %s", err, answer)
	}
	return string(run.Tiles[tile].Data)
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
	_, header, answer := v.do(t, http.MethodPost, v.usher+"/graphql", string(body), http.Header{
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
	v := &visitor{client: &http.Client{Timeout: program.Patience}, backend: "https://app.example", usher: a.Base}
	v.access.Token = made.Token
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
