package plan

import (
	"slices"

	"usher/value"
)

// Tiles are queries of one principal that read the same rows: one pass over
// them answers all.
type Tiles struct {
	base   Level
	levels []Level
	which  []int
	of     []Query
}

// Base is the level whose rows the others read: the dataset's under its scope,
// and under the conditions of the widest tile, which all have.
func (t Tiles) Base() Level { return t.base }

// Len is the number of tiles.
func (t Tiles) Len() int { return len(t.levels) }

// Level is the i-th tile, over the base's rows.
func (t Tiles) Level(i int) Level { return t.levels[i] }

// Which is the i-th tile's number among the queries given to OnePass.
func (t Tiles) Which(i int) int { return t.which[i] }

// Query is the query the i-th tile is of.
func (t Tiles) Query(i int) Query { return t.of[i] }

// OnePass finds the queries that read the same rows, or some of those that
// another reads anyway. What is compared is all that decides which rows these
// are. Lists are left alone, because an index may have their first rows without
// a look at the others, and so are further conditions on times, whose rows an
// index may have.
func OnePass(queries []Query) []Tiles {
	var widest []int // first
	for i, q := range queries {
		if q.Valid() && q.body.root.tile() {
			widest = append(widest, i)
		}
	}
	slices.SortStableFunc(widest, func(i, j int) int {
		return len(queries[i].body.root.where.conjuncts()) - len(queries[j].body.root.where.conjuncts())
	})
	var all []Tiles
	taken := make([]bool, len(queries))
	for n, i := range widest {
		if taken[i] {
			continue
		}
		set := []int{i}
		for _, j := range widest[n+1:] {
			if !taken[j] && reads(queries[i].body.root, queries[j].body.root) {
				taken[j] = true
				set = append(set, j)
			}
		}
		if len(set) > 1 {
			all = append(all, share(queries, set))
		}
	}
	return all
}

// tile tells a level that may read its rows from a table made for several: its
// scope and conditions are about its own reference alone.
func (l Level) tile() bool {
	if !l.grouped || len(l.parent) > 0 || l.shift != nil || l.through > 0 || len(l.refs) == 0 || len(l.refs[0].policy) > 0 {
		return false
	}
	for _, e := range l.refs[0].scope {
		if !e.Only(0) {
			return false
		}
	}
	return l.where.Only(0)
}

// reads tells whether all rows of one tile are among those of a wider one.
func reads(wide, narrow Level) bool {
	r, s := wide.refs[0], narrow.refs[0]
	if r.dataset != s.dataset || r.target != s.target || r.schema != s.schema || r.table != s.table ||
		r.reason != s.reason || r.tenant != s.tenant || !slices.EqualFunc(r.scope, s.scope, Expr.same) {
		return false
	}
	for _, e := range wide.where.conjuncts() {
		if !slices.ContainsFunc(narrow.where.conjuncts(), e.same) {
			return false
		}
	}
	return !slices.ContainsFunc(further(wide, narrow), Expr.readsTime)
}

// further are the conditions of a tile that a wider one does not have.
func further(wide, narrow Level) []Expr {
	return slices.DeleteFunc(slices.Clone(narrow.where.conjuncts()), func(e Expr) bool {
		return slices.ContainsFunc(wide.where.conjuncts(), e.same)
	})
}

// readsTime tells an expression that reads a column of time.
func (e Expr) readsTime() bool {
	if e.op == Column {
		switch e.typ.Scalar { //nolint:exhaustive // the others are not of time
		case value.Timestamp, value.LocalTimestamp, value.Date, value.Time:
			return true
		}
	}
	return slices.ContainsFunc(e.args, Expr.readsTime)
}

func share(queries []Query, set []int) Tiles {
	first := queries[set[0]].body.root
	ref := first.refs[0]
	ref.columns = nil
	set = slices.Clone(set)
	slices.Sort(set)
	t := Tiles{levels: make([]Level, len(set)), which: set}
	for _, at := range set {
		t.of = append(t.of, queries[at])
	}
	for i, at := range set {
		l := queries[at].body.root
		for _, f := range l.refs[0].columns {
			if !slices.ContainsFunc(ref.columns, func(have Field) bool { return have.Name == f.Name }) {
				ref.columns = append(ref.columns, f)
			}
		}
		l.refs = slices.Clone(l.refs)
		l.refs[0].shared = true
		l.where = all(further(first, l))
		t.levels[i] = l
	}
	t.base = Level{refs: []Ref{ref}, where: first.where, having: predicate(True), limit: All}
	return t
}

// Single returns the one SQL source that can answer all tiles, or false.
func (t Tiles) Single() (Target, bool) {
	if len(t.levels) == 0 {
		return Target{}, false
	}
	return single(append([]Level{t.base}, t.levels...))
}
