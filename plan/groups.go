package plan

import (
	"slices"
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

	prior bool // what is selected is of the earlier period
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
	if g.zone, err = args.zone(b.zone); err != nil {
		return Level{}, err
	}
	if err := lb.filter(vis.Dataset, args); err != nil {
		return Level{}, err
	}
	if err := lb.limits(vis, args); err != nil {
		return Level{}, err
	}
	if err := g.compareTo(args); err != nil {
		return Level{}, err
	}
	if lb.l.output, err = g.selectGroups(f.Fields); err != nil {
		return Level{}, err
	}
	if err := g.fill(args); err != nil {
		return Level{}, err
	}
	if err := g.topN(args); err != nil {
		return Level{}, err
	}
	if having, ok, err := args.object("having"); err != nil {
		return Level{}, err
	} else if ok {
		if lb.l.having, err = g.having(having, 0); err != nil {
			return Level{}, err
		}
	}
	orders, err := args.list("orderBy")
	if err != nil {
		return Level{}, err
	}
	for _, item := range orders {
		if err := g.order(item); err != nil {
			return Level{}, err
		}
	}
	g.rankedOrder()
	for i := range lb.l.keys {
		lb.order(Order{expr: g.inner(i)})
	}
	return lb.seal()
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
	i := slices.IndexFunc(g.l.aggs, e.same)
	if i < 0 {
		g.l.aggs = append(g.l.aggs, e)
		i = len(g.l.aggs) - 1
	}
	e = g.inner(len(g.l.keys) + i)
	if g.prior {
		e.op = Prior
	}
	return e
}

// selectGroups plans the fields of a group. Keys come first, whatever the
// order of the fields, so that aggregates know their place behind them.
func (g *groupBuilder) selectGroups(fields []query.Field) ([]Output, error) {
	typ := g.vis.Dataset.Type + "Aggregate"
	out := make([]Output, len(fields))
	for i, f := range fields {
		if f.Name == "key" {
			inner, err := g.selectKey(g.vis, 0, f.Fields)
			if err != nil {
				return nil, err
			}
			out[i] = Output{key: f.Key, kind: OutObject, index: -1, fields: inner}
		}
	}
	for i, f := range fields {
		if f.Name == "key" {
			continue
		}
		var err error
		if f.Name == "previous" {
			out[i], err = g.selectPrevious(f, typ)
		} else {
			out[i], err = g.selectGroupField(f, typ)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
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
	return Output{key: key, kind: OutCell, index: g.cell(g.aggregate(e)), typ: e.typ, round: e.inexact(), exact: e.spread() && !e.inexact()}
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
			if by, ok := f.Args.Get("by"); ok {
				unit, err := unitOf(by)
				if err != nil {
					return nil, err
				}
				if e, err = g.bucket(e, unit); err != nil {
					return nil, err
				}
				o.zone = e.zone
			}
			if bin, ok := f.Args.Get("bin"); ok {
				var err error
				if e, err = g.bin(e, bin); err != nil {
					return nil, err
				}
				o.typ = e.typ
			}
			i := slices.IndexFunc(g.l.keys, e.same)
			if i < 0 {
				g.l.keys = append(g.l.keys, e)
				i = len(g.l.keys) - 1
			}
			o.index = g.cell(g.inner(i))
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

// onlyBin is the key that bins a column, when there is just one.
func (g *groupBuilder) onlyBin(e Expr) int {
	found := -1
	for i, key := range g.l.keys {
		if key.op == Bin && key.args[0].same(e) {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
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

// selectAggregate plans a column's functions or a measure.
func (g *groupBuilder) selectAggregate(f query.Field, typ string) (Output, error) {
	if m := g.view.Measure(g.vis, f.Name); m != nil {
		e, err := g.measure(m)
		return g.returned(f.Key, e), err
	}
	col := g.vis.Column(f.Name)
	if col == nil {
		return Output{}, unknownField(typ, f.Name)
	}
	o := Output{key: f.Key, kind: OutObject, index: -1}
	for _, fn := range f.Fields {
		if fn.Name == "__typename" {
			o.fields = append(o.fields, Output{key: fn.Key, kind: OutTypename, text: aggregateType(col.Type)})
			continue
		}
		if fn.Name == "runningSum" || fn.Name == "sumShare" {
			w, err := g.overGroups(fn, col)
			if err != nil {
				return Output{}, err
			}
			o.fields = append(o.fields, w)
			continue
		}
		e, err := g.functionField(fn, col)
		if err != nil {
			return Output{}, err
		}
		o.fields = append(o.fields, g.returned(fn.Key, e))
	}
	return o, nil
}

// overGroups plans a sum as seen over all groups.
func (g *groupBuilder) overGroups(f query.Field, col *catalog.Column) (Output, error) {
	if g.prior {
		return Output{}, fault.New(fault.BadUserInput, "%s cannot be selected in previous", f.Name)
	}
	e, err := g.function(string(catalog.Sum), col, nil)
	if err != nil {
		return Output{}, err
	}
	if f.Name == "sumShare" {
		return g.share(f.Key, e), nil
	}
	return g.running(f.Key, e)
}

// aggregateType is the GraphQL type of a column's functions.
func aggregateType(t value.Type) string { return t.GraphQL() + "Aggregate" }

// functionField is a selected function with its arguments.
func (g *groupBuilder) functionField(f query.Field, col *catalog.Column) (Expr, error) {
	fn := catalog.Func(f.Name)
	if fn != catalog.First && fn != catalog.Last {
		p, _ := f.Args.Get("p")
		return g.function(f.Name, col, p)
	}
	typ, ok := catalog.FuncResult(fn, col.Type)
	if !ok {
		return Expr{}, unknownField(aggregateType(col.Type), f.Name)
	}
	e := Expr{op: Agg, typ: typ, fn: fn, args: []Expr{g.ask(0, col)}}
	given, _ := f.Args.Get("by")
	name, _ := given.(query.Text)
	by := g.vis.Column(string(name))
	if by == nil || !by.Type.Sortable() {
		return Expr{}, fault.New(fault.BadUserInput, "%s needs by, the name of a column of %s that rows can be ordered by", f.Name, g.vis.Dataset.Name)
	}
	e.args = append(e.args, g.ask(0, by))
	for _, key := range g.vis.Dataset.Key {
		e.args = append(e.args, g.read(0, key))
	}
	if len(g.vis.Dataset.Key) == 0 { // of rows that are alike in both, any will do
		e.args = append(e.args, g.ask(0, col))
	}
	return e, nil
}

// function is an aggregate function over a column; p is the percentile's.
func (g *groupBuilder) function(name string, col *catalog.Column, p query.Value) (Expr, error) {
	fn := catalog.Func(name)
	typ, ok := catalog.FuncResult(fn, col.Type)
	if !ok || fn == catalog.Count || fn == catalog.First || fn == catalog.Last {
		return Expr{}, unknownField(aggregateType(col.Type), name)
	}
	e := Expr{op: Agg, typ: typ, fn: fn, args: []Expr{g.ask(0, col)}}
	if fn == catalog.Percentile {
		lit, err := typed(value.Of(value.Float), p)
		if err != nil || !catalog.Fraction(lit) {
			return Expr{}, fault.New(fault.BadUserInput, "the percentile p must be a number from 0 to 1")
		}
		e.lits = []value.Value{lit}
	}
	return e, nil
}

// measure turns a named measure into an expression over the level's
// references.
func (g *groupBuilder) measure(m *catalog.Measure) (Expr, error) {
	e, err := g.measureExpr(m.Expr)
	e.typ = m.Type
	return e, err
}

var arithmetic = map[catalog.ExprOp]Op{
	catalog.ExprAdd: Add, catalog.ExprSub: Sub, catalog.ExprMul: Mul, catalog.ExprDiv: Div, catalog.ExprNeg: Neg,
}

func (g *groupBuilder) measureExpr(m *catalog.Expr) (Expr, error) {
	e := Expr{typ: m.Type}
	switch m.Op {
	case catalog.ExprColumn:
		return g.measureColumn(m)
	case catalog.ExprNumber:
		return literal(m.Number), nil
	case catalog.ExprCount:
		e.op = CountRows
	case catalog.ExprAgg:
		e.op, e.fn = Agg, m.Func
		if m.Func == catalog.Percentile {
			e.lits = []value.Value{m.Number}
		}
	case catalog.ExprAdd, catalog.ExprSub, catalog.ExprMul, catalog.ExprDiv, catalog.ExprNeg:
		e.op = arithmetic[m.Op]
	default:
		return Expr{}, fault.New(fault.Internal, "a measure holds an unknown operation")
	}
	for _, arg := range m.Args {
		a, err := g.measureExpr(arg)
		if err != nil {
			return Expr{}, err
		}
		e.args = append(e.args, a)
	}
	if m.Filter != nil {
		f, err := g.where(whereAt{ref: 0, inside: -1, policy: true, variables: true}, g.vis.Dataset, m.Filter)
		if err != nil {
			return Expr{}, err
		}
		e.filter = &f
	}
	return e, nil
}

func (g *groupBuilder) measureColumn(m *catalog.Expr) (Expr, error) {
	vis, ref := g.vis, 0
	for _, step := range m.Path {
		rel, to := g.view.Relation(vis, step)
		if rel == nil {
			return Expr{}, fault.New(fault.Internal, "a measure follows a relation that is not visible")
		}
		next, err := g.join(ref, rel, -1)
		if err != nil {
			return Expr{}, err
		}
		vis, ref = to, next
	}
	return g.ask(ref, vis.Dataset.Column(m.Column)), nil
}

// inexact tells a result that depends on the order in which an engine adds
// doubles; it is rounded before anyone sees or compares it.
func (e Expr) inexact() bool {
	if e.op == Agg && len(e.args) == 1 {
		switch e.fn { //nolint:exhaustive // the others pick a value and do not add
		case catalog.Sum, catalog.Avg:
			return e.args[0].typ.Scalar == value.Float
		case catalog.Stddev, catalog.Variance:
			return !e.args[0].typ.Squarable()
		}
	}
	return slices.ContainsFunc(e.args, Expr.inexact)
}

// spread tells a variance or what is built on one.
func (e Expr) spread() bool {
	return e.op == Agg && (e.fn == catalog.Variance || e.fn == catalog.Stddev) || slices.ContainsFunc(e.args, Expr.spread)
}

// compared is an aggregate as it is ordered by or compared: rounded when it is
// inexact.
func (g *groupBuilder) compared(e Expr) Expr {
	if e.inexact() {
		e = Expr{op: Rounded, typ: e.typ, args: []Expr{e}}
	}
	return g.aggregate(e)
}

// having resolves a condition on groups.
func (g *groupBuilder) having(v query.Value, depth int) (Expr, error) {
	o, ok := v.(query.Object)
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "having must be an object")
	}
	if depth++; depth > maxDepth {
		return Expr{}, fault.New(fault.LimitExceeded, "having is nested more than %d levels deep", maxDepth)
	}
	var parts []Expr
	for _, m := range o {
		e, err := g.havingMember(m, depth)
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, e)
	}
	return all(parts), nil
}

func (g *groupBuilder) havingMember(m query.Member, depth int) (Expr, error) {
	switch m.Name {
	case "and", "or":
		list, ok := m.Value.(query.List)
		if one, isObject := m.Value.(query.Object); isObject {
			list, ok = query.List{one}, true
		}
		if !ok || len(list) > maxItems {
			return Expr{}, fault.New(fault.BadUserInput, "%s must be a list of at most %d conditions", m.Name, maxItems)
		}
		parts := make([]Expr, 0, len(list))
		for _, item := range list {
			e, err := g.having(item, depth)
			if err != nil {
				return Expr{}, err
			}
			parts = append(parts, e)
		}
		if m.Name == "and" {
			return all(parts), nil
		}
		return anyOf(parts), nil
	case "not":
		e, err := g.having(m.Value, depth)
		return not(e), err
	}
	at := whereAt{zone: g.zone}
	if e, ok, err := g.scalar(m.Name); err != nil {
		return Expr{}, err
	} else if ok {
		return g.comparisons(at, m.Name, g.compared(e), m.Value)
	}
	col := g.vis.Column(m.Name)
	fns, isObject := m.Value.(query.Object)
	if col == nil || !isObject || len(fns) == 0 {
		return Expr{}, fault.New(fault.BadUserInput, "having cannot compare %q", m.Name)
	}
	var parts []Expr
	for _, fn := range fns {
		operand, percentile := fn.Value, query.Value(nil)
		if fn.Name == string(catalog.Percentile) {
			operand, percentile = without(fn.Value, "p")
		}
		e, err := g.function(fn.Name, col, percentile)
		if err != nil {
			return Expr{}, err
		}
		p, err := g.comparisons(at, m.Name+"."+fn.Name, g.compared(e), operand)
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, p)
	}
	return all(parts), nil
}

// without takes one member out of an object.
func without(v query.Value, name string) (rest, taken query.Value) {
	o, ok := v.(query.Object)
	if !ok {
		return v, nil
	}
	var out query.Object
	for _, m := range o {
		if m.Name == name {
			taken = m.Value
		} else {
			out = append(out, m)
		}
	}
	return out, taken
}

// scalar is the count or a measure, which need no function.
func (g *groupBuilder) scalar(name string) (Expr, bool, error) {
	if name == "count" {
		return Expr{op: CountRows, typ: bigInt}, true, nil
	}
	if m := g.view.Measure(g.vis, name); m != nil {
		e, err := g.measure(m)
		return e, true, err
	}
	return Expr{}, false, nil
}

// order reads one item of an aggregate's orderBy.
func (g *groupBuilder) order(item query.Value) error {
	m, err := oneMember(item)
	if err != nil {
		return err
	}
	if m.Name == "key" {
		return g.orderKey(g.vis, 0, m.Value)
	}
	e, ok, err := g.scalar(m.Name)
	if err != nil {
		return err
	}
	dir := m.Value
	if !ok {
		col := g.vis.Column(m.Name)
		fn, err := oneMember(m.Value)
		if err != nil {
			return err
		}
		if col == nil {
			return fault.New(fault.BadUserInput, "groups cannot be ordered by %q", m.Name)
		}
		dir = fn.Value
		var p query.Value
		if fn.Name == string(catalog.Percentile) {
			o, _ := fn.Value.(query.Object)
			p, _ = o.Get("p")
			if dir, ok = o.Get("direction"); !ok {
				dir = query.Enum("ASC")
			}
		}
		if e, err = g.function(fn.Name, col, p); err != nil {
			return err
		}
	}
	term, err := direction(dir)
	if err != nil {
		return err
	}
	term.expr = g.compared(e)
	g.levelBuilder.order(term)
	return nil
}

// orderKey orders by a key that the groups are grouped by.
func (g *groupBuilder) orderKey(vis *catalog.Visible, ref int, v query.Value) error {
	m, err := oneMember(v)
	if err != nil {
		return err
	}
	if rel, to := g.view.Relation(vis, m.Name); rel != nil && !rel.Many {
		next, err := g.join(ref, rel, -1)
		if err != nil {
			return err
		}
		return g.orderKey(to, next, m.Value)
	}
	col := vis.Column(m.Name)
	if col == nil || !col.Type.Groupable() {
		return fault.New(fault.BadUserInput, "groups cannot be ordered by the key %q", m.Name)
	}
	e, dir := g.ask(ref, col), m.Value
	if o, ok := m.Value.(query.Object); ok {
		if dir, ok = o.Get("direction"); !ok {
			dir = query.Enum("ASC")
		}
		if by, ok := o.Get("by"); ok {
			unit, err := unitOf(by)
			if err != nil {
				return err
			}
			if e, err = g.bucket(e, unit); err != nil {
				return err
			}
		}
	}
	i := slices.IndexFunc(g.l.keys, e.same)
	if i < 0 {
		i = g.onlyBin(e)
	}
	if i < 0 {
		return fault.New(fault.BadUserInput, "the groups are not grouped by %q in that form", m.Name).
			WithHint("select it in key, with the same unit of time")
	}
	term, err := direction(dir)
	if err != nil {
		return err
	}
	term.expr, term.bySource = g.inner(i), col.Collation
	g.levelBuilder.order(term)
	return nil
}
