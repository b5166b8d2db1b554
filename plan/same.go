package plan

import (
	"slices"
	"strconv"
)

// same tells whether two expressions are one.
func (e Expr) same(o Expr) bool {
	if e.op != o.op || e.ref != o.ref || e.name != o.name || e.unit != o.unit || e.zone != o.zone || e.fn != o.fn ||
		len(e.args) != len(o.args) || len(e.lits) != len(o.lits) || (e.filter == nil) != (o.filter == nil) {
		return false
	}
	for i := range e.args {
		if !e.args[i].same(o.args[i]) {
			return false
		}
	}
	for i := range e.lits {
		if !e.lits[i].Alike(o.lits[i]) {
			return false
		}
	}
	return e.filter == nil || e.filter.same(*o.filter)
}

// key is equal for expressions that are the same, so that one is found among
// many without comparing it with each.
func (e Expr) key() string { return string(e.appendKey(nil)) }

func (e Expr) appendKey(dst []byte) []byte {
	text := func(s string) { dst = append(append(strconv.AppendInt(dst, int64(len(s)), 10), ':'), s...) }
	dst = append(dst, byte(e.op))
	dst = append(strconv.AppendInt(dst, int64(e.ref), 10), ';')
	text(e.name)
	text(string(e.unit))
	text(e.zone)
	text(string(e.fn))
	dst = append(strconv.AppendInt(dst, int64(len(e.args)), 10), '(')
	for _, a := range e.args {
		dst = a.appendKey(dst)
	}
	dst = append(strconv.AppendInt(dst, int64(len(e.lits)), 10), '[')
	for _, l := range e.lits {
		dst = l.AppendKey(dst)
	}
	if e.filter == nil {
		return append(dst, '.')
	}
	return e.filter.appendKey(append(dst, '|'))
}

// places finds expressions in one list that only grows. Few are compared one by
// one, many are found by their keys.
type places struct {
	at   map[string]int
	seen int // expressions of the list that are in at
}

// fewExprs are found faster without keys.
const fewExprs = 24

// of is the place of an expression in the list, or -1.
func (p *places) of(list []Expr, e Expr) int {
	if len(list) <= fewExprs {
		return slices.IndexFunc(list, e.same)
	}
	if p.at == nil {
		p.at = make(map[string]int, 2*len(list))
	}
	for ; p.seen < len(list); p.seen++ {
		p.at[list[p.seen].key()] = p.seen
	}
	if i, ok := p.at[e.key()]; ok {
		return i
	}
	return -1
}

// add is the place of an expression in the list, which gets it when it is not
// there.
func (p *places) add(list *[]Expr, e Expr) int {
	i := p.of(*list, e)
	if i < 0 {
		i = len(*list)
		*list = append(*list, e)
	}
	return i
}
