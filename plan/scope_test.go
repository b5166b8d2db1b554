package plan_test

import (
	"fmt"
	"testing"

	"usher/catalog"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// TestScopes walks every plan of testdata by its accessors and counts: each
// reference says why it shows the principal's rows only, and where that is the
// tenant predicate, it stands in the reference's own scope. What is fetched of
// a plan, and the plan over what was fetched, hold to the same.
func TestScopes(t *testing.T) {
	t.Parallel()
	cases, _ := goldens(t)
	s := &sweep{kinds: make(map[plan.ScopeKind]int)}
	for _, g := range cases {
		q, err := g.build()
		if err != nil {
			continue
		}
		s.T, s.cat, s.p, s.what = t, g.cat, g.p, g.text
		s.level(q, q.Root(), 0)
	}
	for kind := plan.ByTenantColumn; kind <= plan.IsAllTenants; kind++ {
		if s.kinds[kind] == 0 {
			t.Errorf("no reference has a scope of kind %d: the sweep has nothing to prove there", kind)
		}
	}
	if s.steps == 0 || s.owners == 0 {
		t.Errorf("%d steps to parents, %d rows whose owner is read: the sweep has nothing to prove there", s.steps, s.owners)
	}
	if s.policies == 0 || s.quantified == 0 || s.nested == 0 || s.fetches == 0 {
		t.Errorf("%d references inside policies, %d that are looked into, %d nested levels, %d fetches: the sweep has nothing to prove there",
			s.policies, s.quantified, s.nested, s.fetches)
	}
}

type sweep struct {
	*testing.T
	cat  *catalog.Catalog
	p    principal.Principal
	what string

	kinds                                 map[plan.ScopeKind]int
	policies, quantified, nested, fetches int
	steps, owners                         int
}

func (s *sweep) level(q plan.Query, l plan.Level, id int) {
	if l.Refs() == 0 {
		s.Errorf("%s: a level without references", s.what)
	}
	for i := range l.Refs() {
		s.ref(l, i)
		if l.Ref(i).Inside() >= 0 {
			s.policies++
			s.named(l, i)
		}
		if l.Ref(i).Under() >= 0 {
			s.quantified++
		}
	}
	s.reads(l)
	s.onScratch(l, id)
	s.fetch(q, l, id)
	for i := range l.Children() {
		s.nested++
		if l.Child(i).Links() == 0 {
			s.Errorf("%s: a nested level is not linked to its parent", s.what)
		}
		s.level(q, l.Child(i), id+1)
	}
	if total, ok := l.Total(); ok {
		s.level(q, total, id+1)
	}
	if prior, ok := l.Prior(); ok {
		for i := range prior.Refs() {
			s.ref(prior, i)
		}
		s.reads(prior)
	}
}

// named checks that the scope a reference belongs to joins it or looks into it,
// and that nothing else does.
func (s *sweep) named(l plan.Level, i int) {
	r := l.Ref(i)
	outer := l.Ref(r.Inside())
	by := 0
	for j := range outer.Policies() {
		if outer.Policy(j) == i {
			by++
		}
	}
	for j := range outer.Scopes() {
		nodes(outer.Scope(j), func(e plan.Expr) {
			if (e.Op() == plan.Exists || e.Op() == plan.Latest) && e.Ref() == r.Under() {
				by++
			}
		})
	}
	if by != 1 {
		s.Errorf("%s: t%d is %d times in the scope of t%d", s.what, i, by, r.Inside())
	}
}

// ref checks one reference.
func (s *sweep) ref(l plan.Level, i int) {
	r := l.Ref(i)
	d := s.cat.Dataset(r.Dataset())
	if d == nil {
		s.Fatalf("%s: a reference to %q", s.what, r.Dataset())
	}
	s.kinds[r.ScopeKind()]++
	has := s.tenantPredicates(r, i)
	column := ""
	if has > 0 {
		column = d.Tenant.Name
	}
	if r.TenantColumn() != column {
		s.Errorf("%s: %s names the tenant column %q, and has %d tenant predicates", s.what, d.Name, r.TenantColumn(), has)
	}
	source := s.cat.Sources[r.Target().Source]
	if own := d.Own[s.p.Tenant]; own == nil && r.Own() != "" || own != nil && (r.Own() != own.Tenant || r.Target().Source != own.Source) {
		s.Errorf("%s: %s of %q is read from the table of %q in %v", s.what, d.Name, s.p.Tenant, r.Own(), r.Target())
	}
	switch kind := r.ScopeKind(); kind {
	case plan.ByTenantColumn:
		if has != 1 || d.Common || s.p.AllTenants {
			s.Errorf("%s: %s has %d tenant predicates", s.what, d.Name, has)
		}
	case plan.ByParent:
		if has != 0 || d.Common || s.p.AllTenants || r.Own() != "" {
			s.Errorf("%s: %s has %d tenant predicates", s.what, d.Name, has)
		}
		s.parent(l, i)
	case plan.ByOwnSource:
		if r.Own() == "" && (!source.Template || r.Target().Tenant == "" || r.Target().Tenant != s.p.Tenant) {
			s.Errorf("%s: %s counts on the source %v to be the tenant's own", s.what, d.Name, r.Target())
		}
	case plan.ByUpstream:
		binding := d.Bindings[source.Name]
		if r.Own() != "" {
			binding = &d.Own[r.Own()].Binding
		}
		missing := d.Tenant == nil || binding.Columns[d.Tenant.Name].Missing
		if source.API.Isolation != catalog.ByUpstream || s.p.AllTenants || (has == 1) == missing {
			s.Errorf("%s: %s counts on %s to keep tenants apart, and has %d tenant predicates", s.what, d.Name, source.Name, has)
		}
	case plan.IsCommon:
		if !d.Common || r.Target().Source != d.Source {
			s.Errorf("%s: %s is not common", s.what, d.Name)
		}
	case plan.IsAllTenants:
		if !s.p.AllTenants || d.Common || source.Template {
			s.Errorf("%s: %s shows all tenants", s.what, d.Name)
		}
	default:
		s.Errorf("%s: the reference to %s has the scope kind %d", s.what, d.Name, kind)
	}
	if r.Step() {
		s.step(l, i)
	}
	for j := range r.Fields() {
		if r.Field(j).Of > 0 {
			s.owner(l, i, r.Field(j))
		}
	}
	// A scope reads its own reference and those joined inside it.
	for j := range r.Scopes() {
		columns(r.Scope(j), func(e plan.Expr) {
			if e.Ref() != i && l.Ref(e.Ref()).Inside() != i {
				s.Errorf("%s: the scope of t%d reads t%d", s.what, i, e.Ref())
			}
		})
	}
	for j := range r.Policies() {
		if l.Ref(r.Policy(j)).Inside() != i {
			s.Errorf("%s: t%d is not inside the scope of t%d", s.what, r.Policy(j), i)
		}
	}
}

// parent checks that a reference's scope asks for one row of its parent, by all
// columns that lead there, and that the steps from there end in the tenant
// predicate: each is confined by its own parent or by the tenant column.
func (s *sweep) parent(l plan.Level, i int) {
	d := s.cat.Dataset(l.Ref(i).Dataset())
	steps := 0
	for j := range l.Ref(i).Scopes() {
		e := l.Ref(i).Scope(j)
		if e.Op() != plan.Exists || !l.Ref(e.Ref()).Step() {
			continue
		}
		steps++
		s.steps++
		to := l.Ref(e.Ref())
		if e.Arg(0).Op() != plan.True || to.Inside() != i || to.Under() != e.Ref() || to.Dataset() != d.Parent.To.Name ||
			to.Target() != l.Ref(i).Target() || to.ScopeKind() != plan.ByTenantColumn && to.ScopeKind() != plan.ByParent {
			s.Errorf("%s: t%d asks for its parent in t%d, a %s under %s", s.what, i, e.Ref(), to.Dataset(), e)
		}
		s.linked(l, i, e.Ref(), d.Parent)
	}
	if steps != 1 {
		s.Errorf("%s: t%d asks for %d parents", s.what, i, steps)
	}
}

// linked checks that a reference is tied to another by a relation's columns.
func (s *sweep) linked(l plan.Level, from, to int, rel *catalog.Relation) {
	r := l.Ref(to)
	same := r.Ons() == len(rel.On) && r.From() == from
	for j := range min(r.Ons(), len(rel.On)) {
		on := r.On(j)
		same = same && on.From.Ref() == from && on.From.Name() == rel.On[j].From.Name && on.To.Ref() == to && on.To.Name() == rel.On[j].To.Name
	}
	if !same {
		s.Errorf("%s: t%d is no parent of t%d", s.what, to, from)
	}
}

// step checks that nothing but the tenant confines a step: neither a filter of
// its dataset nor one of roles or tokens.
func (s *sweep) step(l plan.Level, i int) {
	r := l.Ref(i)
	most := 1
	if s.p.AllTenants {
		most = 0
	}
	if r.Scopes() != most || r.Policies() != 0 || r.Inside() < 0 {
		s.Errorf("%s: the step t%d has %d conditions and joins %d references", s.what, i, r.Scopes(), r.Policies())
	}
	for j := range r.Fields() {
		if r.Field(j).Asked {
			s.Errorf("%s: %s of the step t%d was asked for", s.what, r.Field(j).Name, i)
		}
	}
}

// owner follows the steps that are joined inside a reference to read whose its
// rows are, to the tenant column.
func (s *sweep) owner(l plan.Level, i int, f plan.Field) {
	s.owners++
	if !s.p.AllTenants {
		s.Errorf("%s: t%d reads whose its rows are", s.what, i)
	}
	d, from := s.cat.Dataset(l.Ref(i).Dataset()), i
	for ; d.Parent != nil; d = d.Parent.To {
		to := -1
		for j := range l.Ref(i).Policies() {
			if p := l.Ref(i).Policy(j); l.Ref(p).Step() && l.Ref(p).From() == from {
				to = p
			}
		}
		if to < 0 {
			s.Fatalf("%s: t%d does not join its parent", s.what, i)
		}
		s.linked(l, from, to, d.Parent)
		from = to
	}
	if f.Of != from+1 || f.Stored != d.Tenant.Name || !provides(l.Ref(from), d.Tenant.Name) {
		s.Errorf("%s: t%d reads its owner from %s of t%d", s.what, i, f.Stored, f.Of-1)
	}
}

// tenantPredicates counts conjuncts that say: the tenant column of reference i
// is the principal's key.
func (s *sweep) tenantPredicates(r plan.Ref, i int) int {
	d := s.cat.Dataset(r.Dataset())
	if d.Tenant == nil {
		return 0
	}
	n := 0
	for j := range r.Scopes() {
		e := r.Scope(j)
		if e.Op() == plan.Eq && e.Arg(0).Op() == plan.Column && e.Arg(0).Ref() == i && e.Arg(0).Name() == d.Tenant.Name &&
			e.Arg(1).Op() == plan.Literal && e.Arg(1).Literal(0).Text() == s.p.TenantKey {
			n++
		}
	}
	return n
}

// reads checks that nothing is read but what a reference provides.
func (s *sweep) reads(l plan.Level) {
	exprs := []plan.Expr{l.Where()}
	for i := range l.Columns() {
		exprs = append(exprs, l.Column(i))
	}
	for i := range l.Keys() {
		exprs = append(exprs, l.Key(i))
	}
	for i := range l.Aggs() {
		exprs = append(exprs, l.Agg(i))
	}
	for i := range l.Orders() {
		exprs = append(exprs, l.Order(i).Expr())
	}
	for i := range l.Links() {
		exprs = append(exprs, l.Link(i).Own())
	}
	for _, e := range exprs {
		columns(e, func(c plan.Expr) {
			r := l.Ref(c.Ref())
			if r.Inside() >= 0 {
				s.Errorf("%s: %s is read outside of the policy it belongs to", s.what, c)
			}
			if !provides(r, c.Name()) {
				s.Errorf("%s: %s is not among what its reference reads", s.what, c)
			}
		})
	}
	for i := range l.Refs() {
		r := l.Ref(i)
		for j := range r.Ons() {
			if on := r.On(j); !provides(r, on.To.Name()) || !provides(l.Ref(on.From.Ref()), on.From.Name()) || on.From.Ref() >= i {
				s.Errorf("%s: t%d is joined on %s = %s", s.what, i, on.To, on.From)
			}
		}
	}
}

func provides(r plan.Ref, name string) bool {
	for i := range r.Fields() {
		if r.Field(i).Name == name {
			return r.Field(i).Stored != ""
		}
	}
	return false
}

// columns calls f with every column an expression reads.
func columns(e plan.Expr, f func(plan.Expr)) {
	nodes(e, func(e plan.Expr) {
		if e.Op() == plan.Column {
			f(e)
		}
	})
}

// nodes calls f with an expression and every part of it.
func nodes(e plan.Expr, f func(plan.Expr)) {
	f(e)
	for i := range e.Len() {
		nodes(e.Arg(i), f)
	}
	if filter, ok := e.Filter(); ok {
		nodes(filter, f)
	}
}

// onScratch checks that a level over fetched tables keeps every scope.
func (s *sweep) onScratch(l plan.Level, id int) {
	moved := l.OnScratch(id)
	if moved.Refs() != l.Refs() || moved.Where().String() != l.Where().String() {
		s.Errorf("%s: the level over fetched tables is another", s.what)
	}
	tables := make(map[string]bool)
	for i := range l.Refs() {
		before, after := l.Ref(i), moved.Ref(i)
		tables[after.Table()] = true
		if scopes(before) != scopes(after) || before.ScopeKind() != after.ScopeKind() || before.Inside() != after.Inside() {
			s.Errorf("%s: the scope of t%d was %s, and is %s", s.what, i, scopes(before), scopes(after))
		}
	}
	if len(tables) != l.Refs() {
		s.Errorf("%s: two references share a fetched table", s.what)
	}
}

func scopes(r plan.Ref) string {
	text := ""
	for i := range r.Scopes() {
		text += r.Scope(i).String() + "\n"
	}
	return text
}

// fetch checks what is fetched for a level: each fetch is one reference with
// its tenant predicate, and narrowing only adds.
func (s *sweep) fetch(q plan.Query, l plan.Level, id int) {
	fetches := q.Fetches(l, id)
	if len(fetches) != l.Refs() {
		s.Errorf("%s: %d fetches for %d references", s.what, len(fetches), l.Refs())
	}
	for i, f := range fetches {
		s.fetches++
		root := f.Query().Root()
		steps := 0
		if l.Ref(i).ScopeKind() == plan.ByParent {
			for d := s.cat.Dataset(l.Ref(i).Dataset()); d.Parent != nil; d = d.Parent.To {
				steps++
			}
		}
		if !f.Query().Valid() || root.Refs() != 1+steps || root.Children() != 0 || f.Query().Shape() != query.Many {
			s.Errorf("%s: the fetch of t%d is not one reference", s.what, i)
			continue
		}
		r := root.Ref(0)
		if r.ScopeKind() != l.Ref(i).ScopeKind() || r.Target() != l.Ref(i).Target() || r.TenantColumn() != l.Ref(i).TenantColumn() {
			s.Errorf("%s: the fetch of t%d is confined in another way", s.what, i)
		}
		for j := range root.Refs() {
			s.ref(root, j)
			if j > 0 && !root.Ref(j).Step() {
				s.Errorf("%s: the fetch of t%d reads t%d as well", s.what, i, j)
			}
		}
		if root.Ref(0).Policies() > 0 || root.Ref(0).Inside() >= 0 {
			s.Errorf("%s: the fetch of t%d joins others", s.what, i)
		}
		s.reads(root)
		narrowed := f.Narrowed(r.Field(0).Name, []value.Value{value.Bound(r.Field(0).Type, value.Cell{Kind: value.KindText, Text: []byte("x")})})
		after := narrowed.Query().Root()
		if scopes(after.Ref(0)) != scopes(r) || after.Limit() != root.Limit() {
			s.Errorf("%s: narrowing changes the scope or the limit", s.what)
		}
		want := fmt.Sprintf("(t0.%s in [", r.Field(0).Name)
		if root.Where().Op() == plan.False {
			if after.Where().Op() != plan.False {
				s.Errorf("%s: narrowing makes %s of nothing", s.what, after.Where())
			}
		} else if root.Where().Op() != plan.True {
			if after.Where().Op() != plan.And || after.Where().Arg(0).String() != firstConjunct(root.Where()) {
				s.Errorf("%s: narrowing makes %s of %s", s.what, after.Where(), root.Where())
			}
		} else if got := after.Where().String(); len(got) < len(want) || got[:len(want)] != want {
			s.Errorf("%s: narrowing makes %s", s.what, got)
		}
		if f.Query().Root().Where().String() != root.Where().String() {
			s.Errorf("%s: narrowing changed the fetch it was made of", s.what)
		}
		// A fetch that leaves rows out leaves out none the level could want.
		if root.Limit() != plan.All && (i > 0 || root.Limit() <= l.Offset()+l.Limit() || root.Where().String() != l.Where().String()) {
			s.Errorf("%s: t%d is fetched with the limit %d", s.what, i, root.Limit())
		}
	}
}

func firstConjunct(e plan.Expr) string {
	if e.Op() == plan.And {
		return e.Arg(0).String()
	}
	return e.String()
}
