package plan

import (
	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

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
		e, err := g.function(fn.Name, col, fn.Args)
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

// function is an aggregate function over a column, with its arguments: the
// percentile's p, or the column that first and last go by.
func (g *groupBuilder) function(name string, col *catalog.Column, args query.Object) (Expr, error) {
	fn := catalog.Func(name)
	typ, ok := catalog.FuncResult(fn, col.Type)
	if !ok || fn == catalog.Count {
		return Expr{}, unknownField(aggregateType(col.Type), name)
	}
	e := Expr{op: Agg, typ: typ, fn: fn, args: []Expr{g.takes(0, col)}}
	switch fn { //nolint:exhaustive // the others take no argument
	case catalog.Percentile:
		p, _ := arguments(args).get("p")
		lit, err := typed(value.Of(value.Float), p)
		if err != nil || !catalog.Fraction(lit) {
			return Expr{}, fault.New(fault.BadUserInput, "the percentile p must be a number from 0 to 1")
		}
		e.lits = []value.Value{lit}
	case catalog.First, catalog.Last:
		order, err := g.rowOrder(name, col, args)
		if err != nil {
			return Expr{}, err
		}
		e.args = append(e.args, order...)
	}
	return e, nil
}

// orderOfRows reads the rowsBy argument.
func (g *groupBuilder) orderOfRows(args arguments) error {
	v, ok := args.get("rowsBy")
	if !ok {
		return nil
	}
	if g.rowsBy = g.vis.Column(enumName(v)); g.rowsBy == nil || !g.rowsBy.Type.Sortable() {
		return fault.New(fault.BadUserInput, "rowsBy is not a column of %s that rows can be ordered by", g.vis.Dataset.Name)
	}
	return nil
}

// rowOrder is what the first and last row are found by: the column named, then
// the key.
func (g *groupBuilder) rowOrder(name string, col *catalog.Column, args query.Object) ([]Expr, error) {
	by, d := g.rowsBy, g.vis.Dataset
	if g.granted != nil { // a token's filter says itself what it goes by
		by, d = nil, g.granted
	}
	if given, ok := arguments(args).get("by"); ok {
		text, _ := given.(query.Text)
		if by = g.column(string(text)); by == nil || !by.Type.Sortable() {
			return nil, fault.New(fault.BadUserInput, "%s: by is not the name of a column of %s that rows can be ordered by", name, d.Name)
		}
	}
	if by == nil {
		return nil, fault.New(fault.BadUserInput, "%s needs an order of the rows", name).
			WithHint("add rowsBy, a column of %s, to the arguments of the aggregate", d.Name)
	}
	order := []Expr{g.takes(0, by)}
	for _, key := range d.Key {
		order = append(order, g.read(0, key))
	}
	g.unsettled = g.unsettled || d.Unsettled
	if len(d.Key) == 0 { // of rows that are alike in both, any will do
		order = append(order, g.takes(0, col))
	}
	return order, nil
}

// splitArguments parts what a function takes from what is said of its result,
// where an input holds both.
func splitArguments(v query.Value) (args query.Object, rest query.Value) {
	o, ok := v.(query.Object)
	if !ok {
		return nil, v
	}
	var said query.Object
	for _, m := range o {
		if m.Name == "p" || m.Name == "by" {
			args = append(args, m)
		} else {
			said = append(said, m)
		}
	}
	return args, said
}
