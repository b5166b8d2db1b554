package tenancy_test

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
)

func tables(t *testing.T, pool *sql.DB) (names []string) {
	t.Helper()
	rows, err := pool.QueryContext(t.Context(), "SELECT tablename FROM pg_tables WHERE schemaname = 'usher' ORDER BY tablename = 'generation' DESC, tablename")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}

// unknown tells whether the store knows no such token.
func unknown(t *testing.T, s *tenancy.Store, token string) bool {
	t.Helper()
	_, err := s.Authenticate(t.Context(), token)
	return errors.Is(err, tenancy.ErrUnknown)
}

// backedUp copies the tables of a store into a schema, and returns ways to put them back, as at a generation.
func backedUp(t *testing.T, db pgtest.DB, backup string) map[string]func(generation int64) {
	t.Helper()
	pool := db.Open(t)
	names := tables(t, pool)
	run := func(text string, args ...any) {
		t.Helper()
		if _, err := pool.ExecContext(t.Context(), fmt.Sprintf(text, args...)); err != nil {
			t.Fatal(err)
		}
	}
	run("CREATE SCHEMA %s", backup)
	for _, name := range names {
		run("CREATE TABLE %[2]s.%[1]s (LIKE usher.%[1]s INCLUDING ALL); INSERT INTO %[2]s.%[1]s SELECT * FROM usher.%[1]s", name, backup)
	}
	set := func(generation int64) {
		if generation != 0 {
			run("UPDATE %s.generation SET n = %d", backup, generation)
		}
	}
	return map[string]func(int64){
		"rows at once": func(generation int64) {
			set(generation)
			var all strings.Builder
			for _, name := range names {
				fmt.Fprintf(&all, "DELETE FROM usher.%[1]s; INSERT INTO usher.%[1]s SELECT * FROM %[2]s.%[1]s; ", name, backup)
			}
			run("%s", all.String())
		},
		"rows of one table after another": func(generation int64) {
			set(generation)
			for _, name := range names { // the generation first
				run("TRUNCATE usher.%[1]s; INSERT INTO usher.%[1]s SELECT * FROM %[2]s.%[1]s", name, backup)
				after(100 * time.Millisecond)
			}
		},
		"tables": func(generation int64) {
			set(generation)
			run("DROP SCHEMA usher CASCADE; ALTER SCHEMA %s RENAME TO usher", backup)
		},
	}
}

// A store that goes back under running gateways takes with it what they know: as after a restart
// tenants are what they were, and what was made since is nobody's.
func TestStoreGoesBack(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	for _, way := range []string{"rows at once", "rows of one table after another", "tables"} {
		for _, to := range []string{"lower", "the same", "higher"} {
			if to == "higher" && way != "tables" {
				continue // by rows the gateways saw it in between
			}
			t.Run(way+", "+to, func(t *testing.T) {
				t.Parallel()
				db := server.Database(t)
				told := &lines{}
				opts := tenancy.Options{Log: slog.New(slog.NewTextHandler(told, nil))}
				gateways := []*tenancy.Store{open(t, postgresOf(db), opts), open(t, postgresOf(db), opts)}
				s, ctx := gateways[0], t.Context()
				for _, id := range []string{"acme", "globex", "old"} {
					tenant(t, s, id)
				}
				mint := func(of string) string {
					return must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: of, Subject: "a"})).Token
				}
				kept, ended, of := mint("old"), mint("old"), mint("globex")
				foreign := principal.Principal{Issuer: "idp", Subject: "gone", Tenant: "old", Issued: time.Now().Add(-time.Hour)}
				others := foreign
				others.Subject = "back"
				must(s.Revoke(ctx, root(), tenancy.Revocation{Issuer: "idp", Subject: "gone"}))
				if err := s.SuspendTenant(ctx, root(), "acme"); err != nil {
					t.Fatal(err)
				}
				restore := backedUp(t, db, "backup")[way]
				before := must(s.Generation(ctx))

				if err := s.ResumeTenant(ctx, root(), "acme"); err != nil {
					t.Fatal(err)
				}
				made := mint("acme")
				key := must(s.CreateKey(ctx, root(), tenancy.KeyRequest{Name: "k", AllTenants: true, Scopes: everyScope})).Token
				if err := s.SuspendTenant(ctx, root(), "globex"); err != nil {
					t.Fatal(err)
				}
				must(s.Revoke(ctx, root(), tenancy.Revocation{Issuer: "idp", Subject: "back"}))
				must(s.Revoke(ctx, root(), tenancy.Revocation{TokenID: accepted(t, s, ended).TokenID}))
				tenant(t, s, "late")
				for _, g := range gateways {
					eventually(t, "the other gateway knows", func() bool {
						_, _, err := g.Tenant(ctx, "late")
						return err == nil && g.Revoked(others) && g.Revoked(foreign)
					})
					accepted(t, g, made)
					accepted(t, g, key)
					accepted(t, g, kept)
					refused(t, g, of, tenancy.ErrTenant)
					refused(t, g, ended, tenancy.ErrRevoked)
				}
				known := must(s.Generation(ctx))
				for _, g := range gateways { // what it knows is what it has seen, for half a second not the newest
					if err := g.CatchUp(ctx); err != nil {
						t.Fatal(err)
					}
				}

				generation := map[string]int64{"lower": before, "the same": known, "higher": known + 3}[to]
				restore(generation)
				settled := time.Now().Add(5 * time.Second)
				for i, g := range gateways {
					for what, holds := range map[string]func() bool{
						"a token made since is refused": func() bool { return unknown(t, g, made) },
						"a key made since is refused":   func() bool { return unknown(t, g, key) },
						"the tenant is suspended again": func() bool { _, _, err := g.Tenant(ctx, "acme"); return errors.Is(err, tenancy.ErrTenant) },
						"the other is served again":     func() bool { _, err := g.Authenticate(ctx, of); return err == nil },
						"a tenant made since is none":   func() bool { _, _, err := g.Tenant(ctx, "late"); return errors.Is(err, tenancy.ErrTenant) },
						"a token is valid again":        func() bool { _, err := g.Authenticate(ctx, ended); return err == nil },
						"so are an issuer's":            func() bool { return !g.Revoked(others) && g.Revoked(foreign) },
						"what was there is accepted":    func() bool { _, err := g.Authenticate(ctx, kept); return err == nil },
					} {
						for !holds() {
							if time.Now().After(settled) {
								t.Fatalf("gateway %d: it is not so: %s", i, what)
							}
							after(20 * time.Millisecond)
						}
					}
				}
				if way != "rows of one table after another" {
					said := fmt.Sprintf("from=%d to=%d\n", known, generation)
					if told.count("the control store has gone back") != len(gateways) || told.count(said) != len(gateways) {
						t.Errorf("the log says %q, want %s for each gateway", told.text.String(), said)
					}
				}
				tenant(t, s, "next") // and it is written
				if report := must(s.VerifyAudit(ctx, audit.Seen{}, func(int64) {})); report.Problems == 0 {
					t.Error("the audit log does not tell that entries are gone")
				}
				eventually(t, "the other knows of it", func() bool { _, _, err := gateways[1].Tenant(ctx, "next"); return err == nil })
			})
		}
	}
}

// Tokens are made without raising the generation; what is put back has no change in it.
func TestStoreGoesBackByTokensAlone(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	s := open(t, postgresOf(db), tenancy.Options{})
	tenant(t, s, "acme")
	restore := backedUp(t, db, "backup")["rows at once"]
	generation := must(s.Generation(t.Context()))
	made := must(s.Mint(t.Context(), root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"})).Token
	accepted(t, s, made)
	if must(s.Generation(t.Context())) != generation {
		t.Error("a token raises the generation")
	}
	restore(0)
	eventually(t, "the token is refused", func() bool { return unknown(t, s, made) })
}

// A store that is put back and has gone on from there beyond what a gateway has seen, before that looks again, is noticed. One
// that only goes on is not taken for it, farther than trails are kept, too.
func TestStoreGoesBackAndOn(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	told := &lines{}
	s := open(t, postgresOf(db), tenancy.Options{Poll: time.Hour, MaxStale: time.Hour, Log: slog.New(slog.NewTextHandler(told, nil))})
	ctx := t.Context()
	many := func(name string, n int) {
		t.Helper()
		for i := range n {
			tenant(t, s, fmt.Sprintf("%s%d", name, i))
		}
	}
	said := func(times int, when string) {
		t.Helper()
		if err := s.CatchUp(ctx); err != nil {
			t.Fatal(err)
		}
		if n := told.count("has gone back"); n != times {
			t.Errorf("%s: it is said %d times that the store has gone back, not %d", when, n, times)
		}
	}
	tenant(t, s, "acme")
	early := backedUp(t, db, "early")["rows at once"]
	many("one", 20)
	said(0, "a store that goes on")
	another := backedUp(t, db, "another")["rows at once"] // of the same store, in another life
	known := must(s.Generation(ctx))
	early(0)
	said(1, "a store that was put back")
	made := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"})).Token
	if err := s.SuspendTenant(ctx, root(), "acme"); err != nil {
		t.Fatal(err)
	}
	said(1, "a store that goes on from there")
	refused(t, s, made, tenancy.ErrTenant)
	if n := must(s.Generation(ctx)); n >= known {
		t.Fatalf("it has gone on to %d, and the other to %d", n, known)
	}
	another(0)
	said(2, "a store that has gone on elsewhere")
	if !unknown(t, s, made) {
		t.Error("a token that the store does not have is known")
	}
	if _, _, err := s.Tenant(ctx, "acme"); err != nil {
		t.Errorf("the tenant is not suspended there: %v", err)
	}
	many("far", 120)
	said(2, "a store that goes on far")
}

// A gateway that has not yet noticed makes nothing of which others could take the generation for
// the one they know.
func TestNothingIsChangedOfAStoreThatHasGoneBack(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	told := &lines{}
	s := open(t, postgresOf(db), tenancy.Options{Poll: time.Hour, MaxStale: time.Hour, Log: slog.New(slog.NewTextHandler(told, nil))})
	tenant(t, s, "acme")
	restore := backedUp(t, db, "backup")["rows at once"]
	for refused, rounds := false, 0; !refused; rounds++ {
		for _, id := range []string{"a", "b", "c"} {
			tenant(t, s, id)
		}
		before := told.count("has gone back")
		restore(0)
		_, err := s.CreateTenant(t.Context(), root(), tenancy.NewTenant{ID: "d"})
		// What announces the last tenant may come late, and have the gateway look before it is asked.
		if err == nil && told.count("has gone back") > before && rounds < 10 {
			restore(0)
			if err := s.CatchUp(t.Context()); err != nil {
				t.Fatal(err)
			}
			continue
		}
		wantCode(t, err, fault.Unavailable)
		refused = true
	}
	if err := s.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	tenant(t, s, "d")
}

// A standby that is promoted without its primary's last tokens is another store, of the same generation.
func TestPromotedWithoutTheLastTokens(t *testing.T) {
	t.Parallel()
	first := pgtest.StartOwn(t)
	db := first.Database(t)
	second := first.Standby(t)
	s := open(t, hostsOf(db, first, second), tenancy.Options{MaxStale: time.Hour})
	tenant(t, s, "acme")
	caughtUp(t, db, first, second)
	standby := db.On(second)
	standby.Exec(t, "ALTER SYSTEM SET primary_conninfo = ''")
	standby.Exec(t, "SELECT pg_reload_conf()")
	pool := standby.Open(t)
	for began, alone := time.Now(), false; !alone; after(10 * time.Millisecond) {
		if err := pool.QueryRowContext(t.Context(), "SELECT count(*) = 0 FROM pg_stat_wal_receiver").Scan(&alone); err != nil {
			t.Fatal(err)
		}
		if time.Since(began) > 30*time.Second {
			t.Fatal("the standby follows still")
		}
	}
	made := must(s.Mint(t.Context(), root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"})).Token
	accepted(t, s, made)
	first.Crash(t)
	second.Promote(t)
	for began := time.Now(); !unknown(t, s, made); after(50 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			t.Fatal("a token that the store does not have is accepted")
		}
	}
}
