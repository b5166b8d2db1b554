package plan_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/plan/plantest"
	"usher/principal"
	"usher/query"
)

const changesFile = "testdata/changes/changes.txtar"

// changeCase is one case of testdata/changes.
type changeCase struct {
	cat  *catalog.Catalog
	p    principal.Principal
	text string
	r    query.Change
	want *[]byte
}

func (c changeCase) build() (plan.Change, error) {
	if id, named := plan.NamedTenant(c.r); named {
		return plan.BuildChangeOf(plan.Tenant{ID: id, Key: id}, c.r, c.cat, c.p, now)
	}
	return plan.BuildChange(c.r, c.cat, c.p, now)
}

// as is as whom a change is planned.
func (c changeCase) as() principal.Principal {
	p := c.p
	if id, named := plan.NamedTenant(c.r); named {
		p.AllTenants, p.Tenant, p.TenantKey = false, id, id
	}
	return p
}

// changeCases reads the cases. A principal makes all changes up to the next one.
func changeCases(t *testing.T) ([]changeCase, *txtar.Archive) {
	t.Helper()
	archive, err := txtar.ParseFile(changesFile)
	if err != nil {
		t.Fatal(err)
	}
	cat := plantest.Changes(t, "testdata/changes/shop.yml")
	var p principal.Principal
	var cases []changeCase
	var out []txtar.File
	for _, f := range archive.Files {
		switch f.Name {
		case "principal":
			p = plantest.Principal(t, string(f.Data))
			p.Scopes = []principal.Scope{principal.ReadData, principal.WriteData}
		case "change":
			out = append(out, f, txtar.File{Name: "want"})
			cases = append(cases, changeCase{cat: cat, p: p, text: string(f.Data), r: plantest.Change(t, string(f.Data))})
			continue
		case "want":
			out[len(out)-1].Data = f.Data
			continue
		default:
			t.Fatalf("what is a section %q?", f.Name)
		}
		out = append(out, f)
	}
	archive.Files = out
	n := 0
	for i := range archive.Files {
		if archive.Files[i].Name == "want" {
			cases[n].want = &archive.Files[i].Data
			n++
		}
	}
	return cases, archive
}

// TestChanges compares the plans of changes, or what is refused of them.
func TestChanges(t *testing.T) {
	t.Parallel()
	cases, archive := changeCases(t)
	for _, c := range cases {
		made, err := c.build()
		var got []byte
		if err == nil {
			got = []byte(plan.DumpChange(made))
		} else {
			f := fault.From(err)
			if made.Valid() || f.Code == fault.Internal {
				t.Errorf("%s: %v", c.text, err)
			}
			got = []byte(string(f.Code) + ": " + f.Message + "\n")
			if f.At != "" {
				got = append(got, "at "+f.At+"\n"...)
			}
			for _, also := range f.Also {
				got = append(got, "also "+also.At+": "+also.Message+"\n"...)
			}
		}
		if *update {
			*c.want = got
		} else if !bytes.Equal(*c.want, got) {
			t.Errorf("%s-want +got:\n%s", c.text, cmp.Diff(string(*c.want), string(got)))
		}
	}
	if *update {
		if err := os.WriteFile(changesFile, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestChangeScopes walks every change of testdata: whatever is read, locked, changed or
// checked is a reference with its scope, and whatever is inserted into a table with a
// tenant column is stamped with the tenant's key.
func TestChangeScopes(t *testing.T) {
	t.Parallel()
	cases, _ := changeCases(t)
	s := &sweep{T: t, kinds: make(map[plan.ScopeKind]int)}
	stamped, levels, nested, held := 0, 0, 0, 0
	for _, c := range cases {
		made, err := c.build()
		if err != nil {
			continue
		}
		s.cat, s.p, s.what = c.cat, c.as(), c.text
		for all := []plan.Change{made}; len(all) > 0; all = all[1:] {
			made := all[0]
			for i := range made.Nested() {
				all = append(all, made.NestedAt(i))
			}
			nested += made.Nested()
			walk := func(l plan.Level) {
				if l.Refs() == 0 {
					return
				}
				levels++
				for i := range l.Refs() {
					s.ref(l, i)
				}
				s.reads(l)
			}
			owned := func(l plan.Level) { // by their keys, and by the tenant
				walk(l)
				if l.Refs() == 0 {
					return
				}
				if l.Links() != made.Keys() || l.Ref(0).Dataset() != made.Dataset() || l.Ref(0).ScopeKind() != made.Table().ScopeKind() || l.Ref(0).Target() != made.Target() {
					t.Errorf("%s: %d links to %s", c.text, l.Links(), l.Ref(0).Dataset())
				}
			}
			walk(made.Chosen())
			if u, ok := made.Upsert(); ok {
				walk(u.Level())
				for i := range u.Helds() {
					held++
					walk(u.Held(i))
				}
			}
			owned(made.Locked())
			owned(made.Update().Level())
			owned(made.Remove())
			for i := range made.Helds() {
				owned(made.Held(i))
			}
			for i := range made.Keepers() {
				walk(made.Keeper(i).Level())
			}
			for i := range made.Checks() {
				owned(made.Check(i).Level())
			}
			for i := range made.Answers() {
				owned(made.Answer(i).Root())
				for j := range made.Answer(i).Root().Children() {
					walk(made.Answer(i).Root().Child(j))
				}
			}
			for i := range made.References() {
				r := made.Reference(i)
				walk(r.Level())
				if only, ok := r.Lock(); ok {
					walk(only)
				}
				for i := range r.Above() {
					walk(r.AboveAt(i).Level())
				}
				if r.Locks() == c.cat.Dataset(r.Level().Ref(0).Dataset()).Common || r.Level().Links() == 0 {
					t.Errorf("%s: rows of %s are locked: %t", c.text, r.Level().Ref(0).Dataset(), r.Locks())
				}
			}
			for i := range made.Inserts() {
				into := made.Insert(i)
				for n := range into.Columns() {
					if f := into.Column(n); f.Name == into.Table().TenantColumn() {
						stamped++
						if n >= into.Stamps() || into.Value(n, 0).Value().Text() != c.as().TenantKey {
							t.Errorf("%s: the tenant is %q", c.text, into.Value(n, 0).Value().Text())
						}
					}
				}
			}
			if made.Kind().Inserts() && made.Checks() == 0 || made.Kind().Updates() && made.Checks() == 0 {
				t.Errorf("%s: nothing is checked", c.text)
			}
			for i := range made.Above() {
				walk(made.AboveAt(i).Level())
			}
			for i := range made.Leftovers() {
				walk(made.Leftover(i).Level())
			}
		}
	}
	if stamped == 0 || levels == 0 || nested == 0 || held == 0 || s.kinds[plan.ByTenantColumn] == 0 || s.kinds[plan.ByParent] == 0 {
		t.Errorf("%d stamps, %d levels: the sweep has nothing to prove there", stamped, levels)
	}
}
