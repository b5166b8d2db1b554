package plan

import (
	"slices"

	"usher/catalog"
	"usher/value"
)

// Lookup is a to-one relation into another source of which nothing is asked but
// columns of the answer: the rows of the one side are fetched by their keys and
// put beside the rows that name them.
type Lookup struct {
	level int
	fetch Fetch
	key   string
	cells []LookedUp
}

// LookedUp is a cell that a lookup fills: until then it holds the key.
type LookedUp struct {
	Cell   int // of the level's rows
	Column int // of the fetched rows
}

// Bind is a lookup of a query that was prepared, with the values of who asks now.
func (l Lookup) Bind(to Binding) Lookup {
	l.fetch.query = l.fetch.query.Bind(to)
	return l
}

// Level is the number of the level whose rows lead to the looked up ones: levels
// are counted from the root, each before those nested in it.
func (l Lookup) Level() int { return l.level }

// Fetch is what is fetched, once for the distinct keys: Narrowed(Key(), keys).
func (l Lookup) Fetch() Fetch { return l.fetch }

// Key is the column that the keys are values of.
func (l Lookup) Key() string { return l.key }

// KeyCell is a cell of the level's rows that holds the key.
func (l Lookup) KeyCell() int { return l.cells[0].Cell }

// KeyType is the type of the key's column.
func (l Lookup) KeyType() value.Type {
	r := l.fetch.query.body.root.refs[0]
	return r.columns[l.KeyColumn()].Type
}

// KeyColumn is the column of the fetched rows that holds the key.
func (l Lookup) KeyColumn() int {
	return slices.IndexFunc(l.fetch.query.body.root.refs[0].columns, func(f Field) bool { return f.Name == l.key })
}

// Cells is the number of cells the lookup fills.
func (l Lookup) Cells() int { return len(l.cells) }

// Cell is the i-th of them.
func (l Lookup) Cell(i int) LookedUp { return l.cells[i] }

// Lookups splits a query of several databases into one that a single database
// can answer and what is looked up in the others. It cannot when a condition,
// an order or a group needs the other side.
func (q Query) Lookups() (main Query, lookups []Lookup, ok bool) {
	root := q.body.root
	if len(root.refs) == 0 {
		return Query{}, nil, false
	}
	s := &splitter{query: q, home: root.refs[0].target}
	if s.home.Kind == catalog.API {
		return Query{}, nil, false
	}
	body := *q.body
	body.root, ok = s.split(root)
	if !ok || len(s.lookups) == 0 {
		return Query{}, nil, false
	}
	main = Query{&body}
	if _, single := main.Single(); !single {
		return Query{}, nil, false
	}
	return main, s.lookups, true
}

type splitter struct {
	query   Query
	home    Target
	levels  int
	lookups []Lookup
}

func (s *splitter) split(l Level) (Level, bool) {
	number := s.levels
	s.levels++
	if _, ok := l.Total(); ok && !s.athome(*l.page.total) {
		return l, false
	}
	refs, columns := slices.Clone(l.refs), slices.Clone(l.columns)
	taken := make(map[int]bool) // cells that are looked up
	for i := range refs {
		if refs[i].target == s.home {
			continue
		}
		if !l.onlyShown(i) {
			return l, false
		}
		lookup := Lookup{level: number, fetch: s.query.Fetches(l, 0)[i], key: refs[i].on[0].To.name}
		for c, e := range columns {
			if e.op != Column || e.ref != i {
				continue
			}
			at := slices.IndexFunc(refs[i].columns, func(f Field) bool { return f.Name == e.name })
			lookup.cells = append(lookup.cells, LookedUp{Cell: c, Column: at})
			columns[c], taken[c] = refs[i].on[0].From, true
		}
		if len(lookup.cells) == 0 {
			return l, false
		}
		s.lookups = append(s.lookups, lookup)
		refs[i].absent = true
	}
	l.refs, l.columns = refs, columns
	children := make([]Level, len(l.children))
	for i, child := range l.children {
		for _, link := range child.parent { // a nested level hangs on the level's own rows
			if taken[link.cell] {
				return l, false
			}
		}
		var ok bool
		if children[i], ok = s.split(child); !ok {
			return l, false
		}
	}
	l.children = children
	return l, true
}

func (s *splitter) athome(l Level) bool {
	for _, r := range l.refs {
		if r.target != s.home {
			return false
		}
	}
	return true
}

// onlyShown tells a reference that is joined by one key of plain values and of
// which nothing but columns is read.
func (l Level) onlyShown(i int) bool {
	r := l.refs[i]
	if i == 0 || i == l.through || l.grouped || r.target.Kind == catalog.API || r.inside >= 0 || r.under > 0 || r.from < 0 ||
		len(r.on) != 1 || len(r.policy) > 0 || !looksUp(r.on[0].From.typ, r.on[0].To.typ) || l.refs[r.from].target != l.refs[0].target {
		return false
	}
	for _, e := range r.scope {
		if !e.Only(i) {
			return false
		}
	}
	free := func(e Expr) bool {
		ok := true
		e.refs(func(ref int, _ string) { ok = ok && ref != i })
		return ok
	}
	for j, other := range l.refs {
		for _, on := range other.on {
			if j != i && (!free(on.From) || !free(on.To)) {
				return false
			}
		}
		for _, e := range other.scope {
			if j != i && !free(e) {
				return false
			}
		}
	}
	for _, o := range l.order {
		if !free(o.expr) {
			return false
		}
	}
	for _, link := range l.parent {
		if !free(link.own) {
			return false
		}
	}
	for _, c := range l.columns {
		if !free(c) && (c.op != Column || c.ref != i) {
			return false
		}
	}
	return free(l.where)
}

// looksUp tells types whose equal values have one text.
func looksUp(a, b value.Type) bool {
	whole := func(t value.Type) bool { return !t.List && (t.Scalar == value.Int || t.Scalar == value.BigInt) }
	text := func(t value.Type) bool {
		return !t.List && (t.Scalar == value.String || t.Scalar == value.ID || t.Scalar == value.UUID)
	}
	return whole(a) && whole(b) || text(a) && text(b) && a.Scalar == b.Scalar
}
