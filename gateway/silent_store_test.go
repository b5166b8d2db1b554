package gateway_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/pgtest"
	"usher/test/program"
)

// Two gateways whose control store falls silent go on with what they know, and a rate holds
// over both of them. What needs the store is told when to come back, and done when it answers again, without a
// restart of anything.
func TestTwoGatewaysOfASilentStore(t *testing.T) {
	t.Parallel()
	shop, server := pgtest.Start(t).Database(t), pgtest.StartOwn(t)
	store := server.Database(t)
	shop.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant text NOT NULL, text text); CREATE TABLE old_notes (id int PRIMARY KEY, tenant text NOT NULL, text text);
		CREATE TABLE words (word text); INSERT INTO notes VALUES (1, 'acme', 'x')`)
	password := filepath.Join(t.TempDir(), "password")
	program.WriteFile(t, password, store.Password)
	patient := strings.Replace(bound, "%[4]s", "max_stale: 5m\n  "+strings.Replace(inPostgres(store), "env: PG", "file: "+password, 1), 1)
	one, _ := openOf(t, patient, shop, store)
	two, _ := openOf(t, patient, shop, store)
	both := []gate{one, two}
	root := one.bootstrap(t)
	one.text(t, root, `mutation { admin { createTenant(input: {id: "acme"}) { id } } }`, "id")
	free := one.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "ann"}) { token } }`, "token")
	slow := one.text(t, root, `mutation { createToken(input: {tenant: "acme", subject: "ann", rate: 20}) { token } }`, "token")
	const ask, answer = `{ notes { id } }`, `200 {"data":{"notes":[{"id":1}]}}`
	began, answered := time.Now(), 0
	// hurry asks as much as the rate allows and more, at both gateways.
	hurry := func() {
		t.Helper()
		for range 15 {
			for _, g := range both {
				switch got := g.query(t, slow, ask); {
				case got == answer:
					answered++
				case !strings.HasPrefix(got, "429 ") || !strings.Contains(got, `"retryAfter"`):
					t.Error(got)
				}
			}
		}
		if most := 20 + 4*len(both) + int(time.Since(began)/(3*time.Second)); answered > most { // what the other gateway has taken is known after a second, and is 40 for two that count alone
			t.Errorf("%d of at most %d were answered", answered, most)
		}
	}
	program.Soon(t, program.Patience, "the gateways know of each other", func() bool {
		known := 0
		for _, g := range both {
			g.check(t, free, ask, answer)
			if g.query(t, slow, ask) == answer { // so that both know the token
				answered++
			}
			if strings.Contains(operators(t, g.Gateway, "/metrics"), "\nusher_budget_gateways 2\n") {
				known++
			}
		}
		return known == len(both)
	})

	server.Freeze(t)
	program.Soon(t, program.Patience, "both count alone", func() bool {
		alone := 0
		for _, g := range both {
			g.check(t, free, ask, answer)
			if g.query(t, slow, ask) == answer {
				answered++
			}
			if strings.HasPrefix(operators(t, g.Gateway, "/health/ready"), `200 {"status":"ready","budgets_alone":true`) {
				alone++
			}
		}
		return alone == len(both)
	})
	hurry()
	for n, g := range both {
		g.check(t, free, ask, answer)
		for _, text := range []string{
			fmt.Sprintf(`mutation { admin { createTenant(input: {id: "b%d"}) { id } } }`, n), `mutation { createToken(input: {tenant: "acme", subject: "bob"}) { token } }`,
		} {
			if got := g.query(t, root, text); !strings.Contains(got, "the control store does not answer") || !strings.Contains(got, `"retryAfter":1`) {
				t.Errorf("%s: %s", text, got)
			}
		}
	}
	hurry()

	server.Thaw(t)
	for n, g := range both {
		program.Soon(t, program.Patience, "the store is written to again", func() bool {
			got := g.query(t, root, fmt.Sprintf(`mutation { admin { createTenant(input: {id: "c%d"}) { id } } }`, n))
			return strings.HasPrefix(got, "200 ") && !strings.Contains(got, "errors")
		})
		program.Soon(t, program.Patience, "it counts with the others", func() bool {
			g.check(t, free, ask, answer)
			_ = g.query(t, slow, `{ viewer { subject } }`)
			return operators(t, g.Gateway, "/health/ready") == `200 {"status":"ready"}`
		})
		g.check(t, free, ask, answer)
	}
	hurry()
}
