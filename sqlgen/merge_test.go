package sqlgen_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/sqlgen"
)

// In no statement by which a file is changed is a value, each of them is confined to the
// tenant, and none asks for what DuckDB does not have.
func TestChangeStatementsOfFiles(t *testing.T) {
	t.Parallel()
	cat := plantest.Changes(t, "../plan/testdata/changes/shop.yml")
	p := plantest.Principal(t, `tenant: "acme'; --", subject: "ann", roles: ["all", "boss"]`)
	p.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
	merged := 0
	for _, text := range []string{
		`insertOrders(rows: [{id: 1, customer_id: 7, tags: ["secret"], doc: {a: "secret"}}]) { affected }`,
		`insertItems(rows: [{order_id: 1, line: 2, sku: "secret"}], onConflict: {key: order_id_line, update: [sku]}) { affected }`,
		`updateOrders(where: {customer: {name: {eq: "secret"}}}, set: {status: "secret", note: null}, increment: {amount: 1.5}, limit: 3) { affected }`,
		`deleteItems(where: {sku: {eq: "secret"}}) { affected }`,
	} {
		c, err := plan.BuildChange(plantest.Change(t, text), cat, p, time.Unix(0, 0))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		var statements []sqlgen.Statement
		add := func(s sqlgen.Statement, err error) {
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			statements = append(statements, s)
		}
		for i := range c.Inserts() {
			upsert, upserts := c.Upsert()
			if !upserts {
				add(sqlgen.Insert(c.Insert(i), upsert, sqlgen.DuckDBChange))
				continue
			}
			m, err := sqlgen.Merge(c.Insert(i), upsert, sqlgen.DuckDBChange)
			add(m.Change, err)
			for _, s := range []sqlgen.Statement{m.There, m.Rest} { // whose the order is was asked before
				if strings.Contains(s.Text, "secret") || !slices.ContainsFunc(s.Args.Bind(nil), func(arg string) bool { return strings.Contains(arg, "secret") }) {
					t.Errorf("%s: %s", text, s.Text)
				}
			}
			merged++
		}
		if c.Chosen().Refs() > 0 {
			add(sqlgen.Chosen(c.Chosen(), sqlgen.DuckDBChange))
		}
		if c.Update().Sets() > 0 {
			add(sqlgen.Update(c.Update(), sqlgen.DuckDBChange))
		}
		if c.Remove().Refs() > 0 {
			add(sqlgen.Delete(c.Remove(), "", sqlgen.DuckDBChange))
		}
		for _, s := range statements {
			for _, word := range []string{"secret", "acme", "ann", " FOR ", "ON CONFLICT", "RETURNING p.n", "::"} {
				if strings.Contains(s.Text, word) {
					t.Errorf("%s: %q is in %s", text, word, s.Text)
				}
			}
			if !slices.ContainsFunc(s.Args.Bind(nil), func(arg string) bool { return strings.Contains(arg, "acme") }) {
				t.Errorf("%s: whose rows they are is not asked in %s", text, s.Text)
			}
		}
	}
	if merged != 1 {
		t.Errorf("%d upserts", merged)
	}
	if _, err := sqlgen.Merge(plan.Insert{}, plan.Upsert{}, sqlgen.DuckDBChange); err == nil {
		t.Error("what was not planned was written")
	}
}
