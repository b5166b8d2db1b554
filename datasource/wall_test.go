package datasource

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"usher/pgtest"
	"usher/principal"
)

// Rows of two tenants behind policies of the database's own: by the role of the
// transaction, by a setting of it, and by who is logged in. The names of roles
// are a server's, not a database's: each test has its own.
func walled(t *testing.T) (db pgtest.DB, login, tag string) {
	t.Helper()
	db = pgtest.Start(t).Database(t)
	tag = db.Name[len("test_"):][:12]
	login = "login_" + tag
	db.Exec(t, strings.NewReplacer("$login", login, "$tag", tag, "$pw", db.Password).Replace(`
		CREATE ROLE $login LOGIN PASSWORD '$pw' NOINHERIT;
		CREATE ROLE acme_$tag LOGIN PASSWORD '$pw-acme';
		CREATE ROLE globex_$tag LOGIN PASSWORD '$pw-globex';
		CREATE ROLE reader_$tag;
		GRANT acme_$tag, globex_$tag, reader_$tag TO $login;
		CREATE TABLE by_setting (tenant text NOT NULL, id int NOT NULL);
		CREATE TABLE by_user (tenant text NOT NULL, id int NOT NULL);
		CREATE TABLE open_to_all (id int NOT NULL);
		INSERT INTO by_setting VALUES ('acme', 1), ('globex', 2), ('globex', 3);
		INSERT INTO by_user VALUES ('acme_$tag', 1), ('globex_$tag', 2), ('globex_$tag', 3);
		ALTER TABLE by_setting OWNER TO $login;
		ALTER TABLE by_setting ENABLE ROW LEVEL SECURITY;
		ALTER TABLE by_setting FORCE ROW LEVEL SECURITY;
		ALTER TABLE by_user ENABLE ROW LEVEL SECURITY;
		ALTER TABLE by_user FORCE ROW LEVEL SECURITY;
		CREATE POLICY own ON by_setting USING (tenant = nullif(current_setting('usher.tenant', true), ''));
		CREATE POLICY own ON by_user USING (tenant = current_user);
		CREATE VIEW session AS SELECT current_user::text AS who, current_setting('usher.tenant', true) AS tenant;
		GRANT SELECT ON by_setting, by_user, open_to_all, session TO $login, acme_$tag, globex_$tag, reader_$tag;
	`))
	t.Cleanup(func() {
		admin := db.Open(t)
		for _, statement := range []string{"DROP OWNED BY $login, acme_$tag, globex_$tag, reader_$tag", "DROP ROLE $login, acme_$tag, globex_$tag, reader_$tag"} {
			if _, err := admin.Exec(strings.NewReplacer("$login", login, "$tag", tag).Replace(statement)); err != nil {
				t.Error(err)
			}
		}
	})
	return db, login, tag
}

// wallDatasets are all common: there is no tenant predicate, so that the wall
// alone can hold.
const wallDatasets = `
datasets:
  settings: {common: true, source: a, key: id, columns: {tenant: String!, id: Int!}, bind: {a: {table: by_setting}}}
  users: {common: true, source: a, key: id, columns: {tenant: String!, id: Int!}, bind: {a: {table: by_user}}}
  session: {common: true, source: a, columns: {who: String, tenant: String}}
  scoped: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!}, bind: {a: {table: by_setting}}}
`

func named(tenant string) principal.Principal {
	return principal.Principal{Tenant: tenant, TenantKey: tenant}
}

func (g *gate) want(p principal.Principal, text string, rows ...string) {
	g.Helper()
	got, err := g.ask(p, text)
	if err != nil {
		g.Errorf("%s asks %s: %v", p.Tenant, text, err)
	} else if strings.Join(got, " ") != strings.Join(rows, " ") {
		g.Errorf("%s asks %s and gets %v, want %v", p.Tenant, text, got, rows)
	}
}

func TestWallBySetting(t *testing.T) {
	t.Parallel()
	db, login, _ := walled(t)
	db.User = login
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+", session: {settings: {usher.tenant: '{tenant_key}'}}}}\nstrategies: {shared: {kind: shared, source: a}}\n"+wallDatasets)
	for range 2 { // on a fresh connection and on one that was used
		g.want(named("acme"), "settings { id }", "1")
		g.want(named("globex"), "settings { id }", "2", "3")
		g.want(named("acme"), "settingsAggregate { count }", "1")
		g.want(named("acme"), "session { who tenant }", login+"|acme")
		g.want(named("nobody"), "settings { id }")
		g.want(named("acme' OR true --"), "settings { id }")
	}
	// The key counts, not the id; and the scope holds as well where there is one.
	p := named("acme")
	p.TenantKey = "globex"
	g.want(p, "settings { id }", "2", "3")
	g.want(p, "scoped { id }", "2", "3")
	if _, err := g.ask(principal.Principal{AllTenants: true}, "settings { id }"); err == nil {
		t.Error("all tenants pass the wall")
	}
}

func TestWallByRole(t *testing.T) {
	t.Parallel()
	db, login, tag := walled(t)
	db.User = login
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+", session: {role: '{tenant}_"+tag+"'}}}\nstrategies: {shared: {kind: shared, source: a}}\n"+wallDatasets)
	for range 2 {
		g.want(named("acme"), "users { id }", "1")
		g.want(named("globex"), "users { id }", "2", "3")
		g.want(named("acme"), "session { who }", "acme_"+tag)
	}
	// A role that is not there, or that the login may not take.
	for _, who := range []string{"nobody", `acme" --`} {
		if rows, err := g.ask(named(who), "users { id }"); err == nil {
			t.Errorf("%s gets %v", who, rows)
		}
	}
	// They have hurt nobody else.
	g.want(named("acme"), "users { id }", "1")
}

func TestWallByLogin(t *testing.T) {
	t.Parallel()
	db, login, tag := walled(t)
	db.User = login
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+"}}\nstrategies: {shared: {kind: shared, source: a}}\n"+wallDatasets)
	own := func(tenant string) principal.Principal {
		p := named(tenant)
		p.Grant.Accounts = map[string]principal.Account{"a": {User: tenant + "_" + tag, Password: db.Password + "-" + tenant}}
		return p
	}
	g.want(own("acme"), "users { id }", "1")
	g.want(own("globex"), "users { id }", "2", "3")
	g.want(own("globex"), "session { who }", "globex_"+tag)
	g.want(named("acme"), "users { id }") // the source's own account is no tenant's
	wrong := own("acme")
	wrong.Grant.Accounts["a"] = principal.Account{User: "globex_" + tag, Password: db.Password + "-acme"}
	if rows, err := g.ask(wrong, "users { id }"); err == nil {
		t.Errorf("with another's password: %v", rows)
	}
}

// Without a wall the same questions show everybody's rows: these tests can fail.
func TestWithoutWall(t *testing.T) {
	t.Parallel()
	db, _, _ := walled(t)
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+"}}\nstrategies: {shared: {kind: shared, source: a}}\n"+wallDatasets)
	g.want(named("acme"), "settings { id }", "1", "2", "3")
	g.want(named("acme"), "scoped { id }", "1")
}

// A fixed role is everybody's, so that all tenants share its connections.
func TestFixedRole(t *testing.T) {
	t.Parallel()
	db, login, tag := walled(t)
	db.User = login
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+", session: {role: reader_"+tag+"}}}\nstrategies: {shared: {kind: shared, source: a}}\n"+wallDatasets)
	g.want(named("acme"), "session { who }", "reader_"+tag)
	g.want(named("globex"), "session { who }", "reader_"+tag)
	if n := len(g.accounts.open); n != 1 {
		t.Errorf("%d accounts are open", n)
	}
}

// Equal questions asked at the same time are answered together within a
// session, never across two.
func TestEqualQuestionsOfTwoTenants(t *testing.T) {
	t.Parallel()
	db, login, _ := walled(t)
	db.User = login
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+", max_conns: 2, session: {settings: {usher.tenant: '{tenant_key}'}}}}\nstrategies: {shared: {kind: shared, source: a}}\n"+wallDatasets)
	want := map[string]string{"acme": "1", "globex": "2 3", "nobody": ""}
	names := []string{"acme", "globex", "nobody"}
	var group sync.WaitGroup
	for w := range 16 {
		rng := rand.New(rand.NewPCG(4, uint64(w)))
		group.Go(func() {
			for range 40 {
				who := names[rng.IntN(len(names))]
				rows, err := g.ask(named(who), "settings { id }")
				if err != nil || strings.Join(rows, " ") != want[who] {
					t.Errorf("%s gets %v, %v", who, rows, err)
				}
			}
		})
	}
	group.Wait()
}

// A session's transaction leaves nothing behind, whatever happens in it.
func TestSessionsEndWithTheirTransaction(t *testing.T) {
	t.Parallel()
	db, login, _ := walled(t)
	db.User = login
	g := open(t, db, Options{}, "sources: {a: {"+server(db)+", max_conns: 1, session: {settings: {usher.tenant: '{tenant_key}'}}}}\nstrategies: {shared: {kind: shared, source: a}}\n"+wallDatasets)
	for range 3 {
		g.want(named("acme"), "settings { id }", "1")
		db.Exec(t, "ALTER TABLE by_setting RENAME TO elsewhere")
		if rows, err := g.ask(named("acme"), "settings { tenant }"); err == nil {
			t.Errorf("got %v of a table that is not there", rows)
		}
		db.Exec(t, "ALTER TABLE elsewhere RENAME TO by_setting")
		g.want(named("acme"), "settings { tenant }", "acme")
		var open int
		if err := db.Open(t).QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND application_name = 'usher' AND xact_start IS NOT NULL", db.Name).Scan(&open); err != nil || open != 0 {
			t.Errorf("%d transactions are open, %v", open, err)
		}
	}
}
