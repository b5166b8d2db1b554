package plan

// Look looks at every value of a plan, for those who cannot leave any open: the
// plan then holds for these values only.
func (q Query) Look() {
	if q.Valid() {
		q.levels(func(l Level) { l.literals(func(e Expr) { e.look() }) })
	}
}

func (e Expr) look() {
	for _, v := range e.lits {
		_ = v.Text()
	}
}

// literals calls f with every expression of a level that has literals, those within
// others included.
func (l Level) literals(f func(Expr)) {
	var walk func(Expr)
	walk = func(e Expr) {
		if len(e.lits) > 0 {
			f(e)
		}
		for _, a := range e.args {
			walk(a)
		}
		if e.filter != nil {
			walk(*e.filter)
		}
	}
	for _, list := range [][]Expr{{l.where, l.having, l.guard, l.around}, l.keys, l.aggs, l.columns} {
		for _, e := range list {
			walk(e)
		}
	}
	for _, r := range l.refs {
		for _, e := range r.scope {
			walk(e)
		}
		for _, on := range r.on {
			walk(on.From)
			walk(on.To)
		}
	}
	for _, o := range l.order {
		walk(o.expr)
	}
	for _, link := range l.parent {
		walk(link.own)
	}
	if l.top != nil {
		walk(l.top.by.expr)
	}
	if l.fill != nil {
		for _, end := range []*Expr{l.fill.low, l.fill.high} {
			if end != nil {
				walk(*end)
			}
		}
	}
	if l.values != nil {
		for _, e := range l.values.of {
			walk(e)
		}
	}
}
