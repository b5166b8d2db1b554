package plan

import (
	"slices"

	"usher/fault"
	"usher/query"
	"usher/value"
)

// Values adds groups to a level: those of values that no row has. They are an
// enum's labels and what a dataset common to all tenants holds, never what the
// rows of other tenants say.
type Values struct {
	labels []int // keys that are enums
	keys   []int // keys that are columns of a common dataset
	ref    int   // all that the principal sees of that dataset, or 0
	of     []Expr
}

// Labels is the number of keys that have a group for each label of their enum.
func (v Values) Labels() int { return len(v.labels) }

// Label is the index of the i-th of them.
func (v Values) Label(i int) int { return v.labels[i] }

// Columns is the number of keys that have groups for the rows of Ref.
func (v Values) Columns() int { return len(v.keys) }

// Key is the index of the i-th of them.
func (v Values) Key(i int) int { return v.keys[i] }

// Column is the i-th of them, as a column of Ref.
func (v Values) Column(i int) Expr { return v.of[i] }

// Ref is the reference that has the values of Columns.
func (v Values) Ref() int { return v.ref }

// Values tells whether there are groups for values that no row has.
func (l Level) Values() (Values, bool) {
	if l.values == nil {
		return Values{}, false
	}
	return *l.values, true
}

// maxLabels is how many combinations of labels may be added.
const maxLabels = 1000

// allValues reads the allValues argument, when the keys are known.
func (g *groupBuilder) allValues(args arguments) error {
	given, _ := args.get("allValues")
	if on, _ := given.(query.Bool); !bool(on) {
		return nil
	}
	v, from, combinations := &Values{}, 0, 1
	for i, key := range g.l.keys {
		switch {
		case key.op != Column:
		case key.ref > 0 && g.uses[key.ref].dataset.Common:
			if from > 0 && from != key.ref {
				return fault.New(fault.BadUserInput, "allValues: the key has columns of two common datasets, whose values do not go together").
					WithHint("group by columns of one of them, or leave allValues out")
			}
			from = key.ref
			v.keys = append(v.keys, i)
		case key.typ.Scalar == value.Enum && !key.typ.List:
			v.labels = append(v.labels, i)
			combinations *= len(key.typ.Labels)
		}
	}
	if from == 0 && len(v.labels) == 0 {
		return fault.New(fault.BadUserInput, "allValues: the key has neither an enum nor a column of a dataset that is common to all tenants").
			WithHint("select one in key; other columns have no values beyond those of the rows")
	}
	if combinations > maxLabels {
		return fault.New(fault.TooComplex, "allValues: the enums in the key have %d combinations of labels; at most %d are added", combinations, maxLabels)
	}
	g.l.values = v
	if from == 0 {
		return nil
	}
	d := g.uses[from].dataset
	i, err := g.add(d, -1, -1, nil)
	if err != nil {
		return err
	}
	g.l.refs[i].under, v.ref = i+1, i
	for _, key := range v.keys {
		v.of = append(v.of, g.ask(i, d.Column(g.l.keys[key].name)))
	}
	return nil
}

// adds tells whether a key gets values that no row has.
func (v Values) adds(key int) bool {
	return slices.Contains(v.labels, key) || slices.Contains(v.keys, key)
}

// Kept tells a key that has the values of its rows only.
func (v Values) Kept(key int) bool { return !v.adds(key) }
