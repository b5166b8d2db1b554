package datasource

import (
	"errors"
	"maps"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/pool"
	"usher/datasource/postgres"
	"usher/plan"
)

// What is the same has one account, which ends with its last user; another tenant's, or one whose addresses are judged,
// never is the same, whatever else is equal.
func TestOpenServers(t *testing.T) {
	t.Parallel()
	shared := pool.New(pool.Limits{})
	t.Cleanup(shared.Close)
	spec := catalog.PostgresSpec{Host: "db.example", Database: "shop", User: "usher", SSLMode: "disable"}
	servers, acme := newOpenServers(), serverKey{target: plan.Target{Source: "shop", Tenant: "acme"}}
	open := func(key serverKey, change func(*catalog.PostgresSpec)) (*postgres.DB, func() error) {
		t.Helper()
		spec := spec
		change(&spec)
		db, release, err := servers.open(key, spec, postgres.Options{Pool: shared})
		if err != nil {
			t.Fatal(err)
		}
		return db, release
	}
	as := func(*catalog.PostgresSpec) {}
	first, leave := open(acme, as)
	again, leaveAgain := open(acme, as)
	if first != again {
		t.Error("the same account is opened twice")
	}
	for what, c := range map[string]struct {
		key    serverKey
		change func(*catalog.PostgresSpec)
	}{
		"another tenant's": {serverKey{target: plan.Target{Source: "shop", Tenant: "globex"}}, as},
		"everybody's":      {serverKey{target: plan.Target{Source: "shop"}}, as},
		"another source's": {serverKey{target: plan.Target{Source: "shed", Tenant: "acme"}}, as},
		"one of public":    {serverKey{target: acme.target, public: true}, as},
		"another limit":    {acme, func(s *catalog.PostgresSpec) { s.MaxConns = 3 }},
	} {
		db, leave := open(c.key, c.change)
		if db == first {
			t.Errorf("%s is the same", what)
		}
		if err := leave(); err != nil {
			t.Error(err)
		}
	}
	closed := func(db *postgres.DB) bool {
		return errors.Is(db.Session(t.Context(), false, nil), pool.ErrClosed)
	}
	if err := leave(); err != nil || len(servers.at) != 1 {
		t.Errorf("%v; there are %v", err, servers.at)
	}
	if third, leave := open(acme, as); third != first {
		t.Error("it has ended with one of two")
	} else if err := leave(); err != nil {
		t.Error(err)
	}
	if err := leaveAgain(); err != nil || len(servers.at) != 0 {
		t.Errorf("%v; there are %v", err, servers.at)
	}
	if next, leave := open(acme, as); next == first || !closed(first) {
		t.Error("what has ended is used")
	} else if err := leave(); err != nil {
		t.Error(err)
	}
}

// An account is handed on while it is that of the source still, or of the source's cell.
func TestSameServer(t *testing.T) {
	t.Parallel()
	eu := catalog.Cell{Host: "eu.example", Port: 5432, Database: "shop", User: "usher", Password: "a"}
	source := func(change func(*catalog.Source)) *catalog.Source {
		s := &catalog.Source{Name: "shop", Kind: catalog.Postgres, Timeout: time.Second, Postgres: catalog.PostgresSpec{
			Host: "db.example", Port: 5432, Database: "shop", User: "usher", Password: "a", Cells: map[string]catalog.Cell{"eu": eu},
		}}
		change(s)
		return s
	}
	cells := func(change func(map[string]catalog.Cell)) func(*catalog.Source) {
		return func(s *catalog.Source) {
			s.Postgres.Cells = maps.Clone(s.Postgres.Cells)
			change(s.Postgres.Cells)
		}
	}
	itself, inEU := plan.Account{Host: "db.example", Port: 5432, Database: "shop"}, plan.Account{Host: "eu.example", Port: 5432, Database: "shop"}
	for what, c := range map[string]struct {
		change          func(*catalog.Source)
		itself, inTheEU bool
	}{
		"nothing":           {func(*catalog.Source) {}, true, true},
		"looked into":       {func(s *catalog.Source) { s.Seen, s.Webhook = true, "secret" }, true, true},
		"one cell more":     {cells(func(c map[string]catalog.Cell) { c["us"] = catalog.Cell{Host: "us.example"} }), true, true},
		"one cell less":     {cells(func(c map[string]catalog.Cell) { delete(c, "eu") }), true, false},
		"a cell elsewhere":  {cells(func(c map[string]catalog.Cell) { c["eu"] = catalog.Cell{Host: "eu2.example"} }), true, false},
		"a cell's account":  {cells(func(c map[string]catalog.Cell) { eu := eu; eu.Password = "b"; c["eu"] = eu }), true, false},
		"a password":        {func(s *catalog.Source) { s.Postgres.Password = "b" }, false, false},
		"a time limit":      {func(s *catalog.Source) { s.Timeout = time.Minute }, false, false},
		"where it may lead": {func(s *catalog.Source) { s.Postgres.AllowPrivate = true }, false, false},
		"a template":        {func(s *catalog.Source) { s.Template = true }, false, false},
		"another kind":      {func(s *catalog.Source) { s.Kind = catalog.DuckDB }, false, false},
	} {
		was, is := source(func(*catalog.Source) {}), source(c.change)
		if a, b := sameServer(was, is, itself), sameServer(was, is, inEU); a != c.itself || b != c.inTheEU {
			t.Errorf("%s: %t and in the cell %t", what, a, b)
		}
	}
	if sameServer(nil, source(func(*catalog.Source) {}), itself) || sameServer(source(func(*catalog.Source) {}), nil, itself) {
		t.Error("what there is not is the same")
	}
}
