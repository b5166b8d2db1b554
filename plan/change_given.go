package plan

import (
	"cmp"
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// givens are what rows give to one column: plain values, until a row gives something else.
type givens struct {
	plain value.Texts
	each  []Given // of all rows, instead; nil: all are plain
}

// givensOf are none yet, with room for so many.
func givensOf(t value.Type, room int) givens { return givens{plain: value.TextsOf(t, room)} }

// oneGiven is what all rows are given.
func oneGiven(g Given) givens { return givens{each: []Given{g}} }

func (g *givens) add(one Given) {
	if g.each == nil && !one.list && one.from == nil && g.plain.Add(one.value) {
		return
	}
	if g.each == nil {
		g.each = make([]Given, g.plain.Len(), max(1, g.plain.Room()))
		for n := range g.each {
			g.each[n] = Given{value: g.plain.Value(n)}
		}
	}
	g.each = append(g.each, one)
}

// at is what the n-th row gives.
func (g givens) at(n int) Given {
	if g.each != nil {
		return g.each[n]
	}
	return Given{value: g.plain.Value(n)}
}

func (g givens) len() int {
	if g.each != nil {
		return len(g.each)
	}
	return g.plain.Len()
}

// part are those of the rows from one to before another.
func (g givens) part(from, to int) givens {
	if g.each != nil {
		return givens{each: g.each[from:to:to]}
	}
	return givens{plain: g.plain.Part(from, to)}
}

// has tells whether one of them is so.
func (g givens) has(so func(Given) bool) bool {
	if g.each != nil {
		return slices.ContainsFunc(g.each, so)
	}
	for n := range g.plain.Len() {
		if so(g.at(n)) {
			return true
		}
	}
	return false
}

// read adds what a row at a place gives to a column. What is wrong with it is added as null.
func (g *givens) read(cb *changeBuilder, col *catalog.Column, v query.Value, place inputAt) error {
	switch v.(type) {
	case query.Text, query.Number, query.Bool, query.Enum:
		if g.each == nil && !col.Type.List {
			return notGiven(g.parse(&col.Type, cb.kept(col), v), col, place)
		}
	}
	given, err := cb.given(col, v, place)
	g.add(given)
	return err
}

func (g *givens) parse(t *value.Type, kept value.Kept, v query.Value) error {
	text, err := textFor(t, v)
	if err != nil {
		g.plain.Null()
		return err
	}
	if text, err = g.plain.Parse(kept.Text(text)); err != nil {
		return err
	}
	return cmp.Or(fits(*t, text), kept.Holds(*t, text))
}

// notGiven is what is wrong with what a row at a place gives to a column, if there is anything.
func notGiven(err error, col *catalog.Column, place inputAt) error {
	if err == nil {
		return nil
	}
	f := fault.New(fault.BadUserInput, "%s: %v", col.Name, err)
	f.At = place.member(col.Name)
	return f
}
