package plan

import (
	"slices"

	"usher/value"
)

// A query that was prepared is written once, and bound by its arguments. A change is written
// as it goes, so its levels are given the values themselves, when they are asked for.

// in is the level with the texts of all terms; with none it is what it was.
func (l Level) in(texts []string) Level {
	if texts == nil {
		return l
	}
	l.refs = slices.Clone(l.refs)
	for i := range l.refs {
		l.refs[i].scope = allIn(l.refs[i].scope, texts)
	}
	l.where, l.having, l.guard, l.around = l.where.in(texts), l.having.in(texts), l.guard.in(texts), l.around.in(texts)
	l.keys, l.aggs, l.columns = allIn(l.keys, texts), allIn(l.aggs, texts), allIn(l.columns, texts)
	l.order = slices.Clone(l.order)
	for i := range l.order {
		l.order[i].expr = l.order[i].expr.in(texts)
	}
	l.children = slices.Clone(l.children)
	for i := range l.children {
		l.children[i] = l.children[i].in(texts)
	}
	if l.fill != nil {
		fill := *l.fill
		fill.low, fill.high = fill.low.pointed(texts), fill.high.pointed(texts)
		l.fill = &fill
	}
	if l.top != nil {
		top := *l.top
		top.by.expr = top.by.expr.in(texts)
		l.top = &top
	}
	return l
}

func allIn(list []Expr, texts []string) []Expr {
	if !slices.ContainsFunc(list, Expr.open) {
		return list
	}
	out := make([]Expr, len(list))
	for i, e := range list {
		out[i] = e.in(texts)
	}
	return out
}

func (e Expr) in(texts []string) Expr {
	if !e.open() {
		return e
	}
	e.args, e.filter = allIn(e.args, texts), e.filter.pointed(texts)
	lits := make([]value.Value, len(e.lits))
	for i, v := range e.lits {
		lits[i] = v.In(texts)
	}
	e.lits = lits
	return e
}

func (e *Expr) pointed(texts []string) *Expr {
	if e == nil {
		return nil
	}
	in := e.in(texts)
	return &in
}

// open tells that a value in an expression comes later.
func (e Expr) open() bool {
	return slices.ContainsFunc(e.lits, later) || slices.ContainsFunc(e.args, Expr.open) || e.filter != nil && e.filter.open()
}

func later(v value.Value) bool {
	_, open := v.Term()
	return open
}
