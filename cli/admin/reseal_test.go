package admin_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// TestReplacingTheControlKey goes the way of docs/operations.md: a key is replaced on two gateways, one after another,
// and accounts are read by each at each step. An old key that nothing is encrypted with is needed for the audit log alone.
func TestReplacingTheControlKey(t *testing.T) {
	t.Parallel()
	store := pgtest.Start(t)
	db, other := store.Database(t), store.Database(t)
	for _, db := range []pgtest.DB{db, other} {
		db.Exec(t, "CREATE TABLE notes (id int PRIMARY KEY)")
	}
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "password"), db.Password)
	config := filepath.Join(dir, "usher.yml")
	server := fmt.Sprintf("host: %s, port: %d, user: %q, password: {file: password}, sslmode: disable", db.Host, db.Port, db.User)
	key := func(id string) string {
		file := "key-" + id
		program.WriteFile(t, filepath.Join(dir, file), strings.Repeat(id, 43)+"=")
		return fmt.Sprintf("{id: %s, secret: {file: %s}}", id, file)
	}
	write := func(keys string) {
		program.WriteFile(t, config, fmt.Sprintf(`
control: {postgres: {%[1]s, database: %[3]q}, %[2]s}
sources:
  silo: {kind: postgres, template: true, %[1]s, database: none}
strategies:
  own: {kind: database, source: silo}
datasets:
  notes: {tenant: tenant, key: id, columns: {id: Int!, tenant: String!}, bind: {silo: {columns: {tenant: ~}}}}
`, server, keys, db.Name))
	}
	a, b := key("A"), key("E")
	write("key: " + a)
	first := program.Administer(t, config)
	start := func() program.Administered {
		t.Helper()
		return program.Administered{Running: program.Start(t, "serve", "-c", config, "--listen", "127.0.0.1:0"), Config: config, Key: first.Key}
	}
	second := start()
	account := func(db pgtest.DB) string {
		file := filepath.Join(dir, db.Name+".json")
		program.WriteFile(t, file, fmt.Sprintf(`{"source": "silo", "database": %q, "user": %q, "password": %q}`, db.Name, db.User, db.Password))
		return file
	}
	first.Says(t, "tenant", "create", "acme", "--strategy", "own")
	first.Says(t, "tenant", "create", "globex", "--strategy", "own")
	first.Says(t, "tenant", "account", "acme", account(db))
	read := func(step string, gateways ...program.Administered) {
		t.Helper()
		for i, g := range gateways {
			for _, tenant := range []string{"acme", "globex"} {
				if out, _, err := g.With(t, g.Key, "", "tenant", "test", tenant); err != nil || !strings.Contains(out, "ok") {
					t.Errorf("%s: gateway %d does not read the account of %s: %v\n%s", step, i+1, tenant, err, out)
				}
			}
		}
	}
	roll := func(step, keys string) {
		t.Helper()
		write(keys)
		first.Stop(t)
		first = start()
		first.Says(t, "tenant", "account", "globex", account(other)) // encrypted with whatever the first has now
		read(step+", half way", first, second)
		second.Stop(t)
		second = start()
		read(step, first, second)
	}
	first.Says(t, "tenant", "account", "globex", account(other))
	read("before", first, second)
	roll("the new key is known", "key: "+a+", old_keys: ["+b+"]")
	roll("the new key is used", "key: "+b+", old_keys: ["+a+"]")
	if out, err := program.Command(t, "key", "reseal", "-c", config); err != nil || !strings.Contains(out, "encrypted with the key: 1 tenants and tokens") {
		t.Errorf("%v\n%s", err, out)
	}
	read("encrypted anew", first, second)
	if out, err := program.Command(t, "audit", "verify", "-c", config); err != nil {
		t.Errorf("with both keys: %v\n%s", err, out)
	}
	roll("the old key is gone", "key: "+b)
	if out, err := program.Command(t, "audit", "verify", "-c", config); err == nil {
		t.Errorf("the log of the old key's time is verified without it:\n%s", out)
	}
	first.Stop(t)
	second.Stop(t)
}
