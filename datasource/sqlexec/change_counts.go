package sqlexec

import (
	"usher/plan"
	"usher/query"
)

// Count is how many rows of a dataset a change has written by one of those that belong to it:
// rows that were nested in its own, or that went with them.
type Count struct {
	Dataset string
	Kind    query.ChangeKind
	Rows    int
}

// count adds what a change that belongs to another has written.
func (c *Changed) count(of plan.Change, rows int) {
	for i := range c.Also {
		if at := &c.Also[i]; at.Dataset == of.Dataset() && at.Kind == of.Kind() {
			at.Rows += rows
			return
		}
	}
	c.Also = append(c.Also, Count{of.Dataset(), of.Kind(), rows})
}

// belonging counts what the changes have written that belong to this one.
func (a *applying) belonging(to *Changed) {
	for _, list := range [][]*applying{a.before, a.after, a.went} {
		for _, of := range list {
			to.count(of.c, of.count)
			of.belonging(to)
		}
	}
}
