package control

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/catalog"
	"usher/config"
	"usher/fault"
	"usher/principal"
	"usher/tenancy"
)

// neighborhood has sources of every kind that may be a tenant's own, and one
// that all share. Nothing of it is ever asked.
const neighborhood = `
sources:
  shop: {kind: postgres, host: db.example, database: shop, user: usher, password: {env: PG}}
  silo: {kind: postgres, host: db.example, database: template, user: usher, password: {env: PG}, template: true, allow_hosts: ["*.example", localhost, 127.0.0.1, "::1"]}
  named: {kind: postgres, host: db.example, database: "of_{tenant}", user: usher, password: {env: PG}, template: true, allow_hosts: [db.example]}
  told: {kind: postgres, host: db.example, database: told, user: usher, password: {env: PG}, template: true, session: {settings: {app.tenant: "{tenant}"}}}
  file: {kind: duckdb, path: "silo/{tenant}.duckdb", template: true}
  columns: {kind: postgres, host: db.example, database: columns, user: usher, password: {env: PG}, template: true}
  partner: {kind: api, base_url: https://api.example/v1, isolation: upstream, headers: {X-Key: "{tenant}"}, allow_hosts: [api.example]}
  mapped: {kind: api, base_url: https://mapped.example/v1, isolation: upstream, headers: {X-Key: a, X-Tenant: "{tenant}"}}
strategies:
  shared: {kind: shared, source: shop}
  silo: {kind: database, source: silo}
  named: {kind: database, source: named}
  told: {kind: database, source: told}
  file: {kind: database, source: file}
  columns: {kind: database, source: columns}
  partner: {kind: api, source: partner}
  mapped: {kind: api, source: mapped}
default_strategy: shared
%s
datasets:
  notes:
    tenant: tenant
    key: id
    columns: {id: Int!, tenant: String!, text: String}
    bind:
      silo: {columns: {tenant: ~}}
      named: {columns: {tenant: ~}}
      told: {columns: {tenant: ~}}
      file: {columns: {tenant: ~}}
      partner: {path: /notes, columns: {tenant: ~}}
      mapped: {path: /notes, columns: {tenant: ~}}
`

func neighborsOf(t *testing.T, tenants string) (*Neighbors, error) {
	t.Helper()
	cfg, err := config.Parse(filepath.Join(t.TempDir(), "usher.yml"), fmt.Appendf(nil, neighborhood, tenants), func(string) (string, bool) { return "x", true })
	if err != nil {
		t.Fatal(err)
	}
	cat, problems := catalog.Compile(cfg.Spec, nil)
	if err := cfg.Locate(problems); err != nil {
		t.Fatal(err)
	}
	n, problems := Configured(cat)
	return n, cfg.Locate(problems)
}

func ofSource(source string, a principal.Account) map[string]principal.Account {
	return map[string]principal.Account{source: a}
}

// Two tenants are not read from one place, however it is spelled, where nothing
// but the place keeps them apart.
func TestNeighbors(t *testing.T) {
	t.Parallel()
	type account = principal.Account
	n, err := neighborsOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	silo := account{Host: "db1.example", Database: "acme", User: "acme", Password: "p"}
	key := account{Headers: map[string]string{"x-key": "secret"}}
	for _, line := range []struct {
		what   string
		source string
		one    account
		two    account
		meet   bool
	}{
		{"the same", "silo", silo, silo, true},
		{"another password", "silo", silo, account{Host: "db1.example", Database: "acme", User: "acme", Password: "q"}, true},
		{"capitals and a dot", "silo", silo, account{Host: "DB1.Example.", Port: 5432, Database: "acme", User: "acme", Password: "p"}, true},
		{"this machine", "silo", account{Host: "localhost", Database: "acme", Password: "p"}, account{Host: "127.0.0.1", Database: "acme", Password: "p"}, true},
		{"this machine, by IPv6", "silo", account{Host: "localhost", Database: "acme", Password: "p"}, account{Host: "::1", Database: "acme", Password: "p"}, true},
		{"another host", "silo", silo, account{Host: "db2.example", Database: "acme", User: "acme", Password: "p"}, false},
		{"another port", "silo", silo, account{Host: "db1.example", Port: 5433, Database: "acme", User: "acme", Password: "p"}, false},
		{"another database", "silo", silo, account{Host: "db1.example", Database: "globex", User: "acme", Password: "p"}, false},
		{"another schema", "silo", silo, account{Host: "db1.example", Database: "acme", User: "acme", Password: "p", Schema: "globex"}, false},
		{"another login", "silo", silo, account{Host: "db1.example", Database: "acme", User: "globex", Password: "p"}, false},
		{"a database by the rule, and by an account", "named", account{}, account{Database: "of_one", Password: "p"}, true},
		{"databases by the rule", "named", account{}, account{}, false},
		{"a tenant column", "columns", account{Database: "x", Password: "p"}, account{Database: "x", Password: "p"}, false},
		{"a session that says whose", "told", account{Database: "x", Password: "p"}, account{Database: "x", Password: "p"}, false},
		{"one key of an API", "partner", key, account{Headers: map[string]string{"X-KEY": "secret"}}, true},
		{"one key of an API, by another spelling", "partner", account{BaseURL: "https://api.example", Headers: key.Headers}, account{BaseURL: "https://API.example:443/", Headers: key.Headers}, true},
		{"two keys of an API", "partner", key, account{Headers: map[string]string{"X-Key": "other"}}, false},
		{"an API that is told whose", "mapped", key, key, false},
		{"an API that is told whose by the key", "partner", account{}, account{}, false},
	} {
		principals := make([]principal.Principal, 2)
		for i, a := range []account{line.one, line.two} {
			id := []string{"one", "two"}[i]
			principals[i] = principal.Principal{Tenant: id, TenantKey: id}
			if !a.Empty() {
				principals[i].Routing.Accounts = ofSource(line.source, a)
			}
		}
		for i, p := range principals {
			registered := func(other tenancy.Record) iter.Seq2[tenancy.Record, error] {
				return func(yield func(tenancy.Record, error) bool) {
					_ = yield(tenancy.Record{Principal: p}, nil) && yield(other, nil)
				}
			}
			err := n.CheckDisjoint(p, registered(tenancy.Record{Principal: principals[1-i]}))
			if (err != nil) != line.meet {
				t.Errorf("%s, %s: %v", line.what, p.Tenant, err)
			}
			// The same of one that is deleted, and whose secrets are gone, until its places are released.
			gone := tenancy.Record{Principal: principals[1-i], Deleted: true}
			gone.Routing.Accounts = make(map[string]account)
			for source, a := range principals[1-i].Routing.Accounts {
				gone.Routing.Accounts[source] = a.Bare()
			}
			if err := n.CheckDisjoint(p, registered(gone)); (err != nil) != line.meet || err != nil && !strings.Contains(err.Error(), "tenant "+gone.Tenant+", which is deleted,") {
				t.Errorf("%s, %s beside one that is deleted: %v", line.what, p.Tenant, err)
			}
			gone.Released = true
			if err := n.CheckDisjoint(p, registered(gone)); err != nil {
				t.Errorf("%s, %s where a deleted one was: %v", line.what, p.Tenant, err)
			}
			if err != nil && (fault.From(err).Code != fault.Conflict || strings.Contains(err.Error(), "example") || strings.Contains(err.Error(), principals[1-i].Tenant)) {
				t.Errorf("%s: the refusal is %v", line.what, err)
			}
		}
	}
	// Where everybody's rows are, nobody is alone, registered or not.
	nobody := func(func(tenancy.Record, error) bool) {}
	everybodys := principal.Principal{Tenant: "one", TenantKey: "one", Routing: principal.Routing{Accounts: ofSource("silo", account{Database: "shop", Password: "p"})}}
	if err := n.CheckDisjoint(everybodys, nobody); err == nil {
		t.Error("a tenant is alone in the database of all")
	}
}

// Tenants of the file are compared when it is read.
func TestNeighborsOfTheFile(t *testing.T) {
	t.Parallel()
	for tenants, want := range map[string]string{
		`tenants: {one: {}, two: {}}`: "",
		`tenants: {one: {accounts: {silo: {database: a, password: {env: P}}}}, two: {accounts: {silo: {database: b, password: {env: P}}}}}`: "",
		`tenants: {one: {accounts: {silo: {database: a, password: {env: P}}}}, two: {accounts: {silo: {database: a, password: {env: P}}}}}`: "tenants.two.accounts.silo",
		`tenants: {one: {accounts: {silo: {database: shop, password: {env: P}}}}}`:                                                          "tenants.one.accounts.silo",
		`tenants: {one: {}, two: {accounts: {named: {database: of_one, password: {env: P}}}}}`:                                              "tenants.two.accounts.named",
	} {
		_, err := neighborsOf(t, tenants)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", tenants, err)
		}
	}
}

// One file by two names is one place.
func TestNeighborsInOneFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "silo"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "silo", "one.duckdb"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one.duckdb", filepath.Join(dir, "silo", "two.duckdb")); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), fmt.Appendf(nil, neighborhood, "tenants: {one: {}, two: {}, three: {}}"), func(string) (string, bool) { return "x", true })
	if err != nil {
		t.Fatal(err)
	}
	cat, problems := catalog.Compile(cfg.Spec, nil)
	if err := cfg.Locate(problems); err != nil {
		t.Fatal(err)
	}
	_, problems = Configured(cat)
	err = cfg.Locate(problems)
	if err == nil || !strings.Contains(err.Error(), "tenants.two") || strings.Contains(err.Error(), "three") {
		t.Errorf("two names of one file: %v", err)
	}
}
