package plan

import (
	"slices"

	"usher/value"
)

// SharedScan is several queries of one principal that read the same rows: one
// scan of them answers all.
type SharedScan struct {
	base   Level
	levels []Level
	which  []int
	of     []Query
}

// Base is the level whose rows the others read: the dataset's under its scope,
// and under the conditions of the widest query, which all have.
func (s SharedScan) Base() Level { return s.base }

// Len is the number of queries.
func (s SharedScan) Len() int { return len(s.levels) }

// Level is the i-th query's, over the base's rows.
func (s SharedScan) Level(i int) Level { return s.levels[i] }

// Which is the i-th query's number among those given to SharedScans.
func (s SharedScan) Which(i int) int { return s.which[i] }

// Query is the i-th query.
func (s SharedScan) Query(i int) Query { return s.of[i] }

// SharedScans finds the queries that read the same rows, or some of those that
// another reads anyway. What is compared is all that decides which rows these
// are. Lists are left alone, because an index may have their first rows without
// a look at the others, and so are further conditions on times, whose rows an
// index may have.
func SharedScans(queries []Query) []SharedScan {
	var widest []scan // first
	for i, q := range queries {
		if q.Valid() && q.body.root.shareable() {
			widest = append(widest, scan{which: i, level: q.body.root})
		}
	}
	if len(widest) < 2 {
		return nil
	}
	for i := range widest {
		widest[i].index()
	}
	slices.SortStableFunc(widest, func(a, b scan) int { return len(a.conditions) - len(b.conditions) })
	var all []SharedScan
	taken := make([]bool, len(widest))
	for n, wide := range widest {
		if taken[n] {
			continue
		}
		set := []scan{wide}
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

// scan is a level that may share its rows, with the keys of what decides which
// rows these are.
type scan struct {
	which      int // among the queries
	level      Level
	scope      string
	conditions []string // beside the level's conjuncts
	has        map[string]bool
}

func (s *scan) index() {
	scope := make([]byte, 0, 256)
	for _, e := range s.level.refs[0].scope {
		scope = e.appendKey(append(scope, '&'))
	}
	s.scope, s.has = string(scope), make(map[string]bool)
	for _, e := range s.level.where.conjuncts() {
		key := e.key()
		s.conditions, s.has[key] = append(s.conditions, key), true
	}
}

// shareable tells a level that may read its rows from a table made for several: its
// scope and conditions are about its own reference alone.
func (l Level) shareable() bool {
	if !l.grouped || len(l.parent) > 0 || l.shift != nil || l.through > 0 || len(l.refs) == 0 || len(l.refs[0].policy) > 0 {
		return false
	}
	for _, e := range l.refs[0].scope {
		if !e.Only(0) && !l.isStep(e) {
			return false
		}
	}
	return l.where.Only(0)
}

// reads tells whether all rows of another scan are among those of this one.
func (s scan) reads(narrow scan) bool {
	a, b := s.level.refs[0], narrow.level.refs[0]
	if a.dataset != b.dataset || a.target != b.target || a.schema != b.schema || a.table != b.table ||
		a.reason != b.reason || a.tenant != b.tenant || s.scope != narrow.scope {
		return false
	}
	for _, key := range s.conditions {
		if !narrow.has[key] {
			return false
		}
	}
	return !slices.ContainsFunc(s.residual(narrow), Expr.readsTime)
}

// residual are the conditions of another scan that this one does not have: what
// is left to ask of its rows.
func (s scan) residual(narrow scan) []Expr {
	var out []Expr
	for i, e := range narrow.level.where.conjuncts() {
		if !s.has[narrow.conditions[i]] {
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

func share(queries []Query, set []scan) SharedScan {
	wide := set[0]
	ref := wide.level.refs[0]
	ref.columns = nil
	have := make(map[string]bool)
	set = slices.Clone(set)
	slices.SortFunc(set, func(a, b scan) int { return a.which - b.which })
	shared := SharedScan{levels: make([]Level, len(set))}
	for i, narrow := range set {
		shared.which, shared.of = append(shared.which, narrow.which), append(shared.of, queries[narrow.which])
		l := narrow.level
		for _, f := range l.refs[0].columns {
			if !have[f.Name] {
				have[f.Name] = true
				ref.columns = append(ref.columns, f)
			}
		}
		l.refs = slices.Clone(l.refs)
		l.refs[0].shared = true
		l.where = all(wide.residual(narrow))
		shared.levels[i] = l
	}
	shared.base = Level{refs: []Ref{{}}, where: wide.level.where, having: predicate(True), limit: All}
	parents := wide.level.stepsOf(&shared.base, 0, 0)
	ref.scope = append(parents, wide.level.withoutSteps(0, 0)...)
	shared.base.refs[0] = ref
	return shared
}

// Single returns the one SQL source that can answer all queries, or false.
func (s SharedScan) Single() (Target, bool) {
	if len(s.levels) == 0 {
		return Target{}, false
	}
	return single(append([]Level{s.base}, s.levels...))
}
