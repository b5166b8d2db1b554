package admin_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// sellers is a configuration of two sellers' orders, with its control store.
func sellers(t *testing.T, control string) (config string) {
	t.Helper()
	dir := t.TempDir()
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), `CREATE TABLE orders (id BIGINT PRIMARY KEY, shop VARCHAR NOT NULL, region VARCHAR NOT NULL);
		INSERT INTO orders VALUES (1, 'acme', 'EU'), (2, 'acme', 'US'), (3, 'globex', 'EU')`)
	config = filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, control+`
sources:
  shop: {kind: duckdb, path: shop.duckdb}
strategies:
  shared: {kind: shared, source: shop}
roles:
  viewer: {datasets: {orders: {}}}
datasets:
  orders:
    tenant: shop
    key: id
    columns: {id: BigInt!, shop: String!, region: String!}
`)
	return config
}

const inFile = "control: {path: data/control.duckdb}\n"

var (
	times = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)
	ids   = regexp.MustCompile(`\b[0-9a-hjkmnp-tv-z]{16}\b`)
	gaps  = regexp.MustCompile(` {2,}`)
)

// plain is an output without what differs each time.
func plain(text string) string {
	return gaps.ReplaceAllString(ids.ReplaceAllString(times.ReplaceAllString(text, "TIME"), "ID"), "  ")
}

func wantText(t *testing.T, got, want string) {
	t.Helper()
	if plain(got) != want {
		t.Errorf("got\n%swant\n%s", plain(got), want)
	}
}

func TestTenantCommand(t *testing.T) {
	t.Parallel()
	a := program.Administer(t, sellers(t, inFile))
	wantText(t, a.Says(t, "tenant", "create", "acme", "--name", "Acme Ltd"), "id  acme\nkey  acme\nname  Acme Ltd\nstatus  active\nstrategy  -\ncreated  TIME\nchanged  TIME\n")
	a.Says(t, "tenant", "create", "g2", "--key", "globex", "--strategy", "shared")
	wantText(t, a.Says(t, "tenant", "list"), "ID  KEY  NAME  STATUS  STRATEGY\nacme  acme  Acme Ltd  active  -\ng2  globex  g2  active  shared\n")
	wantText(t, a.Says(t, "tenant", "list", "--search", "ltd"), "ID  KEY  NAME  STATUS  STRATEGY\nacme  acme  Acme Ltd  active  -\n")
	out, errs, err := a.With(t, a.Key, "", "tenant", "list", "--limit", "1")
	if err != nil || errs != "there are more: --after acme\n" || strings.Contains(out, "g2") {
		t.Errorf("%v\n%s%s", err, out, errs)
	}
	if out := a.Says(t, "tenant", "rename", "g2", "Globex"); !strings.Contains(out, "Globex") {
		t.Error(out)
	}
	if out := a.Says(t, "tenant", "suspend", "g2"); !strings.Contains(out, "suspended") {
		t.Error(out)
	}
	if out := a.Says(t, "tenant", "resume", "g2"); !strings.Contains(out, "active") {
		t.Error(out)
	}
	if _, _, err := a.With(t, a.Key, "", "tenant", "delete", "g2", "--confirm", "acme"); err == nil || !strings.Contains(err.Error(), "nothing was deleted") {
		t.Error(err)
	}
	if out := a.Says(t, "tenant", "delete", "g2", "--confirm", "g2"); !strings.Contains(out, "deleted") {
		t.Error(out)
	}
	var shown struct{ Name, Status string }
	if err := json.Unmarshal([]byte(a.Says(t, "tenant", "show", "acme", "--json")), &shown); err != nil || shown.Name != "Acme Ltd" || shown.Status != "ACTIVE" {
		t.Errorf("%v, %+v", err, shown)
	}
	// What the record says of how the data is reached.
	reached := "id  g3\nkey  g3\nname  g3\nstatus  active\nstrategy  -\nstrategy of orders  shared\nexternal ids  org_1, 42\nallowed hosts  db.example\ncreated  TIME\nchanged  TIME\n"
	wantText(t, a.Says(t, "tenant", "create", "g3", "--dataset-strategy", "orders=shared", "--external-id", "org_1", "--external-id", "42", "--allow-host", "db.example"), reached)
	wantText(t, a.Says(t, "tenant", "strategy", "g3", "--strategy", "shared"),
		"id  g3\nkey  g3\nname  g3\nstatus  active\nstrategy  shared\nexternal ids  org_1, 42\nallowed hosts  db.example\ncreated  TIME\nchanged  TIME\n")
	wantText(t, a.Says(t, "tenant", "strategy", "g3", "--dataset-strategy", "orders=shared"), reached)
	a.Says(t, "tenant", "external-ids", "g3", "org_2")
	a.Says(t, "tenant", "allow-hosts", "g3", "--none")
	wantText(t, a.Says(t, "tenant", "show", "g3"),
		"id  g3\nkey  g3\nname  g3\nstatus  active\nstrategy  -\nstrategy of orders  shared\nexternal ids  org_2\nallowed hosts  -\ncreated  TIME\nchanged  TIME\n")
	a.Says(t, "tenant", "allow-hosts", "g3", "*")
	a.Says(t, "tenant", "external-ids", "g3", "--none")
	for _, args := range [][]string{
		{"external-ids", "g3"},
		{"allow-hosts", "g3"},
		{"external-ids", "g3", "x", "--none"},
		{"strategy", "g3", "--dataset-strategy", "orders"},
		{"strategy", "g3", "--dataset-strategy", "orders="},
		{"strategy", "g3", "--dataset-strategy", "nothing=shared"},
		{"allow-hosts", "g3", "no host"},
	} {
		if _, _, err := a.With(t, a.Key, "", append([]string{"tenant"}, args...)...); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
	wantText(t, a.Says(t, "tenant", "test", "g3"), "SOURCE  DATASET  COLUMN  STATE  -\nshop  orders  -  ok  -\n")
	if _, _, err := a.With(t, a.Key, "", "tenant", "show", "nobody"); err == nil || !strings.Contains(err.Error(), "there is no tenant nobody") {
		t.Error(err)
	}
}

func TestTokenAndKeyCommands(t *testing.T) {
	t.Parallel()
	a := program.Administer(t, sellers(t, inFile))
	a.Says(t, "tenant", "create", "acme")
	key := program.IssuedBy(t, a.Says(t, "key", "create", "backend", "--tenant", "acme", "--scope", "tokens:create", "--scope", "data:read", "--role", "viewer", "--json"))
	wantText(t, a.Says(t, "key", "list", "--tenant", "acme"),
		"ID  NAME  TENANT  SCOPES  ROLES  EXPIRES  LAST USED  REVOKED\nID  backend  acme  tokens:create, data:read  viewer  -  -  -\n")

	file := filepath.Join(t.TempDir(), "key")
	program.WriteFile(t, file, key.Token+"\n")
	out, _, err := a.With(t, "", "", "token", "create", "--subject", "ann", "--role", "viewer", "--dataset", "orders",
		"--filter", `orders={"region": {"eq": "EU"}}`, "--expires-in", "1h", "--rate", "60", "--inactivity", "10m", "--json", "--key-file", file)
	if err != nil {
		t.Fatal(err)
	}
	token := program.IssuedBy(t, out)
	shows := func(token, want string) {
		t.Helper()
		status, body := program.Fetch(t, a.Ask(t, token, "{ orders { id } }"))
		if got := strings.TrimSpace(string(body)); status != 200 || got != want {
			t.Errorf("%d %s, want %s", status, got, want)
		}
	}
	shows(token.Token, `{"data":{"orders":[{"id":1}]}}`)
	shows(key.Token, `{"data":{"orders":[{"id":1},{"id":2}]}}`)
	narrow, _, err := a.With(t, key.Token, "", "token", "narrow", "--filter", `orders={"region": {"eq": "US"}}`, "--expires-in", "10m", "--json")
	if err != nil {
		t.Fatal(err)
	}
	shows(program.IssuedBy(t, narrow).Token, `{"data":{"orders":[{"id":2}]}}`)

	narrow, _, err = a.With(t, key.Token, "", "token", "narrow", "--having", `orders={"count": {"gte": 5}}`, "--expires-in", "10m", "--json")
	if err != nil {
		t.Fatal(err)
	}
	if _, body := program.Fetch(t, a.Ask(t, program.IssuedBy(t, narrow).Token, "{ orders { id } }")); !strings.Contains(string(body), "in groups only") {
		t.Errorf("a token for groups shows %s", body)
	}

	listed := a.Says(t, "token", "list", "--tenant", "acme", "--subject", "ann", "--living")
	wantText(t, listed, "ID  TENANT  SUBJECT  ROLES  FILTERED  A MINUTE  MINTED BY  EXPIRES  REVOKED\nID  acme  ann  viewer  orders  -  backend  TIME  -\n")
	wantText(t, a.Says(t, "token", "revoke", token.ID), "revoked: 1 of usher's own\n")
	wantText(t, a.Says(t, "token", "revoke", "--tenant", "acme", "--subject", "nobody"), "revoked: 0 of usher's own\n")
	for _, args := range [][]string{
		{"token", "revoke", token.ID}, {"token", "revoke", "0000000000000000"}, {"session", "revoke", "0000000000000000"}, {"key", "revoke", "0000000000000000"},
	} {
		if out, _, err := a.With(t, a.Key, "", args...); err == nil || out != "" || !strings.Contains(err.Error(), "nothing was revoked: there is no ") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
	wantText(t, a.Says(t, "key", "revoke", key.ID), "revoked: 3 of usher's own\n")
	if status, _ := program.Fetch(t, a.Ask(t, token.Token, "{ orders { id } }")); status != 401 {
		t.Errorf("a revoked token is answered %d", status)
	}

	for _, line := range []struct {
		args []string
		want string
	}{
		{[]string{"token", "create", "--subject", "a", "--tenant", "acme", "--filter", "orders"}, "has not the form name=value"},
		{[]string{"token", "create", "--subject", "a", "--tenant", "acme", "--filter", "orders={region"}, "holds no JSON"},
		{[]string{"token", "create", "--subject", "a", "--tenant", "acme", "--filter", `wages={"a": {"eq": 1}}`}, "wages"},
		{[]string{"token", "create", "--subject", "a", "--tenant", "acme", "--filter", `orders={"wage": {"eq": 1}}`}, "wage"},
		{[]string{"token", "create", "--subject", "a", "--tenant", "acme", "--role", "owner"}, "owner"},
		{[]string{"token", "create", "--subject", "a", "--tenant", "acme", "--inactivity", "1m"}, "at least 120 seconds"},
		{[]string{"token", "create", "--subject", "a", "--tenant", "nobody"}, "nobody"},
		{[]string{"token", "revoke"}, "say which tokens"},
		{[]string{"key", "create", "k", "--scope", "admin"}, "--tenant"},
		{[]string{"key", "create", "k", "--all-tenants", "--scope", "everything"}, "must be one of"},
	} {
		if out, _, err := a.With(t, a.Key, "", line.args...); err == nil || !strings.Contains(err.Error(), line.want) {
			t.Errorf("%s: %v, want %s\n%s", strings.Join(line.args, " "), err, line.want, out)
		}
	}
}

func TestUserCommand(t *testing.T) {
	t.Parallel()
	a := program.Administer(t, sellers(t, inFile))
	a.Says(t, "tenant", "create", "acme")
	out, _, err := a.With(t, a.Key, "a long password\n", "user", "create", "Ann", "--tenant", "acme", "--role", "viewer", "--password-stdin")
	if err != nil {
		t.Fatal(err)
	}
	wantText(t, out, "tenant  acme\nusername  ann\nname  -\nemail  -\nstatus  active\nroles  viewer\nscopes  data:read\n")
	login := func(password string, want int) {
		t.Helper()
		r := a.Ask(t, "", `mutation { login(username: "acme|ann", password: "`+password+`") { token } }`)
		r.Header.Del("Authorization")
		status, answer := program.Fetch(t, r)
		if made := strings.Contains(string(answer), "usher_st_"); made != (want == 200) {
			t.Errorf("%d %s", status, answer)
		}
	}
	login("a long password", 200)
	if _, _, err := a.With(t, a.Key, "another long one\r\n", "user", "password", "ann", "--tenant", "acme", "--password-stdin"); err != nil {
		t.Error(err)
	}
	login("a long password", 401)
	login("another long one", 200)
	wantText(t, a.Says(t, "user", "list", "--tenant", "acme"), "USERNAME  TENANT  NAME  STATUS  ROLES  SCOPES\nann  acme  -  active  viewer  data:read\n")
	if out := a.Says(t, "user", "disable", "ann", "--tenant", "acme"); !strings.Contains(out, "disabled") {
		t.Error(out)
	}
	login("another long one", 401)
	if out := a.Says(t, "user", "enable", "ann", "--tenant", "acme"); !strings.Contains(out, "active") {
		t.Error(out)
	}
	wantText(t, a.Says(t, "user", "delete", "ann", "--tenant", "acme"), "deleted: ann\n")
	for _, line := range []struct {
		stdin, want string
		args        []string
	}{
		{"short\n", "12", []string{"user", "create", "bob", "--tenant", "acme", "--password-stdin"}},
		{"", "the password is empty", []string{"user", "create", "bob", "--tenant", "acme", "--password-stdin"}},
		{"", "no terminal", []string{"user", "create", "bob", "--tenant", "acme"}},
		{"a long password\n", "say which tenant", []string{"user", "create", "bob", "--password-stdin"}},
		{"", "no such user", []string{"user", "delete", "ann", "--tenant", "acme"}},
	} {
		if _, _, err := a.With(t, a.Key, line.stdin, line.args...); err == nil || !strings.Contains(err.Error(), line.want) {
			t.Errorf("%s: %v, want %s", strings.Join(line.args, " "), err, line.want)
		}
	}
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	config := sellers(t, fmt.Sprintf("control: {postgres: {host: %q, port: %d, database: %q, user: %q, password: {file: password}, sslmode: disable}}\n",
		db.Host, db.Port, db.Name, db.User))
	program.WriteFile(t, filepath.Join(filepath.Dir(config), "password"), db.Password)
	// On PostgreSQL a server may run meanwhile.
	u := program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
	if said := u.Stdout.String(); !strings.Contains(said, "usher key bootstrap") {
		t.Errorf("nobody administers it, and it says %s", said)
	}
	out, err := program.Command(t, "key", "bootstrap", "-c", config)
	if err != nil || !strings.Contains(out, "usher_sk_") || !strings.Contains(out, "never") {
		t.Fatalf("%v\n%s", err, out)
	}
	a := program.Administered{Running: u, Config: config, Key: regexp.MustCompile(`usher_sk_\w+`).FindString(out)}
	a.Says(t, "tenant", "list")
	if out, err := program.Command(t, "key", "bootstrap", "-c", config); err == nil || !strings.Contains(err.Error(), "keys or users already: Make further keys") || strings.Contains(out, "usher_") {
		t.Errorf("%v\n%s", err, out)
	}
	heads := filepath.Join(t.TempDir(), "heads.json")
	if out, err := program.Command(t, "audit", "verify", "-c", config, "--heads", heads); err != nil || !strings.Contains(out, "nothing was changed, added or removed") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := program.Command(t, "audit", "verify", "-c", config, "--seen", heads, "--heads", heads, "--json"); err != nil || !strings.Contains(out, `"problems": 0`) {
		t.Errorf("%v\n%s", err, out)
	}
	db.Exec(t, "UPDATE usher.audit SET detail = 'somebody' WHERE operation = 'bootstrap'")
	if out, err := program.Command(t, "audit", "verify", "-c", config); err == nil || !strings.Contains(err.Error(), "1 findings") || !strings.Contains(out, "it was changed") {
		t.Errorf("%v\n%s", err, out)
	}
	later := filepath.Join(t.TempDir(), "later.json")
	if _, err := program.Command(t, "audit", "verify", "-c", config, "--seen", heads, "--heads", later); err == nil || !strings.Contains(err.Error(), "no heads were written to "+later) {
		t.Errorf("heads of a changed log: %v", err)
	}
	if _, err := program.Command(t, "audit", "verify", "-c", config, "--accept"); err == nil || !strings.Contains(err.Error(), "--accept needs --heads") {
		t.Errorf("accepted nowhere: %v", err)
	}
	if out, err := program.Command(t, "audit", "verify", "-c", config, "--seen", heads, "--heads", later, "--accept"); err != nil || !strings.Contains(out, "it was changed") {
		t.Errorf("accepted heads: %v\n%s", err, out)
	}
	// What was accepted is told as such, each time, until it becomes something else.
	again := func() (string, error) {
		return program.Command(t, "audit", "verify", "-c", config, "--seen", later, "--heads", later)
	}
	for range 2 {
		if out, err := again(); err != nil || !strings.Contains(out, "accepted: entry") || !strings.Contains(out, "but what was accepted") {
			t.Errorf("what was accepted: %v\n%s", err, out)
		}
	}
	db.Exec(t, "UPDATE usher.audit SET detail = 'somebody else' WHERE operation = 'bootstrap'")
	if out, err := again(); err == nil || !strings.Contains(err.Error(), "1 findings") || strings.Contains(out, "accepted:") {
		t.Errorf("what was accepted was changed again: %v\n%s", err, out)
	}
	// Heads of before anything was accepted are an array.
	if text, err := os.ReadFile(heads); err != nil {
		t.Error(err)
	} else {
		var seen struct{ Heads json.RawMessage }
		if err := json.Unmarshal(text, &seen); err != nil {
			t.Error(err)
		}
		program.WriteFile(t, heads, string(seen.Heads))
	}
	if out, err := program.Command(t, "audit", "verify", "-c", config, "--seen", heads); err == nil || !strings.Contains(err.Error(), "1 findings") {
		t.Errorf("%v\n%s", err, out)
	}
	program.WriteFile(t, heads, `{"head": []}`)
	if _, err := program.Command(t, "audit", "verify", "-c", config, "--seen", heads); err == nil || !strings.Contains(err.Error(), "holds no heads") {
		t.Errorf("a file of something else: %v", err)
	}
	if _, err := program.Command(t, "key", "reseal", "-c", config); err == nil || !strings.Contains(err.Error(), "has no key") {
		t.Error(err)
	}
	if _, err := program.Command(t, "key", "bootstrap", "-c", sellers(t, "")); err == nil || !strings.Contains(err.Error(), "has no control store") {
		t.Error(err)
	}
}

// A lost first key is replaced by whoever has the configuration.
func TestRecover(t *testing.T) {
	t.Parallel()
	config := sellers(t, inFile)
	unclaimed := program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
	if said := unclaimed.Stdout.String(); !strings.Contains(said, "stop it, run `usher key bootstrap -c "+config+"`") {
		t.Errorf("nobody administers it, and it says %s", said)
	}
	unclaimed.Stop(t)
	first, err := program.Command(t, "key", "bootstrap", "-c", config, "--json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := program.Command(t, "key", "bootstrap", "-c", config); err == nil || !strings.Contains(err.Error(), "usher key bootstrap --recover") {
		t.Errorf("nothing is said of recovering: %v", err)
	}
	second, errs, err := program.CommandIn(t, program.NoEnv, "", "key", "bootstrap", "-c", config, "--recover", "--json")
	if err != nil || !strings.Contains(errs, "revoked, everywhere within a second: 1 earlier first keys") {
		t.Fatalf("%v\n%s", err, errs)
	}
	a := program.Administered{Running: program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0"), Key: program.IssuedBy(t, second).Token}
	if out := a.Says(t, "audit", "list", "--kind", "administration", "--operation", "recover", "--since", "1d"); !strings.Contains(out, "earlier first keys that ended: 1") {
		t.Error(out)
	}
	if _, _, err := a.With(t, program.IssuedBy(t, first).Token, "", "tenant", "list"); err == nil || !strings.Contains(err.Error(), "usher key bootstrap --recover") {
		t.Errorf("the lost key: %v", err)
	}
	// The server, in this process, has the file open, so nobody else may.
	if _, err := program.Command(t, "key", "bootstrap", "-c", config, "--recover"); err == nil || !strings.Contains(err.Error(), "must be stopped first") {
		t.Errorf("a key was made behind the server's back, or nothing is said of it: %v", err)
	}
}

// What is changed is changed, and the rest stays.
func TestUpdates(t *testing.T) {
	t.Parallel()
	a := program.Administer(t, sellers(t, inFile))
	dir := t.TempDir()
	file := func(name, text string) string {
		name = filepath.Join(dir, name)
		program.WriteFile(t, name, text)
		return name
	}
	a.Says(t, "tenant", "create", "acme")
	wantText(t, a.Says(t, "tenant", "update", "acme", "--name", "Acme Ltd", "--accounts", file("none.json", "[]")),
		"id  acme\nkey  acme\nname  Acme Ltd\nstatus  active\nstrategy  -\ncreated  TIME\nchanged  TIME\n")

	if _, _, err := a.With(t, a.Key, "a long password\n", "user", "create", "ann", "--tenant", "acme", "--role", "viewer", "--password-stdin"); err != nil {
		t.Fatal(err)
	}
	a.Says(t, "user", "update", "ann", "--tenant", "acme", "--scope", "data:read", "--scope", "explain")
	wantText(t, a.Says(t, "user", "show", "ann", "--tenant", "acme"), "tenant  acme\nusername  ann\nname  -\nemail  -\nstatus  active\nroles  viewer\nscopes  data:read, explain\n")
	wantText(t, a.Says(t, "user", "update", "ann", "--tenant", "acme", "--no-roles"), "tenant  acme\nusername  ann\nname  -\nemail  -\nstatus  active\nroles  -\nscopes  data:read, explain\n")

	wantText(t, a.Says(t, "role", "put", "clerk", "--tenant", "acme", "--file", file("clerk.yml", "datasets:\n  orders:\n    columns: [id]  # no more\n")),
		"tenant  acme\nname  clerk\ncreated  TIME\nchanged  TIME\nspec  {\"datasets\":{\"orders\":{\"columns\":[\"id\"]}}}\n")
	wantText(t, a.Says(t, "role", "list", "--tenant", "acme"), "NAME  TENANT  CREATED  CHANGED\nclerk  acme  TIME  TIME\n")
	a.Says(t, "role", "show", "clerk", "--tenant", "acme")
	wantText(t, a.Says(t, "role", "delete", "clerk", "--tenant", "acme"), "deleted: clerk\n")

	backend := program.IssuedBy(t, a.Says(t, "key", "create", "backend", "--tenant", "acme", "--scope", "admin", "--scope", "data:read", "--role", "viewer", "--expires-in", "4w", "--json")).Token
	asBackend := func(args ...string) string {
		t.Helper()
		out, _, err := a.With(t, backend, "", args...)
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	sales := file("sales.graphql", "query($n: Int!) { orders(limit: $n) { id } }")
	asBackend("saved-query", "create", "sales", "--file", sales, "--variables", `{"n": 1}`)
	asBackend("saved-query", "update", "sales", "--description", "of this year")
	wantText(t, asBackend("saved-query", "list"), "ID  NAME  OWNER  SHARED  CHANGED  DESCRIPTION\nID  sales  (tenant)  false  TIME  of this year\n")
	if out := asBackend("saved-query", "show", "sales"); !strings.HasSuffix(plain(out), "variables  {\"n\":1}\n\nquery($n: Int!) { orders(limit: $n) { id } }\n") {
		t.Error(out)
	}
	if out := asBackend("saved-query", "copy", "sales", "--as", "ours"); !strings.Contains(plain(out), "ours") {
		t.Errorf("the copy shows as %q", out)
	}
	asBackend("saved-query", "delete", "ours")
	wantText(t, asBackend("saved-query", "delete", "sales"), "deleted: sales\n")

	board := file("board.yml", "title: Sales\ntiles:\n- {id: a, at: {x: 0, y: 0, w: 3, h: 2}, query: '{ orders { id } }', chart: {kind: table, rows: orders}}\n")
	asBackend("dashboard", "save", "sales", "--file", board)
	asBackend("dashboard", "save", "sales", "--file", board, "--from-version", "1")
	asBackend("dashboard", "copy", "sales", "--as", "more")
	wantText(t, asBackend("dashboard", "list"), "NAME  TITLE  SHARED  OWN  VERSION  UPDATED\nmore  Sales  false  true  1  TIME\nsales  Sales  false  true  2  TIME\n")
	if out := asBackend("dashboard", "show", "sales"); !strings.Contains(out, `"query":"{ orders { id } }"`) {
		t.Error(out)
	}
	wantText(t, asBackend("dashboard", "delete", "sales", "--from-version", "2"), "deleted: sales\n")
	for _, args := range [][]string{{"show", "sales"}, {"save", "sales", "--file", "/nowhere"}, {"save", "more", "--file", board}, {"delete", "more", "--from-version", "7"}} {
		if out, _, err := a.With(t, backend, "", append([]string{"dashboard"}, args...)...); err == nil {
			t.Errorf("%v: %s", args, out)
		}
	}

	if _, _, err := a.With(t, backend, "", "saved-query", "show", "sales"); err == nil || !strings.Contains(err.Error(), "there is no saved query sales") {
		t.Error(err)
	}

	session := program.IssuedBy(t, a.Says(t, "session", "act", "acme", "--reason", "ticket 4711", "--role", "viewer", "--json"))
	if status, body := program.Fetch(t, a.Ask(t, session.Token, "{ orders { id } }")); status != 200 || !strings.Contains(string(body), `[{"id":1},{"id":2}]`) {
		t.Errorf("%d %s", status, body)
	}
	if out := a.Says(t, "session", "list", "--tenant", "acme", "--living"); !strings.Contains(out, session.ID) {
		t.Error(out)
	}
	wantText(t, a.Says(t, "session", "revoke", session.ID), "revoked: 1 of usher's own\n")
	if out := a.Says(t, "audit", "list", "--tenant", "acme", "--operation", "actAs"); !strings.Contains(out, "done") || strings.Count(out, "\n") != 2 {
		t.Error(out)
	}

	for _, line := range []struct {
		args []string
		want string
	}{
		{[]string{"tenant", "update", "acme"}, "say what to change"},
		{[]string{"tenant", "update", "acme", "--accounts", file("null.json", "null")}, "does not hold a JSON list"},
		{[]string{"tenant", "update", "nobody", "--name", "x"}, "nobody"},
		{[]string{"user", "update", "ann", "--tenant", "acme"}, "say what to change"},
		{[]string{"user", "update", "bob", "--tenant", "acme", "--no-roles"}, "there is no user bob"},
		{[]string{"user", "show", "ann"}, "--tenant says of which"},
		{[]string{"role", "show", "clerk", "--tenant", "acme"}, "there is no role clerk"},
		{[]string{"role", "delete", "clerk", "--tenant", "acme"}, "clerk"},
		{[]string{"role", "put", "clerk", "--tenant", "acme", "--file", file("bad.yml", "a: [")}, "is neither JSON nor YAML"},
		{[]string{"role", "put", "clerk", "--tenant", "acme", "--file", filepath.Join(dir, "no.yml")}, "cannot read the file"},
		{[]string{"saved-query", "show", "sales"}, "there is no saved query sales"},
		{[]string{"saved-query", "update", "sales"}, "say what to change"},
		{[]string{"session", "act", "nobody", "--reason", "r"}, "nobody"},
	} {
		if out, _, err := a.With(t, a.Key, "", line.args...); err == nil || !strings.Contains(err.Error(), line.want) {
			t.Errorf("%s: %v, want %s\n%s", strings.Join(line.args, " "), err, line.want, out)
		}
	}
}

// Whatever goes wrong, the command says what to do, and never shows the key.
func TestRemoteRefusals(t *testing.T) {
	t.Parallel()
	a := program.Administer(t, sellers(t, inFile))
	a.Says(t, "tenant", "create", "acme")
	reader := program.IssuedBy(t, a.Says(t, "key", "create", "reader", "--tenant", "acme", "--scope", "data:read", "--json")).Token
	file := filepath.Join(t.TempDir(), "key")
	program.WriteFile(t, file, "two words")
	printed := filepath.Join(t.TempDir(), "printed")
	program.WriteFile(t, printed, a.Says(t, "key", "create", "second", "--all-tenants", "--scope", "admin"))
	if out, err := program.Command(t, "tenant", "list", "--server", a.Base, "--key-file", printed); err != nil || !strings.Contains(out, "acme") {
		t.Errorf("a key as it was printed: %v, %s", err, out)
	}
	for _, line := range []struct {
		key  string
		args []string
		want string
	}{
		{"", nil, "there is no key: put a service key into USHER_KEY"},
		{"", []string{"--key-file", file}, "holds more than a key"},
		{"", []string{"--key-file", file + "s"}, "cannot read the key"},
		{"usher_sk_00", nil, "the key is wrong, expired or revoked"},
		{reader, nil, "the key may not do this"},
		{a.Key, []string{"--server", "http://127.0.0.1:1"}, "start it with usher serve"},
		{a.Key, []string{"--server", "http://usher.example"}, "use https"},
		{a.Key, []string{"--server", "usher.example"}, "is no address"},
		{a.Key, []string{"--server", "https://user@usher.example"}, "is no address"},
		{a.Key, []string{"--server", a.Base + "/playground"}, "is not usher"},
	} {
		env := func(name string) (string, bool) { return line.key, name == "USHER_KEY" }
		args := append([]string{"tenant", "list"}, line.args...)
		if len(line.args) == 0 || line.args[0] != "--server" {
			args = append(args, "--server", a.Base)
		}
		out, errs, err := program.CommandIn(t, env, "", args...)
		if err == nil || !strings.Contains(err.Error(), line.want) {
			t.Errorf("%v: %v, want %s", args, err, line.want)
		}
		if line.key != "" && err != nil && strings.Contains(err.Error()+out+errs, line.key) {
			t.Errorf("%v: the key is shown", args)
		}
	}
	config := sellers(t, "issuers: {i: {issuer: i, audience: [a], algorithms: [HS256], keys: {secret: {file: secret}}, claims: {tenant: /tenant}}}\n")
	program.WriteFile(t, filepath.Join(filepath.Dir(config), "secret"), program.Secret)
	without := program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0")
	if _, _, err := (program.Administered{Running: without}).With(t, a.Key, "", "tenant", "list"); err == nil {
		t.Error("a gateway without a control store lists tenants")
	}
}

// A variable of the shell that was forgotten is an empty flag, and that is no
// flag left out.
func TestEmptyFlags(t *testing.T) {
	t.Parallel()
	a := program.Administer(t, sellers(t, inFile))
	a.Says(t, "tenant", "create", "acme")
	token := program.IssuedBy(t, a.Says(t, "token", "create", "--tenant", "acme", "--subject", "ann", "--json"))
	for _, line := range []struct {
		args []string
		what string
	}{
		{[]string{"token", "revoke", "--tenant", "acme", "--subject", ""}, "--subject"},
		{[]string{"token", "revoke", "--tenant", "acme", "--issuer="}, "--issuer"},
		{[]string{"token", "revoke", "", "--tenant", "acme"}, "[<id>]"},
		{[]string{"token", "revoke", "--tenant", "acme", "--before", "0001-01-01T00:00:00Z"}, "--before"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--dataset", ""}, "--dataset"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--filter", ""}, "--filter"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--role", "viewer", "--role", ""}, "--role"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--parameter", ""}, "--parameter"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--strategy", ""}, "--strategy"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--accounts", ""}, "--accounts"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--expires-in", "0s"}, "--expires-in"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--rate", "0"}, "--rate"},
		{[]string{"token", "create", "--tenant", "acme", "--subject", "s", "--inactivity", "0s"}, "--inactivity"},
		{[]string{"token", "create", "--tenant", "", "--subject", "s"}, "--tenant"},
		{[]string{"token", "narrow", "--role", ""}, "--role"},
		{[]string{"key", "create", "k", "--tenant", "acme", "--scope", "data:read", "--expires-in", "0s"}, "--expires-in"},
		{[]string{"key", "create", "k", "--tenant", "acme", "--scope", "data:read", "--dataset", ""}, "--dataset"},
		{[]string{"user", "disable", "ann", "--tenant", ""}, "--tenant"},
		{[]string{"user", "delete", ""}, "<username>"},
	} {
		if out, _, err := a.With(t, a.Key, "", line.args...); err == nil || !strings.Contains(err.Error(), line.what+" is ") || !strings.Contains(err.Error(), ": leave it out") {
			t.Errorf("%q: %v\n%s", line.args, err, out)
		}
	}
	var listed struct {
		Items []struct {
			RevokedAt *string `json:"revokedAt"`
		}
	}
	out := a.Says(t, "token", "list", "--tenant", "acme", "--json")
	if err := json.Unmarshal([]byte(out), &listed); err != nil || len(listed.Items) != 1 || listed.Items[0].RevokedAt != nil {
		t.Errorf("%s is not as it was: %v\n%s", token.ID, err, out)
	}
}

// The password is not shown by the terminal, and asked for twice.
