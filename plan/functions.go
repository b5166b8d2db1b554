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
