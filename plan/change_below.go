package plan

import (
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// Rows that refer to a row that is deleted are kept from being left behind: they restrict it,
// or are deleted or unlinked before it by changes of their own, each under its
// scope and by the grants of whoever deletes. What the database would do by itself is
// done so as well, for it asks nobody for a right. Of rows that are left afterwards, seen
// or not, none may refer to a row that is gone.

// Dependents is the number of changes of rows that refer to those that are deleted. Their
// chosen rows are linked by cells of the key.
func (c Change) Dependents() int { return len(c.body.dependents) }

// Dependent is the i-th of them.
func (c Change) Dependent(i int) Change { return c.inner(c.body.dependents[i]) }

// Leftovers is the number of relations by which no row may refer to the deleted ones once the
// dependents are done.
func (c Change) Leftovers() int { return len(c.body.leftovers) }

// Leftover is the i-th of them.
func (c Change) Leftover(i int) Keeper { return c.body.leftovers[i].in(c.texts()) }

// Nested is the number of changes that belong to this one, but for those that belong to them.
func (c Change) Nested() int {
	return len(c.body.before) + len(c.body.after) + len(c.body.dependents)
}

// NestedAt is the i-th of them.
func (c Change) NestedAt(i int) Change {
	for _, list := range [][]Change{c.body.before, c.body.after} {
		if i < len(list) {
			return c.inner(list[i])
		}
		i -= len(list)
	}
	return c.Dependent(i)
}

// behind plans what becomes of the rows that refer to those that are deleted.
func (cb *changeBuilder) behind() error {
	d := cb.vis.Dataset
	for _, rel := range d.Relations {
		if err := cb.left(rel.To, rel.On, rel.OnDelete); err != nil {
			return err
		}
	}
	if d.Deleted != nil {
		return nil // the row stays, and with it what refers to it
	}
	target := cb.table.uses[0].binding.Target
	if target == nil { // nobody knows of any
		return nil
	}
	for _, r := range target.Referrers {
		if r.OnDelete == catalog.NoAction {
			continue
		}
		refused := fault.New(fault.Forbidden, "deleting rows of %s changes rows that you may not change", d.Name)
		if r.Dataset == nil || len(r.Columns) == 0 || len(r.Columns) != len(r.Others) {
			return refused
		}
		on := make([]catalog.Pair, len(r.Columns))
		for i := range on {
			on[i] = catalog.Pair{From: r.Columns[i], To: r.Others[i]}
		}
		switch {
		case r.Dataset == d: // it does not end: the rows are of a tree
			lb, err := cb.start(cb.vis, nil)
			if err != nil {
				return err
			}
			if r.OnDelete != catalog.CascadeTo || !slices.ContainsFunc(cb.grants, grant.plain) || !lb.seesAll(lb.uses[0]) {
				return refused
			}
		case slices.ContainsFunc(d.Relations, func(rel *catalog.Relation) bool {
			return rel.To == r.Dataset && rel.OnDelete != catalog.LeaveToSource && catalog.SamePairs(cb.tenantPair(d, rel.To, rel.On), cb.tenantPair(d, rel.To, on))
		}):
		case r.OnDelete == catalog.CascadeTo:
			if err := cb.left(r.Dataset, on, catalog.Cascade); err != nil {
				return err
			}
		case r.OnDelete == catalog.SetsNull:
			if err := cb.left(r.Dataset, on, catalog.Unlink); err != nil {
				return err
			}
		default:
			return refused
		}
	}
	return nil
}

// left plans what becomes of the rows of one relation.
func (cb *changeBuilder) left(to *catalog.Dataset, on []catalog.Pair, how catalog.OnDelete) error {
	d := cb.vis.Dataset
	if how == catalog.LeaveToSource {
		return nil
	}
	keeper, links, err := cb.keeper(to, cb.tenantPair(d, to, on))
	if err != nil {
		return err
	}
	if how == catalog.Restrict {
		cb.c.keepers = append(cb.c.keepers, keeper)
		return nil
	}
	vis := cb.view.Dataset(to.Name)
	if vis == nil {
		return fault.New(fault.Forbidden, "deleting rows of %s changes rows that you may not change", d.Name)
	}
	if to == d || slices.Contains(cb.under, to) {
		return fault.New(fault.NotImplemented, "rows of %s are not deleted where that leads back to rows of %s", d.Name, cb.nameOf(to)).
			WithHint("delete those first")
	}
	sub := cb.nested(vis, query.Delete, cb.field)
	sub.under, sub.links = append(slices.Clone(cb.under), d), links
	if how == catalog.Unlink {
		sub.c.kind = query.Update
	}
	if err := sub.open(); err != nil {
		return err
	}
	if sub.c.target != cb.c.target {
		return fault.New(fault.NotImplemented, "rows of %s are not deleted where rows of %s are in another source", d.Name, cb.nameOf(to))
	}
	if how == catalog.Unlink {
		err = sub.unlink(on)
	} else {
		err = sub.delete()
	}
	if err != nil {
		return err
	}
	keeper.refusal = fault.New(fault.Conflict, "rows of %s are referred to by rows of %s that you may not change", d.Name, cb.nameOf(to))
	cb.c.dependents, cb.c.leftovers = append(cb.c.dependents, Change{body: sub.c}), append(cb.c.leftovers, keeper)
	cb.c.snapshot = cb.c.snapshot || sub.c.snapshot
	return nil
}

// keeper is the rows of a relation, whether they are seen or not. Those that are kept though
// they were deleted keep nothing.
func (cb *changeBuilder) keeper(to *catalog.Dataset, on []catalog.Pair) (Keeper, []catalog.Pair, error) {
	d, lb := cb.vis.Dataset, cb.level()
	if _, err := lb.root(to); err != nil {
		return Keeper{}, nil, err
	}
	lb.l.limit = 1
	if to.Deleted != nil {
		lb.l.where = predicate(IsNull, lb.read(0, to.Deleted.At))
	}
	for _, pair := range on {
		cell := slices.Index(cb.keyColumns(), pair.From)
		if cell < 0 {
			return Keeper{}, nil, fault.New(fault.NotImplemented, "rows of %s are not deleted where those of %s refer to other columns than the key", d.Name, cb.nameOf(to))
		}
		lb.l.parent = append(lb.l.parent, Link{cell: cell, typ: pair.From.Type, own: lb.read(0, pair.To)})
	}
	if lb.failed != nil || lb.l.refs[0].target != cb.c.target {
		return Keeper{}, nil, fault.New(fault.NotImplemented, "rows of %s are not deleted where rows of %s are in another source", d.Name, cb.nameOf(to))
	}
	cb.c.snapshot = true
	return Keeper{level: lb.l, refusal: fault.New(fault.Conflict, "rows of %s are referred to by rows of %s", d.Name, cb.nameOf(to))}, on, nil
}

// nested is the builder of a change that belongs to this one.
func (cb *changeBuilder) nested(vis *catalog.Visible, kind query.ChangeKind, field query.Field) *changeBuilder {
	return &changeBuilder{
		builder: cb.builder, vis: vis, field: field, inside: cb, turns: cb.turns,
		c: &change{kind: kind, key: cb.c.key, dataset: vis.Dataset.Name, typ: vis.Dataset.Type + "Change", identity: cb.c.identity, names: make(map[string]string)},
	}
}

// unlink plans that rows lead nowhere any more.
func (cb *changeBuilder) unlink(on []catalog.Pair) error {
	d := cb.vis.Dataset
	for _, pair := range on {
		if pair.To == d.Owner() {
			continue
		}
		if cb.settable(pair.To.Name) == nil || slices.Contains(d.Key, pair.To) || !cb.stored(pair.To).Null {
			return fault.New(fault.Forbidden, "nothing that you hold unlinks rows of %s", d.Name)
		}
		cb.asked = append(cb.asked, pair.To)
		cb.c.update.sets = append(cb.c.update.sets, Set{column: cb.stored(pair.To)})
	}
	if len(cb.asked) == 0 {
		return fault.New(fault.NotImplemented, "rows of %s cannot be unlinked", d.Name)
	}
	cb.wrote(cb.asked)
	more, own, err := cb.changedBeside()
	if err != nil {
		return err
	}
	cb.c.update.sets = append(cb.c.update.sets, more...)
	cb.wrote(own)
	if err := cb.covered(nil); err != nil {
		return err
	}
	if err := cb.choose(); err != nil {
		return err
	}
	lb, err := cb.keyed(everyWritten)
	if err != nil {
		return err
	}
	if cb.c.update.level, err = cb.sealed(lb, true); err != nil {
		return err
	}
	return cb.checked()
}

// changedBeside is what usher writes into a row that is changed, and to which columns.
func (cb *changeBuilder) changedBeside() (sets []Set, own []*catalog.Column, err error) {
	d := cb.vis.Dataset
	presets, err := cb.presets(d.Writes.UpdatePresets)
	if err != nil {
		return nil, nil, err
	}
	for _, preset := range presets {
		sets, own = append(sets, Set{column: cb.stored(preset.column), value: preset.value}), append(own, preset.column)
	}
	if v := d.Writes.Version; v != nil {
		var one value.Value
		if one, err = typed(v.Type, query.Number("1")); err != nil {
			return nil, nil, err
		}
		sets = append(sets, Set{column: cb.stored(v), value: Given{value: one}, add: true})
	}
	return sets, own, nil
}
