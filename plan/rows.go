package plan

import (
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// nested says how a level hangs in its parent.
type nested struct {
	on      []catalog.Pair
	cells   []int // the parent's cells that hold the From columns
	through *catalog.Dataset
	toOn    []catalog.Pair
}

// start opens a level over a dataset with the arguments every list takes.
func (b *builder) start(vis *catalog.Visible, in *nested) (*levelBuilder, error) {
	lb := b.level()
	_, err := lb.root(vis.Dataset)
	if err != nil {
		return nil, err
	}
	if in == nil {
		return lb, nil
	}
	linked := 0
	if in.through != nil {
		if linked, err = lb.throughRows(in); err != nil {
			return nil, err
		}
	}
	lb.link(in.on, in.cells, linked)
	return lb, nil
}

// many plans a list of rows.
func (b *builder) many(vis *catalog.Visible, f query.Field, in *nested) (Level, error) {
	lb, err := b.start(vis, in)
	if err != nil {
		return Level{}, err
	}
	args, p := arguments(f.Args), b.problems()
	if in == nil {
		p.ok(DeletedArgument, lb.withDeleted(vis, args))
	}
	p.ok("where", lb.filter(vis.Dataset, args))
	p.ok("limit", lb.limits(vis, args))
	p.ok("orderBy", lb.totalOrder(vis, args))
	lb.l.output, err = lb.selectRows(vis, 0, f.Fields)
	p.ok("", err)
	if err := p.err(); err != nil {
		return Level{}, err
	}
	return lb.seal()
}

// byKey plans the one row with a key.
func (b *builder) byKey(vis *catalog.Visible, f query.Field) (Level, error) {
	lb, err := b.start(vis, nil)
	if err != nil {
		return Level{}, err
	}
	if opened, ok := arguments(f.Args).get(query.Identity); ok {
		return lb.byIdentity(vis, f, opened)
	}
	key := vis.Key()
	if len(key) == 0 {
		return Level{}, fault.New(fault.BadUserInput, "%s has no key", vis.Dataset.Name)
	}
	if !slices.ContainsFunc(key, func(col *catalog.Column) bool { return col.Name == DeletedArgument }) {
		if err := lb.withDeleted(vis, arguments(f.Args)); err != nil {
			return Level{}, err
		}
	}
	var parts []Expr
	for _, col := range key {
		given, _ := f.Args.Get(col.Name)
		if given == nil {
			return Level{}, fault.New(fault.BadUserInput, "the key %s is missing", col.Name)
		}
		v, err := typed(col.Type, given)
		if err != nil {
			return Level{}, fault.New(fault.BadUserInput, "%s: %v", col.Name, err)
		}
		parts = append(parts, predicate(Eq, lb.ask(0, col), literal(v)))
	}
	return lb.one(vis, f, parts)
}

// one plans the row of which all parts are true.
func (lb *levelBuilder) one(vis *catalog.Visible, f query.Field, parts []Expr) (_ Level, err error) {
	lb.l.where, lb.l.limit = all(parts), 1
	if lb.p.AllTenants {
		lb.breakTies(vis)
	}
	if lb.l.output, err = lb.selectRows(vis, 0, f.Fields); err != nil {
		return Level{}, err
	}
	return lb.seal()
}

// filter reads the where argument.
func (lb *levelBuilder) filter(d *catalog.Dataset, args arguments) error {
	w, ok, err := args.condition("where")
	if err != nil || !ok {
		return err
	}
	zone, err := args.zone(lb.zone)
	if err != nil {
		return err
	}
	lb.l.where, err = lb.where(whereAt{ref: 0, inside: -1, zone: zone}, d, w)
	return err
}

// selectRows plans the fields of a row.
func (lb *levelBuilder) selectRows(vis *catalog.Visible, ref int, fields []query.Field) ([]Output, error) {
	out, p := make([]Output, 0, len(fields)), lb.problems()
	for _, f := range fields {
		o, err := lb.selectField(vis, ref, f)
		p.ok("", err)
		out = append(out, o)
	}
	return out, p.err()
}

func (lb *levelBuilder) selectField(vis *catalog.Visible, ref int, f query.Field) (Output, error) {
	if f.Name == "__typename" {
		return Output{key: f.Key, kind: OutTypename, text: vis.Dataset.Type}, nil
	}
	if f.ID != nil {
		return lb.identity(vis, ref, f)
	}
	if col := vis.Column(f.Name); col != nil {
		if text, known := lb.namedTenant(ref, col); known {
			return Output{key: f.Key, kind: OutTypename, text: text}, nil
		}
		return Output{key: f.Key, kind: OutCell, index: lb.cell(lb.ask(ref, col)), typ: col.Type, always: col.Promised()}, nil
	}
	if rel, to := lb.view.Relation(vis, f.Name); rel != nil {
		if rel.Many {
			return lb.child(ref, f, rel, func(in *nested) (Level, error) { return lb.many(to, f, in) })
		}
		next, err := lb.join(ref, rel, -1)
		if err != nil {
			return Output{}, err
		}
		present := lb.cell(lb.l.refs[next].on[0].To)
		o := Output{key: f.Key, kind: OutObject, index: present}
		err = lb.below(f.Key, func() (err error) {
			o.fields, err = lb.selectRows(to, next, f.Fields)
			return err
		})
		return o, err
	}
	if name, ok := strings.CutSuffix(f.Name, "Aggregate"); ok {
		if rel, to := lb.view.Relation(vis, name); rel != nil && rel.Many && to.Aggregate {
			return lb.child(ref, f, rel, func(in *nested) (Level, error) { return lb.groups(to, f, in) })
		}
	}
	return Output{}, unknownField(vis.Dataset.Type, f.Name)
}

// child plans a nested level and makes the parent return what links it.
func (lb *levelBuilder) child(ref int, f query.Field, rel *catalog.Relation, plan func(*nested) (Level, error)) (Output, error) {
	to := rel.To
	if rel.Through != nil {
		to = rel.Through
	}
	in := &nested{on: lb.tenantPair(lb.uses[ref].dataset, to, rel.On), through: rel.Through}
	if rel.Through != nil {
		in.toOn = lb.tenantPair(rel.Through, rel.To, rel.ToOn)
	}
	for _, pair := range in.on {
		in.cells = append(in.cells, lb.cell(lb.read(ref, pair.From)))
	}
	var level Level
	err := lb.below(f.Key, func() (err error) {
		level, err = plan(in)
		return err
	})
	if err != nil {
		return Output{}, err
	}
	lb.l.children = append(lb.l.children, level)
	return Output{key: f.Key, kind: OutList, index: len(lb.l.children) - 1}, nil
}

// unknownField is the answer for a field that does not exist and for one that
// may not be seen.
func unknownField(typ, field string) *fault.Error {
	return fault.New(fault.ValidationError, "Cannot query field %q on type %q.", field, typ)
}

// totalOrder reads orderBy and breaks its ties.
func (lb *levelBuilder) totalOrder(vis *catalog.Visible, args arguments) error {
	orders, err := args.orders()
	if err != nil {
		return err
	}
	for _, item := range orders {
		if err := lb.orderRows(vis, 0, item); err != nil {
			return err
		}
	}
	if !lb.unordered(args) {
		lb.breakTies(vis)
	}
	return nil
}

// orderRows reads one item of orderBy.
func (lb *levelBuilder) orderRows(vis *catalog.Visible, ref int, item query.Value) error {
	m, err := oneMember(item)
	if err != nil {
		return err
	}
	if col := vis.Column(m.Name); col != nil && col.Type.Sortable() {
		term, err := direction(m.Value)
		if err != nil {
			return err
		}
		term.expr, term.bySource = lb.ask(ref, col), col.Collation
		lb.order(term)
		return nil
	}
	if rel, to := lb.view.Relation(vis, m.Name); rel != nil && !rel.Many {
		next, err := lb.join(ref, rel, -1)
		if err != nil {
			return err
		}
		return lb.orderRows(to, next, m.Value)
	}
	return fault.New(fault.BadUserInput, "%s cannot be ordered by %q", vis.Dataset.Name, m.Name)
}

// order adds a term unless an earlier one already decides it.
func (lb *levelBuilder) order(term Order) {
	for _, o := range lb.l.order {
		if o.expr.same(term.expr) {
			return
		}
	}
	lb.l.order = append(lb.l.order, term)
}

// breakTies makes the order total: by the key, or by every column that can be
// ordered where there is no key.
func (lb *levelBuilder) breakTies(vis *catalog.Visible) {
	if len(vis.Dataset.Key) > 0 {
		for _, col := range vis.Dataset.Key {
			if col != vis.Dataset.Tenant {
				lb.order(Order{expr: lb.read(0, col)})
			}
		}
		if lb.p.AllTenants && vis.Dataset.Tenant != nil { // a key is unique within a tenant
			lb.order(Order{expr: lb.read(0, vis.Dataset.Tenant)})
		}
		return
	}
	lb.unsettled = lb.unsettled || vis.Dataset.Unsettled
	for _, col := range vis.Columns() {
		if col.Type.Sortable() {
			lb.order(Order{expr: lb.read(0, col)})
		}
	}
}

// oneMember reads an input with exactly one member: an order has a sequence,
// members of one object have none.
func oneMember(v query.Value) (query.Member, error) {
	o, ok := v.(query.Object)
	if !ok || len(o) != 1 {
		return query.Member{}, fault.New(fault.BadUserInput, "each item of orderBy names exactly one field").
			WithHint("write a list: orderBy: [{a: ASC}, {b: DESC}]")
	}
	return o[0], nil
}

// direction reads a Direction. Nulls are last unless asked otherwise.
func direction(v query.Value) (Order, error) {
	switch enumName(v) {
	case "ASC", "ASC_NULLS_LAST":
		return Order{}, nil
	case "DESC", "DESC_NULLS_LAST":
		return Order{descending: true}, nil
	case "ASC_NULLS_FIRST":
		return Order{nullsFirst: true}, nil
	case "DESC_NULLS_FIRST":
		return Order{descending: true, nullsFirst: true}, nil
	}
	return Order{}, fault.New(fault.BadUserInput, "a direction is one of ASC, DESC and their NULLS_FIRST and NULLS_LAST forms")
}

// bigInt is the type of counts.
var bigInt = value.Of(value.BigInt)
