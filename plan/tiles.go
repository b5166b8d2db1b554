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
	var widest []tile // first
	for i, q := range queries {
		if q.Valid() && q.body.root.tile() {
			widest = append(widest, tile{which: i, level: q.body.root})
		}
	}
	if len(widest) < 2 {
		return nil
	}
	for i := range widest {
		widest[i].index()
	}
	slices.SortStableFunc(widest, func(a, b tile) int { return len(a.conditions) - len(b.conditions) })
	var all []Tiles
	taken := make([]bool, len(widest))
	for n, wide := range widest {
		if taken[n] {
			continue
		}
		set := []tile{wide}
		for m := n + 1; m < len(widest); m++ {
			if !taken[m] && wide.reads(widest[m]) {
				taken[m] = true
				set = append(set, widest[m])
			}
		}
		if len(set) > 1 {
			all = append(all, share(queries, set))
		}
	}
	return all
}

// tile is a level that may share its rows, with the keys of what decides which
// rows these are.
type tile struct {
	which      int // among the queries
	level      Level
	scope      string
	conditions []string // beside the level's conjuncts
	has        map[string]bool
}

func (t *tile) index() {
	scope := make([]byte, 0, 256)
	for _, e := range t.level.refs[0].scope {
		scope = e.appendKey(append(scope, '&'))
	}
	t.scope, t.has = string(scope), make(map[string]bool)
	for _, e := range t.level.where.conjuncts() {
		key := e.key()
		t.conditions, t.has[key] = append(t.conditions, key), true
	}
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

// reads tells whether all rows of another tile are among those of this one.
func (t tile) reads(narrow tile) bool {
	r, s := t.level.refs[0], narrow.level.refs[0]
	if r.dataset != s.dataset || r.target != s.target || r.schema != s.schema || r.table != s.table ||
		r.reason != s.reason || r.tenant != s.tenant || t.scope != narrow.scope {
		return false
	}
	for _, key := range t.conditions {
		if !narrow.has[key] {
			return false
		}
	}
	return !slices.ContainsFunc(t.further(narrow), Expr.readsTime)
}

// further are the conditions of another tile that this one does not have.
func (t tile) further(narrow tile) []Expr {
	var out []Expr
	for i, e := range narrow.level.where.conjuncts() {
		if !t.has[narrow.conditions[i]] {
			out = append(out, e)
		}
	}
	return out
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

func share(queries []Query, set []tile) Tiles {
	wide := set[0]
	ref := wide.level.refs[0]
	ref.columns = nil
	have := make(map[string]bool)
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b tile) int { return a.which - b.which })
	t := Tiles{levels: make([]Level, len(set))}
	for i, narrow := range set {
		t.which, t.of = append(t.which, narrow.which), append(t.of, queries[narrow.which])
		l := narrow.level
		for _, f := range l.refs[0].columns {
			if !have[f.Name] {
				have[f.Name] = true
				ref.columns = append(ref.columns, f)
			}
		}
		l.refs = slices.Clone(l.refs)
		l.refs[0].shared = true
		l.where = all(wide.further(narrow))
		t.levels[i] = l
	}
	t.base = Level{refs: []Ref{ref}, where: wide.level.where, having: predicate(True), limit: All}
	return t
}

// Single returns the one SQL source that can answer all tiles, or false.
func (t Tiles) Single() (Target, bool) {
	if len(t.levels) == 0 {
		return Target{}, false
	}
	return single(append([]Level{t.base}, t.levels...))
}
