// Package catalog owns what there is to ask about: datasets with their
// columns, relations and measures, the sources they are bound to, strategies,
// parameters and roles. A Catalog is a snapshot: Compile makes it once from a
// Spec and it never changes. Compile refuses a dataset that is neither a
// tenant's nor common, a name that does not resolve, and every expression or
// filter that does not fit its types, and reports all problems at once.
package catalog

import (
	"time"

	"usher/lru"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// Catalog is everything the gateway serves. Its parts are read-only.
type Catalog struct {
	Datasets        []*Dataset // sorted by name
	Sources         map[string]*Source
	Strategies      map[string]*Strategy
	DefaultStrategy string
	Tenants         map[string]Tenant // those that the configuration registers
	Parameters      map[string]*Parameter
	Roles           map[string]*Role
	Unreached       Unreached // what is not known yet

	byName  map[string]*Dataset
	Budgets Budgets // of each tenant and each token

	shares map[string]principal.Share // of tenants, also of those that the control store registers
	byKey  map[string]string          // ids of Tenants, by their keys

	byExternalID map[string]string   // likewise
	shapes       map[string]string   // by tenant, see ShapeOf
	readers      map[string][]Reader // by dataset, the others
	views        *lru.Cache[viewKey, *View]
	told         told
}

// Dataset returns the dataset of that name, or nil.
func (c *Catalog) Dataset(name string) *Dataset { return c.byName[name] }

// TenantOfKey returns the id of the tenant that the configuration registers
// with a key; empty: there is none.
func (c *Catalog) TenantOfKey(key string) string { return c.byKey[key] }

// TenantOf returns the id of the tenant that the configuration registers with an
// external id; empty: there is none.
func (c *Catalog) TenantOf(externalID string) string { return c.byExternalID[externalID] }

// Dataset is a logical table of the GraphQL schema.
type Dataset struct {
	Name        string // as in the configuration and the root fields
	Type        string // GraphQL type name
	Label       string
	Description string
	Columns     []*Column // in declared order
	Key         []*Column // the columns that identify a row; empty: none do
	Tenant      *Column   // the tenant column, or nil
	Parent      *Relation // to the row whose tenant's a row is, or nil
	Common      bool      // shared by all tenants; exactly one of Tenant, Parent and Common is set
	Source      string    // a common dataset's source
	Relations   []*Relation
	Measures    []*Measure

	relied    []relied            // by what belongs to the tenants of these rows
	Filter    query.Value         // nil, or a where that holds for every principal; may use parameters
	Limit     int                 // rows when none are asked for
	MaxLimit  int                 // rows at most
	Cache     time.Duration       // how old its answers may be; 0: not kept
	Bindings  map[string]*Binding // by source
	Absent    []string            // sources that strategies lead to, and that have no table of the usual name which may be read
	Own       map[string]*Own     // by tenant, or by Chosen: where rows are instead
	PerTenant bool                // `bound: per_tenant`: there is nothing but Own
	Unsettled bool                // whether it has a Key only a source can say that has not been reached; the order of its rows is refused until then
	Writes    *Writes             // nil: nobody writes it
	Deleted   *Deleted            // nil: rows that are deleted are gone

	columns   map[string]*Column
	relations map[string]*Relation
	measures  map[string]*Measure
	inherited *Column  // with Parent, see Owner
	writable  []string // operations, as the file has them
}

// Column returns the column of that name, or nil.
func (d *Dataset) Column(name string) *Column { return d.columns[name] }

// Relation returns the relation of that name, or nil.
func (d *Dataset) Relation(name string) *Relation { return d.relations[name] }

// Measure returns the measure of that name, or nil.
func (d *Dataset) Measure(name string) *Measure { return d.measures[name] }

// Column is one column of a dataset.
type Column struct {
	Name        string
	Type        value.Type
	Nullable    bool
	Odd         bool // nobody has promised it, and it may hold values that cannot be printed
	Label       string
	Description string
	Expose      bool // a tenant column only: show it to tenants too
	Collation   bool // `collation: source`: text orders as the source orders it
	Only        Only // the tenants it is for
	Extra       bool // only tenants' own tables have it
	Unsettled   bool // how its values are written only a source can say that has not been reached; it is refused until then
}

// Promised tells whether the schema says that the column is never null. JSON has
// no NaN and no infinity, so a Float may have to be null, and so may other types
// of which a table has said only that they are never null.
func (c *Column) Promised() bool {
	return !c.Nullable && !c.Odd && (c.Type.Scalar != value.Float || c.Type.List)
}

// Relation leads from a row to rows of another dataset.
type Relation struct {
	Name        string
	To          *Dataset
	Many        bool // to-many; otherwise at most one row
	On          []Pair
	Through     *Dataset // to-many: the dataset whose rows link both, or nil; On then leads to it
	ToOn        []Pair   // from Through to To
	Only        Only     // the tenants that all its columns are for
	OnDelete    OnDelete // what becomes of the rows it leads to
	Description string
}

// Pair is one equality of a relation: From of the dataset that has the
// relation, To of the dataset it leads to.
type Pair struct{ From, To *Column }

// Binding says where a source keeps a dataset.
type Binding struct {
	Schema  string            // SQL sources: schema, may be empty
	Table   string            // SQL sources: table or view
	Path    string            // API sources: path below the base URL; plugins: id of the dataset
	Rows    string            // API sources: JSON pointer to the rows, overrides the source's
	Columns map[string]Stored // by column name; every column of the dataset is there
	Target  *Target           // what is to be known of it for writing; nil: nothing is written there
	Writes  *APIWrites        // API sources: the calls by which rows are written; nil: none are
}

// Own says where one tenant's rows of a dataset are, and nobody else's: its
// principals are served from there, and only they. One that has a name instead of a
// tenant is for those whose record names it, and keeps them apart itself.
type Own struct {
	Tenant string
	Name   string
	Source string
	Binding
}

// Stored says how a source keeps a column.
type Stored struct {
	Name    string // the source's name for it; for APIs a member name or JSON pointer
	Native  string // the source's own type, as introspected; empty when unknown
	Form    value.Form
	Default DefaultKind // what the source writes where nothing is given
	Filled  bool        // the source lets no null in
	ByCode  bool        // text that the source already orders by code point
	Collate string      // what it is compared by, as the source's statements name it; empty: that is not known
	Indexed bool        // an index finds a tenant's rows by it
	Sorted  bool        // an index has each tenant's rows in its order, in which they also lie in the table
	Spread  *Spread     // how its values are spread over the rows; nil: unknown
	Missing bool        // the source does not have the column: a tenant column, or one that is only other tenants'
}

// SourceKind names what a source is.
type SourceKind string

// The kinds of sources.
const (
	Postgres SourceKind = "postgres"
	DuckDB   SourceKind = "duckdb"
	API      SourceKind = "api"
)

// Source is one physical place data comes from.
type Source struct {
	Name     string
	Kind     SourceKind
	Template bool // only reachable through an account of the tenant's own
	Seen     bool // it was looked into, and the catalog fits what was there
	Postgres PostgresSpec
	DuckDB   DuckDBSpec
	API      APISpec
	Timeout  time.Duration
	Hosts    Hosts  // that overrides may name
	Webhook  string // secret of the calls that tell of changed rows; empty: there are none
}

// Isolation says who keeps tenants apart in an API.
type Isolation string

// The isolation modes of an API source.
const (
	ByUpstream Isolation = "upstream" // it returns the rows of the tenant we name
	ByGateway  Isolation = "gateway"  // it returns everybody's rows, usher filters
)

// StrategyKind names how tenant data is reached.
type StrategyKind string

// The kinds of strategies.
const (
	Shared   StrategyKind = "shared"
	Database StrategyKind = "database"
	Upstream StrategyKind = "api"
)

// Strategy is one way to reach a principal's tenant data.
type Strategy struct {
	Name     string
	Kind     StrategyKind      // of the usual source
	Source   string            // the usual one
	Datasets map[string]string // sources of datasets that are elsewhere
}

// SourceOf is the source of a tenant's rows of a dataset.
func (s *Strategy) SourceOf(dataset string) string {
	if other, ok := s.Datasets[dataset]; ok {
		return other
	}
	return s.Source
}

// Tenant is a registered tenant.
type Tenant struct {
	ID       string
	Key      string // its value in tenant columns
	Name     string
	Strategy string // of its principals whose token names none; empty: the default
	Cell     string // where its rows are in sources that have cells; empty: where those are themselves

	Strategies  map[string]string // those of single datasets, by dataset
	Bindings    map[string]string // names of those that datasets are read by, by dataset
	ExternalIDs []string          // what identity providers call it
	AllowHosts  []string          // where its accounts may lead, of what the sources allow; nil: to all of that

	Accounts map[string]principal.Account // its own, by source
}

// Routing is how the tenant's data is reached.
func (t Tenant) Routing() principal.Routing {
	return principal.Routing{Strategy: t.Strategy, Strategies: t.Strategies, Bindings: t.Bindings, Accounts: t.Accounts, AllowHosts: t.AllowHosts, Cell: t.Cell}
}

// Parameter is a named, typed value of a grant.
type Parameter struct {
	Name     string
	Type     value.Type
	Required bool
	Default  query.Value // nil when required
}

// Role grants reading and writing. A principal without roles in a catalog without roles
// reads everything visible to tenants.
type Role struct {
	Name     string
	Datasets map[string]*Right
}

// Right is what a role may do with one dataset.
type Right struct {
	Columns   map[string]bool // nil: all of them
	Filter    query.Value     // nil, or a where
	Aggregate bool
	Limit     int // 0: the dataset's

	Insert, Update, Delete *WriteGrant // nil: it may not
	IncludeDeleted         bool        // deleted rows may be asked for
}
