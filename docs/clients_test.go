package docs

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/test/noderun"
	"usher/test/program"
)

// shop is what the clients of clients.md ask. Ids of orders are beyond what a
// double holds, and those of other datasets are among them again.
const shop = `
	CREATE TABLE customers (id BIGINT PRIMARY KEY, tenant VARCHAR NOT NULL, name VARCHAR NOT NULL);
	CREATE TABLE orders (id BIGINT PRIMARY KEY, tenant VARCHAR NOT NULL, customer_id BIGINT NOT NULL, region VARCHAR NOT NULL,
		placedOn DATE NOT NULL, total DECIMAL(12,2) NOT NULL);
	CREATE TABLE lines (order_id BIGINT NOT NULL, tenant VARCHAR NOT NULL, no INTEGER NOT NULL, product VARCHAR NOT NULL,
		pieces INTEGER NOT NULL, PRIMARY KEY (order_id, no));
	CREATE TABLE visits (id INTEGER NOT NULL, tenant VARCHAR NOT NULL, page VARCHAR NOT NULL);
	INSERT INTO customers VALUES (1, 'acme', 'Ann'), (2, 'acme', 'Bob'), (9, 'globex', 'Eve');
	INSERT INTO orders SELECT 9007199254740992 + i, 'acme', 1 + i % 2, CASE WHEN i % 3 = 0 THEN 'EU' ELSE 'US' END,
		DATE '2026-01-15' + INTERVAL (i) MONTH, 10 * i + 0.50 FROM range(1, 11) t(i);
	INSERT INTO orders VALUES (77, 'globex', 9, 'EU', '2026-01-15', 1000);
	INSERT INTO lines SELECT 9007199254740992 + i, 'acme', n, 'p' || n, i FROM range(1, 11) t(i), range(1, 3) u(n);
	INSERT INTO visits VALUES (1, 'acme', '/'), (1, 'acme', '/orders'), (2, 'acme', '/');`

const shopConfig = `
server: {listen: "127.0.0.1:0", allowed_origins: ["*"], numbers: string, drain: 0s, playground: false}
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
  customers:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String!, name: String!}
  orders:
    tenant: tenant
    key: id
    columns: {id: BigInt!, tenant: String!, customer_id: BigInt!, region: String!, placedOn: Date!, total: Decimal!}
    relations:
      customer: {to: customers, on: {customer_id: id}}
  lines:
    tenant: tenant
    key: [order_id, no]
    columns: {order_id: BigInt!, tenant: String!, no: Int!, product: String!, pieces: Int!}
  visits:
    tenant: tenant
    columns: {id: Int!, tenant: String!, page: String!}
`

const clientsPage = "clients.md"

// shopServer serves the shop, with what clients.md has for files beside it.
func shopServer(t *testing.T) (u *program.Running, folder, token string) {
	t.Helper()
	folder = t.TempDir()
	program.WriteFile(t, filepath.Join(folder, "usher.yml"), shopConfig)
	program.WriteFile(t, filepath.Join(folder, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(folder, "shop.duckdb"), shop)
	u = program.Start(t, "serve", "-c", filepath.Join(folder, "usher.yml"))
	token = program.Sign(t, `{"tenant": "acme"}`)
	program.WriteFile(t, filepath.Join(folder, "token.js"), "export const token = () => "+quote(t, token)+";\n")
	for name, text := range files(t) {
		program.WriteFile(t, filepath.Join(folder, name), strings.ReplaceAll(text, "https://usher.example", u.Base))
	}
	return u, folder, token
}

// files are the blocks of clients.md that begin with the name of a file.
func files(t *testing.T) map[string]string {
	t.Helper()
	out := make(map[string]string)
	for _, block := range regexp.MustCompile("(?ms)^```(?:js|json) (\\S+)\n(.*?)^```$").FindAllStringSubmatch(readPage(t), -1) {
		out[block[1]] = block[2]
	}
	return out
}

func readPage(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(clientsPage)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func quote(t *testing.T, text string) string {
	t.Helper()
	out, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// printed runs the commands of clients.md that print a file.
func printed(t *testing.T, folder string) {
	t.Helper()
	commands := regexp.MustCompile(`(?m)^usher (schema --as acme.*) > (\S+)$`).FindAllStringSubmatch(readPage(t), -1)
	if len(commands) < 5 {
		t.Fatalf("clients.md has the commands %q", commands)
	}
	for _, command := range commands {
		out, err := program.Command(t, append(strings.Fields(command[1]), "-c", filepath.Join(folder, "usher.yml"))...)
		if err != nil {
			t.Fatal(err)
		}
		program.WriteFile(t, filepath.Join(folder, command[2]), out)
	}
}

// TestClients has real clients in a real browser ask a running server from a page
// of another origin, set up as clients.md has it, with the modules that it prints.
func TestClients(t *testing.T) {
	t.Parallel()
	_, folder, _ := shopServer(t)
	printed(t, folder)
	output := noderun.Run(t, "clients.mjs", folder, "apollo", "urql", "relay", "ask")
	t.Log(output)
	for client, kinds := range map[string][]string{
		// What is not known by its hash is sent again with its text, and later by the hash alone.
		"apollo": {"POST hash 200 identity", "POST text+hash 200 identity", "POST text+hash 200 zstd", "POST text 400 identity"},
		"urql":   {"GET hash 200 identity", "GET text+hash 200 identity", "GET hash 200 zstd"},
		"relay":  {"POST text 200 identity", "POST text 200 zstd"},
		"ask":    {"POST text 200 identity"},
	} {
		for _, kind := range kinds {
			if !strings.Contains(output, client+" "+kind+"\n") {
				t.Errorf("%s sent no request that is %q", client, kind)
			}
		}
	}
}

// What the page shows for programs that are not run here is asked as it stands.
func TestQueriesOfClients(t *testing.T) {
	t.Parallel()
	u, _, token := shopServer(t)
	page := readPage(t)
	find := func(expression string) string {
		t.Helper()
		found := regexp.MustCompile(expression).FindStringSubmatch(page)
		if found == nil {
			t.Fatalf("clients.md has no %s", expression)
		}
		return found[1]
	}
	for name, c := range map[string]struct{ body, want string }{
		"Grafana": {
			`{"query": ` + quote(t, find("(?s)```graphql\n(.*?)```")) + `}`,
			`{"data":{"ordersAggregate":[{"key":{"placedOn":"2026-02-01"},"count":"1"},`,
		},
		"Python": {
			`{"query": ` + quote(t, find(`(?s)query = """(.*?)"""`)) + `, "variables": {"region": "EU", "after": null}}`,
			`{"data":{"ordersConnection":{"nodes":[{"id":"9007199254740995","placedOn":"2026-04-15","total":"30.50"},`,
		},
		"curl": {
			find(`--json '(.*)'`),
			`{"data":{"orders":[{"id":"9007199254741002","total":"100.50"},`,
		},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, u.Base+"/graphql", strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		if status, body := program.Fetch(t, r); status != http.StatusOK || !bytes.HasPrefix(body, []byte(c.want)) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// The scripts that nobody bundles are read by Node at least.
func TestModulesOfClients(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	program.WriteFile(t, filepath.Join(folder, "usher.yml"), shopConfig)
	program.WriteFile(t, filepath.Join(folder, "secret"), program.Secret)
	program.WriteFile(t, filepath.Join(folder, "package.json"), `{"type": "module"}`)
	program.MakeDuckDB(t, filepath.Join(folder, "shop.duckdb"), shop)
	printed(t, folder)
	program.WriteFile(t, filepath.Join(folder, "codegen.js"), files(t)["codegen.js"])
	output := noderun.Run(t, "scalars.mjs", folder)
	schema, err := os.ReadFile(filepath.Join(folder, "schema.graphql"))
	if err != nil {
		t.Fatal(err)
	}
	var custom []string
	for _, found := range regexp.MustCompile(`(?m)^scalar (\w+)`).FindAllStringSubmatch(string(schema), -1) {
		custom = append(custom, found[1])
	}
	want := strings.Join(custom, ",")
	if got := strings.TrimSpace(output); got != want+" "+want+" string string" {
		t.Errorf("got  %s\nwant %s, twice", got, want)
	}
}
