package plan

import (
	"fmt"
	"slices"

	"usher/catalog"
	"usher/query"
	"usher/value"
)

// Sources are the targets a level reads from, in order of first use.
func (l Level) Sources() []Target {
	var out []Target
	for _, r := range l.refs {
		if !r.absent && !slices.Contains(out, r.target) {
			out = append(out, r.target)
		}
	}
	return out
}

// Statements is how many statements answer the query.
func (q Query) Statements() int {
	n := 0
	q.levels(func(Level) { n++ })
	return n
}

// levels calls f with every level of the query.
func (q Query) levels(f func(Level)) {
	var walk func(Level)
	walk = func(l Level) {
		f(l)
		for _, c := range l.children {
			walk(c)
		}
		if total, ok := l.Total(); ok {
			walk(total)
		}
	}
	walk(q.body.root)
}

// Single returns the one SQL source that can answer the whole query, or false
// when the query reads from several sources or from an API.
func (q Query) Single() (Target, bool) {
	var all []Level
	q.levels(func(l Level) { all = append(all, l) })
	return single(all)
}

func single(levels []Level) (Target, bool) {
	var targets []Target
	for _, l := range levels {
		targets = append(targets, l.Sources()...)
	}
	for _, t := range targets {
		if t != targets[0] || t.Kind == "api" {
			return Target{}, false
		}
	}
	return targets[0], true
}

// Fetch is the scoped minimum of one reference: a query of its own that its
// source can answer, and the table of the embedded engine its rows go to.
type Fetch struct {
	query Query
	table string
	from  int
	fk    Expr
}

// Query is what the source is asked.
func (f Fetch) Query() Query { return f.query }

// Table is where the rows go.
func (f Fetch) Table() string { return f.table }

// Join tells the earlier reference and its column whose values are the keys of
// these rows; false for a level's first reference.
func (f Fetch) Join() (ref int, column Expr, ok bool) { return f.from, f.fk, f.from >= 0 }

// Fetches lists what to fetch, reference by reference, before the level can be
// answered by the embedded engine as OnScratch(id) has it. A reference is
// fetched with those conditions that read it alone; all conditions, scopes
// included, are checked again on what arrives.
func (q Query) Fetches(l Level, id int) []Fetch {
	out := make([]Fetch, 0, len(l.refs))
	for i, r := range l.refs {
		f := Fetch{query: Query{&body{
			shape: query.Many, strategy: q.body.strategy, identity: q.body.identity, overrides: q.body.overrides, root: l.fetch(i),
			open: q.body.open, parameters: q.body.parameters,
		}}, table: scratchTable(id, i), from: -1}
		if r.from >= 0 && len(r.on) > 0 {
			f.from, f.fk = r.from, r.on[0].From
		}
		out = append(out, f)
	}
	return out
}

// fetch is the level that reads one reference's own columns.
func (l Level) fetch(i int) Level {
	f := Level{refs: []Ref{{}}, where: predicate(True), having: predicate(True), limit: All}
	r := l.refs[i]
	r.columns = slices.DeleteFunc(slices.Clone(r.columns), func(c Field) bool { return c.Of > 0 })
	var whole bool // every condition on the rows is pushed down
	r.scope, whole = pushable(l.withoutSteps(i, i), i, true)
	r.scope = append(l.stepsOf(&f, i, 0), r.scope...)
	r.policy, r.inside, r.under, r.from, r.on, r.step = nil, -1, 0, -1, nil, false
	if i == 0 && l.shift == nil { // the earlier period is outside the conditions
		var own []Expr
		own, whole = pushable(l.where.conjuncts(), 0, whole)
		f.where = all(own)
		whole = whole && !l.grouped && len(l.parent) == 0
		for _, o := range l.order {
			whole = whole && o.expr.Only(0)
		}
		if whole {
			f.order = slices.Clone(l.order)
		}
		if whole && l.limit != All {
			f.limit = l.offset + l.limit + 1
		}
	}
	f.refs[0] = r
	for _, field := range r.columns {
		f.columns = append(f.columns, Expr{op: Column, typ: field.Type, name: field.Name})
	}
	return f
}

// Tellable says what may be told of a fetch of reference i: how many rows arrived, where these are no
// more than its scope shows, and how many the source sent, where they are those. Conditions that the
// source does not apply are applied to what arrived; an API may apply none.
func (l Level) Tellable(i int) (arrived, sent bool) {
	r := l.refs[i]
	if r.inside >= 0 { // a policy reads what the role may not
		return false, false
	}
	api := r.target.Kind == catalog.API
	for j, e := range r.scope {
		tenants := r.tenant != "" && j == 0 || l.isStep(e)
		if !tenants && (api || !e.Only(i)) {
			return false, false
		}
	}
	return true, !api || r.reason != ByTenantColumn
}

// isStep tells a condition that asks for a parent row.
func (l Level) isStep(e Expr) bool { return e.op == Exists && l.refs[e.ref].step }

// stepsOf copies the steps from a reference to the tenant column, and returns
// the conditions that look into them. There is the reference's number.
func (l Level) stepsOf(f *Level, i, there int) (parents []Expr) {
	if l.refs[i].reason != ByParent {
		return nil
	}
	for _, e := range l.refs[i].scope {
		if !l.isStep(e) {
			continue
		}
		step, number := l.refs[e.ref], len(f.refs)
		f.refs = append(f.refs, Ref{})
		step.scope = append(l.stepsOf(f, e.ref, number), l.withoutSteps(e.ref, number)...)
		step.inside, step.under, step.from = there, number+1, there
		step.on = slices.Clone(step.on)
		for j, on := range step.on {
			step.on[j] = On{From: on.From.moved(i, there), To: on.To.moved(e.ref, number)}
		}
		f.refs[number] = step
		e.ref = number
		parents = append(parents, e)
	}
	return parents
}

// withoutSteps are the other conditions of a reference's scope, as another
// reference's.
func (l Level) withoutSteps(from, to int) []Expr {
	if from == to && l.refs[from].reason != ByParent { // there are none
		return l.refs[from].scope
	}
	var out []Expr
	for _, e := range l.refs[from].scope {
		if !l.isStep(e) {
			out = append(out, e.moved(from, to))
		}
	}
	return out
}

// pushable keeps the conditions that read reference i alone, as conditions on
// reference 0.
func pushable(conditions []Expr, i int, whole bool) ([]Expr, bool) {
	var own []Expr
	for _, e := range conditions {
		if e.Only(i) {
			own = append(own, e.moved(i, 0))
		} else {
			whole = false
		}
	}
	return own, whole
}

// moved is the expression with one reference renumbered.
func (e Expr) moved(from, to int) Expr {
	if (e.op == Column || e.op == Exists || e.op == Latest) && e.ref == from {
		e.ref = to
	}
	args := make([]Expr, len(e.args))
	for i, a := range e.args {
		args[i] = a.moved(from, to)
	}
	e.args = args
	if e.filter != nil {
		f := e.filter.moved(from, to)
		e.filter = &f
	}
	return e
}

// Narrowed is the fetch of those rows only whose first join column, or the
// named one, has one of the values. Narrowing never widens: the condition is
// added to all others.
func (f Fetch) Narrowed(column string, values []value.Value) Fetch {
	b := *f.query.body
	for _, field := range b.root.refs[0].columns {
		if field.Name == column {
			e := Expr{op: Column, typ: field.Type, name: field.Name}
			b.root.where = all([]Expr{b.root.where, among(In, e, values)})
			f.query = Query{&b}
		}
	}
	return f
}

// OnScratch is the level with its references read from tables of the embedded
// engine, scopes and conditions unchanged.
func (l Level) OnScratch(id int) Level {
	refs := slices.Clone(l.refs)
	for i := range refs {
		refs[i].target = Target{Kind: "duckdb"}
		refs[i].schema, refs[i].table = "", scratchTable(id, i)
		refs[i].columns = slices.Clone(refs[i].columns)
		for j := range refs[i].columns {
			f := &refs[i].columns[j]
			if f.Of == 0 {
				f.Stored = f.Name
			}
			f.Native, f.Form, f.ByCode, f.Collate, f.Indexed, f.Sorted, f.Func, f.Cut = "", value.Plain, true, "", false, false, "", raw
			f.spread = nil
		}
	}
	l.refs = refs
	return l
}

func scratchTable(id, ref int) string { return fmt.Sprintf("l%d_r%d", id, ref) }
