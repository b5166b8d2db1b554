package plan

import (
	"reflect"
	"slices"

	"usher/catalog"
	"usher/fault"
)

// What roles preset in rows that are inserted is written by one of them, whatever they are called:
// by the one that presets least, which is what all others that let the rows be written preset as well.
// Where its check does not hold, the next one is asked, so that a role more takes nothing away. Rows that
// are nested in others have turns of their own, since a check may read the rows around them.

// turns say of each insert of a change, in the order in which they are planned, whose presets are written.
type turns struct {
	at   []int  // 0: of the role that presets least
	left []bool // another one comes afterwards
}

// mostTurns bounds how often one change is planned: each time it is made and undone.
const mostTurns = 32

// take is whose turn it is in the next insert, where there are so many.
func (t *turns) take(of int) int {
	n := len(t.left)
	if n == len(t.at) {
		t.at = append(t.at, 0)
	}
	t.left = append(t.left, t.at[n]+1 < of)
	return t.at[n]
}

// following are the turns after these, of which the last insert's is the first to pass; nil: there are none.
func (t *turns) following() []int {
	for n := len(t.left) - 1; n >= 0; n-- {
		if t.left[n] {
			return append(slices.Clone(t.at[:n]), t.at[n]+1)
		}
	}
	return nil
}

// errPresets refuses roles of which none presets least.
func (cb *changeBuilder) errPresets() error {
	return fault.New(fault.Forbidden, "several roles of yours let rows of %s be written, and each presets something else in them", cb.vis.Dataset.Name).
		WithHint("use a token that has one of the roles, or ask whoever grants them for one that presets nothing")
}

// leastPresets leaves, of grants that cover an insert, those whose presets are written.
func (cb *changeBuilder) leastPresets(lacking func() []*catalog.Column) error {
	if !slices.ContainsFunc(cb.grants, func(g grant) bool { return len(g.presets()) > 0 }) {
		return nil
	}
	if needed := lacking(); len(needed) > 0 {
		fill := slices.DeleteFunc(slices.Clone(cb.grants), func(g grant) bool { return !g.fills(needed) })
		if len(fill) > 0 { // otherwise a column is missing, which is told
			cb.grants = fill
		}
	}
	turns := inTurns(cb.grants)
	if len(turns) == 0 {
		return cb.errPresets()
	}
	cb.grants = turns[cb.turns.take(len(turns))]
	return nil
}

// inTurns are grants by how little they preset, those together that preset the same. What presets something
// else than others that are left has no turn, and neither have these.
func inTurns(rest []grant) (out [][]grant) {
	for len(rest) > 0 {
		at := slices.IndexFunc(rest, func(g grant) bool {
			return !slices.ContainsFunc(rest, func(other grant) bool { return !within(g.presets(), other.presets()) })
		})
		if at < 0 {
			break
		}
		least := rest[at].presets()
		var now, more []grant
		for _, g := range rest {
			if within(g.presets(), least) {
				now = append(now, g)
			} else {
				more = append(more, g)
			}
		}
		out, rest = append(out, now), more
	}
	return out
}

// within tells whether all of some presets are among others.
func within(some, others []catalog.Preset) bool {
	return !slices.ContainsFunc(some, func(p catalog.Preset) bool {
		return !slices.ContainsFunc(others, func(o catalog.Preset) bool { return o.Column == p.Column && reflect.DeepEqual(o.Value, p.Value) })
	})
}

// fills tells whether the presets of the grant fill in columns.
func (g grant) fills(columns []*catalog.Column) bool {
	return !slices.ContainsFunc(columns, func(col *catalog.Column) bool {
		return !slices.ContainsFunc(g.presets(), func(p catalog.Preset) bool { return p.Column == col })
	})
}

// lackingIn are the columns that a row needs and one of some rows does not give.
func (cb *changeBuilder) lackingIn(cells []row) (out []*catalog.Column) {
	for _, col := range cb.vis.Dataset.Columns {
		if cb.required(col) && slices.ContainsFunc(cells, func(r row) bool { return r.n == 0 && !slices.Contains(r.columns, col) }) {
			out = append(out, col)
		}
	}
	return out
}

// Otherwise is the same change with what another of the roles presets, after all of it was undone with
// an error; false: the error is not that a check did not hold, or there is no such role.
func (c Change) Otherwise(err error) (Change, bool) {
	if !c.Valid() || c.body.otherwise == nil || !c.body.outside(err) {
		return Change{}, false
	}
	next, err := c.body.otherwise()
	return next, err == nil
}

// outside tells the error of a check that did not hold, of these rows or of those nested in them.
func (c *change) outside(err error) bool {
	said := fault.From(err)
	if said != nil && slices.ContainsFunc(c.checks, func(check Check) bool {
		outside := fault.From(check.outside)
		return said.Code == outside.Code && said.Message == outside.Message
	}) {
		return true
	}
	within := func(of Change) bool { return of.body.outside(err) }
	return slices.ContainsFunc(c.before, within) || slices.ContainsFunc(c.after, within)
}
