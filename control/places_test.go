package control

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/tenancy"
)

// Many tenants are read once; a token is compared with all of them by what
// is kept.
func TestPlacesAreKept(t *testing.T) {
	t.Parallel()
	n, err := neighborsOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	of := func(id, database string) principal.Principal {
		return principal.Principal{Tenant: id, TenantKey: id, Routing: principal.Routing{Accounts: ofSource("silo", principal.Account{Database: database, Password: "p"})}}
	}
	const many = 1000
	read := 0
	follow := func(since, generation int64, tenants ...principal.Principal) {
		t.Helper()
		var changed iter.Seq2[tenancy.Record, error] = func(yield func(tenancy.Record, error) bool) {
			for _, p := range tenants {
				read++
				if !yield(tenancy.Record{Principal: p}, nil) {
					return
				}
			}
		}
		if err := n.Follow(since, generation, changed); err != nil {
			t.Fatal(err)
		}
	}
	var all []principal.Principal
	for i := range many {
		all = append(all, of(fmt.Sprintf("t%d", i), fmt.Sprintf("d%d", i)))
	}
	follow(0, 1, all...)
	token := func(database string) error {
		p := principal.Principal{Tenant: "plain", TenantKey: "plain", Subject: "s"}
		p.Grant.Accounts = ofSource("silo", principal.Account{Database: database, Password: "other"})
		return n.CheckAccounts(p, n.Seen())
	}
	for i := range many {
		if token(fmt.Sprintf("d%d", i)) == nil {
			t.Fatalf("a token leads to t%d", i)
		}
	}
	if read != many || n.Seen() != 1 {
		t.Errorf("%d tenants were read up to %d", read, n.Seen())
	}
	follow(1, 2, of("t7", "moved"))
	if token("d7") != nil || token("moved") == nil || token("shop") == nil || token("nobodys") != nil {
		t.Error("a token is judged by what was")
	}
}

// After a store has gone back, nobody is compared with where tenants were since.
func TestPlacesOfAStoreThatHasGoneBack(t *testing.T) {
	t.Parallel()
	n, err := neighborsOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	of := func(id, database string) principal.Principal {
		return principal.Principal{Tenant: id, TenantKey: id, Routing: principal.Routing{Accounts: ofSource("silo", principal.Account{Database: database, Password: "p"})}}
	}
	follow := func(since, generation int64, database string) {
		t.Helper()
		if err := n.Follow(since, generation, func(yield func(tenancy.Record, error) bool) {
			yield(tenancy.Record{Principal: of("one", database)}, nil)
		}); err != nil {
			t.Fatal(err)
		}
	}
	follow(0, 7, "now")
	if n.CheckRecord(of("two", "then"), 7) != nil || n.CheckRecord(of("two", "now"), 7) == nil {
		t.Error("before it went back")
	}
	n.Forget()
	if n.Seen() != 0 || n.CheckRecord(of("two", "then"), 5) == nil {
		t.Error("a record is compared with nobody")
	}
	follow(0, 5, "then")
	if n.CheckRecord(of("two", "then"), 5) == nil || n.CheckRecord(of("two", "now"), 5) != nil {
		t.Error("after it went back")
	}
}

// Of a tenant that is nowhere but where everybody is nothing is looked up, and of any other
// what is left out is everybody's.
func TestOwnPlacesAreAllButEverybodys(t *testing.T) {
	t.Parallel()
	n, err := neighborsOf(t, "")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for source := range n.cat.Sources {
		for _, a := range []principal.Account{{}, {Database: "shop", Password: "p"}, {Host: "127.0.0.1", Database: "x", User: "u", Password: "p"}, {Headers: map[string]string{"x-key": "k"}}, {Schema: "s"}} {
			for _, accounts := range []map[string]principal.Account{nil, ofSource(source, a)} {
				p := principal.Principal{Tenant: "one", TenantKey: "1", Routing: principal.Routing{Accounts: accounts}}
				all, own := n.own(plan.Places(n.cat, p)), n.own(plan.OwnPlaces(n.cat, p))
				if !slices.Equal(all, own) {
					t.Errorf("%s %+v: all but everybody's are %v, its own %v", source, a, all, own)
				}
				found += len(own)
			}
		}
	}
	if found == 0 {
		t.Error("nobody has a place of its own")
	}
}

// A tenant that is registered is compared with all of the store by what is kept: as with
// each of them one after the other, also with those who share a place, and with those who are deleted until their places are released.
func TestRecordsAreComparedByPlace(t *testing.T) {
	t.Parallel()
	n, err := neighborsOf(t, "tenants: {filed: {accounts: {silo: {database: filed, password: {env: P}}}}}")
	if err != nil {
		t.Fatal(err)
	}
	of := func(id, source, database string) principal.Principal {
		p := principal.Principal{Tenant: id, TenantKey: id}
		if source != "" {
			p.Routing.Accounts = ofSource(source, principal.Account{Database: database, Password: "p"})
		}
		return p
	}
	all := []tenancy.Record{{Principal: of("plain", "", "")}, {Principal: of("gone", "silo", "left"), Deleted: true}, {Principal: of("freed", "silo", "free"), Deleted: true, Released: true}}
	for i := range 100 {
		all = append(all, tenancy.Record{Principal: of(fmt.Sprintf("t%d", i), "silo", fmt.Sprintf("d%d", i))}, tenancy.Record{Principal: of(fmt.Sprintf("c%d", i), "columns", "many")})
	}
	if err := n.Follow(0, 3, func(yield func(tenancy.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	one := func(yield func(tenancy.Record, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
	for _, c := range []struct {
		record principal.Principal
		refuse bool
	}{
		{of("new", "", ""), false},
		{of("new", "silo", "d7"), true},
		{of("t7", "silo", "d7"), false},
		{of("t7", "silo", "d8"), true},
		{of("new", "silo", "fresh"), false},
		{of("new", "silo", "filed"), true},
		{of("new", "silo", "shop"), true},
		{of("new", "silo", "left"), true},
		{of("new", "silo", "free"), false},
		{of("gone", "silo", "left"), false},
		{of("new", "columns", "many"), false},
		{of("c7", "columns", "many"), false},
		{of("new", "named", "of_t3"), true},
	} {
		kept, scanned := n.CheckRecord(c.record, 3), n.CheckDisjoint(c.record, one)
		if (kept != nil) != c.refuse || (scanned != nil) != c.refuse {
			t.Errorf("%s %v: by what is kept %v, one after the other %v", c.record.Tenant, c.record.Routing.Accounts, kept, scanned)
		}
	}
	if f := fault.From(n.CheckRecord(of("new", "", ""), 4)); f == nil || f.Code != fault.Unavailable {
		t.Errorf("of a generation that was not read: %v", f)
	}
	if err := n.Follow(3, 5, func(yield func(tenancy.Record, error) bool) {
		_ = yield(tenancy.Record{Principal: of("t7", "silo", "moved")}, nil) && yield(tenancy.Record{Principal: of("t8", "silo", "d8"), Deleted: true}, nil) &&
			yield(tenancy.Record{Principal: of("gone", "silo", "left"), Deleted: true, Released: true}, nil)
	}); err != nil {
		t.Fatal(err)
	}
	for database, refuse := range map[string]bool{"d7": false, "d8": true, "left": false, "moved": true, "d9": true} {
		if err := n.CheckRecord(of("new", "silo", database), 5); (err != nil) != refuse {
			t.Errorf("%s, later: %v", database, err)
		}
	}
}
