package plan

import (
	"usher/catalog"
	"usher/fault"
)

// A row without a tenant column is the tenant's of its parent. Its reference
// asks, in its scope, for the parent's row under the parent's own scope; so on
// to the tenant column. These steps carry the tenant predicate and no policy: a
// role that hides the parent, or some of its rows, hides none of the child's. A
// row without a parent is nobody's.

// Steps tells whether a level, or one nested in it, finds a tenant's rows by their
// parents. How many rows that leaves depends on the tenant alone, of which an
// engine that plans for any tenant knows nothing.
func (l Level) Steps() bool {
	for i := range l.refs {
		if l.refs[i].reason == ByParent {
			return true
		}
	}
	for i := range l.children {
		if l.children[i].Steps() {
			return true
		}
	}
	total, ok := l.Total()
	return ok && total.Steps()
}

// parent confines a reference by its dataset's parent.
func (lb *levelBuilder) parent(i int) error {
	step, err := lb.step(i, i, lb.uses[i].dataset.Parent)
	if err != nil {
		return err
	}
	lb.l.refs[step].under = step + 1
	lb.l.refs[i].scope = append(lb.l.refs[i].scope, Expr{op: Exists, typ: boolean, ref: step, args: []Expr{predicate(True)}})
	return nil
}

// step adds the next reference on the way to the tenant column. It is read
// where the row itself is: whose a row is, no other source can say.
func (lb *levelBuilder) step(from, inside int, rel *catalog.Relation) (int, error) {
	i, err := lb.add(rel.To, from, inside, rel.On)
	if err != nil {
		return 0, err
	}
	r := &lb.l.refs[i]
	r.step = true
	if by := rel.To.Alone(r.target.Source, rel.On); by != nil {
		r.alone = Alone{by.Columns, by.Primary, by.Parts}
	}
	if r.target != lb.l.refs[from].target || r.own != "" || r.reason != ByTenantColumn && r.reason != ByParent && r.reason != IsAllTenants {
		return 0, fault.New(fault.Forbidden, "whose the rows of %s are cannot be told where the strategy %q finds them", lb.nameOf(lb.uses[inside].dataset), lb.strategyOf(lb.uses[inside].dataset).Name)
	}
	return i, nil
}

// readOwner makes a reference read whose each row is. The steps are joined
// inside of it, which leaves the tenant null where a row has no parent.
func (lb *levelBuilder) readOwner(ref int, owner *catalog.Column) Expr {
	for _, f := range lb.l.refs[ref].columns {
		if f.Of > 0 {
			return column(ref, owner)
		}
	}
	from := ref
	for d := lb.uses[ref].dataset; d.Parent != nil; d = d.Parent.To {
		i, err := lb.step(from, ref, d.Parent)
		if err != nil {
			lb.failed = err
			return column(ref, owner)
		}
		lb.l.refs[ref].policy = append(lb.l.refs[ref].policy, i)
		from = i
	}
	end := lb.uses[from].dataset.Tenant
	lb.read(from, end)
	r := &lb.l.refs[ref]
	r.columns = append(r.columns, Field{Name: owner.Name, Stored: end.Name, Type: owner.Type, Of: from + 1, Null: true})
	return column(ref, owner)
}
