package plan

import "reflect"

var (
	bodySize   = sizeOf[body]()
	levelSize  = sizeOf[Level]()
	refSize    = sizeOf[Ref]()
	fieldSize  = sizeOf[Field]()
	exprSize   = sizeOf[Expr]()
	outputSize = sizeOf[Output]()
)

func sizeOf[T any]() int { return int(reflect.TypeFor[T]().Size()) }

// Size is about how many bytes the query takes in memory: its nodes, and the
// texts that came with the request. Names are the catalog's.
func (q Query) Size() int {
	if !q.Valid() {
		return 0
	}
	return bodySize + q.body.root.size()
}

func (l Level) size() int {
	n := levelSize + l.where.size() + l.having.size() + l.guard.size() + sizes(l.keys) + sizes(l.aggs) + sizes(l.columns) + outputsSize(l.output)
	for _, r := range l.refs {
		n += refSize + len(r.columns)*fieldSize + sizes(r.scope)
		for _, on := range r.on {
			n += on.From.size() + on.To.size()
		}
	}
	for _, o := range l.order {
		n += o.expr.size()
	}
	for _, link := range l.parent {
		n += link.own.size()
	}
	for _, child := range l.children {
		n += child.size()
	}
	if total, ok := l.Total(); ok {
		n += total.size()
	}
	return n
}

func (e Expr) size() int {
	n := exprSize + sizes(e.args)
	for i := range e.lits {
		n += e.lits[i].Size()
	}
	if e.filter != nil {
		n += e.filter.size()
	}
	return n
}

func sizes(list []Expr) int {
	n := 0
	for _, e := range list {
		n += e.size()
	}
	return n
}

func outputsSize(list []Output) int {
	n := 0
	for _, o := range list {
		n += outputSize + len(o.key) + outputsSize(o.fields)
	}
	return n
}
