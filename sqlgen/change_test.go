package sqlgen_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/sqlgen"
)

// TestChangeStatements compares the statements of changes with those of testdata: each
// value is an argument, and each table but the one that is changed is read by its reference.
func TestChangeStatements(t *testing.T) {
	t.Parallel()
	cat := plantest.Changes(t, "../plan/testdata/changes/shop.yml")
	p := plantest.Principal(t, `tenant: "acme'; --", subject: "ann", roles: ["all", "boss"]`)
	p.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
	var b strings.Builder
	for _, text := range []string{
		`insertOrders(rows: [{id: 1, customer_id: 7, tags: ["x'"], doc: {a: "secret"}}, {id: 2, customer_id: 8, tags: null, doc: null}]) { rows { id customer { name } } }`,
		`insertOrdersOne(row: {id: 1}) { id }`,
		`insertItemsOne(row: {order_id: 1, line: 2}) { line }`,
		`updateOrders(where: {customer: {name: {eq: "secret"}}}, set: {status: "secret", note: null}, increment: {amount: 1.5}, limit: 3) { affected }`,
		`updateItemsByPk(order_id: 1, line: 2, set: {sku: "secret"}) { sku }`,
		`deleteOrdersByPk(id: 1, version: 3) { id }`,
		`deleteItems(where: {sku: {eq: "secret"}}) { affected }`,
	} {
		c, err := plan.BuildChange(plantest.Change(t, text), cat, p, time.Unix(0, 0))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b.WriteString("# " + text + "\n")
		write := func(what string, s sqlgen.Statement, err error) {
			if err != nil {
				t.Fatalf("%s: %s: %v", text, what, err)
			}
			for _, word := range []string{"secret", "acme", "ann"} {
				if strings.Contains(s.Text, word) {
					t.Errorf("%s: %q is in the text of %s", text, word, what)
				}
			}
			b.WriteString(what + ": " + s.Text + "\n  " + strings.Join(s.Args.Bind(nil), " | ") + "\n")
		}
		named := func(what string, l plan.Level, lock sqlgen.Lock) {
			if l.Refs() > 0 {
				s, err := sqlgen.Named(l, lock, sqlgen.PostgresChange)
				write(what, s, err)
			}
		}
		for i := range c.References() {
			r := c.Reference(i)
			lock := sqlgen.NoLock
			if r.Locks() && sqlgen.Lockable(r.Level()) {
				lock = sqlgen.ToRefer
			}
			if only, ok := r.Lock(); ok {
				named("locks", only, sqlgen.ToRefer)
			}
			named("leads to", r.Level(), lock)
		}
		for i := range c.Inserts() {
			upsert, _ := c.Upsert()
			s, err := sqlgen.Insert(c.Insert(i), upsert, sqlgen.PostgresChange)
			write("inserts", s, err)
		}
		if c.Chosen().Refs() > 0 {
			s, err := sqlgen.Chosen(c.Chosen(), sqlgen.PostgresChange)
			write("chooses", s, err)
		}
		named("locks", c.Locked(), sqlgen.ToChange)
		for i := range c.Helds() {
			named("holds", c.Held(i), sqlgen.NoLock)
		}
		if c.Update().Sets() > 0 {
			s, err := sqlgen.Update(c.Update(), sqlgen.PostgresChange)
			write("updates", s, err)
		}
		if c.Remove().Refs() > 0 {
			s, err := sqlgen.Delete(c.Remove(), "", sqlgen.PostgresChange)
			write("deletes", s, err)
		}
		for i := range c.Checks() {
			named("checks", c.Check(i).Level(), sqlgen.NoLock)
		}
		for i := range c.Answers() {
			named("answers", c.Answer(i).Root(), sqlgen.NoLock)
		}
	}
	file := filepath.Join("testdata", "changes.txt")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the statements are not those of %s:\n%s", file, b.String())
	}
}
