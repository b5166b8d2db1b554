package plan

import (
	"fmt"
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// Rows nested in a row that is inserted are inserts of their own, of their dataset's
// rights, presets and checks: what a row leads to before it, what leads to it after it. Their
// keys, which the source may make, are carried from one to the other.

// maxNested bounds how deep rows are nested.
const maxNested = 8

// carried is a value that is a cell of the key of a row that was inserted before.
type carried struct {
	of        int // the insert before this one; ofParent is the one that it is nested in
	row, cell int
}

const ofParent = -1

// Before is the number of inserts of rows that these lead to.
func (c Change) Before() int { return len(c.body.before) }

// BeforeAt is the i-th of them.
func (c Change) BeforeAt(i int) Change { return c.inner(c.body.before[i]) }

// After is the number of inserts of rows that lead to these.
func (c Change) After() int { return len(c.body.after) }

// AfterAt is the i-th of them.
func (c Change) AfterAt(i int) Change { return c.inner(c.body.after[i]) }

// Filled is the insert with the values that were carried from other rows' keys: from cells of
// those that it is nested in, or of the of-th insert before it.
func (i Insert) Filled(parent func(row, cell int) value.Value, before func(of, row, cell int) value.Value) Insert {
	if !slices.ContainsFunc(i.values, func(list givens) bool { return slices.ContainsFunc(list.each, Given.later) }) {
		return i
	}
	values := slices.Clone(i.values)
	for n, list := range values {
		each := slices.Clone(list.each)
		for row, g := range list.each {
			switch {
			case g.from == nil:
			case g.from.of == ofParent:
				each[row] = Given{value: parent(g.from.row, g.from.cell)}
			default:
				each[row] = Given{value: before(g.from.of, g.from.row, g.from.cell)}
			}
		}
		values[n].each = each
	}
	i.values = values
	return i
}

func (g Given) later() bool { return g.from != nil }

// relation is the relation of the principal's view by which rows are nested, or nil.
func (cb *changeBuilder) relation(name string) *catalog.Relation {
	rel, _ := cb.view.Relation(cb.vis, name)
	if rel == nil || rel.Through != nil || !rel.Many && !cb.vis.Dataset.Refers(rel) {
		return nil
	}
	return rel
}

// nests collects the rows that are nested by one relation.
type nests struct {
	rel    *catalog.Relation
	rows   []query.Object
	places []string
	given  []map[*catalog.Column]Given
	parent []int
}

// nest reads a member of a row, or of what is set, that is a relation: what it gives to columns of
// the row itself.
func (cb *changeBuilder) nest(rel *catalog.Relation, v query.Value, place inputAt, n int) (map[*catalog.Column]Given, error) {
	at := place.member(rel.Name)
	bad := func(format string, args ...any) error {
		f := fault.New(fault.BadUserInput, format, args...)
		f.At = at
		return f
	}
	if _, null := v.(query.Null); null && cb.c.kind.Inserts() {
		return nil, nil // as if it were left out
	}
	if rel.Many {
		list, ok := v.(query.List)
		if one, is := v.(query.Object); is {
			list, ok = query.List{one}, true
		}
		if !ok || !cb.c.kind.Inserts() {
			return nil, bad("%s is a list of rows to insert", rel.Name)
		}
		for i, item := range list {
			row, ok := item.(query.Object)
			if !ok {
				return nil, bad("each of %s is an object", rel.Name)
			}
			cb.collect(&cb.following, rel, row, fmt.Sprintf("%s.%d", at, i), n)
		}
		return nil, nil
	}
	how, ok := v.(query.Object)
	if _, null := v.(query.Null); null {
		return nil, bad("%s is null: unlink: true is for a row that leads to none", rel.Name)
	}
	if !ok || len(how) != 1 {
		return nil, bad("%s has exactly one member", rel.Name)
	}
	out := make(map[*catalog.Column]Given)
	switch name := how[0].Name; {
	case name == "link":
		to, ok := how[0].Value.(query.Object)
		if !ok {
			return nil, bad("link names a row of %s", rel.To.Name)
		}
		named := 0
		for _, pair := range cb.own(rel) {
			v := member(to, pair.To.Name)
			if _, null := v.(query.Null); v == nil || null {
				return nil, bad("link names no %s", pair.To.Name)
			}
			place.gives(pair.From.Name, rel.Name+".link."+pair.To.Name)
			col, given, err := cb.member(query.Member{Name: pair.From.Name, Value: v}, place)
			if err != nil {
				return nil, err
			}
			out[col], named = given, named+1
		}
		if named != len(to) || named == 0 {
			return nil, bad("link names a row of %s by what leads to it", rel.To.Name)
		}
	case name == "unlink" && how[0].Value == query.Bool(true) && cb.c.kind.Updates():
		for _, pair := range cb.own(rel) {
			place.gives(pair.From.Name, rel.Name+".unlink")
			col, given, err := cb.member(query.Member{Name: pair.From.Name, Value: query.Null{}}, place)
			if err != nil {
				return nil, err
			}
			out[col] = given
		}
	case name == "unlink" && cb.c.kind.Updates():
		return nil, bad("unlink is true; leave %s out for a row that stays as it is", rel.Name)
	case name == "insert" && cb.c.kind.Inserts():
		row, ok := how[0].Value.(query.Object)
		if !ok {
			return nil, bad("insert is a row of %s", rel.To.Name)
		}
		of, at := cb.collect(&cb.leading, rel, row, at+".insert", n)
		for _, pair := range cb.own(rel) {
			cell := slices.Index(rel.To.Key, pair.To)
			if cell < 0 || cb.settable(pair.From.Name) == nil {
				return nil, bad("rows of %s are not inserted together with those of %s", rel.To.Name, cb.vis.Dataset.Name)
			}
			place.gives(pair.From.Name, rel.Name+".insert")
			out[pair.From] = Given{from: &carried{of: of, row: at, cell: cell}}
		}
	default:
		return nil, bad("%s is no way to give %s", name, rel.Name)
	}
	return out, nil
}

// own are the pairs of a relation without that of the tenants.
func (cb *changeBuilder) own(rel *catalog.Relation) []catalog.Pair {
	return slices.DeleteFunc(slices.Clone(rel.On), func(p catalog.Pair) bool {
		return p.From == cb.vis.Dataset.Tenant && p.From != nil || p.To == rel.To.Tenant && p.To != nil
	})
}

// collect adds a nested row, and returns which insert it is of and its number there.
func (cb *changeBuilder) collect(list *[]*nests, rel *catalog.Relation, row query.Object, place string, parent int) (of, at int) {
	of = slices.IndexFunc(*list, func(n *nests) bool { return n.rel == rel })
	if of < 0 {
		of = len(*list)
		*list = append(*list, &nests{rel: rel})
	}
	n := (*list)[of]
	n.rows, n.places, n.parent = append(n.rows, row), append(n.places, place), append(n.parent, parent)
	return of, len(n.rows) - 1
}

// nestedInserts plans the rows that are nested in those with these cells.
func (cb *changeBuilder) nestedInserts(cells []row) error {
	for _, n := range cb.leading {
		sub, err := cb.inserting(n)
		if err != nil {
			return err
		}
		cb.c.before = append(cb.c.before, sub)
	}
	for _, n := range cb.following {
		for i, row := range n.parent {
			given := make(map[*catalog.Column]Given)
			for _, pair := range cb.own(n.rel) {
				g, ok := cells[row].at(pair.From)
				cell := slices.Index(cb.vis.Dataset.Key, pair.From)
				switch {
				case ok && g.from == nil && !g.Null() && !g.list:
				case cell >= 0:
					g = Given{from: &carried{of: ofParent, row: row, cell: cell}}
				default:
					f := fault.New(fault.BadUserInput, "%s of %s leads to %s, and is not given", pair.From.Name, cb.vis.Dataset.Name, n.rel.To.Name)
					f.At = n.places[i]
					return f
				}
				given[pair.To] = g
			}
			n.given = append(n.given, given)
		}
		sub, err := cb.inserting(n)
		if err != nil {
			return err
		}
		cb.c.after = append(cb.c.after, sub)
	}
	return nil
}

// inserting plans the insert of nested rows.
func (cb *changeBuilder) inserting(n *nests) (Change, error) {
	vis := cb.view.Dataset(n.rel.To.Name)
	if vis == nil {
		return Change{}, fault.New(fault.NotFound, "there is no dataset %q", n.rel.To.Name)
	}
	depth := 1
	for up := cb.inside; up != nil; up = up.inside {
		depth++
	}
	switch {
	case depth > maxNested:
		return Change{}, fault.New(fault.TooComplex, "rows are nested more than %d deep", maxNested)
	case len(n.rows) > maxGiven:
		return Change{}, fault.New(fault.TooComplex, "%d rows of %s are inserted at once; at most %d are allowed", len(n.rows), n.rel.To.Name, maxGiven)
	}
	sub := cb.nested(vis, query.Insert, cb.field)
	sub.placed = n
	if err := sub.open(); err != nil {
		return Change{}, err
	}
	if sub.c.target != cb.c.target {
		return Change{}, fault.New(fault.NotImplemented, "%s and %s are in different sources, and one change is made in one", cb.vis.Dataset.Name, n.rel.To.Name)
	}
	if err := sub.insert(); err != nil {
		return Change{}, err
	}
	cb.c.snapshot = cb.c.snapshot || sub.c.snapshot
	return Change{body: sub.c}, nil
}
