package sqlgen

import (
	"strconv"

	"usher/catalog"
	"usher/plan"
	"usher/value"
)

// steps are aggregates made in two steps, because one of them counts distinct
// values. PostgreSQL sorts all rows of a group for that; grouped by these values
// first they are hashed, and what was made of each is put together.
type steps struct {
	distinct string   // the values
	first    []string // by aggregate; empty for the count of distinct values
	second   []string
}

// inTwoSteps returns nil where that gains nothing, or an aggregate cannot be put
// together from those of parts.
func (w *writer) inTwoSteps(nested bool) *steps {
	if !w.d.SortsDistinct() || nested || w.others {
		return nil
	}
	s := &steps{first: make([]string, w.l.Aggs()), second: make([]string, w.l.Aggs())}
	for i := range s.first {
		e := w.l.Agg(i)
		if _, filtered := e.Filter(); e.Op() == plan.Agg && e.Func() == catalog.CountDistinct && !filtered {
			of := w.folded(w.expr(e.Arg(0)), e.Arg(0).Type())
			if s.distinct != "" && s.distinct != of {
				return nil
			}
			s.distinct, s.second[i] = of, "count(d.v)"
			continue
		}
		made := "d.a" + strconv.Itoa(i)
		if s.second[i] = w.putTogether(e, made); s.second[i] == "" {
			return nil
		}
		s.first[i] = w.expr(e)
	}
	if s.distinct == "" {
		return nil
	}
	return s
}

// putTogether is an aggregate of those of parts, or empty. Sums of doubles
// depend on their order, which stays that of the rows.
func (w *writer) putTogether(e plan.Expr, made string) string {
	if e.Op() == plan.CountRows || e.Op() == plan.Agg && e.Func() == catalog.Count {
		return "coalesce(sum(" + made + "), 0)"
	}
	if e.Op() != plan.Agg {
		return ""
	}
	t := e.Arg(0).Type()
	switch {
	case e.Func() == catalog.Sum && t.Scalar != value.Float:
		return "sum(" + made + ")"
	case (e.Func() == catalog.Min || e.Func() == catalog.Max) && t.Scalar != value.Interval:
		return string(e.Func()) + "(" + w.byCode(made, e.Arg(0)) + ")"
	}
	return ""
}

// twice writes groups made in two steps.
func (w *writer) twice(s *steps) {
	outer := w.items()
	for i := range w.l.Keys() {
		k := "k" + strconv.Itoa(i)
		outer("d."+k, k)
	}
	for i, text := range s.second {
		outer(text, "a"+strconv.Itoa(i))
	}
	w.groupMark(outer)
	w.put(" FROM (")
	inner := w.items()
	for i := range w.l.Keys() {
		inner(w.key(i), "k"+strconv.Itoa(i))
	}
	inner(s.distinct, "v")
	for i, text := range s.first {
		if text != "" {
			inner(text, "a"+strconv.Itoa(i))
		}
	}
	w.groupedRows(false)
	w.groupBy(w.l.Keys() + 1)
	w.put(") AS d")
	w.groupBy(w.l.Keys())
}
