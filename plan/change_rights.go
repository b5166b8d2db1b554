package plan

import (
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/query"
)

// grant is what lets a row be changed: one grant of a role and, where the tenant's own
// roles restrict it, one of theirs. Filter and check are always those of one grant.
type grant struct {
	filters, checks []query.Value
	of              []*catalog.WriteGrant
}

// plain tells a grant that asks for nothing.
func (g grant) plain() bool { return len(g.filters)+len(g.checks) == 0 }

// covers tells whether the grant covers columns that are given.
func (g grant) covers(columns []*catalog.Column) bool {
	return !slices.ContainsFunc(columns, func(col *catalog.Column) bool {
		return slices.ContainsFunc(g.of, func(one *catalog.WriteGrant) bool { return !one.Covers(col.Name) })
	})
}

func (g grant) presets() (out []catalog.Preset) {
	for _, one := range g.of {
		out = append(out, one.Presets...)
	}
	return out
}

// allowed finds what the principal may do to rows of the dataset, or refuses.
func (cb *changeBuilder) allowed() error {
	what := "deletes"
	if w := cb.vis.Writing(); w != nil {
		switch kind := cb.c.kind; {
		case kind.Inserts():
			cb.granted = w.Insert
		case kind.Updates():
			cb.granted = w.Update
		default:
			cb.granted = w.Delete
		}
	}
	if cb.c.kind.Inserts() {
		what = "inserts"
	} else if cb.c.kind.Updates() {
		what = "updates"
	}
	if cb.granted == nil {
		return fault.New(fault.Forbidden, "nothing that you hold %s rows of %s", what, cb.vis.Dataset.Name)
	}
	for _, role := range cb.granted.Roles {
		if cb.granted.Own == nil {
			cb.grants = append(cb.grants, grantOf(role))
		}
		for _, own := range cb.granted.Own {
			cb.grants = append(cb.grants, grantOf(role, own))
		}
	}
	return nil
}

func grantOf(of ...*catalog.WriteGrant) grant {
	g := grant{of: of}
	for _, one := range of {
		if one.Filter != nil {
			g.filters = append(g.filters, one.Filter)
		}
		if one.Check != nil {
			g.checks = append(g.checks, one.Check)
		}
	}
	return g
}

// covered leaves the grants that cover all columns that are given, and of an insert those whose
// presets are written: lacking are the columns that its rows do not give.
func (cb *changeBuilder) covered(lacking func() []*catalog.Column) error {
	cb.grants = slices.DeleteFunc(cb.grants, func(g grant) bool { return !g.covers(cb.asked) || cb.restores && !cb.showsDeleted(g) })
	if len(cb.grants) == 0 {
		return fault.New(fault.Forbidden, "no role of yours writes these columns of %s together", cb.vis.Dataset.Name).
			WithHint("write less of it at a time, or ask whoever grants the roles for one that writes all of it")
	}
	if lacking != nil {
		if err := cb.leastPresets(lacking); err != nil {
			return err
		}
	}
	if i := slices.IndexFunc(cb.grants, grant.plain); i >= 0 { // which lets all be done that others do
		cb.grants = cb.grants[i : i+1]
	}
	return nil
}

// showsDeleted tells whether the roles of a grant show rows that were deleted: what a role does
// not show, it does not restore.
func (cb *changeBuilder) showsDeleted(g grant) bool {
	return !slices.ContainsFunc(g.of, func(one *catalog.WriteGrant) bool {
		shown := func(r *catalog.Right) bool { return r.Update == one && r.IncludeDeleted }
		return !slices.ContainsFunc(cb.vis.Rights(), shown) && !slices.ContainsFunc(cb.vis.OwnRights(), shown)
	})
}

// settable is a column that the caller may give a value, or nil.
func (cb *changeBuilder) settable(name string) *catalog.Column {
	return cb.granted.Column(name)
}

// required tells a column that has to be given.
func (cb *changeBuilder) required(col *catalog.Column) bool {
	return cb.vis.Dataset.Writes.Required(col)
}
