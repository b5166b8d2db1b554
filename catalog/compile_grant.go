package catalog

import "strconv"

// writeGrants compiles what a role says of writing a dataset. A role changes no
// row and no column that it does not show: what it leaves out is its own filter and
// its own columns.
func (c *compiler) writeGrants(at place, d *Dataset, role string, r *Right, spec RightSpec) {
	if in := spec.Insert; in != nil {
		at := at.in("insert")
		c.mayBeGranted(at, d, d.Writes != nil && d.Writes.Insert, InsertRows)
		g := &WriteGrant{Role: role, Columns: c.writeColumns(at.in("columns"), d, r, in.Columns, false), Check: in.Check}
		c.policy(at.in("check"), d, in.Check)
		if in.Check == nil {
			g.Check = r.Filter
		}
		g.Presets = c.presets(at.in("presets"), d, in.Presets)
		r.Insert = g
	}
	if up := spec.Update; up != nil {
		at := at.in("update")
		c.mayBeGranted(at, d, d.Writes != nil && d.Writes.Update, UpdateRows)
		c.policy(at.in("filter"), d, up.Filter)
		c.policy(at.in("check"), d, up.Check)
		g := &WriteGrant{Role: role, Columns: c.writeColumns(at.in("columns"), d, r, up.Columns, spec.IncludeDeleted), Filter: both(r.Filter, up.Filter), Check: up.Check}
		if up.Check == nil {
			g.Check = g.Filter
		}
		r.Update = g
	}
	if del := spec.Delete; del != nil {
		at := at.in("delete")
		c.mayBeGranted(at, d, d.Writes != nil && d.Writes.Delete, DeleteRows)
		c.policy(at.in("filter"), d, del.Filter)
		r.Delete = &WriteGrant{Role: role, Filter: both(r.Filter, del.Filter)}
	}
	if spec.IncludeDeleted && d.Deleted == nil && len(d.Columns) > 0 {
		at.in("include_deleted").problem("%s keeps no deleted rows", d.Name)
	}
	r.IncludeDeleted = spec.IncludeDeleted
}

// mayBeGranted refuses a grant of what nobody may.
func (c *compiler) mayBeGranted(at place, d *Dataset, writable bool, op string) {
	if writable || len(d.Columns) == 0 {
		return
	}
	if c.sees != nil { // a tenant's administrator writes no file
		at.problem("nothing of %s may be written in this way", d.Name)
		return
	}
	at.problem("grants what nobody may; say `writable: [%s]` at datasets.%s", op, d.Name)
}

// writeColumns are those of a grant; nil: all of the dataset's. Who restores rows may set
// the column to null that says when they were deleted.
func (c *compiler) writeColumns(at place, d *Dataset, r *Right, names []string, restores bool) map[string]bool {
	if names == nil {
		return r.Columns
	}
	if len(names) == 0 {
		at.problem("is empty, so nothing could be written; leave it out for all that the role shows")
	}
	out := make(map[string]bool, len(names))
	for i, name := range names {
		at := at.in(strconv.Itoa(i))
		switch col := c.nameable(d, name); {
		case len(d.Columns) == 0:
		case col == nil:
			at.problem("%s has no column %s", d.Name, name)
		case !r.Grants(name):
			at.problem("%s is not among the columns that the role shows", name)
		case d.Writes != nil && !d.Writes.given[col].insert && !d.Writes.given[col].update && !(restores && d.Writes.given[col].restores):
			at.problem("%s is never given a value: usher or the database sets it", name)
		}
		out[name] = true
	}
	return out
}
