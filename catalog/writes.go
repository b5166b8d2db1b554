package catalog

import (
	"slices"

	"usher/query"
)

// Writes says what may be written of a dataset, whoever asks. What one principal may
// is its Visible's Writing.
type Writes struct {
	Insert, Update, Delete bool

	GlobalKeys    bool         // rows of two tenants may collide, which tells that there is one
	Keys          []*UniqueKey // by which an upsert may tell rows apart wherever they are written, there without the tenant column where it is missing; sorted by name
	InsertPresets []Preset     // in the order of columns
	UpdatePresets []Preset
	Version       *Column // counted up with each change, or nil

	given      map[*Column]giving
	unfillable bool // wherever rows are written nothing that anybody gives makes one
}

// Inserts tells whether rows are inserted, as far as the tables let anybody.
func (w *Writes) Inserts() bool { return w.Insert && !w.unfillable }

// giving says who may give a column a value.
type giving struct {
	insert, update bool // somebody may
	tenants        bool // so may principals of one tenant
	left           bool // a row may be inserted without it
	triggered      bool // a trigger may fill it in
	restores       bool // it says when a row was deleted: whoever sees those may set it to null
}

// Preset is a value that usher writes, whatever was asked: a constant, or one of the
// words that filters know, such as $subject, or Now. It is nil nowhere; a
// query.Null writes null.
type Preset struct {
	Column *Column
	Value  query.Value
}

// Now is the preset of the time at which a transaction began.
const Now = query.Text("$now")

// UniqueKey is something by which rows collide.
type UniqueKey struct {
	Name       string    // its columns but the tenant's; a GraphQL name
	Columns    []*Column // nil: it holds what is no column of the dataset
	Tenant     bool      // only rows of one tenant collide by it: it holds the tenant column or what leads to the parent
	Partial    bool      // only some rows collide
	Exclusion  bool      // rows collide that are not equal
	Deferrable bool
	Made       bool // the database makes a value in it that no other row has, which tenants never give
	Declared   bool // the file says so, and nobody saw it

	index CollidingBy
	made  []*Column // those that Made is about
}

// Target is a table that rows may be written to. That one is there does not say that
// its dataset is writable: rows that others refer to are locked in theirs.
type Target struct {
	Keys       []*UniqueKey // all by which rows collide
	Triggers   bool         // the database runs triggers of its own
	Unsure     bool         // only reading it again tells whether a row that was written is shown
	References []*Reference // its foreign keys
	Referrers  []*Reference // foreign keys onto it
	Checks     []CheckedBy
	Shape      int64 // the table's
	Parts      bool
	Members    []string // the names of those that hold rows of it, by TableKey
	Single     bool     // nothing becomes of its rows but what is written to it, and the dataset's key is one row's

	refused  bool     // rows of its dataset may not be written here
	alone    bool     // all its rows are one tenant's, or everybody's
	fills    bool     // Table.Fills
	unfilled []string // its columns that are none of the dataset's, have to have a value, and are filled in by nothing
}

// Reference is a foreign key that the database keeps, seen from one of its ends.
type Reference struct {
	Dataset    *Dataset  // at the other end, in the same source; nil: none is served from there
	Columns    []*Column // at this end; nil where one of them is no column of the dataset
	Others     []*Column // at the other end, likewise
	Tenant     bool      // it pairs the tenants of both ends, so that they are one
	Parent     bool      // it is by this key that the referring row is a tenant's
	OnDelete   Action    // what becomes of the referring row
	OnUpdate   Action
	Deferrable bool

	astray bool      // nobody can say whose row it leads to
	alike  *Relation // to the row that it leads to, where no relation of the dataset does that
	backs  bool      // it is by the referring row that this end's is a tenant's

	some []*Column // those of this end's columns that the dataset has
	sets []*Column // of the other end, those that OnDelete sets where it does not set all
	at   Referrer  // of one onto the table
	key  ForeignKey
}

// Deleted says how deleted rows of a dataset are kept.
type Deleted struct {
	At     *Column     // when it was deleted; null: it was not
	By     *Column     // the subject that did it, or nil
	Filter query.Value // the dataset's, for whoever sees deleted rows too; Dataset.Filter hides them
}

// OnDelete is what usher does with the rows a relation leads to when the row is
// deleted that has it.
type OnDelete string

// What it may do.
const (
	LeaveToSource OnDelete = "" // nothing: the source refuses, or does not mind
	Restrict      OnDelete = "restrict"
	Cascade       OnDelete = "cascade"
	Unlink        OnDelete = "unlink"
)

// WriteGrant is what one role lets be written in one way. A row is written if one
// grant covers all columns that are given, its Filter holds for the row before, and its Check
// for the row afterwards; never the filter of one with the check of another.
type WriteGrant struct {
	Role    string          // empty: there are no roles
	Columns map[string]bool // nil: all of them
	Filter  query.Value     // of updates and deletes; nil: every row that is shown
	Check   query.Value     // of inserts and updates; nil: nothing but the scope
	Presets []Preset        // of inserts
}

// Covers tells whether the grant covers a column.
func (g *WriteGrant) Covers(column string) bool {
	if slices.ContainsFunc(g.Presets, func(p Preset) bool { return p.Column.Name == column }) {
		return false
	}
	return g.Columns == nil || g.Columns[column]
}

// everyGrant is the grant of a catalog without roles.
var everyGrant = &WriteGrant{}

// removes tells whether rows of the dataset that are deleted go from their table, and are not stamped: only then does a
// database do anything to those that refer to them.
func (d *Dataset) removes() bool { return d.Writes != nil && d.Writes.Delete && d.Deleted == nil }

// WritableIn tells whether rows of the dataset may be written in a source.
func (d *Dataset) WritableIn(b *Binding) bool {
	return d.Writes != nil && b != nil && b.Target != nil && !b.Target.refused
}

// Gives tells whether a principal, of one tenant or of all, may give a column a value in
// a row that it inserts, and in one that it changes, as far as no role matters.
func (w *Writes) Gives(col *Column, allTenants bool) (insert, update bool) {
	g := w.given[col]
	may := g.tenants || allTenants
	return g.insert && may, g.update && may
}

// Presets tells whether usher fills in a column of each row that is inserted.
func (w *Writes) Presets(col *Column) bool { return presets(w.InsertPresets, col) }

// Astray tells whether nobody can say whose row it leads to, so that its columns are
// given a value by nobody.
func (r *Reference) Astray() bool { return r.astray }

// Unnamed is the relation that the reference would be, where the dataset has none: what it leads to is looked at all the
// same when it is written, or a row could lead to another tenant's. Nil: a relation leads there, or nothing has to be looked at.
func (r *Reference) Unnamed() *Relation { return r.alike }

// Some are the columns at this end that the dataset has.
func (r *Reference) Some() []*Column { return r.some }

// Refers tells whether a to-one relation of the dataset is a reference: its own columns name
// a row of the other side. A relation from the whole key of a row is one of
// the other side, to this row, unless it leads to the parent.
func (d *Dataset) Refers(rel *Relation) bool {
	if rel.Many || len(rel.On) == 0 {
		return false
	}
	from := func(col *Column) bool {
		return slices.ContainsFunc(rel.On, func(p Pair) bool { return p.From == col })
	}
	key := !slices.ContainsFunc(rel.On, func(p Pair) bool { return p.From != d.Owner() && !slices.Contains(d.Key, p.From) })
	whole := key && !slices.ContainsFunc(d.Key, func(k *Column) bool { return k != d.Tenant && !from(k) })
	return rel == d.Parent || !whole
}

// ByReference tells whether a column is part of a reference, by which its value
// may be given as well.
func (d *Dataset) ByReference(col *Column) bool {
	return slices.ContainsFunc(d.Relations, func(rel *Relation) bool {
		return d.Refers(rel) && slices.ContainsFunc(rel.On, func(p Pair) bool { return p.From == col })
	})
}
