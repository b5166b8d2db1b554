package tenancy_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/pgtest"
	"usher/principal"
	"usher/tenancy"
	"usher/tenancy/database"
)

func TestSpec(t *testing.T) {
	t.Parallel()
	pg := database.Postgres{Hosts: []database.Host{{Name: "127.0.0.1", Port: 1}}, Database: "d", User: "u", SSLMode: "disable"}
	with := func(change func(*database.Postgres)) database.Spec {
		spec := pg
		change(&spec)
		return database.Spec{Postgres: &spec}
	}
	for _, spec := range []database.Spec{
		{},
		{Postgres: &pg, Path: "x"},
		{Postgres: &pg, Schema: "Usher"},
		{Postgres: &pg, Schema: "a; DROP"},
		{Postgres: &pg}, // nobody listens
		with(func(s *database.Postgres) { s.Hosts = []database.Host{{Name: "a,b"}} }),
		with(func(s *database.Postgres) { s.Hosts = []database.Host{{Name: "/var/run"}} }),
		with(func(s *database.Postgres) { s.Hosts = []database.Host{{Name: ""}} }),
		with(func(s *database.Postgres) { s.Hosts = nil }),
		with(func(s *database.Postgres) { s.Hosts = append(s.Hosts, database.Host{Name: "b", Port: 65536}) }),
		with(func(s *database.Postgres) { s.Database = strings.Repeat("d", 64) }),
		with(func(s *database.Postgres) { s.User = "" }),
		with(func(s *database.Postgres) { s.SSLMode = "prefer" }),
		with(func(s *database.Postgres) { s.SSLMode, s.RootCert = "verify-full", "/nonexistent" }),
		{Path: filepath.Join(t.TempDir(), "missing") + "\x00"},
	} {
		s, err := tenancy.Open(t.Context(), spec, tenancy.Options{Password: cheap})
		if err == nil {
			t.Errorf("%v was opened", spec)
			_ = s.Close()
		} else if code := fault.From(err).Code; code != fault.Internal && code != fault.Unavailable {
			t.Errorf("%v: %v", spec, err)
		}
	}
}

// Gateways that start at once on an empty database all succeed.
func TestConcurrentStart(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	spec.Schema = "control"
	var wg sync.WaitGroup
	stores := make([]*tenancy.Store, 4)
	errs := make([]error, 4)
	for i := range stores {
		wg.Go(func() { stores[i], errs[i] = tenancy.Open(t.Context(), spec, tenancy.Options{Password: cheap}) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Error(err)
			continue
		}
		if err := stores[i].Close(); err != nil {
			t.Error(err)
		}
	}
}

// Everything stands in the configured schema, whatever the search path.
func TestSchema(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE SCHEMA control; CREATE TABLE public.tenants (x int); ALTER ROLE CURRENT_USER IN DATABASE "`+db.Name+`" SET search_path = public`)
	spec := postgresOf(db)
	spec.Schema = "control"
	s := open(t, spec, tenancy.Options{})
	tenant(t, s, "acme")
	var outside, inside int
	err := db.Open(t).QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE schemaname = 'public'), count(*) FILTER (WHERE schemaname = 'control')
		FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`).Scan(&outside, &inside)
	if err != nil || outside != 1 || inside != 16 {
		t.Errorf("%d tables outside of the schema, %d inside, %v", outside, inside, err)
	}
}

func TestFileIsPrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store", "control.duckdb")
	s := open(t, database.Spec{Path: path}, tenancy.Options{})
	for _, name := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may use %s: %v, %v", name, info.Mode(), err)
		}
	}
	for _, text := range []string{"SELECT * FROM read_text('/etc/hostname')", "SET enable_external_access = true", "ATTACH 'x.db'"} {
		if err := s.Exec(t.Context(), text); err == nil {
			t.Errorf("the engine ran %s", text)
		}
	}
}

// The driver would look for options in such a path, and open another file.
func TestPathsThatReadLikeOptionsAreRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a?b.duckdb", "a#b.duckdb", "a%b.duckdb", "a%20b/c.duckdb"} {
		_, err := tenancy.Open(t.Context(), database.Spec{Path: filepath.Join(dir, name)}, tenancy.Options{Key: key})
		if err == nil || !strings.Contains(err.Error(), "may have no ?, # or %") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if made, err := os.ReadDir(dir); err != nil || len(made) > 0 {
		t.Errorf("files were made: %v, %v", made, err)
	}
}

// What was written is there after a restart.
func TestRestart(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		tenant(t, s, "acme")
		made := must(s.Mint(t.Context(), root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"}))
		accepted(t, s, made.Token)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		again := open(tenancy.Options{})
		accepted(t, again, made.Token)
		tokens, _, err := again.Tokens(t.Context(), root(), tenancy.TokenFilter{Living: true}, tenancy.Page{})
		if err != nil || len(tokens) != 1 || tokens[0].LastUsed.IsZero() {
			t.Errorf("%+v, %v", tokens, err)
		}
	})
}

// With 100,000 tenants a lookup takes no longer, and memory holds a few.
func TestManyTenants(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		const many, kept = 100_000, 1000
		s := open(tenancy.Options{Tenants: kept, Poll: time.Hour, MaxStale: time.Hour})
		ctx := t.Context()
		const batch = 10_000 // a statement has three seconds, on a busy machine too
		for from := 1; from < many; from += batch {
			err := s.Exec(ctx, fmt.Sprintf(`INSERT INTO store.tenants (id, tenant_key, name, status, strategy, accounts, created_at, changed_at, generation)
				SELECT 't' || n, 't' || n, 'Tenant ' || n, 'active', '', '', 1, 1, 1 FROM generate_series(%d, %d) AS g(n)`, from, from+batch-1))
			if err != nil {
				t.Fatal(err)
			}
		}
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		const looked = 5000
		for i := range looked {
			id := fmt.Sprintf("t%d", i*19%many+1)
			if key, _, err := s.Tenant(ctx, id); err != nil || key != id {
				t.Fatalf("%s: %s, %v", id, key, err)
			}
		}
		perLookup := time.Since(start) / looked
		runtime.GC()
		runtime.ReadMemStats(&after)
		if n, _ := s.Remembered(); n > kept {
			t.Errorf("%d tenants are in memory", n)
		}
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 512<<20 { // what other tests hold meanwhile is in it
			t.Errorf("memory has grown by %d bytes", grown)
		}
		start = time.Now()
		for range looked {
			if _, _, err := s.Tenant(ctx, "t1"); err != nil {
				t.Fatal(err)
			}
		}
		remembered := time.Since(start) / looked
		t.Logf("a lookup takes %s, of a remembered tenant %s", perLookup, remembered)
		if perLookup > 100*time.Millisecond || remembered > 100*time.Microsecond {
			t.Errorf("a lookup takes %s, of a remembered tenant %s", perLookup, remembered)
		}
		page, _, err := s.Tenants(ctx, root(), "tenant 99999", tenancy.Page{})
		if err != nil || len(page) != 1 || page[0].ID != "t99999" {
			t.Errorf("%v, %v", page, err)
		}
	})
}

// Many at once: nobody gets a conflict of the engine's, and each their own.
func TestConcurrency(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{Poll: 5 * time.Millisecond})
		ctx := t.Context()
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				id := fmt.Sprintf("t%d", i)
				if _, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: id}); err != nil {
					t.Error(err)
					return
				}
				for j := range 10 {
					made, err := s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: id, Subject: "a"})
					if err != nil {
						t.Error(err)
						return
					}
					for range 5 {
						if p, err := s.Authenticate(ctx, made.Token); err != nil || p.Tenant != id {
							t.Errorf("%s became %s, %v", id, p.Tenant, err)
						}
					}
					s.Audit(audit.Of(principal.Principal{Tenant: id, Subject: "a"}, audit.DataAccess))
					if j%2 == 0 {
						continue
					}
					if _, err := s.Revoke(ctx, root(), tenancy.Revocation{TokenID: made.ID}); err != nil {
						t.Error(err)
					}
					if _, err := s.Authenticate(ctx, made.Token); err == nil {
						t.Error("a revoked token was accepted")
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestSaved(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		ctx := t.Context()
		who := func(of, subject string) principal.Principal {
			return principal.Principal{Issuer: "idp", Tenant: of, Subject: subject, Scopes: []principal.Scope{principal.ReadData}}
		}
		alice, bob, eve := who("acme", "alice"), who("acme", "bob"), who("other", "alice")
		boss := adminOf("acme")
		embedded := who("acme", "alice")
		embedded.Grant.SavedOnly = true
		save := func(p principal.Principal, n tenancy.NewSavedQuery) (tenancy.SavedQuery, error) {
			n.Document = "{ " + p.Subject + " }"
			return s.CreateSavedQuery(ctx, p, n)
		}
		mine := must(save(alice, tenancy.NewSavedQuery{Name: "sales", Variables: []byte(`{"a": 1}`), Description: "d"}))
		shared := must(save(bob, tenancy.NewSavedQuery{Name: "stock", Shared: true}))
		must(save(boss, tenancy.NewSavedQuery{Name: "sales", OfTenant: true}))
		must(save(bob, tenancy.NewSavedQuery{Name: "sales"}))
		must(save(eve, tenancy.NewSavedQuery{Name: "sales"}))
		if string(mine.Variables) != `{"a": 1}` || mine.Owner != "alice" {
			t.Errorf("%+v", mine)
		}
		for _, line := range []struct {
			p    principal.Principal
			name string
			want string
		}{
			{alice, "sales", "{ alice }"},
			{bob, "sales", "{ bob }"},
			{boss, "sales", "{ boss }"},
			{who("acme", "carl"), "sales", "{ boss }"},
			{alice, "stock", "{ bob }"},
			{eve, "stock", ""},
			{eve, "sales", "{ alice }"},
			{who("other", "x"), "sales", ""},
			{embedded, "sales", "{ boss }"},
			{embedded, "stock", ""},
			{who("", "x"), "sales", ""},
		} {
			got, err := s.SavedQuery(ctx, line.p, line.name)
			if got.Document != line.want || (err == nil) != (line.want != "") {
				t.Errorf("%s of %s is %q for %s, want %q (%v)", line.name, line.p.Tenant, got.Document, line.p.Subject, line.want, err)
			}
		}
		for _, p := range []principal.Principal{bob, eve, embedded, boss} {
			_, err := s.SavedQueryByID(ctx, p, mine.ID)
			wantCode(t, err, fault.NotFound)
			wantCode(t, s.DeleteSavedQuery(ctx, p, mine.ID, 0), fault.NotFound)
		}
		wantCode(t, s.DeleteSavedQuery(ctx, alice, shared.ID, 0), fault.Forbidden)
		_, err := s.UpdateSavedQuery(ctx, alice, shared.ID, tenancy.NewSavedQuery{Name: "x", Document: "{ x }"})
		wantCode(t, err, fault.Forbidden)
		for _, p := range []principal.Principal{embedded, alice} {
			_, err := save(p, tenancy.NewSavedQuery{Name: "new", OfTenant: true})
			wantCode(t, err, fault.Forbidden)
		}
		_, err = save(embedded, tenancy.NewSavedQuery{Name: "new"})
		wantCode(t, err, fault.Forbidden)
		_, err = save(alice, tenancy.NewSavedQuery{Name: "sales"})
		wantCode(t, err, fault.Conflict)
		for _, n := range []tenancy.NewSavedQuery{
			{Name: "a b", Document: "{ a }"},
			{Name: "a"},
			{Name: "a", Document: strings.Repeat("x", 70000)},
			{Name: "a", Document: "{ a }", Variables: []byte("[1]")},
			{Name: "a", Document: "{ a }", Variables: []byte("{")},
			{Name: "a", Document: "{ a\x00 }"},
			{Name: "a", Document: "{ a }", Variables: []byte("null")},
		} {
			_, err := s.CreateSavedQuery(ctx, alice, n)
			wantCode(t, err, fault.BadUserInput)
		}
		changed := must(s.UpdateSavedQuery(ctx, alice, mine.ID, tenancy.NewSavedQuery{Name: "revenue", Document: "{ b }", Shared: true}))
		if changed.Name != "revenue" || changed.ID != mine.ID || must(s.SavedQuery(ctx, bob, "revenue")).Document != "{ b }" {
			t.Errorf("changed to %+v", changed)
		}
		if all, _, err := s.SavedQueries(ctx, bob, "", tenancy.Page{}); err != nil || len(all) != 4 {
			t.Errorf("bob sees %+v, %v", all, err)
		}
		if all, _, err := s.SavedQueries(ctx, embedded, "", tenancy.Page{}); err != nil || len(all) != 1 {
			t.Errorf("an embedded token sees %+v, %v", all, err)
		}
		if err := s.DeleteSavedQuery(ctx, alice, mine.ID, 0); err != nil {
			t.Error(err)
		}
	})
}

func TestAudit(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now, AuditRetention: 48 * time.Hour})
		ctx := t.Context()
		for _, id := range []string{"acme", "other"} {
			tenant(t, s, id)
			c.pass(time.Second)
			e := audit.Of(principal.Principal{Issuer: "idp", Tenant: id, Subject: "alice", TokenID: "j", Acting: &principal.Acting{Subject: "root", Reason: "why"}}, audit.DataAccess)
			e.Operation, e.Hash, e.Datasets, e.Strategy, e.Source = "Sales", "h", []string{"orders", "people"}, "shared", "main"
			e.Rows, e.Duration, e.Outcome, e.Detail = 7, 3*time.Millisecond, audit.Done, "bad \xff\x00"
			s.Audit(e)
			c.pass(time.Second)
		}
		_, err := s.GetTenant(ctx, adminOf("acme"), "other")
		wantCode(t, err, fault.Forbidden)
		wantCode(t, s.RenameTenant(ctx, adminOf("acme"), "other", "x"), fault.Forbidden)
		s.Flush(ctx)

		own, _, err := s.Entries(ctx, adminOf("acme"), tenancy.AuditFilter{}, tenancy.Page{})
		if err != nil || len(own) != 3 || own[0].Outcome != string(fault.Forbidden) {
			t.Fatalf("%+v, %v", own, err)
		}
		own = own[1:]
		got := own[0]
		if got.Tenant != "acme" || got.Acting != "root" || got.Reason != "why" || len(got.Datasets) != 2 || got.Rows != 7 || got.Duration != 3*time.Millisecond ||
			got.Kind != audit.DataAccess || got.Source != "main" || got.TokenID != "j" || own[1].Operation != "createTenant" || own[1].Subject != "root" {
			t.Errorf("the entries are %+v", own)
		}
		_, _, err = s.Entries(ctx, adminOf("acme"), tenancy.AuditFilter{Tenant: "other"}, tenancy.Page{})
		wantCode(t, err, fault.Forbidden)
		_, _, err = s.Entries(ctx, principal.Principal{Tenant: "acme"}, tenancy.AuditFilter{}, tenancy.Page{})
		wantCode(t, err, fault.Forbidden)
		denied, _, err := s.Entries(ctx, root(), tenancy.AuditFilter{Outcome: string(fault.Forbidden)}, tenancy.Page{})
		if err != nil || len(denied) != 1 || denied[0].Operation != "renameTenant" || denied[0].Tenant != "acme" || denied[0].Subject != "boss" || denied[0].Detail != "tenant other:" {
			t.Errorf("refused: %+v, %v", denied, err)
		}
		var pages []string
		for page := (tenancy.Page{Limit: 2}); ; {
			entries, next, err := s.Entries(ctx, root(), tenancy.AuditFilter{}, page)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				pages = append(pages, e.ID)
			}
			if page.After = next; next == "" {
				break
			}
		}
		if len(pages) != 5 {
			t.Errorf("paged through %d entries", len(pages))
		}
		if since, _, err := s.Entries(ctx, root(), tenancy.AuditFilter{From: c.Now().Add(-time.Second), Kind: audit.DataAccess}, tenancy.Page{}); err != nil || len(since) != 1 {
			t.Errorf("%+v, %v", since, err)
		}

		c.pass(48*time.Hour + time.Second)
		tenant(t, s, "late")
		if err := s.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		if left, _, err := s.Entries(ctx, root(), tenancy.AuditFilter{}, tenancy.Page{}); err != nil || len(left) != 1 {
			t.Errorf("left: %+v, %v", left, err)
		}
	})
}

func TestPrune(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c := newClock()
		s := open(tenancy.Options{Clock: c.Now})
		ctx := context.WithoutCancel(t.Context())
		tenant(t, s, "acme")
		made := must(s.Mint(ctx, root(), tenancy.TokenRequest{Tenant: "acme", Subject: "a"}))
		must(s.Revoke(ctx, root(), tenancy.Revocation{TokenID: made.ID}))
		c.pass(40 * 24 * time.Hour)
		if err := s.Prune(ctx); err != nil {
			t.Fatal(err)
		}
		if tokens, _, err := s.Tokens(ctx, root(), tenancy.TokenFilter{}, tenancy.Page{}); err != nil || len(tokens) != 0 {
			t.Errorf("%+v, %v", tokens, err)
		}
		refused(t, s, made.Token, tenancy.ErrUnknown)
	})
}
