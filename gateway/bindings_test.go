package gateway_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// bound is a configuration that knows no tenant: what there may be of them it declares, and
// the store says who has what of it.
const bound = `
control:
  %[4]s
  key: {id: a, secret: {env: KEY}}
issuers:
  app: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: registered, claims: {tenant: /tenant, all_tenants: /all}, may_grant: {all_tenants: true}}
sources:
  shop: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}
  silo: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: nowhere, user: nobody, template: true, sslmode: disable}
strategies: {all: {kind: shared, source: shop}, own: {kind: database, source: silo}}
default_strategy: all
datasets:
  notes:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: String}
    bind:
      silo: {table: notes, columns: {tenant: ~}}
%[5]s
  words: {common: true, source: shop, columns: {word: String}}
`

const boundChoices = `      archive: {source: shop, table: old_notes}
      legacy: {source: silo, table: old_notes, columns: {text: body, tenant: ~}}`

// openBound opens a gateway, and says how the next configuration is put before it.
func openBound(t *testing.T, shop, store pgtest.DB) (gate, func(choices string)) {
	t.Helper()
	return openOf(t, bound, shop, store)
}

func openOf(t *testing.T, text string, shop, store pgtest.DB) (gate, func(choices string)) {
	t.Helper()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	file := filepath.Join(dir, "usher.yml")
	write := func(choices string) {
		program.WriteFile(t, file, fmt.Sprintf(text, shop.Name, shop.User, shop.Port, inPostgres(store), choices))
	}
	write(boundChoices)
	read := func() (*config.Config, error) {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		return config.Parse(file, text, controlledEnv(shop))
	}
	cfg, err := read()
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Read: read, Patience: program.Patience}) // budgets are counted, not guessed, on a busy machine
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return gate{g}, write
}

// soon waits for an answer to be what it has to be within a second or so.
func (g gate) soon(t *testing.T, token, text, want string) {
	t.Helper()
	got := ""
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		if got = g.query(t, token, text); got == want {
			return
		}
	}
	t.Errorf("%s\n got %s\nwant %s", text, got, want)
}

// Tenants with a database of their own, and by a binding that has a name, come and change
// without another configuration, on all gateways of a store.
func TestBindingsOfTenants(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	shop, acme, globex, store := server.Database(t), server.Database(t), server.Database(t), server.Database(t)
	shop.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE old_notes (id int PRIMARY KEY, tenant text NOT NULL, text text);
		CREATE TABLE words (word text); INSERT INTO words VALUES ('common');
		INSERT INTO notes VALUES (1, 'acme', 'shop'), (2, 'globex', 'shop'); INSERT INTO old_notes VALUES (3, 'acme', 'archive'), (4, 'globex', 'archive')`)
	for name, db := range map[string]pgtest.DB{"acme": acme, "globex": globex} {
		db.Exec(t, fmt.Sprintf(`CREATE TABLE notes (id int PRIMARY KEY, text text); CREATE TABLE old_notes (id int PRIMARY KEY, body text);
			INSERT INTO notes VALUES (10, 'own of %[1]s'); INSERT INTO old_notes VALUES (11, 'legacy of %[1]s')`, name))
	}
	one, write := openBound(t, shop, store)
	two, _ := openBound(t, shop, store)
	root := one.bootstrap(t)
	account := func(db pgtest.DB) string {
		return fmt.Sprintf(`{source: "silo", database: %q, user: %q, password: %q}`, db.Name, db.User, shop.Password)
	}
	for _, create := range []string{
		`{id: "acme", accounts: [` + account(acme) + `], bindings: [{dataset: "notes", binding: "legacy"}]}`,
		`{id: "globex", strategy: "own", accounts: [` + account(globex) + `]}`,
		`{id: "initech"}`,
	} {
		if got := one.query(t, root, `mutation { admin { createTenant(input: `+create+`) { id bindings { dataset binding } } } }`); !strings.HasPrefix(got, "200") || strings.Contains(got, "errors") {
			t.Fatal(got)
		}
	}
	const ask = `{ notes { id text } words { word } }`
	notes := func(rows string) string { return `200 {"data":{"notes":[` + rows + `],"words":[{"word":"common"}]}}` }
	ofAcme, ofGlobex := program.Sign(t, `{"tenant": "acme"}`), program.Sign(t, `{"tenant": "globex"}`)
	for _, g := range []gate{one, two} {
		g.check(t, ofAcme, ask, notes(`{"id":11,"text":"legacy of acme"}`))
		g.check(t, ofGlobex, ask, notes(`{"id":10,"text":"own of globex"}`))
		g.check(t, program.Sign(t, `{"tenant": "initech"}`), ask, notes(``))
		g.check(t, program.Sign(t, `{"all": true}`), ask, notes(`{"id":1,"text":"shop"},{"id":2,"text":"shop"}`)) // nobody is led to what is one's own
	}
	set := func(tenant, bindings string) string {
		return one.query(t, root, `mutation { admin { setTenantBindings(id: "`+tenant+`", bindings: `+bindings+`) { bindings { dataset binding } } } }`)
	}
	for bindings, want := range map[string]string{
		`[{dataset: "notes", binding: "lost"}]`:                                           "unknown binding",
		`[{dataset: "notes", binding: ""}]`:                                               "BAD_USER_INPUT",
		`[{dataset: "", binding: "legacy"}]`:                                              "BAD_USER_INPUT",
		`[{dataset: "lost", binding: "legacy"}]`:                                          "unknown dataset",
		`[{dataset: "words", binding: "legacy"}]`:                                         "is common",
		`[{dataset: "notes", binding: "silo"}]`:                                           "unknown binding", // a source's is none that can be chosen
		`[{dataset: "notes", binding: "legacy"}, {dataset: "notes", binding: "archive"}]`: "given twice",
		`null`: "null",
	} {
		if got := set("acme", bindings); !strings.Contains(got, want) || !strings.Contains(got, "errors") {
			t.Errorf("%s: %s", bindings, got)
		}
	}
	for _, g := range []gate{one, two} {
		g.check(t, ofAcme, ask, notes(`{"id":11,"text":"legacy of acme"}`)) // what was refused changed nothing
	}
	// Others may share a table whose tenant column keeps them apart.
	for tenant, token := range map[string]string{"acme": ofAcme, "globex": ofGlobex} {
		if got := set(tenant, `[{dataset: "notes", binding: "archive"}]`); got != `200 {"data":{"admin":{"setTenantBindings":{"bindings":[{"dataset":"notes","binding":"archive"}]}}}}` {
			t.Error(got)
		}
		id := map[string]string{"acme": "3", "globex": "4"}[tenant]
		one.check(t, token, ask, notes(`{"id":`+id+`,"text":"archive"}`))
		two.soon(t, token, ask, notes(`{"id":`+id+`,"text":"archive"}`))
	}
	if got := set("acme", `[]`); !strings.Contains(got, `"bindings":[]`) {
		t.Error(got)
	}
	one.check(t, ofAcme, ask, notes(`{"id":1,"text":"shop"}`))
	two.soon(t, ofAcme, ask, notes(`{"id":1,"text":"shop"}`))
	// A place that is one tenant's alone stays that: globex must not be read where acme is.
	if got := set("acme", `[{dataset: "notes", binding: "legacy"}]`); strings.Contains(got, "errors") {
		t.Error(got)
	}
	if got := one.query(t, root, `mutation { admin { setTenantAccounts(id: "globex", accounts: [`+account(acme)+`]) { id } } }`); strings.Contains(got, "errors") {
		t.Errorf("its binding leads elsewhere: %s", got)
	}
	if got := set("globex", `[{dataset: "notes", binding: "legacy"}]`); !strings.Contains(got, "CONFLICT") {
		t.Errorf("globex is read from acme's database: %s", got)
	}
	// Who administers one tenant sees what it has, and changes none of it.
	key := one.text(t, root, `mutation { admin { createServiceKey(input: {name: "of acme", tenant: "acme", scopes: [ADMINISTER]}) { token } } }`, "token")
	one.check(t, key, `{ admin { tenant(id: "acme") { bindings { dataset binding } } } }`, `200 {"data":{"admin":{"tenant":{"bindings":[{"dataset":"notes","binding":"legacy"}]}}}}`)
	for _, refused := range []string{`mutation { admin { setTenantBindings(id: "acme", bindings: []) { id } } }`, `mutation { admin { reload { served } } }`, `{ admin { configuration { loadedAt } } }`} {
		if got := one.query(t, key, refused); !strings.Contains(got, "Cannot query field") || strings.Contains(got, `"data"`) {
			t.Errorf("%s: %s", refused, got)
		}
	}

	// A configuration without the binding: what the record says is nowhere, and that alone. The
	// other gateway, which has its own file, goes on.
	write(`      archive: {source: shop, table: old_notes}`)
	if got := one.query(t, root, `mutation { admin { reload { served problems } } }`); got != `200 {"data":{"admin":{"reload":{"served":true,"problems":[]}}}}` {
		t.Error(got)
	}
	if got := one.query(t, ofAcme, `{ notes { id } }`); !strings.Contains(got, `{"notes":null}`) || !strings.Contains(got, "UNAVAILABLE") || strings.Contains(got, "legacy") {
		t.Error(got)
	}
	one.check(t, ofAcme, `{ words { word } }`, `200 {"data":{"words":[{"word":"common"}]}}`)
	one.check(t, ofGlobex, ask, notes(`{"id":4,"text":"archive"}`))
	two.check(t, ofAcme, ask, notes(`{"id":11,"text":"legacy of acme"}`))
	if got := one.query(t, root, `{ admin { findings { problems } } }`); !strings.Contains(got, `tenant acme of the control store: unknown binding \"legacy\" of the dataset notes`) {
		t.Error(got)
	}
	if got := one.problemsOf(t, root, "acme"); got != "shop RECORD notes" {
		t.Error(got)
	}
	// A file that cannot be served changes nothing, and the answer says what is wrong with it.
	write(`      broken: {source: nowhere}`)
	if got := one.query(t, root, `mutation { admin { reload { served problems } } }`); !strings.HasPrefix(got, `200 {"data":{"admin":{"reload":{"served":false,`) || !strings.Contains(got, "datasets.notes.bind.broken.source: there is no source nowhere") {
		t.Error(got)
	}
	if got := one.query(t, root, `{ admin { configuration { problems refusedAt strategies { name kind source default } bindings { dataset name source } cells } } }`); !strings.Contains(got, "there is no source nowhere") ||
		!strings.Contains(got, `"bindings":[{"dataset":"notes","name":"archive","source":"shop"}],"cells":[]`) || strings.Contains(got, `"refusedAt":null`) {
		t.Error(got)
	}
	one.check(t, ofGlobex, ask, notes(`{"id":4,"text":"archive"}`))
	write(boundChoices)
	one.check(t, root, `mutation { admin { reload { served problems } } }`, `200 {"data":{"admin":{"reload":{"served":true,"problems":[]}}}}`)
	one.check(t, ofAcme, ask, notes(`{"id":11,"text":"legacy of acme"}`))
	one.check(t, root, `{ admin { configuration { problems refusedAt } } }`, `200 {"data":{"admin":{"configuration":{"problems":[],"refusedAt":null}}}}`)
}
