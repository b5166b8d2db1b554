package control

import (
	"fmt"
	"iter"
	"testing"

	"usher/principal"
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
		var changed iter.Seq2[principal.Principal, error] = func(yield func(principal.Principal, error) bool) {
			for _, p := range tenants {
				read++
				if !yield(p, nil) {
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
