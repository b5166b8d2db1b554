package plan

import (
	"slices"
	"strconv"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// groupBuilder makes a level of groups: keys first, then what is computed for
// each group, then what is returned of both.
type groupBuilder struct {
	*levelBuilder
	vis  *catalog.Visible
	zone string // of the field's buckets
	keys places
	aggs places

	prior   bool             // what is selected is of the earlier period
	rowsBy  *catalog.Column  // the order in which first and last take rows
	granted *catalog.Dataset // the conditions are a token's, on this dataset: every column may be compared
}

// groups plans the groups of a dataset's rows.
func (b *builder) groups(vis *catalog.Visible, f query.Field, in *nested) (Level, error) {
	lb, err := b.start(vis, in)
	if err != nil {
		return Level{}, err
	}
	lb.l.grouped = true
	args := arguments(f.Args)
	g := &groupBuilder{levelBuilder: lb, vis: vis}
	if in == nil {
		if err := lb.withDeleted(vis, args); err != nil {
			return Level{}, err
		}
	}
	if err := g.arguments(args, f.Fields); err != nil {
		return Level{}, err
	}
	if err := g.guard(); err != nil {
		return Level{}, err
	}
	g.rankedOrder()
	for i := range lb.l.keys {
		lb.order(Order{expr: g.inner(i)})
	}
	return lb.seal()
}

// arguments reads what is asked of the groups, all that is wrong with it at once. What
// goes by the groups needs to know their keys.
func (g *groupBuilder) arguments(args arguments, fields []query.Field) (err error) {
	p := g.problems()
	g.zone, err = args.zone(g.builder.zone)
	zoned := p.ok("timezone", err)
	if zoned {
		p.ok("where", g.filter(g.vis.Dataset, args))
	}
	p.ok("limit", g.limits(g.vis, args))
	p.ok("rowsBy", g.orderOfRows(args))
	compared := p.ok("compareTo", g.compareTo(args))
	g.l.output, err = g.selectGroups(fields, compared)
	if selected := p.ok("", err); !selected || !zoned {
		return p.err()
	}
	p.ok("allValues", g.allValues(args))
	p.ok("fill", g.fill(args))
	p.ok("topN", g.topN(args))
	having, given, err := args.condition("having")
	if p.ok("having", err) && given {
		g.l.having, err = g.having(having, 0)
		p.ok("having", err)
	}
	orders, err := args.orders()
	p.ok("orderBy", err)
	for i, item := range orders {
		p.ok("orderBy["+strconv.Itoa(i)+"]", g.order(item))
	}
	return p.err()
}

// inner stands for a key or an aggregate above the grouping.
func (g *groupBuilder) inner(i int) Expr {
	if i < len(g.l.keys) {
		return Expr{op: Inner, ref: i, typ: g.l.keys[i].typ}
	}
	return Expr{op: Inner, ref: i, typ: g.l.aggs[i-len(g.l.keys)].typ}
}

// aggregate computes an expression for each group, once.
func (g *groupBuilder) aggregate(e Expr) Expr {
	e = g.inner(len(g.l.keys) + g.aggs.add(&g.l.aggs, e))
	if g.prior {
		e.op = Prior
	}
	return e
}

// selectGroups plans the fields of a group. Keys come first, whatever the
// order of the fields, so that aggregates know their place behind them.
func (g *groupBuilder) selectGroups(fields []query.Field, compared bool) ([]Output, error) {
	typ := g.vis.Dataset.Type + "Aggregate"
	out, p := make([]Output, len(fields)), g.problems()
	for i, f := range fields {
		if f.Name == "key" {
			inner, err := g.selectKey(g.vis, 0, f.Fields)
			p.ok("", err)
			out[i] = Output{key: f.Key, kind: OutObject, index: -1, fields: inner}
		}
	}
	for i, f := range fields {
		if f.Name == "key" {
			continue
		}
		var err error
		switch {
		case f.Name != "previous":
			out[i], err = g.selectGroupField(f, typ)
		case compared: // what previous means is known, or that nothing says so
			out[i], err = g.selectPrevious(f, typ)
		}
		p.ok("", err)
	}
	return out, p.err()
}

// selectGroupField plans a field that is computed for each group.
func (g *groupBuilder) selectGroupField(f query.Field, typ string) (Output, error) {
	rows := Expr{op: CountRows, typ: bigInt}
	switch f.Name {
	case "__typename":
		return Output{key: f.Key, kind: OutTypename, text: typ}, nil
	case "key", "previous":
		return Output{}, fault.New(fault.BadUserInput, "%s cannot be selected in previous", f.Name)
	case "count":
		return g.returned(f.Key, rows), nil
	case "runningCount", "countShare", "isOthers":
		if g.prior {
			return Output{}, fault.New(fault.BadUserInput, "%s cannot be selected in previous", f.Name)
		}
	}
	switch f.Name {
	case "runningCount":
		return g.running(f.Key, rows)
	case "countShare":
		return g.share(f.Key, rows), nil
	case "isOthers":
		return Output{key: f.Key, kind: OutCell, index: g.cell(Expr{op: IsOthers, typ: boolean}), typ: boolean}, nil
	}
	return g.selectAggregate(f, typ)
}

// returned is the output of an aggregate.
func (g *groupBuilder) returned(key string, e Expr) Output {
	return Output{key: key, kind: OutCell, index: g.cell(g.aggregate(e)), typ: e.typ, round: e.inexact()}
}

// selectKey plans the keys selected below a to-one path.
func (g *groupBuilder) selectKey(vis *catalog.Visible, ref int, fields []query.Field) ([]Output, error) {
	out := make([]Output, 0, len(fields))
	typ := vis.Dataset.Type + "Key"
	for _, f := range fields {
		if f.Name == "__typename" {
			out = append(out, Output{key: f.Key, kind: OutTypename, text: typ})
			continue
		}
		if col := vis.Column(f.Name); col != nil && col.Type.Groupable() {
			e := g.ask(ref, col)
			o := Output{key: f.Key, kind: OutCell, typ: col.Type}
			if by, ok := arguments(f.Args).get("by"); ok {
				unit, err := unitOf(by)
				if err != nil {
					return nil, err
				}
				if e, err = g.bucket(e, unit); err != nil {
					return nil, err
				}
				o.zone = e.zone
			}
			if bin, ok := arguments(f.Args).get("bin"); ok {
				var err error
				if e, err = g.bin(e, bin); err != nil {
					return nil, err
				}
				o.typ = e.typ
			}
			o.index = g.cell(g.inner(g.keys.add(&g.l.keys, e)))
			out = append(out, o)
			continue
		}
		rel, to := g.view.Relation(vis, f.Name)
		if rel == nil || rel.Many {
			return nil, unknownField(typ, f.Name)
		}
		next, err := g.join(ref, rel, -1)
		if err != nil {
			return nil, err
		}
		inner, err := g.selectKey(to, next, f.Fields)
		if err != nil {
			return nil, err
		}
		out = append(out, Output{key: f.Key, kind: OutObject, index: -1, fields: inner})
	}
	return out, nil
}

// bucket cuts a time to a unit. Only instants have a zone.
func (g *groupBuilder) bucket(e Expr, unit Unit) (Expr, error) {
	if !unit.allowed(e.typ) {
		return Expr{}, fault.New(fault.BadUserInput, "%s has no buckets of a %s", typeOf(e.typ), unit)
	}
	b := Expr{op: Bucket, typ: e.typ, args: []Expr{e}, unit: unit}
	if e.typ.Scalar == value.Timestamp {
		b.zone = g.zone
	}
	return b, nil
}

// bin cuts an exact number to the lower bound of its bin.
func (g *groupBuilder) bin(e Expr, width query.Value) (Expr, error) {
	lit, err := typed(e.typ, width)
	if err != nil || !e.typ.Exact() || strings.HasPrefix(lit.Text(), "-") || lit.Text() == "0" {
		return Expr{}, fault.New(fault.BadUserInput, "bin must be a positive number of the column's type, %s", typeOf(e.typ))
	}
	t := e.typ
	if _, scale := value.DecimalShape(lit.Text()); t.Scalar == value.Decimal && t.Scale != value.Unscaled {
		t.Scale = max(t.Scale, scale)
	}
	return Expr{op: Bin, typ: t, args: []Expr{e}, lits: []value.Value{lit}}, nil
}

// Along is the time by whose buckets the level groups, where an index has a
// tenant's rows in its order and they lie so in the table. Read along that index
// they need no list of where they are; PostgreSQL knows how the table lies by the
// first column of an index alone, which is the tenant's. It holds where nothing
// but the tenant and that time decides which rows these are: with other
// conditions another index may be the better one.
func (l Level) Along() (Expr, bool) {
	if len(l.refs) == 0 || len(l.parent) > 0 || l.through > 0 {
		return Expr{}, false
	}
	r := l.refs[0]
	if r.reason != ByTenantColumn || len(r.scope) != 1 || len(r.policy) > 0 {
		return Expr{}, false
	}
	for _, key := range l.keys {
		if key.op != Bucket || key.args[0].op != Column || key.args[0].ref != 0 {
			continue
		}
		at := key.args[0]
		sorted := slices.ContainsFunc(r.columns, func(f Field) bool { return f.Name == at.name && f.Sorted })
		l.where.refs(func(ref int, name string) { sorted = sorted && ref == 0 && name == at.name })
		if sorted {
			return at, true
		}
	}
	return Expr{}, false
}
