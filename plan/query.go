// Package plan owns the one way from what was asked to what may be executed:
// Build resolves every name of a request against the principal's view, types
// every literal, and puts the principal's scope inside every reference to a
// dataset. A Query can be made nowhere else: its fields are unexported, its
// accessors return values, and its zero value is refused by all who execute
// it. What cannot be resolved or is not allowed is refused here, so that
// nothing after this package can fail on a caller's input.
package plan

import (
	"strconv"
	"time"

	"usher/catalog"
	"usher/query"
	"usher/value"
)

// Query is a question that may be executed: resolved, typed and scoped.
type Query struct{ body *body }

type body struct {
	root      Level
	shape     query.Shape
	strategy  string
	identity  Identity
	overrides map[string]Override // of APIs, by source
	moment    bool
	fresh     time.Duration
	datasets  []string
	own       bool

	open       bool                   // it was prepared and is not bound
	parameters map[string]value.Value // of one value, for whom an API is asked
}

// Valid tells a Query that Build made from the zero value.
func (q Query) Valid() bool { return q.body != nil }

// Timeless tells that the plan is the same at any moment: nothing in it, policies
// included, is relative to now.
func (q Query) Timeless() bool { return !q.body.moment }

// MaxAge is how old an answer may be: as all datasets the plan reads allow, or
// 0 when one of them does not say.
func (q Query) MaxAge() time.Duration { return q.body.fresh }

// Datasets is the number of datasets the plan reads, policies included.
func (q Query) Datasets() int { return len(q.body.datasets) }

// Dataset is the name of the i-th of them.
func (q Query) Dataset(i int) string { return q.body.datasets[i] }

// Owned tells a plan that reads its tenant's own rows, not only what is common to
// all, or the rows of all.
func (q Query) Owned() bool { return q.body.own }

// Shape is the shape of the answer.
func (q Query) Shape() query.Shape { return q.body.shape }

// Strategy is the name of the strategy the tenant's data is reached by; of
// several, all names, in the order of their first use.
func (q Query) Strategy() string { return q.body.strategy }

// Root is the statement that answers the root field.
func (q Query) Root() Level { return q.body.root }

// Identity is who asks, for what a source sends along; nobody in a plan that is open.
func (q Query) Identity() Identity { return q.body.identity }

// Identity is what the templates of an upstream may use.
type Identity struct {
	tenant, key, subject, name, email string
	metadata                          map[string]query.Value
	parameters                        map[string]string
}

// Tenant is the tenant's id; empty for a principal of all tenants.
func (i Identity) Tenant() string { return i.tenant }

// Key is the tenant's value in tenant columns.
func (i Identity) Key() string { return i.key }

// Subject is who asks, within the issuer.
func (i Identity) Subject() string { return i.subject }

// Name is what people call who asks, or empty.
func (i Identity) Name() string { return i.name }

// Email is the address of who asks, or empty.
func (i Identity) Email() string { return i.email }

// Metadata is a member of the grant's metadata.
func (i Identity) Metadata(name string) (query.Value, bool) {
	v, ok := i.metadata[name]
	return v, ok
}

// MetadataText is a member of the grant's metadata as text, if it is text, a
// number or a boolean.
func (i Identity) MetadataText(name string) (string, bool) {
	switch v := i.metadata[name].(type) {
	case query.Text:
		return string(v), true
	case query.Number:
		return string(v), true
	case query.Bool:
		return strconv.FormatBool(bool(v)), true
	}
	return "", false
}

// Parameter is a parameter's value, when it is one value and not a list.
func (i Identity) Parameter(name string) (string, bool) {
	v, ok := i.parameters[name]
	return v, ok
}

// Level is one statement: rows of a dataset or groups of them, with what is
// joined to them, and the levels nested in its rows.
type Level struct {
	grouped  bool
	refs     []Ref
	where    Expr
	keys     []Expr // grouped: what rows are grouped by
	aggs     []Expr // grouped: what is computed for each group
	having   Expr   // grouped: over Inner
	guard    Expr   // grouped: over Inner, what the token's filters say of every group
	columns  []Expr // what is returned; over Inner when grouped
	order    []Order
	limit    int
	offset   int
	cut      bool // the default limit applies: one more row than Limit tells that rows are missing
	parent   []Link
	through  int // the reference whose rows link parents to the first reference, or 0
	children []Level
	output   []Output
	page     *Page   // a connection's
	fill     *Fill   // grouped: gap-free over time or numbers
	values   *Values // grouped: with groups for values that no row has
	top      *Top    // grouped: the first groups only
	shift    *shift  // grouped: what Prior is earlier by
	around   Expr    // grouped: what follows for the column of the shift in the rows of Prior
}

// Grouped tells groups from rows.
func (l Level) Grouped() bool { return l.grouped }

// OneGroup tells groups without a key: there is one, also of no rows.
func (l Level) OneGroup() bool { return l.grouped && len(l.keys) == 0 }

// Refs is the number of references. The first is the level's own dataset, the
// others are joined to an earlier one and add at most one row each.
func (l Level) Refs() int { return len(l.refs) }

// Ref is the i-th reference.
func (l Level) Ref(i int) Ref { return l.refs[i] }

// Where is what rows must satisfy beyond the references' scopes.
func (l Level) Where() Expr { return l.where }

// Keys is the number of expressions rows are grouped by.
func (l Level) Keys() int { return len(l.keys) }

// Key is the i-th key; as Inner it has the index i.
func (l Level) Key(i int) Expr { return l.keys[i] }

// Aggs is the number of aggregates.
func (l Level) Aggs() int { return len(l.aggs) }

// Agg is the i-th aggregate; as Inner it has the index Keys()+i.
func (l Level) Agg(i int) Expr { return l.aggs[i] }

// Having is what groups must satisfy.
func (l Level) Having() Expr { return l.having }

// Guard is what groups must satisfy to be there at all, also for totals, ranks and
// earlier periods.
func (l Level) Guard() Expr {
	if l.guard.op == 0 { // a level that has no groups
		return predicate(True)
	}
	return l.guard
}

// Columns is the number of cells in a row.
func (l Level) Columns() int { return len(l.columns) }

// Column is what the i-th cell holds.
func (l Level) Column(i int) Expr { return l.columns[i] }

// Orders is the number of order terms; the last ones make the order total.
func (l Level) Orders() int { return len(l.order) }

// Order is the i-th order term.
func (l Level) Order(i int) Order { return l.order[i] }

// All as a Limit keeps every row.
const All = -1

// Limit is how many rows to return (of each parent row, for a nested level),
// after Offset rows, or All.
func (l Level) Limit() int { return l.limit }

// Offset is how many rows to leave out first.
func (l Level) Offset() int { return l.offset }

// Cut tells that Limit is the dataset's default: when there are more rows, the
// answer says that it was cut.
func (l Level) Cut() bool { return l.cut }

// Links is the number of equalities between this level's rows and its
// parent's; none for the root.
func (l Level) Links() int { return len(l.parent) }

// Link is the i-th equality.
func (l Level) Link(i int) Link { return l.parent[i] }

// Through is the reference whose rows link the parents to this level's first
// reference, or 0 when the first reference's own columns do. A pair that is
// linked twice counts once.
func (l Level) Through() int { return l.through }

// Children is the number of nested levels.
func (l Level) Children() int { return len(l.children) }

// Child is the i-th nested level.
func (l Level) Child(i int) Level { return l.children[i] }

// Outputs is the number of fields in each object of the answer.
func (l Level) Outputs() int { return len(l.output) }

// Output is the i-th field.
func (l Level) Output(i int) Output { return l.output[i] }

// Link is an equality between a cell of the parent's rows and a column of
// this level's first reference.
type Link struct {
	cell int
	typ  value.Type
	own  Expr
}

// Cell is the index of the parent's cell.
func (l Link) Cell() int { return l.cell }

// Type is the type of the parent's cell, which may be another than that of Own:
// whole numbers meet decimals.
func (l Link) Type() value.Type { return l.typ }

// Own is the column of this level.
func (l Link) Own() Expr { return l.own }

// Order is one term of an order.
type Order struct {
	expr       Expr
	descending bool
	nullsFirst bool
	bySource   bool
}

// Expr is what is ordered by.
func (o Order) Expr() Expr { return o.expr }

// Descending is the direction.
func (o Order) Descending() bool { return o.descending }

// NullsFirst says where nulls stand.
func (o Order) NullsFirst() bool { return o.nullsFirst }

// BySource tells that text orders as the source orders it, not by code point.
func (o Order) BySource() bool { return o.bySource }

// Ref is one use of a dataset with the principal's scope inside it.
type Ref struct {
	dataset string
	target  Target
	schema  string
	table   string
	path    string // API sources
	rows    string // API sources
	columns []Field
	scope   []Expr // over this reference and its policy joins
	reason  ScopeKind
	policy  []int // references joined inside the scope, by index in the level
	inside  int   // index of the reference whose scope this one belongs to, or -1
	under   int   // 1 + the reference of the Exists this one is written in, or 0
	from    int   // index of the reference it is joined to; -1 for the first
	on      []On
	tenant  string // tenant column by catalog name when its predicate is in the scope
	absent  bool   // the rows are looked up, not joined
	shared  bool   // the rows are read from the base of a SharedScan, where the scope stands
	own     string // the key in Dataset.Own
	shown   bool   // the principal sees the dataset
	step    bool   // a step from the reference that it is inside of, or from the step before, to the tenant column
	alone   Alone  // of a step: by what its rows are told apart, whoever's they are
}

// ScopeKind says why a reference's scope confines it to the principal.
type ScopeKind uint8

// The kinds of scopes. There is no kind for "none".
const (
	ByTenantColumn ScopeKind = iota + 1 // the tenant predicate is in the scope
	ByParent                            // the scope asks for a parent row, which is the tenant's
	ByOwnSource                         // the source, or the table in it, holds this tenant's rows only
	ByUpstream                          // the API returns the rows of the tenant it is told
	IsCommon                            // the dataset is shared by all tenants
	IsAllTenants                        // the principal has the right to all tenants
)

// Dataset is the dataset's name.
func (r Ref) Dataset() string { return r.dataset }

// Target is where the rows are.
func (r Ref) Target() Target { return r.target }

// Schema and Table name the rows in a SQL source.
func (r Ref) Schema() string { return r.schema }

// Table is the table's or view's name.
func (r Ref) Table() string { return r.table }

// Path is where an API has the rows.
func (r Ref) Path() string { return r.path }

// RowsPointer is a JSON pointer to the rows of an API's reply, or empty.
func (r Ref) RowsPointer() string { return r.rows }

// Fields is the number of columns the plan reads.
func (r Ref) Fields() int { return len(r.columns) }

// Field is the i-th column the plan reads.
func (r Ref) Field(i int) Field { return r.columns[i] }

// Scopes is the number of predicates that confine the reference.
func (r Ref) Scopes() int { return len(r.scope) }

// Scope is the i-th predicate.
func (r Ref) Scope(i int) Expr { return r.scope[i] }

// ScopeKind says why the reference is confined to the principal.
func (r Ref) ScopeKind() ScopeKind { return r.reason }

// Policies is the number of references joined inside the scope.
func (r Ref) Policies() int { return len(r.policy) }

// Policy is the index of the i-th reference joined inside the scope.
func (r Ref) Policy(i int) int { return r.policy[i] }

// Inside is the index of the reference in whose scope this one stands, or -1.
func (r Ref) Inside() int { return r.inside }

// Under is the index of the reference whose Exists this one is written in (its
// own, for the one that the Exists looks into), or -1.
func (r Ref) Under() int { return r.under - 1 }

// From is the index of the reference this one is joined to, or -1.
func (r Ref) From() int { return r.from }

// Ons is the number of equalities of the join.
func (r Ref) Ons() int { return len(r.on) }

// On is the i-th equality of the join.
func (r Ref) On(i int) On { return r.on[i] }

// Absent tells that the rows are looked up by another query: see Lookups.
func (r Ref) Absent() bool { return r.absent }

// Shared tells that the rows come from the base of a SharedScan, which has this
// reference with its scope.
func (r Ref) Shared() bool { return r.shared }

// Own is the tenant whose own table it is, or the key of a binding that its record names, or empty. What the table is like is
// only known when it is looked at.
func (r Ref) Own() string { return r.own }

// Shown tells that the principal sees the dataset: an error may name it.
func (r Ref) Shown() bool { return r.shown }

// Step tells a reference that is there to say whose the rows are of the one
// that it is inside of. Nothing but the tenant confines it.
func (r Ref) Step() bool { return r.step }

// Alone are the columns of a step of which its source promises that no two rows agree; false: it promises
// nothing that could end. Without that one row could lead to two, and be two tenants'.
func (r Ref) Alone() (Alone, bool) { return r.alone, len(r.alone.columns) > 0 }

// Alone are columns of a table by which no two of its rows agree, whoever's they are.
type Alone struct {
	columns        []string
	primary, parts bool
}

// Columns is their number.
func (a Alone) Columns() int { return len(a.columns) }

// Column is the i-th, as the source names it.
func (a Alone) Column(i int) string { return a.columns[i] }

// Primary tells that the primary key of the table is in them.
func (a Alone) Primary() bool { return a.primary }

// Parts tells that partitions hold the rows.
func (a Alone) Parts() bool { return a.parts }

// TenantColumn is the name of the column whose value must be the tenant's key
// in every row, or empty.
func (r Ref) TenantColumn() string { return r.tenant }

// On is one equality of a join: From of the earlier reference, To of this one.
type On struct{ From, To Expr }

// Field is one column of a reference.
type Field struct {
	Name    string // in the catalog
	Stored  string // in the source
	Type    value.Type
	Native  string // the source's type, when known
	Form    value.Form
	Null    bool   // may hold nulls
	ByCode  bool   // text the source orders by code point
	Collate string // what the source compares it by, which says whose a row is: no other collation is to
	Asked   bool   // the caller asked for it; others are read on usher's own account
	Of      int    // 1 + the step whose column it is, under the name Stored; 0: it is the reference's own

	Indexed bool // an index of the source finds a tenant's rows by it
	Sorted  bool // an index of the source has each tenant's rows in its order, in which they also lie in the table
	spread  *catalog.Spread

	Func catalog.Func // of groups that the source makes: what it computes of the column, or of all its rows
	Cut  Unit         // likewise: the unit that the time is cut to
}

// OutputKind says what a field of the answer is made of.
type OutputKind uint8

// The kinds of output.
const (
	OutTypename OutputKind = iota + 1 // a constant
	OutCell                           // a cell
	OutObject                         // an object of further fields
	OutList                           // the rows of a nested level
	OutNodes                          // the rows of a connection's page
	OutEdges                          // the same rows, each with its cursor
	OutCursor                         // a row's cursor
	OutPageInfo                       // what is before and after the page
	OutTotal                          // how many rows the whole connection has
	OutID                             // the identity of a row, of its cells, which are its fields
)

// Output is one field of an object in the answer.
type Output struct {
	key    string
	kind   OutputKind
	index  int
	typ    value.Type
	text   string
	zone   string
	round  bool
	always bool
	fields []Output
}

// Key is the response key.
func (o Output) Key() string { return o.key }

// Kind says what the field is made of.
func (o Output) Kind() OutputKind { return o.kind }

// Index is the cell of an OutCell; the cell that is null when an OutObject is
// null, or -1 when it never is; the nested level of an OutList.
func (o Output) Index() int { return o.index }

// Type is the type of an OutCell.
func (o Output) Type() value.Type { return o.typ }

// Text is the value of an OutTypename, and the dataset of an OutID.
func (o Output) Text() string { return o.text }

// Zone is the IANA zone whose offset a Timestamp is written with, or empty.
func (o Output) Zone() string { return o.zone }

// Rounded tells a Float that is written with 12 significant digits.
func (o Output) Rounded() bool { return o.round }

// Always tells a cell whose type says that it is never null.
func (o Output) Always() bool { return o.always }

// Len is the number of fields of an OutObject, and of cells of an OutID.
func (o Output) Len() int { return len(o.fields) }

// Field is the i-th of them.
func (o Output) Field(i int) Output { return o.fields[i] }
