package plan

import (
	"fmt"
	"slices"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// Upsert says what becomes of a row that is there already, by a key that holds the tenant.
type Upsert struct {
	key   []Field
	sets  []Set // a value that is not given is that of the row that was to be inserted
	own   []bool
	level Level
	held  []Level // of each update grant, where several decide on a row
	id    []string

	found [][]value.Value // by column of the key, then row: where nothing is written to rows that are there
	texts []string        // of what comes later
}

// Finds tells that rows that are there stay as they are, and are found by their keys: those of
// the level that have the values of Found.
func (u Upsert) Finds() bool { return u.found != nil }

// Found is the value of a column of the key in a row.
func (u Upsert) Found(column, row int) value.Value { return u.found[column][row].In(u.texts) }

// Identity is how many columns tell the rows of the level apart.
func (u Upsert) Identity() int { return len(u.id) }

// IdentityColumn is the name of the i-th of them.
func (u Upsert) IdentityColumn(i int) string { return u.id[i] }

// Keys is how many columns the key has.
func (u Upsert) Keys() int { return len(u.key) }

// Key is the i-th of them.
func (u Upsert) Key(i int) Field { return u.key[i] }

// Sets is the number of columns that are written.
func (u Upsert) Sets() int { return len(u.sets) }

// Set is the i-th of them.
func (u Upsert) Set(i int) Set {
	s := u.sets[i]
	s.value = s.value.in(u.texts)
	return s
}

// Inserted tells that the i-th column gets what the row had that was to be inserted.
func (u Upsert) Inserted(i int) bool { return u.own[i] }

// Level are the rows that may be changed.
func (u Upsert) Level() Level { return u.level.in(u.texts) }

// Helds is the number of grants that decide on a row one by one, each linked by the key: the
// filter of the one that held the row before goes with its check afterwards, which is each Helds-th of
// the change's. There are none where one grant decides on all.
func (u Upsert) Helds() int { return len(u.held) }

// Held are the rows that the i-th of them lets be changed.
func (u Upsert) Held(i int) Level { return u.held[i].in(u.texts) }

// Upsert says what becomes of rows that are there already; false: they are a conflict.
func (c Change) Upsert() (Upsert, bool) {
	u := c.body.upsert
	u.texts = c.texts()
	return u, len(u.key) > 0
}

// upsert reads onConflict. Rows that it changes are updated: that has to be granted too, by
// one grant, whose filter holds before and whose check holds afterwards.
func (cb *changeBuilder) upsert(cells []row, stamps []*catalog.Column, same []Given) error {
	given, ok, err := cb.args.object("onConflict")
	if err != nil || !ok {
		return err
	}
	if len(cb.c.before)+len(cb.c.after) > 0 {
		return fault.New(fault.BadUserInput, "onConflict does not go with rows that are nested").WithHint("insert those by a field of their own")
	}
	d := cb.vis.Dataset
	key, err := cb.conflictKey(member(given, "key"))
	if err != nil {
		return err
	}
	list, ok := member(given, "update").(query.List)
	if one, isEnum := member(given, "update").(query.Enum); isEnum {
		list, ok = query.List{one}, true
	}
	if !ok {
		return fault.New(fault.BadUserInput, "onConflict.update names the columns to write where a row is there already")
	}
	if len(list) == 0 {
		if err := cb.twice(key, cells, stamps, same); err != nil {
			return err
		}
		return cb.found(key, cells, stamps, same)
	}
	insertGrants := cb.grants
	may := cb.vis.Writing().Update
	if may == nil {
		return fault.New(fault.Forbidden, "nothing that you hold updates rows of %s", d.Name)
	}
	var columns []*catalog.Column
	for _, item := range list {
		col := may.Column(enumName(item))
		if col == nil || slices.Contains(d.Key, col) || slices.Contains(key, col) || cb.isStamp(col) {
			return fault.New(fault.BadUserInput, "%s of %s is not written where a row is there already", enumName(item), d.Name)
		}
		if !slices.Contains(columns, col) {
			columns = append(columns, col)
		}
	}
	updates, err := cb.updateGrants(may, columns)
	if err != nil {
		return err
	}
	if err := cb.twice(key, cells, stamps, same); err != nil {
		return err
	}
	u := Upsert{}
	for _, col := range key {
		if !cb.table.uses[0].binding.Columns[col.Name].Missing { // the tenant's, in a table of its own
			u.key = append(u.key, cb.stored(col))
		}
	}
	for _, col := range columns {
		u.sets, u.own = append(u.sets, Set{column: cb.stored(col)}), append(u.own, true)
	}
	presets, err := cb.presets(d.Writes.UpdatePresets)
	if err != nil {
		return err
	}
	for _, preset := range presets {
		u.sets, u.own = append(u.sets, Set{column: cb.stored(preset.column), value: preset.value}), append(u.own, false)
		cb.wrote([]*catalog.Column{preset.column})
	}
	if v := d.Writes.Version; v != nil {
		one, err := typed(v.Type, query.Number("1"))
		if err != nil {
			return err
		}
		u.sets, u.own = append(u.sets, Set{column: cb.stored(v), value: Given{value: one}, add: true}), append(u.own, false)
	}
	lb, err := cb.changeable(updates)
	if err != nil {
		return err
	}
	for _, col := range d.Key {
		lb.read(0, col)
		u.id = append(u.id, col.Name)
	}
	if u.level, err = cb.sealed(lb, true); err != nil {
		return err
	}
	if len(updates) > 1 {
		if u.held, err = cb.heldBy(updates, key); err != nil {
			return err
		}
		cb.c.snapshot = true // a row that comes meanwhile is seen by none of them, and begins the change anew
	}
	cb.c.upsert = u
	cb.grants = nil // a row that is there afterwards is right by both
	for _, g := range insertGrants {
		for _, update := range updates {
			cb.grants = append(cb.grants, grant{checks: slices.Concat(g.checks, update.checks), of: g.of})
		}
	}
	return nil
}

// changeable is a level of rows that are shown, and that one of some grants lets be updated.
func (cb *changeBuilder) changeable(by []grant) (*levelBuilder, error) {
	lb := cb.level()
	if _, err := lb.root(cb.vis.Dataset); err != nil {
		return nil, err
	}
	lb.l.limit = All
	lb.role = func(at whereAt) (Expr, error) {
		read, err := lb.roleFilter(0, at)
		if err != nil {
			return Expr{}, err
		}
		granted := make([]Expr, 0, len(by))
		for _, g := range by {
			e, err := holds(g.filters)(lb, at)
			if err != nil {
				return Expr{}, err
			}
			granted = append(granted, e)
		}
		return all([]Expr{read, anyOf(granted)}), nil
	}
	return lb, nil
}

// heldBy are for each grant the rows that it lets be updated, found by a key.
func (cb *changeBuilder) heldBy(updates []grant, key []*catalog.Column) ([]Level, error) {
	var out []Level
	for _, g := range updates {
		lb, err := cb.changeable([]grant{g})
		if err != nil {
			return nil, err
		}
		for _, col := range key {
			if !cb.table.uses[0].binding.Columns[col.Name].Missing {
				lb.l.parent = append(lb.l.parent, Link{cell: len(lb.l.parent), typ: col.Type, own: lb.read(0, col)})
			}
		}
		l, err := cb.sealed(lb, true)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// found plans that rows which are there already stay as they are: of each row the whole key has to
// be known, by which it is found.
func (cb *changeBuilder) found(key []*catalog.Column, cells []row, stamps []*catalog.Column, same []Given) error {
	d, lb := cb.vis.Dataset, cb.level()
	if cb.c.target.Kind != catalog.Postgres {
		return fault.New(fault.NotImplemented, "rows of %s are in a source that tells nobody which of them it has left as they are", d.Name).
			WithHint("onConflict.update names a column at least there")
	}
	if _, err := lb.root(d); err != nil {
		return err
	}
	u := Upsert{found: [][]value.Value{}}
	for _, col := range key {
		if cb.table.uses[0].binding.Columns[col.Name].Missing {
			continue
		}
		list := make([]value.Value, len(cells))
		for n, row := range cells {
			given, ok := row.at(col)
			if i := slices.Index(stamps, col); !ok && i >= 0 {
				given, ok = same[i], true
			}
			if !ok || given.Null() || given.list {
				f := fault.New(fault.BadUserInput, "%s is missing, by which a row is found that is there already", col.Name)
				f.At = fmt.Sprintf("%s.rows.%d", cb.c.key, n)
				return f
			}
			list[n] = given.value
		}
		lb.l.parent = append(lb.l.parent, Link{cell: len(u.key), typ: col.Type, own: lb.read(0, col)})
		u.key, u.found = append(u.key, cb.stored(col)), append(u.found, list)
	}
	lb.l.limit = All
	for _, col := range d.Key {
		lb.l.columns = append(lb.l.columns, lb.read(0, col))
	}
	var err error
	u.level, err = cb.sealed(lb, true)
	cb.c.upsert = u
	return err
}

// conflictKey is the unique key that onConflict names.
func (cb *changeBuilder) conflictKey(v query.Value) ([]*catalog.Column, error) {
	for _, key := range cb.vis.Dataset.Writes.Keys {
		if key.Name == enumName(v) && cb.shows(key.Columns) {
			return key.Columns, nil
		}
	}
	return nil, fault.New(fault.BadUserInput, "onConflict.key names no key of %s", cb.vis.Dataset.Name)
}

// shows tells whether the principal sees all columns of a key but the tenant's.
func (cb *changeBuilder) shows(columns []*catalog.Column) bool {
	return !slices.ContainsFunc(columns, func(col *catalog.Column) bool {
		return col != cb.vis.Dataset.Tenant && cb.vis.Column(col.Name) == nil
	})
}

// updateGrants are the grants that cover columns which are updated. One that asks for nothing
// decides on all.
func (cb *changeBuilder) updateGrants(may *catalog.Granted, columns []*catalog.Column) ([]grant, error) {
	var out []grant
	for _, role := range may.Roles {
		if may.Own == nil {
			out = append(out, grantOf(role))
		}
		for _, own := range may.Own {
			out = append(out, grantOf(role, own))
		}
	}
	out = slices.DeleteFunc(out, func(g grant) bool { return !g.covers(columns) })
	if len(out) == 0 {
		return nil, fault.New(fault.Forbidden, "no role of yours updates these columns of %s together", cb.vis.Dataset.Name)
	}
	if i := slices.IndexFunc(out, grant.plain); i >= 0 {
		out = out[i : i+1]
	}
	return out, nil
}

// twice refuses rows of which two have the same key: what becomes of the row would depend on
// their order.
func (cb *changeBuilder) twice(key []*catalog.Column, cells []row, stamps []*catalog.Column, same []Given) error {
	if len(cells) == 1 {
		return nil
	}
	if err := cb.look(); err != nil {
		return err
	}
	seen := make(map[string]bool, len(cells))
	for n, row := range cells {
		text, whole := "", true
		for _, col := range key {
			given, ok := row.at(col)
			if i := slices.Index(stamps, col); !ok && i >= 0 {
				given, ok = same[i], true
			}
			if col != cb.vis.Dataset.Tenant && (!ok || given.Null()) {
				whole = false // it has a key of its own
				break
			}
			text += fmt.Sprintf("%d:%s", len(given.value.Text()), given.value.Text())
		}
		if whole && seen[text] {
			f := fault.New(fault.BadUserInput, "two rows have the same key")
			f.At = fmt.Sprintf("%s.rows.%d", cb.c.key, n)
			return f
		}
		seen[text] = true
	}
	return nil
}
