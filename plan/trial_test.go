package plan_test

import (
	"os"
	"strings"
	"testing"

	"usher/plan"
	"usher/plan/plantest"
)

// A trial asks for what anybody of the tenant would be shown, and no more: each
// reference says why its rows are the tenant's.
func TestTrials(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/mixed.yml")
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Catalog(t, string(text), nil)
	trials, err := plan.Trials(cat, plantest.Principal(t, `tenant: "acme", home: {strategies: {webOrders: "silo"}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, trial := range trials {
		q, err := trial.Query()
		if err != nil {
			got = append(got, trial.Dataset()+": "+err.Error())
			continue
		}
		if !q.Valid() || q.Identity().Tenant() != "acme" || q.Root().Ref(0).Target().Source != trial.Source() {
			t.Errorf("%s: %s", trial.Dataset(), plan.Dump(q))
		}
		for i := range q.Root().Refs() {
			r := q.Root().Ref(i)
			if k := r.ScopeKind(); k == plan.IsAllTenants || k == plan.IsCommon || k == 0 || k == plan.ByTenantColumn && r.Scopes() == 0 {
				t.Errorf("%s is confined by %d", trial.Dataset(), k)
			}
		}
		own := "shared"
		if trial.Own() {
			own = "own"
		}
		got = append(got, trial.Dataset()+" in "+trial.Source()+", "+own)
	}
	if want := "invoices in silo, own; lines in warehouse, shared; orders in warehouse, shared; webOrders in silo, own"; strings.Join(got, "; ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, "; "), want)
	}
	for _, who := range []string{`allTenants: true`, ``, `tenant: "acme", home: {strategies: {nothing: "silo"}}`, `tenant: "acme", home: {accounts: {nothing: {user: "x", password: "x"}}}`} {
		if trials, err := plan.Trials(cat, plantest.Principal(t, who)); err == nil {
			t.Errorf("%s: %d trials", who, len(trials))
		}
	}
}
