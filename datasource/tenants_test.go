package datasource

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"usher/datasource/pool"
	"usher/pgtest"
	"usher/principal"
)

// Many tenants, each with a database and a user of its own, share few
// connections: each is answered, by its own, and the server never sees more
// connections than allowed. Passwords that change meanwhile hurt nobody.
// USHER_TEST_TENANTS says how many there are; those beyond the first 300 have a schema and a
// user of their own, for databases take seven megabytes each.
func TestManyTenantsShareFewConnections(t *testing.T) {
	t.Parallel()
	const databases, most, workers = 300, 40, 32
	tenants := databases
	if text := os.Getenv("USHER_TEST_TENANTS"); text != "" {
		var err error
		if tenants, err = strconv.Atoi(text); err != nil || tenants < databases {
			t.Fatalf("USHER_TEST_TENANTS=%s: %v", text, err)
		}
	}
	s := pgtest.StartOwn(t)
	db := s.Database(t)
	makeTenants(t, db, databases)
	makeSchemas(t, db, databases, tenants)
	g := open(t, db, Options{Accounts: 64, Conns: pool.Limits{Conns: most, PerHost: most}}, `
sources: {silo: {`+server(db)+`, template: true}}
strategies: {own: {kind: database, source: silo}}
datasets: {whoami: {tenant: tenant, columns: {tenant: String!, db: String, usr: String}, bind: {silo: {columns: {tenant: ~}}}}}
`)
	passwords := make([]atomic.Pointer[string], tenants)
	for i := range passwords {
		passwords[i].Store(new("first"))
	}
	ask := func(i int) error {
		name := fmt.Sprintf("t%d", i)
		account := principal.Account{Database: name, User: name, Password: *passwords[i].Load()}
		if i >= databases {
			account.Database, account.Schema = "form", name
		}
		rows, err := g.ask(principal.Principal{Tenant: name, TenantKey: name, Routing: principal.Routing{Accounts: map[string]principal.Account{
			"silo": account,
		}}}, "whoami { db usr }")
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if want := name + "|" + name; len(rows) != 1 || rows[0] != want {
			return fmt.Errorf("%s is answered %v", name, rows)
		}
		return nil
	}
	stop := watchConnections(t, db, most)
	defer stop()

	served := make([]atomic.Int64, tenants)
	var next atomic.Int64
	began := time.Now()
	run := func(each int, choose func(*rand.Rand) int) {
		var group errgroup.Group
		for w := range workers {
			rng := rand.New(rand.NewPCG(3, uint64(w)))
			group.Go(func() error {
				for range each {
					i := choose(rng)
					if err := ask(i); err != nil {
						return err
					}
					served[i].Add(1)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	run((2*tenants+workers-1)/workers, func(*rand.Rand) int { return int(next.Add(1)-1) % tenants }) // round robin, twice
	t.Logf("%d tenants were asked twice in %s", tenants, time.Since(began).Round(time.Millisecond))
	for i := range served {
		if served[i].Load() < 2 {
			t.Errorf("t%d was served %d times", i, served[i].Load())
		}
	}
	// Every third password changes. Who shows the new one is served, who shows
	// the old one once its connections have gone is not.
	rotate(t, db, tenants, 3)
	for i := 0; i < tenants; i += 3 {
		passwords[i].Store(new("second"))
	}
	run(30, func(rng *rand.Rand) int { return int(rand.NewZipf(rng, 1.2, 4, uint64(tenants-1)).Uint64()) })
	passwords[297].Store(new("third"))
	if err := ask(297); err == nil {
		t.Error("a wrong password is accepted")
	}
}

// makeTenants makes databases t0, t1, … with users of the same names.
func makeTenants(t *testing.T, db pgtest.DB, n int) {
	t.Helper()
	admin := db.Open(t)
	exec := func(statements ...string) {
		for _, statement := range statements {
			if _, err := admin.ExecContext(t.Context(), statement); err != nil {
				t.Error(err)
			}
		}
	}
	exec("CREATE DATABASE form TEMPLATE template0 STRATEGY file_copy")
	form := db
	form.URL = strings.Replace(db.URL, "/"+db.Name+"?", "/form?", 1)
	form.Exec(t, `CREATE VIEW whoami AS SELECT current_database()::text AS db, current_user::text AS usr; GRANT SELECT ON whoami TO PUBLIC`)
	var group errgroup.Group
	group.SetLimit(2)
	for i := range n {
		group.Go(func() error {
			exec(fmt.Sprintf("CREATE ROLE t%d LOGIN PASSWORD 'first'", i), fmt.Sprintf("CREATE DATABASE t%d TEMPLATE form", i))
			return nil
		})
	}
	_ = group.Wait()
}

// makeSchemas makes users of the names t<from> up to t<to>, in the database that others were made of,
// each with a schema and a view of its own.
func makeSchemas(t *testing.T, db pgtest.DB, from, to int) {
	t.Helper()
	form := db
	form.URL = strings.Replace(db.URL, "/"+db.Name+"?", "/form?", 1)
	for i := from; i < to; i++ {
		form.Exec(t, fmt.Sprintf(`CREATE ROLE t%[1]d LOGIN PASSWORD 'first'; CREATE SCHEMA t%[1]d AUTHORIZATION t%[1]d;
			CREATE VIEW t%[1]d.whoami AS SELECT 't%[1]d'::text AS db, current_user::text AS usr; GRANT SELECT ON t%[1]d.whoami TO t%[1]d;`, i))
	}
}

func rotate(t *testing.T, db pgtest.DB, n, step int) {
	t.Helper()
	var b strings.Builder
	for i := 0; i < n; i += step {
		fmt.Fprintf(&b, "ALTER ROLE t%d PASSWORD 'second';", i)
	}
	db.Exec(t, b.String())
}

// watchConnections counts the connections of usher until it is told to stop.
func watchConnections(t *testing.T, db pgtest.DB, most int) (stop func()) {
	t.Helper()
	pool, done := db.Open(t), make(chan struct{})
	var group sync.WaitGroup
	seen, samples := 0, 0
	group.Go(func() {
		for {
			var n int
			if err := pool.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'usher'").Scan(&n); err != nil {
				t.Error(err)
				return
			}
			seen, samples = max(seen, n), samples+1
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	return func() {
		close(done)
		group.Wait()
		if seen > most || seen < most/2 || samples < 20 {
			t.Errorf("%d connections at most in %d samples, want up to %d", seen, samples, most)
		}
	}
}

// Accounts of tenants go through the pooler that their source speaks of: one
// connection of the server for each database, and every answer its tenant's.
func TestTenantsBehindAPooler(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, "CREATE TABLE orders (tenant text NOT NULL, id bigint PRIMARY KEY, note text); "+
		"INSERT INTO orders SELECT 't' || g % 3, g, 'shared' FROM generate_series(1, 30) g")
	own := pgtest.Start(t).Database(t)
	own.Exec(t, "CREATE TABLE orders (tenant text NOT NULL, id bigint PRIMARY KEY, note text); "+
		"INSERT INTO orders SELECT 't' || g % 2 + 3, g, 'own' FROM generate_series(1, 8) g")
	through := db.Bouncer(t, "transaction", "default_pool_size = 1")
	g := open(t, through, Options{}, `
sources: {shop: {`+server(through)+`, pooler: transaction}}
strategies: {shared: {kind: shared, source: shop}}
datasets: {orders: {tenant: tenant, key: id, columns: {tenant: String!, id: BigInt!, note: String}}}
`)
	var group errgroup.Group
	for w := range 10 {
		group.Go(func() error {
			for i := range 40 {
				n := (w + i) % 5
				p, want := named(fmt.Sprintf("t%d", n)), "10|shared"
				if n >= 3 {
					p.Routing.Accounts, want = map[string]principal.Account{"shop": {Database: own.Name, Password: own.Password}}, "4|own"
				}
				count, note, _ := strings.Cut(want, "|")
				ids := strings.Repeat(fmt.Sprintf("%d, ", 1000+i), i%7+1)
				rows, err := g.ask(p, "ordersAggregate(where: {id: {notIn: ["+ids+"]}, note: {eq: \""+note+"\"}}) { count }")
				if err != nil || len(rows) != 1 || rows[0] != count {
					return fmt.Errorf("t%d: %v, %w", n, rows, err)
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
