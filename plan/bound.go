package plan

import (
	"slices"

	"usher/principal"
	"usher/value"
)

// What one database answers is written once, and bound by its arguments. What several sources
// or an API answer, and a change, is written as it goes, so its levels are given the values
// themselves, when they are asked for.

// Binding is for whom a plan that was prepared is asked now.
type Binding struct {
	identity Identity
	texts    []string
}

// BindingOf is that of a principal, with the texts of all terms as slot.Slots.Bind returns
// them for the same principal. It is one of those whom the plan was prepared for.
func BindingOf(p principal.Principal, texts []string) Binding {
	return Binding{Identity{
		tenant: p.Tenant, key: p.TenantKey, subject: p.Subject, name: p.Name, email: p.Email, metadata: p.Grant.Metadata,
	}, texts}
}

// Tenant is the tenant's id; empty for a principal of all tenants.
func (b Binding) Tenant() string { return b.identity.tenant }

// Texts are those of all terms.
func (b Binding) Texts() []string { return b.texts }

// Open tells a query that was prepared and is not bound: nobody is known to ask it.
func (q Query) Open() bool { return q.body.open }

// Bind is a query that was prepared, with the values of who asks now. One that was built is
// nobody else's, and stays what it is. Without values it is not valid.
func (q Query) Bind(to Binding) Query {
	switch {
	case !q.Valid() || !q.body.open:
		return q
	case to.texts == nil:
		return Query{}
	}
	b := *q.body
	b.root, b.open, b.identity = b.root.in(to.texts), false, to.identity
	b.identity.parameters = textsOf(b.parameters, to.texts)
	return Query{&b}
}

// Binding is that of a query that is nobody else's.
func (q Query) Binding() Binding { return Binding{identity: q.body.identity} }

// textsOf are the parameters that an upstream may be told.
func textsOf(parameters map[string]value.Value, texts []string) map[string]string {
	if len(parameters) == 0 {
		return nil
	}
	out := make(map[string]string, len(parameters))
	for name, v := range parameters {
		out[name] = v.In(texts).Text()
	}
	return out
}

// in is the level with the texts of all terms; with none it is what it was.
func (l Level) in(texts []string) Level {
	if texts == nil {
		return l
	}
	l.refs = slices.Clone(l.refs)
	for i := range l.refs {
		r := &l.refs[i]
		r.scope, r.on = allIn(r.scope, texts), slices.Clone(r.on)
		for j, on := range r.on {
			r.on[j] = On{From: on.From.in(texts), To: on.To.in(texts)}
		}
	}
	l.where, l.having, l.guard, l.around = l.where.in(texts), l.having.in(texts), l.guard.in(texts), l.around.in(texts)
	l.keys, l.aggs, l.columns = allIn(l.keys, texts), allIn(l.aggs, texts), allIn(l.columns, texts)
	l.order = slices.Clone(l.order)
	for i := range l.order {
		l.order[i].expr = l.order[i].expr.in(texts)
	}
	l.parent = slices.Clone(l.parent)
	for i := range l.parent {
		l.parent[i].own = l.parent[i].own.in(texts)
	}
	l.children = slices.Clone(l.children)
	for i := range l.children {
		l.children[i] = l.children[i].in(texts)
	}
	if total, ok := l.Total(); ok {
		page := *l.page
		total = total.in(texts)
		page.total, l.page = &total, &page
	}
	if l.values != nil {
		values := *l.values
		values.of, l.values = allIn(values.of, texts), &values
	}
	if l.fill != nil {
		fill := *l.fill
		fill.low, fill.high = fill.low.pointed(texts), fill.high.pointed(texts)
		l.fill = &fill
	}
	if l.top != nil {
		top := *l.top
		top.by.expr = top.by.expr.in(texts)
		l.top = &top
	}
	return l
}

func allIn(list []Expr, texts []string) []Expr {
	if !slices.ContainsFunc(list, Expr.open) {
		return list
	}
	out := make([]Expr, len(list))
	for i, e := range list {
		out[i] = e.in(texts)
	}
	return out
}

func (e Expr) in(texts []string) Expr {
	if !e.open() {
		return e
	}
	e.args, e.filter = allIn(e.args, texts), e.filter.pointed(texts)
	lits := make([]value.Value, len(e.lits))
	for i, v := range e.lits {
		lits[i] = v.In(texts)
	}
	e.lits = lits
	return e
}

func (e *Expr) pointed(texts []string) *Expr {
	if e == nil {
		return nil
	}
	in := e.in(texts)
	return &in
}

// open tells that a value in an expression comes later.
func (e Expr) open() bool {
	return slices.ContainsFunc(e.lits, later) || slices.ContainsFunc(e.args, Expr.open) || e.filter != nil && e.filter.open()
}

func later(v value.Value) bool {
	_, open := v.Term()
	return open
}
