package plan

import (
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
)

// update plans what is written into rows that are there.
func (cb *changeBuilder) update() error {
	set := oneAt(cb.c.key + ".set")
	sets, cells, err := cb.sets(set)
	if err != nil {
		return err
	}
	if err := cb.covered(nil); err != nil {
		return err
	}
	cb.c.update.sets = sets
	if err := cb.choose(); err != nil {
		return err
	}
	err = cb.refer(1, set.rows, func(_ int, col *catalog.Column) (Given, bool) {
		g, ok := cells[col]
		return g, ok
	})
	if err != nil {
		return err
	}
	lb, err := cb.keyed(everyWritten)
	if err != nil {
		return err
	}
	lb.deleted = cb.restores
	if cb.c.update.level, err = cb.sealed(lb, true); err != nil {
		return err
	}
	return cb.checked()
}

// sets reads what is to be written: set, increment, presets and the version.
func (cb *changeBuilder) sets(under inputAt) (sets []Set, cells map[*catalog.Column]Given, err error) {
	d, p := cb.vis.Dataset, cb.problems()
	set, _, err := cb.args.condition("set")
	p.ok("set", err)
	increment, _, err := cb.args.condition("increment")
	p.ok("increment", err)
	cells = make(map[*catalog.Column]Given)
	var columns []*catalog.Column
	put := func(col *catalog.Column, given Given, place string, added bool, err error) {
		if err == nil && slices.Contains(d.Key, col) {
			err = fault.New(fault.BadUserInput, "%s is of the key of %s, which stays", col.Name, d.Name)
		}
		if err == nil && slices.Contains(columns, col) {
			err = fault.New(fault.BadUserInput, "%s is set twice", col.Name)
		}
		if err == nil && cb.isStamp(col) {
			if !given.Null() || added {
				err = fault.New(fault.BadUserInput, "%s says when the row was deleted: null restores it, and nothing else is written there", col.Name)
			}
			cb.restores = true
		}
		if err == nil && added && given.Null() {
			err = fault.New(fault.BadUserInput, "%s is incremented by a number, not by null", col.Name)
		}
		if err == nil && added && !col.Type.Numeric() {
			err = fault.New(fault.BadUserInput, "%s is no number that can be incremented", col.Name)
		}
		if !p.ok(place, err) {
			return
		}
		cb.asked = append(cb.asked, col)
		columns = append(columns, col)
		sets = append(sets, Set{column: cb.stored(col), value: given, add: added, place: place})
		if !added {
			cells[col] = given
		}
	}
	add := func(m query.Member, place string, added bool) {
		col, given, err := cb.member(m, oneAt(cb.c.key+"."+place))
		put(col, given, place+"."+m.Name, added, err)
	}
	for _, m := range set {
		rel := cb.relation(m.Name)
		if rel == nil || rel.Many {
			add(m, "set", false)
			continue
		}
		given, err := cb.nest(rel, m.Value, under, 0)
		if p.ok("set."+m.Name, err) {
			for _, pair := range cb.own(rel) {
				put(pair.From, given[pair.From], strings.TrimPrefix(under.member(pair.From.Name), cb.c.key+"."), false, nil)
			}
		}
	}
	for _, m := range increment {
		add(m, "increment", true)
	}
	if err := p.err(); err != nil {
		return nil, nil, err
	}
	if len(columns) == 0 {
		return nil, nil, fault.New(fault.BadUserInput, "nothing is set")
	}
	cb.wrote(columns)
	more, own, err := cb.changedBeside()
	if err != nil {
		return nil, nil, err
	}
	for i, col := range own { // presets come first
		cells[col] = more[i].value
	}
	sets = append(sets, more...)
	cb.wrote(own)
	if by := cb.deletedBy(); cb.restores && by != nil && !slices.Contains(own, by) {
		sets = append(sets, Set{column: cb.stored(by)})
		cb.wrote([]*catalog.Column{by})
	}
	return sets, cells, nil
}

// isStamp tells the column that says when a row was deleted. Who sees deleted rows restores
// them by it.
func (cb *changeBuilder) isStamp(col *catalog.Column) bool {
	deleted := cb.vis.Dataset.Deleted
	return deleted != nil && col == deleted.At
}

func (cb *changeBuilder) deletedBy() *catalog.Column {
	if cb.vis.Dataset.Deleted == nil {
		return nil
	}
	return cb.vis.Dataset.Deleted.By
}

// choose plans which rows are changed, in the view in which they are read.
func (cb *changeBuilder) choose() error {
	lb, err := cb.start(cb.vis, nil)
	if err != nil {
		return err
	}
	lb.deleted = cb.restores
	lb.role = func(at whereAt) (Expr, error) {
		read, err := lb.roleFilter(0, at)
		if err != nil {
			return Expr{}, err
		}
		var granted []Expr
		for _, g := range cb.grants {
			e, err := holds(g.filters)(lb, at)
			if err != nil {
				return Expr{}, err
			}
			granted = append(granted, e)
		}
		return all([]Expr{read, anyOf(granted), cb.ofOpen(lb)}), nil
	}
	if err := cb.which(lb); err != nil {
		return err
	}
	for _, col := range cb.keyColumns() {
		lb.l.columns = append(lb.l.columns, lb.read(0, col))
		lb.order(Order{expr: lb.read(0, col)})
	}
	if err := cb.versioned(lb); err != nil {
		return err
	}
	if cb.c.above, err = cb.upwards(lb); err != nil {
		return err
	}
	if cb.called() {
		cb.c.was = cb.over(lb)
	}
	if cb.c.chosen, err = cb.sealed(lb, true); err != nil {
		return err
	}
	if len(cb.c.chosen.refs[0].policy) > 0 {
		only := cb.level()
		if _, err := only.root(cb.vis.Dataset); err != nil {
			return err
		}
		cb.link(only)
		cb.c.locked = only.l
	}
	if len(cb.grants) == 1 {
		return nil
	}
	for _, g := range cb.grants {
		one, err := cb.keyed(holds(g.filters))
		if err != nil {
			return err
		}
		one.deleted = cb.restores
		level, err := cb.sealed(one, true)
		if err != nil {
			return err
		}
		cb.c.held = append(cb.c.held, level)
	}
	return nil
}

// which reads the key, or the condition.
func (cb *changeBuilder) which(lb *levelBuilder) error {
	if cb.links != nil {
		lb.l.limit = MaxChanged + 1
		for _, pair := range cb.links {
			cell := slices.Index(cb.inside.keyColumns(), pair.From)
			lb.l.parent = append(lb.l.parent, Link{cell: cell, typ: pair.From.Type, own: lb.read(0, pair.To)})
		}
		return nil
	}
	if cb.c.kind.One() {
		return cb.byKey(lb)
	}
	limit, ok, err := cb.args.integer("limit")
	if err != nil {
		return err
	}
	if lb.l.limit = MaxChanged + 1; ok {
		if limit > MaxChanged {
			return fault.New(fault.TooComplex, "limit %d is more than the %d rows that one change may change", limit, MaxChanged)
		}
		lb.l.limit = limit
	}
	where, has, err := cb.args.condition("where")
	if err != nil {
		return err
	}
	every, hasAll := cb.args.get("all")
	switch {
	case has == hasAll:
		return fault.New(fault.BadUserInput, "name the rows: exactly one of where and all").
			WithHint("write where with a condition, or all: true for every row")
	case hasAll && every != query.Bool(true):
		return fault.New(fault.BadUserInput, "all is true or is left out")
	case hasAll:
		return nil
	}
	e, err := lb.where(whereAt{ref: 0, inside: -1, zone: lb.zone}, cb.vis.Dataset, where)
	if err != nil {
		return err
	}
	if named := len(lb.l.refs) > 1 || len(lb.uses[0].asked) > 0; !named || lb.unfailing(e) {
		return fault.New(fault.BadUserInput, "where has no condition that a row could fail").WithHint("write a condition, or all: true for every row")
	}
	lb.l.where = e
	return nil
}

func (cb *changeBuilder) byKey(lb *levelBuilder) error {
	key := cb.vis.Key()
	if len(key) == 0 {
		return fault.New(fault.BadUserInput, "%s has no key", cb.vis.Dataset.Name)
	}
	if cb.vis.Writing().Named { // the tenant is, and in one column there is nothing else
		key = slices.DeleteFunc(key, func(col *catalog.Column) bool { return col == cb.vis.Dataset.Tenant })
	}
	var parts []Expr
	for _, col := range key {
		given, _ := cb.args.open(col.Name)
		if given == nil {
			return fault.New(fault.BadUserInput, "the key %s is missing", col.Name)
		}
		v, err := typed(col.Type, given)
		if err != nil {
			return fault.New(fault.BadUserInput, "%s: %v", col.Name, err)
		}
		parts = append(parts, predicate(Eq, lb.ask(0, col), literal(v)))
	}
	lb.l.where, lb.l.limit = all(parts), 2
	return nil
}

// versioned adds the cell that says whether a row has the version that was named.
func (cb *changeBuilder) versioned(lb *levelBuilder) error {
	given, ok := cb.args.get("version")
	if !ok {
		return nil
	}
	col := cb.vis.Dataset.Writes.Version
	if col == nil || !cb.c.kind.One() {
		return fault.New(fault.BadUserInput, "%s has no version", cb.vis.Dataset.Name)
	}
	v, err := typed(col.Type, given)
	if err != nil {
		return fault.New(fault.BadUserInput, "version: %v", err)
	}
	cb.c.version = true
	lb.l.columns = append(lb.l.columns, predicate(Eq, lb.read(0, col), literal(v)))
	return nil
}

// delete plans rows that are removed, or stamped as deleted where that is how they
// are kept.
func (cb *changeBuilder) delete() error {
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
	rows, err := cb.sealed(lb, true)
	if err != nil {
		return err
	}
	if err := cb.behind(); err != nil {
		return err
	}
	deleted := cb.vis.Dataset.Deleted
	if deleted == nil {
		cb.c.remove = rows
		return nil
	}
	at, err := cb.instant(deleted.At)
	if err != nil {
		return err
	}
	cb.c.update = Update{level: rows, sets: []Set{{column: cb.stored(deleted.At), value: Given{value: at}}}}
	if deleted.By != nil {
		by := Given{}
		if by.value, err = cb.subjectIn(deleted.By.Type); err != nil {
			return fault.New(fault.Forbidden, "who deletes rows of %s is noted there, and your subject does not fit", cb.vis.Dataset.Name)
		}
		cb.c.update.sets = append(cb.c.update.sets, Set{column: cb.stored(deleted.By), value: by})
	}
	if v := cb.vis.Dataset.Writes.Version; v != nil {
		one, err := typed(v.Type, query.Number("1"))
		if err != nil {
			return err
		}
		cb.c.update.sets = append(cb.c.update.sets, Set{column: cb.stored(v), value: Given{value: one}, add: true})
	}
	return nil
}
