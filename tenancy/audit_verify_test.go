package tenancy_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/tenancy"
	"usher/tenancy/database"
)

// What must stand in the log stands in chains: acts of many at once, refusals and
// failed logins; acts that came to nothing leave no gap. Whoever writes to the store
// without the key changes, adds or removes nothing unseen; what was cut off at the end, or
// as a whole, is seen by whoever has noted the heads. Retention is no such thing.
func TestVerifyAudit(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		c, ctx := newClock(), t.Context()
		s := open(tenancy.Options{Clock: c.Now, AuditRetention: 48 * time.Hour})
		var wg sync.WaitGroup
		for i := range 24 {
			wg.Go(func() {
				id := fmt.Sprintf("t%d", i/2) // every second one is there already
				if _, err := s.CreateTenant(ctx, root(), tenancy.NewTenant{ID: id}); err != nil && fault.From(err).Code != fault.Conflict {
					t.Error(err)
				}
				if err := s.RenameTenant(ctx, adminOf("t0"), "t1", "x"); fault.From(err).Code != fault.Forbidden {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		c.pass(time.Second)
		if _, err := s.Login(ctx, tenancy.Credentials{Username: "nobody", Password: "x"}); fault.From(err).Code != fault.Unauthenticated {
			t.Error(err)
		}
		if err := s.AuditNow(ctx, audit.Of(adminOf("t0"), audit.DataAccess)); err != nil {
			t.Error(err)
		}
		s.Audit(audit.Of(adminOf("t0"), audit.DataAccess)) // of data that was read: in no chain
		s.Flush(ctx)

		verify := func(seen ...audit.Place) audit.Report {
			t.Helper()
			return must(s.VerifyAudit(ctx, audit.Seen{Heads: seen}, func(int64) {}))
		}
		report := verify()
		// 12 made, 12 refused as they are there, 24 forbidden, a login, a change of data.
		if report.Problems != 0 || report.Entries != 50 || len(report.Heads) == 0 {
			t.Fatalf("nothing was changed: %+v", report)
		}
		head := report.Heads[0]
		for _, h := range report.Heads {
			if h.Seq > head.Seq {
				head = h
			}
		}

		do := func(text string, args ...any) {
			t.Helper()
			if err := s.Exec(ctx, text, args...); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		for _, table := range []string{"audit", "audit_chains"} {
			do("CREATE TABLE store.kept_" + table + " AS SELECT * FROM store." + table)
		}
		back := func() {
			for _, table := range []string{"audit", "audit_chains"} {
				do("DELETE FROM store." + table)
				do("INSERT INTO store." + table + " SELECT * FROM store.kept_" + table)
			}
		}
		tampered := func(want string, seen []audit.Place, text string, args ...any) {
			t.Helper()
			do(text, args...)
			if r := verify(seen...); r.Problems == 0 || !strings.Contains(strings.Join(r.Told, "\n"), want) {
				t.Errorf("%s %v: want %q in %+v", text, args, want, r)
			}
			back()
			if r := verify(report.Heads...); r.Problems != 0 {
				t.Fatalf("put back: %+v", r)
			}
		}
		of := func(seq int64) []any { return []any{head.Chain, seq} }
		tampered("was changed", nil, "UPDATE store.audit SET subject = 'mallory' WHERE chain = $1 AND seq = $2", of(2)...)
		tampered("was changed", nil, "UPDATE store.audit SET happened_at = happened_at + 1 WHERE chain = $1 AND seq = $2", of(1)...)
		tampered("was changed", nil, "UPDATE store.audit SET tenant = operation, operation = tenant WHERE chain = $1 AND seq = $2", of(2)...)
		tampered("are missing", nil, "DELETE FROM store.audit WHERE chain = $1 AND seq = $2", of(2)...)
		tampered("are missing", nil, "DELETE FROM store.audit WHERE chain = $1 AND seq < $2", of(2)...)
		tampered("its head is entry", nil, "DELETE FROM store.audit WHERE chain = $1 AND seq = $2", of(head.Seq)...)
		tampered("no head", nil, "DELETE FROM store.audit_chains WHERE chain = $1", head.Chain)
		tampered("head was changed", nil, "UPDATE store.audit_chains SET seq = seq - 1 WHERE chain = $1", head.Chain)
		tampered("it is not said by usher", nil, "UPDATE store.audit_chains SET anchor_seq = 2, anchor_link = 'x', anchor_key_id = key_id, anchor_sealed = sealed WHERE chain = $1", head.Chain)
		tampered("stands in no chain", nil, "UPDATE store.audit SET chain = '', seq = 0, happened_at = happened_at + 7200000000 WHERE chain = $1 AND seq = $2", of(2)...)
		for _, f := range []struct{ chain, kind, id, later string }{
			{"''", "kind", "'f' || id", "1000000"},         // a moment later
			{"''", "kind", "'0' || id", "-40000000000000"}, // before there were chains
			{"NULL", "kind", "'f' || id", "0"},
			{"''", "'unheard of'", "'f' || id", "0"},
			{"''", "''", "'f' || id", "0"},
		} {
			tampered("stands in no chain", nil, "INSERT INTO store.audit SELECT "+f.id+", happened_at + "+f.later+", "+f.kind+`, 'mallory', issuer, token, tenant, acting, reason, operation, hash, datasets,
				strategy, source, row_count, duration, outcome, detail, `+f.chain+", 0, '' FROM store.audit WHERE chain = $1 AND seq = $2", of(2)...)
		}
		tampered("which another one has", nil, `INSERT INTO store.audit SELECT 'f' || id, happened_at, kind, 'mallory', issuer, token, tenant, acting, reason, operation, hash, datasets, strategy, source,
			row_count, duration, outcome, detail, chain, seq, link FROM store.audit WHERE chain = $1 AND seq = $2`, of(2)...)
		tampered("without a key", nil, "UPDATE store.audit_chains SET key_id = '' WHERE chain = $1", head.Chain)
		tampered("not configured", nil, "UPDATE store.audit_chains SET key_id = 'k9' WHERE chain = $1", head.Chain)

		// A gap that was accepted is no problem as long as it is the same one.
		do("DELETE FROM store.audit WHERE chain = $1 AND seq = $2", of(2)...)
		gap := verify()
		accepted := gap.Vouched(true)
		known := func() audit.Report { return must(s.VerifyAudit(ctx, accepted, func(int64) {})) }
		if r := known(); gap.Problems != 1 || r.Problems != 0 || len(r.Accepted) != 1 || !slices.Equal(r.Vouched(false).Accepted, accepted.Accepted) {
			t.Errorf("an accepted gap: %+v", r)
		}
		do("UPDATE store.audit SET subject = 'mallory' WHERE chain = $1 AND seq = $2", of(3)...)
		if r := known(); r.Problems == 0 || len(r.Accepted) != 0 {
			t.Errorf("what stands behind an accepted gap was changed: %+v", r)
		}
		do("DELETE FROM store.audit WHERE chain = $1 AND seq = $2", of(3)...)
		if r := known(); r.Problems == 0 || len(r.Accepted) != 0 {
			t.Errorf("an accepted gap has grown: %+v", r)
		}
		back()
		if r := known(); r.Problems != 0 || len(r.Accepted) != 0 {
			t.Errorf("an accepted gap was filled: %+v", r)
		}

		// A head of an earlier moment can be put back with what it seals, and a chain taken
		// out as a whole. Who has noted the heads sees both.
		tampered("stands in no chain", nil, "UPDATE store.audit SET chain = '' WHERE chain <> ''; DELETE FROM store.audit_chains")
		do("DELETE FROM store.audit WHERE chain = $1", head.Chain)
		do("DELETE FROM store.audit_chains WHERE chain = $1", head.Chain)
		if r := verify(); r.Problems != 0 {
			t.Errorf("nothing tells that the chain is gone, %+v", r)
		}
		if r := verify(report.Heads...); r.Problems != 1 || !strings.Contains(r.Told[0], "is gone") {
			t.Errorf("the chain is gone: %+v", r)
		}
		back()
		for range 3 * 4 { // each chain goes on
			tenant(t, s, fmt.Sprintf("later%d", must(s.Count(ctx, "audit"))))
		}
		later := verify(report.Heads...)
		if later.Problems != 0 {
			t.Fatalf("%+v", later)
		}
		back()
		if r := verify(later.Heads...); r.Problems == 0 || !strings.Contains(strings.Join(r.Told, "\n"), "went on to entry") {
			t.Errorf("what came later was cut off: %+v", r)
		}

		c.pass(48*time.Hour + time.Second)
		if err := errors.Join(s.Prune(ctx), s.Prune(ctx)); err != nil {
			t.Fatal(err)
		}
		if r := verify(report.Heads...); r.Problems != 0 || r.Entries != 0 {
			t.Errorf("all has had its time: %+v", r)
		}
	})
}

// After a crash, and with another key, a process begins other chains; those before are
// checked with the keys from before.
func TestVerifyAuditWithAnotherKey(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		ctx := t.Context()
		first := open(tenancy.Options{})
		tenant(t, first, "acme")
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		next := tenancy.SealKey{ID: "k2", Secret: []byte("abcdef0123456789abcdef0123456789")}
		second := open(tenancy.Options{Key: next, OldKeys: []tenancy.SealKey{key}})
		tenant(t, second, "globex")
		if r := must(second.VerifyAudit(ctx, audit.Seen{}, func(int64) {})); r.Problems != 0 || r.Entries != 2 || len(r.Heads) != 2 {
			t.Errorf("%+v", r)
		}
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
		third := open(tenancy.Options{Key: next})
		if r := must(third.VerifyAudit(ctx, audit.Seen{}, func(int64) {})); r.Problems != 1 || !strings.Contains(r.Told[0], `key "k1", which is not configured`) {
			t.Errorf("%+v", r)
		}
	})
}

// What is refused is in the log when the caller is told of it; while the store is
// away, callers do not wait for long, and nothing is lost.
func TestRefusalsAreNotedFirst(t *testing.T) {
	each(t, func(t *testing.T, open func(tenancy.Options) *tenancy.Store) {
		s := open(tenancy.Options{})
		if err := s.RenameTenant(t.Context(), adminOf("acme"), "other", "x"); fault.From(err).Code != fault.Forbidden {
			t.Fatal(err)
		}
		entries, _, err := s.Entries(t.Context(), root(), tenancy.AuditFilter{}, tenancy.Page{})
		if err != nil || len(entries) != 1 || entries[0].Outcome != string(fault.Forbidden) {
			t.Errorf("%+v, %v", entries, err)
		}
	})
}

// A key that has the id of the one before, and is another, opens nothing: what it seals would look forged.
func TestAnotherKeyOfTheSameID(t *testing.T) {
	t.Parallel()
	ctx, spec := t.Context(), database.Spec{Path: filepath.Join(t.TempDir(), "store.duckdb")}
	first := open(t, spec, tenancy.Options{})
	tenant(t, first, "acme")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	next := tenancy.SealKey{ID: "k2", Secret: []byte("abcdef0123456789abcdef0123456789")}
	wrong := tenancy.SealKey{ID: key.ID, Secret: next.Secret}
	for _, opts := range []tenancy.Options{{Key: wrong}, {Key: next, OldKeys: []tenancy.SealKey{wrong}}} {
		opts.Password = cheap
		_, err := tenancy.Open(ctx, spec, opts)
		if wantCode(t, err, fault.Internal); !strings.Contains(fault.From(err).Message, "key k1 is not the one") || !strings.Contains(fault.From(err).Hint, "control.old_keys") {
			t.Errorf("%v, %s", err, fault.From(err).Hint)
		}
	}
	same := open(t, spec, tenancy.Options{Key: next, OldKeys: []tenancy.SealKey{key}})
	if r := must(same.VerifyAudit(ctx, audit.Seen{}, func(int64) {})); r.Problems != 0 {
		t.Errorf("%+v", r)
	}
}
