package plan

import (
	"slices"

	"usher/query"
	"usher/value"
)

// Change is a change of rows that may be executed: resolved, typed, scoped, and
// stamped with whose the rows are. It can be made by BuildChange only, and its
// zero value is refused by all who execute it.
//
// It is made of what Query is made of. Rows to be changed are chosen by a Level;
// what a statement changes is joined with a Level that is linked by their keys,
// so that no row is touched that the scope does not hold; what was written is
// read again by Levels that say what must be true of it; and the answer is a
// Query, linked by the keys as well.
type Change struct {
	body  *change
	bound *bound // of one that was prepared; nil: nothing comes later
}

type change struct {
	kind                      query.ChangeKind
	key                       string // of the field
	dataset                   string
	typ                       string
	strategy                  string
	target                    Target
	identity                  Identity
	owner                     string
	owned                     bool // the rows are the tenant's
	open                      bool // something comes later
	snapshot                  bool
	settled                   bool
	single                    bool
	otherwise                 func() (Change, error) // with what another role presets; nil: there is none
	given                     int
	places                    *inputRows // of the rows to insert, in the input
	inserts                   []Insert
	upsert                    Upsert
	chosen                    Level
	keys                      int
	version                   bool // the chosen rows have one more cell: their version is the one that was named
	above                     []Above
	locked                    Level
	held                      []Level
	update                    Update
	remove                    Level
	keepers                   []Keeper
	dependents, before, after []Change
	leftovers                 []Keeper
	refs                      []Reference
	checks                    []Check
	output                    []ChangeOutput
	answers                   []Query
	names                     map[string]string // of columns that the principal sees, by what they are stored as
	table                     Ref
	calling                   // of rows of an API
}

// Valid tells a Change that BuildChange made from the zero value.
func (c Change) Valid() bool { return c.body != nil }

// Kind is what is done.
func (c Change) Kind() query.ChangeKind { return c.body.kind }

// Key is the response key of the field.
func (c Change) Key() string { return c.body.key }

// Dataset is the name of the dataset whose rows are changed.
func (c Change) Dataset() string { return c.body.dataset }

// Target is where the rows are.
func (c Change) Target() Target { return c.body.target }

// Type is the type of the answer of a change of several rows.
func (c Change) Type() string { return c.body.typ }

// Strategy is the name of the strategy the rows are reached by.
func (c Change) Strategy() string { return c.body.strategy }

// Identity is who asks.
func (c Change) Identity() Identity {
	if c.bound != nil {
		return c.bound.identity
	}
	return c.body.identity
}

// Owner is the tenant whose rows are changed; empty for rows common to all.
func (c Change) Owner() string {
	switch {
	case c.bound == nil:
		return c.body.owner
	case c.body.owned:
		return c.bound.identity.tenant
	}
	return ""
}

// Snapshot tells that what decides on the change reads other tables than the one
// that is changed: its statements have to see one state of them all.
func (c Change) Snapshot() bool { return c.body.snapshot }

// Settled tells that what the source returns of a row that it writes is what is there
// afterwards: nothing of its own changes it then, and it is a table that is written.
func (c Change) Settled() bool { return c.body.settled }

// Single tells a change of a table where nothing becomes of rows but what is written, and a key is one row's.
func (c Change) Single() bool { return c.body.single }

// Table is the table that is changed, under the tenant's scope.
func (c Change) Table() Ref { return c.body.table }

// Given is how many rows there are to insert.
func (c Change) Given() int { return c.body.given }

// Place is where the row-th of them is in the input.
func (c Change) Place(row int) string { return c.body.places.at(row).String() }

// PlaceOf is where in the input that row gives a column its value.
func (c Change) PlaceOf(row int, column string) string { return c.body.places.at(row).member(column) }

// Inserts is the number of statements that insert them.
func (c Change) Inserts() int { return len(c.body.inserts) }

// Insert is the i-th of them.
func (c Change) Insert(i int) Insert {
	into := c.body.inserts[i]
	into.texts = c.texts()
	return into
}

// Keys is how many cells make the key of a row.
func (c Change) Keys() int { return c.body.keys }

// Chosen are the rows to update or delete: the first cells are their keys.
func (c Change) Chosen() Level { return c.body.chosen.in(c.texts()) }

// Locked are the rows, of those with given keys, that are locked before they are changed,
// where Chosen joins other tables and cannot be.
func (c Change) Locked() Level { return c.body.locked.in(c.texts()) }

// Versioned tells that the cell after the key of the chosen rows says whether their version is
// the one that was named.
func (c Change) Versioned() bool { return c.body.version }

// Helds is the number of grants that decide on a row one by one: there are none where one
// grant decides on all, which is in Chosen then.
func (c Change) Helds() int { return len(c.body.held) }

// Held are the rows, of those with given keys, that the i-th grant lets be changed.
func (c Change) Held(i int) Level { return c.body.held[i].in(c.texts()) }

// Update is what is written into the chosen rows.
func (c Change) Update() Update {
	u := c.body.update
	u.texts = c.texts()
	return u
}

// Remove are the rows to delete, of those with given keys.
func (c Change) Remove() Level { return c.body.remove.in(c.texts()) }

// Keepers is the number of relations whose rows keep a row from being deleted.
func (c Change) Keepers() int { return len(c.body.keepers) }

// Keeper is the i-th of them.
func (c Change) Keeper(i int) Keeper { return c.body.keepers[i].in(c.texts()) }

// References is the number of references to rows that must be there.
func (c Change) References() int { return len(c.body.refs) }

// Reference is the i-th of them.
func (c Change) Reference(i int) Reference {
	r := c.body.refs[i]
	r.texts = c.texts()
	return r
}

// Checks is the number of ways in which what was written may be right: a row needs one.
// With Helds it is the one of the grant that held the row before.
func (c Change) Checks() int { return len(c.body.checks) }

// Check is the i-th of them.
func (c Change) Check(i int) Check {
	check := c.body.checks[i]
	check.texts = c.texts()
	return check
}

// Outputs is the number of fields in the answer of a change of several rows.
func (c Change) Outputs() int { return len(c.body.output) }

// Output is the i-th of them.
func (c Change) Output(i int) ChangeOutput { return c.body.output[i] }

// Answers is the number of queries that answer the change, each linked by the keys of
// the rows. A change of one row has one.
func (c Change) Answers() int { return len(c.body.answers) }

// Answer is the i-th of them, as it was planned.
func (c Change) Answer(i int) Query { return c.body.answers[i] }

// Answering is the i-th of them, with what came later.
func (c Change) Answering(i int) Query {
	q := c.body.answers[i]
	if texts := c.texts(); texts != nil {
		of := *q.body
		of.root = of.root.in(texts)
		q.body = &of
	}
	return q
}

// ColumnStored is the name by which the principal sees what the table calls so, or
// empty.
func (c Change) ColumnStored(name string) string { return c.body.names[name] }

// ChangeOutput is a field of the answer of a change of several rows.
type ChangeOutput struct {
	key    string
	kind   ChangeOutputKind
	answer int
}

// ChangeOutputKind says what the field is.
type ChangeOutputKind uint8

// The kinds of fields.
const (
	ChangedTypename ChangeOutputKind = iota + 1
	ChangedAffected
	ChangedRows
)

// Key is the response key.
func (o ChangeOutput) Key() string { return o.key }

// Kind says what the field is.
func (o ChangeOutput) Kind() ChangeOutputKind { return o.kind }

// Answer is which of the answers a ChangedRows is.
func (o ChangeOutput) Answer() int { return o.answer }

// Given is a value to be written: of one column of one row. One that is not set is null.
type Given struct {
	value value.Value // of a list: the whole of it, where that comes later as one
	items []value.Value
	list  bool
	from  *carried
}

// Null tells that nothing is written.
func (g Given) Null() bool { return !g.list && g.from == nil && g.value.Null() }

// List tells a list.
func (g Given) List() bool { return g.list }

// Value is what is written, if it is no list.
func (g Given) Value() value.Value { return g.value }

// Open tells that what is written comes later: it is known of a change that is bound.
func (g Given) Open() bool {
	return later(g.value) || slices.ContainsFunc(g.items, later)
}

// Items is the number of items of a list.
func (g Given) Items() int { return len(g.items) }

// Item is the i-th of them; it may be null.
func (g Given) Item(i int) value.Value { return g.items[i] }

// Insert is one statement that inserts rows of which the same columns are given.
type Insert struct {
	table   Ref
	keys    []Field
	stamps  int
	columns []Field
	rows    []int
	values  []givens // by column; a stamp's has one
	texts   []string // of what comes later
}

// Table is where the rows go, under the scope they have to be in.
func (i Insert) Table() Ref { return i.table }

// Keys is the number of columns that make the key.
func (i Insert) Keys() int { return len(i.keys) }

// Key is the n-th of them.
func (i Insert) Key(n int) Field { return i.keys[n] }

// Columns is the number of columns that are written.
func (i Insert) Columns() int { return len(i.columns) }

// Stamps is how many of them, from the first, have one value in all rows: the tenant
// among them.
func (i Insert) Stamps() int { return i.stamps }

// Column is the n-th column.
func (i Insert) Column(n int) Field { return i.columns[n] }

// Rows is the number of rows.
func (i Insert) Rows() int { return len(i.rows) }

// Part is the insert of its rows from one to before another.
func (i Insert) Part(from, to int) Insert {
	values := slices.Clone(i.values)
	for n := i.stamps; n < len(values); n++ {
		values[n] = values[n].part(from, to)
	}
	i.rows, i.values = i.rows[from:to], values
	return i
}

// Row is the number that the n-th row has among all rows of the change.
func (i Insert) Row(n int) int { return i.rows[n] }

// Value is what the n-th row gets in a column.
func (i Insert) Value(column, n int) Given {
	if column < i.stamps {
		n = 0
	}
	return i.values[column].at(n).in(i.texts)
}

// Texts are what the rows get in a column that is no stamp, if all of it is plain values.
func (i Insert) Texts(column int) (value.Texts, bool) {
	return i.values[column].plain, column >= i.stamps && i.values[column].each == nil
}

// Update is what is written into rows that are named by their keys.
type Update struct {
	level Level
	sets  []Set
	texts []string // of what comes later
}

// Level are the rows, of those with given keys, that the scope holds.
func (u Update) Level() Level { return u.level.in(u.texts) }

// Sets is the number of columns that are written.
func (u Update) Sets() int { return len(u.sets) }

// Set is the i-th of them.
func (u Update) Set(i int) Set {
	s := u.sets[i]
	s.value = s.value.in(u.texts)
	return s
}

// Set is a column and what is written to it.
type Set struct {
	column Field
	value  Given
	add    bool
	place  string
}

// Column is the column.
func (s Set) Column() Field { return s.column }

// Value is what is written, or added.
func (s Set) Value() Given { return s.value }

// Place is where it is given in the field's arguments, such as set.name; empty: nobody has given it.
func (s Set) Place() string { return s.place }

// Added tells that the value is added to what is there.
func (s Set) Added() bool { return s.add }

// Reference is rows of another dataset that rows of the change lead to: they must be there,
// the tenant's own or common, and seen by the principal.
type Reference struct {
	level  Level
	lock   Level // what is locked, if Level cannot be
	above  []Above
	locks  bool
	refuse func(i int) error
	rows   []int           // by tuple of values
	values [][]value.Value // by link, then tuple
	texts  []string        // of what comes later
}

// Level are the rows that may be led to, linked by the values.
func (r Reference) Level() Level { return r.level.in(r.texts) }

// Locks tells that they are kept as they are until the change is done.
func (r Reference) Locks() bool { return r.locks }

// Lock is what is locked in place of Level, where that joins other tables.
func (r Reference) Lock() (Level, bool) { return r.lock.in(r.texts), len(r.lock.refs) > 0 }

// Tuples is how many rows are led to.
func (r Reference) Tuples() int { return len(r.rows) }

// Value is what the i-th of them is found by.
func (r Reference) Value(link, i int) value.Value { return r.values[link][i].In(r.texts) }

// Refusal is the error where the i-th is not there.
func (r Reference) Refusal(i int) error { return r.refuse(i) }

// Check reads again what was written. A row that it does not find is out of scope.
type Check struct {
	level   Level
	refuse  []error // by cell
	outside error
	texts   []string // of what comes later
}

// Level are the rows that are right, linked by their keys. Its cells say whether what each
// leads to is there.
func (c Check) Level() Level { return c.level.in(c.texts) }

// Refusal is the error where a cell is false.
func (c Check) Refusal(cell int) error { return c.refuse[cell] }

// Outside is the error where a row is not found.
func (c Check) Outside() error { return c.outside }

// Keeper is rows that a row must not be deleted before, linked by cells of its key. They are
// the tenant's, whether they are seen or not.
type Keeper struct {
	level   Level
	refusal error
}

func (k Keeper) in(texts []string) Keeper {
	k.level = k.level.in(texts)
	return k
}

// Level are the rows.
func (k Keeper) Level() Level { return k.level }

// Refusal is the error where there is one.
func (k Keeper) Refusal() error { return k.refusal }
