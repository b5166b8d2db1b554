package resolvers

import (
	"usher/catalog"
	"usher/plan"
)

// hidden stands in an explanation for what names a dataset or column that the
// view of whoever asks does not show: policies read such columns.
const hidden = "(hidden)"

// cover puts hidden in the place of what its view does not show.
type cover struct {
	view    *catalog.View
	steps   bool            // what was asked together reads what is hidden
	noRows  map[string]bool // datasets of which more rows may arrive than are shown
	noPages map[string]bool // datasets of which a source may send more than that
}

func coverOf(view *catalog.View) cover {
	return cover{view: view, noRows: make(map[string]bool), noPages: make(map[string]bool)}
}

// reads adds a plan to what was asked together.
func (c *cover) reads(q plan.Query) {
	if q.Valid() {
		c.steps = c.steps || c.hidesAny(q.Root())
		c.counts(q.Root())
	}
}

// counts notes of which datasets of a level, and of those nested in it, no numbers are told.
func (c *cover) counts(l plan.Level) {
	for i := range l.Refs() {
		arrived, sent := l.Tellable(i)
		of := l.Ref(i).Dataset()
		c.noRows[of], c.noPages[of] = c.noRows[of] || !arrived, c.noPages[of] || !sent
	}
	for i := range l.Children() {
		c.counts(l.Child(i))
	}
	if total, ok := l.Total(); ok {
		c.counts(total)
	}
}

// hides tells whether a view does not show a column. The tenant column confines
// every reference, and is told of to everybody.
func (c cover) hides(dataset, column string) bool {
	d := c.view.Dataset(dataset)
	if d == nil {
		return true
	}
	owner := d.Dataset.Owner()
	return d.Column(column) == nil && (owner == nil || owner.Name != column)
}

func (c cover) dataset(name string) string {
	if name != "" && c.view.Dataset(name) == nil {
		return hidden
	}
	return name
}

func (c cover) condition(l plan.Level, e plan.Expr) string {
	if c.hidesIn(l, e) {
		return hidden
	}
	return e.Masked()
}

func (c cover) hidesIn(l plan.Level, e plan.Expr) bool {
	switch e.Op() { //nolint:exhaustive // every other node names nothing itself
	case plan.Column:
		if c.hides(l.Ref(e.Ref()).Dataset(), e.Name()) {
			return true
		}
	case plan.Exists, plan.Latest:
		if c.view.Dataset(l.Ref(e.Ref()).Dataset()) == nil {
			return true
		}
	}
	for i := range e.Len() {
		if c.hidesIn(l, e.Arg(i)) {
			return true
		}
	}
	filter, ok := e.Filter()
	return ok && c.hidesIn(l, filter)
}

// hidesAny tells whether a level, or one nested in it, reads what is hidden.
func (c cover) hidesAny(l plan.Level) bool {
	for i := range l.Refs() {
		r := l.Ref(i)
		if c.view.Dataset(r.Dataset()) == nil {
			return true
		}
		for j := range r.Fields() {
			if c.hides(r.Dataset(), r.Field(j).Name) {
				return true
			}
		}
	}
	for i := range l.Children() {
		if c.hidesAny(l.Child(i)) {
			return true
		}
	}
	total, ok := l.Total()
	return ok && c.hidesAny(total)
}

// step is a step without the text of what was asked where that reads what is
// hidden, and without numbers of rows that are not shown.
func (c cover) step(s explainStep) explainStep {
	if c.noRows[s.Dataset] {
		s.Rows = nil
	}
	if s.Call != nil && c.noPages[s.Dataset] {
		s.Call.Pages = nil
	}
	if !c.steps {
		return s
	}
	if c.dataset(s.Dataset) == hidden {
		s.Dataset, s.Duration, s.AsOf = hidden, nil, nil
	}
	s.SQL, s.Call, s.Rows = hidden, nil, nil
	return s
}
