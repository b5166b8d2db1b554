package writing_test

import (
	"errors"
	"testing"
	"time"

	"usher/datasource/writing"
	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
)

// TestAnAccountTakesItsOwn hands an account what was planned for others: for another source, and for another
// account of the same one. It has no connection that it could ask.
func TestAnAccountTakesItsOwn(t *testing.T) {
	t.Parallel()
	cat := plantest.Changes(t, "../../plan/testdata/changes/shop.yml")
	now := time.Unix(0, 0)
	as := func(text string) principal.Principal {
		p := plantest.Principal(t, text)
		p.Roles, p.Scopes = []string{"all"}, []principal.Scope{principal.ReadData, principal.WriteData}
		return p
	}
	change := func(p principal.Principal, text string) plan.Change {
		c, err := plan.BuildChange(plantest.Change(t, text), cat, p, now)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const order = `insertOrdersOne(row: {id: 1}) { id }`
	acme, own := as(`tenant: "acme", subject: "ann"`), as(`tenant: "acme", subject: "ann", accounts: {shop: {user: "acme", password: "its own"}}`)
	mine, another := change(acme, order), change(own, order)
	elsewhere := change(acme, `insertLedgerOne(row: {id: 1}) { id }`)
	account := writing.InServer(writing.Account{Catalog: cat, Target: mine.Target()}, nil, nil, nil, &writing.Judgements{})
	for _, changes := range [][]plan.Change{nil, {{}}, {another}, {elsewhere}, {mine, another}, {elsewhere, mine}} {
		if made, err := account.Change(t.Context(), changes, writing.Terms{}); !errors.Is(err, writing.ErrNotPlanned) || made.Changed != nil {
			t.Errorf("an account makes changes of others: %v, %v", made, err)
		}
	}
	rows, err := plan.BuildImport(plan.Tenant{}, query.Import{Dataset: "orders", Columns: []string{"id"}}, cat, own, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range []plan.Import{{}, rows} {
		if in, err := account.Import(t.Context(), i, nil, writing.ImportTerms{From: 7}, nil); !errors.Is(err, writing.ErrNotPlanned) || in.Rows != 0 {
			t.Errorf("an account takes an import of others: %v, %v", in, err)
		}
	}
	var of *writing.ChangeError
	if err := writing.Together([]plan.Change{mine, elsewhere}); !errors.As(err, &of) || of.Change != 1 || fault.From(err).Code != fault.BadUserInput {
		t.Errorf("changes of two sources are one mutation's: %v", err)
	}
	if err := writing.Together([]plan.Change{mine, mine}); err != nil {
		t.Error(err)
	}
}
