package catalog

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"usher/query"
	"usher/value"
)

// Writing compiles in steps of its own, after all that is read is known: what
// tables are to whoever writes to them, what the file allows, and whether that
// may be.

// deleted makes rows that are stamped as deleted no rows of the dataset.
func (c *compiler) deleted(d *draft) {
	spec, at := d.spec.Deleted, d.at.in("deleted")
	if spec == (DeletedSpec{}) || len(d.Columns) == 0 {
		return
	}
	if spec.At == "" {
		at.problem("must name under `at` the column with the time at which a row was deleted")
		return
	}
	col := c.kept(at.in("at"), d, spec.At)
	if col == nil {
		return
	}
	switch {
	case !slices.Contains([]value.Scalar{value.Timestamp, value.LocalTimestamp, value.Date}, col.Type.Scalar) || col.Type.List:
		at.in("at").problem("the type of %s is %s; it must be a Timestamp, a LocalTimestamp or a Date", col.Name, col.Type.GraphQL())
	case !col.Nullable:
		at.in("at").problem("%s is never null, so every row would be deleted", col.Name)
	}
	d.Deleted = &Deleted{At: col, Filter: d.Filter}
	if spec.By != "" {
		if by := c.kept(at.in("by"), d, spec.By); by != nil {
			if !by.Type.Text() && by.Type.Scalar != value.UUID {
				at.in("by").problem("the type of %s is %s; the subject of a token is text", by.Name, by.Type.GraphQL())
			}
			d.Deleted.By = by
		}
	}
	d.Filter = both(d.Filter, query.Object{{Name: col.Name, Value: query.Object{{Name: "isNull", Value: query.Bool(true)}}}})
}

// both holds where two conditions do, of which either may be nil.
func both(a, b query.Value) query.Value {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return query.Object{{Name: "and", Value: query.List{a, b}}}
}

// kept is a column that usher keeps: one that every table has, and which says nothing of whose a row is.
func (c *compiler) kept(at place, d *draft, name string) *Column {
	col := d.columns[name]
	switch {
	case col == nil:
		at.problem("there is no column %s", name)
	case col == d.Tenant:
		at.problem("%s is the tenant column, which says whose a row is", name)
	case col.Only != nil:
		at.problem("%s is only some tenants', and is kept in everybody's rows", name)
	case slices.Contains(d.Key, col):
		at.problem("%s identifies rows, so it stays as it is", name)
	default:
		return col
	}
	return nil
}

// writes compiles what the file says of writing a dataset.
func (c *compiler) writes(d *draft) {
	for i, names := range d.spec.Keys {
		c.declaredKey(d.at.in("keys", strconv.Itoa(i)), d, names)
	}
	w := &Writes{GlobalKeys: d.spec.GlobalKeys, given: make(map[*Column]giving)}
	at := d.at.in("writable")
	if d.spec.Writable != nil && len(d.spec.Writable) == 0 {
		at.problem("is empty, so nothing could be written; leave it out, or name %s, %s or %s", InsertRows, UpdateRows, DeleteRows)
	}
	for i, op := range d.spec.Writable {
		if slices.Contains(d.spec.Writable[:i], op) {
			at.problem("names %s twice", op)
		}
		switch op {
		case InsertRows:
			w.Insert = true
		case UpdateRows:
			w.Update = true
		case DeleteRows:
			w.Delete = true
		default:
			at.problem("there is no operation %s; there are %s, %s and %s", op, InsertRows, UpdateRows, DeleteRows)
		}
	}
	w.InsertPresets = c.presets(d.at.in("presets", "insert"), d.Dataset, d.spec.Presets.Insert)
	w.UpdatePresets = c.presets(d.at.in("presets", "update"), d.Dataset, d.spec.Presets.Update)
	c.version(d, w)
	if !w.Insert && !w.Update && !w.Delete {
		for key, said := range map[string]bool{
			"presets": len(d.spec.Presets.Insert)+len(d.spec.Presets.Update) > 0, "version": d.spec.Version != "", "global_keys": d.spec.GlobalKeys,
		} {
			if said && len(d.spec.Writable) == 0 {
				d.at.in(key).problem("is about writing, and nothing of %s is written; say `writable: true`, or leave it out", d.Name)
			}
		}
		return
	}
	d.Writes = w
}

func (c *compiler) declaredKey(at place, d *draft, names Names) {
	if len(names) == 0 {
		at.problem("is empty; name columns that no two rows share")
	}
	for _, name := range names {
		switch col := d.columns[name]; {
		case len(d.Columns) == 0:
		case col == nil:
			at.problem("there is no column %s", name)
		case col.Only != nil:
			at.problem("%s is only some tenants', and tells everybody's rows apart", name)
		case !col.Type.Groupable():
			at.problem("%s, a %s, cannot tell rows apart", name, col.Type.GraphQL())
		}
	}
}

func (c *compiler) version(d *draft, w *Writes) {
	if d.spec.Version == "" || len(d.Columns) == 0 {
		return
	}
	at := d.at.in("version")
	col := c.kept(at, d, d.spec.Version)
	if col == nil {
		return
	}
	switch {
	case col.Type.Scalar != value.Int && col.Type.Scalar != value.BigInt || col.Type.List:
		at.problem("the type of %s is %s; a version is an Int or a BigInt that counts changes", col.Name, col.Type.GraphQL())
	case col.Nullable:
		at.problem("%s may be null, which no version is older than; make the column NOT NULL", col.Name)
	}
	w.Version = col
}

// presets compiles values that usher writes.
func (c *compiler) presets(at place, d *Dataset, spec map[string]query.Value) []Preset {
	if len(d.Columns) == 0 {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(spec)) {
		if c.nameable(d, name) == nil {
			at.in(name).problem("%s has no column %s", d.Name, name)
		}
	}
	var out []Preset
	for _, col := range d.Columns {
		v, ok := spec[col.Name]
		if !ok || c.nameable(d, col.Name) == nil {
			continue
		}
		at := at.in(col.Name)
		switch {
		case col == d.Tenant:
			at.problem("%s is the tenant column, which usher sets", col.Name)
		case col.Extra:
			at.problem("%s is an extra column of tenants, which the tables of others do not have", col.Name)
		default:
			c.presetValue(at, col, v)
			out = append(out, Preset{Column: col, Value: v})
		}
	}
	return out
}

func (c *compiler) presetValue(at place, col *Column, v query.Value) {
	times := []value.Scalar{value.Timestamp, value.LocalTimestamp, value.Date}
	ref, ok := v.(query.Text)
	switch {
	case v == Now && (col.Type.List || !slices.Contains(times, col.Type.Scalar)):
		at.problem("%s is the time, and the type of %s is %s; it fits a Timestamp, a LocalTimestamp or a Date", string(Now), col.Name, col.Type.GraphQL())
	case v == Now:
	case ok && strings.HasPrefix(string(ref), "$"):
		c.reference(at, string(ref), col.Type, true)
	case v == query.Null{}:
		if !col.Nullable {
			at.problem("%s is never null", col.Name)
		}
	case col.Type.Scalar == value.JSON:
	default:
		if bad := badLiteral(col.Type, v); bad != "" {
			at.problem("%s", bad)
		}
	}
}

// give settles who may give which column a value, when all places are known to
// which rows may be written.
func (c *compiler) give(d *draft) {
	w := d.Writes
	if w == nil {
		return
	}
	unseen := slices.ContainsFunc(d.sources, func(source string) bool { return c.silent[source] && d.WritableIn(d.Bindings[source]) })
	for _, col := range d.Columns {
		g, settable := giving{insert: true, update: true, tenants: true, left: col.Nullable}, true
		if col == d.Tenant || col == w.Version || d.Deleted != nil && (col == d.Deleted.At || col == d.Deleted.By) {
			g.insert, g.update, g.left = false, false, true
		}
		if presets(w.InsertPresets, col) { // and nobody changes afterwards what was noted
			g.insert, g.update, g.left = false, false, true
		}
		noted := presets(w.UpdatePresets, col)
		g.update = g.update && !noted
		for _, b := range d.writtenIn() {
			stored := b.Columns[col.Name]
			if b.Writes != nil { // what it fills in itself is its own to say
				g.left = true
				if !d.sendable(b, col) {
					g.insert, g.update, settable = false, false, false
				}
			}
			if stored.Missing {
				continue
			}
			switch stored.Default {
			case AlwaysOwn, Computed:
				g.insert, g.update, settable = false, false, false
			case ByDefault, NoDefault:
			}
			g.left = g.left || stored.Default != NoDefault
			g.triggered = g.triggered || b.Target.fills
			if !writable(stored.Form) || b.Target.strays(col) {
				g.insert, g.update, settable = false, false, false
			}
			if b.Target.followed(col) {
				g.update = false
			}
			if b.Target.makes(col) {
				g.tenants = false
			}
		}
		if noted && g.left { // what an update notes, an insert does not make up
			g.insert = false
		}
		g.left = g.left || unseen // a place that nobody has looked into may fill it in
		if d.Deleted != nil && col == d.Deleted.At {
			g.restores = settable && !noted
		}
		w.given[col] = g
	}
}

func presets(list []Preset, col *Column) bool {
	return slices.ContainsFunc(list, func(p Preset) bool { return p.Column == col })
}

// writable tells whether values that are kept in a form can be written as they are
// read.
func writable(f value.Form) bool {
	switch f { //nolint:exhaustive // the others are what the engine makes of something else
	case value.Plain, value.Single, value.Wide, value.Padded, value.Finer, value.Fixed, value.Label, value.Folded, value.Collated, value.Address, value.Domain, value.InUTC:
		return true
	default:
		return false
	}
}

// writtenIn are the places to which rows of the dataset may be written.
func (d *draft) writtenIn() []*Binding {
	var out []*Binding
	for _, source := range d.sources {
		if b := d.Bindings[source]; d.WritableIn(b) {
			out = append(out, b)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(d.Own)) {
		if b := &d.Own[id].Binding; d.WritableIn(b) {
			out = append(out, b)
		}
	}
	return out
}

// upserts finds the keys that every place has to which rows are written. A mutation means the same wherever a
// tenant's rows are, so what only some have is none, which is said.
func (c *compiler) upserts(d *draft) {
	if d.Writes == nil {
		return
	}
	places := d.writtenIn()
	seen := make(map[string]bool)
	for i, b := range places {
		for _, key := range b.Target.Keys {
			if b.Target.Unsure || !key.upserts() || seen[key.Name] {
				continue
			}
			seen[key.Name] = true
			lacks := slices.IndexFunc(places, func(other *Binding) bool {
				return other.Target.Unsure || !slices.ContainsFunc(other.Target.Keys, func(k *UniqueKey) bool { return k.upserts() && d.sameKey(k, key) })
			})
			if lacks < 0 && i == 0 {
				d.Writes.Keys = append(d.Writes.Keys, key)
			} else if lacks >= 0 {
				d.at.in("writable").note("nobody writes onConflict: {key: %s} of %s: %s, and a mutation means the same wherever a tenant's rows are", key.Name, d.Name, c.keyless(d, places[lacks]))
			}
		}
	}
	slices.SortFunc(d.Writes.Keys, func(a, b *UniqueKey) int { return strings.Compare(a.Name, b.Name) })
}

// keyless says why nobody knows a key of a place: a template's databases are not looked into.
func (c *compiler) keyless(d *draft, b *Binding) string {
	name := d.placeName(b)
	if src := c.catalog.Sources[name]; src != nil && src.Template {
		return name + " is a template whose databases are not looked into, so its keys are those that the file declares; name this one under `keys` where all of them have it"
	}
	return name + " has no such key"
}

// placeName is the source of a binding.
func (d *draft) placeName(b *Binding) string {
	for _, source := range d.sources {
		if d.Bindings[source] == b {
			return source
		}
	}
	for _, own := range d.Own {
		if &own.Binding == b {
			return own.Source
		}
	}
	return b.Table
}

// upserts tells whether an upsert may go by the key.
func (k *UniqueKey) upserts() bool {
	return k.Columns != nil && k.Tenant && !k.Partial && !k.Exclusion && !k.Deferrable
}

// sameKey tells whether keys of two places are one to whoever asks: the tenant column
// may be missing where all rows are one tenant's.
func (d *draft) sameKey(a, b *UniqueKey) bool {
	others := func(cols []*Column) []*Column {
		return slices.DeleteFunc(slices.Clone(cols), func(col *Column) bool { return col == d.Tenant })
	}
	return sameColumns(others(a.Columns), others(b.Columns))
}

func sameColumns(a, b []*Column) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(col *Column) bool { return !slices.Contains(b, col) })
}
