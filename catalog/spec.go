package catalog

import (
	"log/slog"
	"time"

	"usher/query"
)

// Spec is what the configuration says about data, before anything in it is
// resolved. The yaml tags are the keys of usher.yml; docs/configuration.md
// explains each. A zero value means that the key was left out.
type Spec struct {
	Sources         map[string]SourceSpec    `yaml:"sources"`
	Strategies      map[string]StrategySpec  `yaml:"strategies"`
	DefaultStrategy string                   `yaml:"default_strategy"`
	Naming          string                   `yaml:"naming"` // KeepNames, the default, or CamelNames
	Limits          LimitsSpec               `yaml:"limits"`
	Tenants         map[string]TenantSpec    `yaml:"tenants"`
	Parameters      map[string]ParameterSpec `yaml:"parameters"`
	Roles           map[string]RoleSpec      `yaml:"roles"`
	Datasets        map[string]DatasetSpec   `yaml:"datasets"`
}

// SourceSpec describes a source. The kind tag lists the kinds of source a key
// belongs to; any other kind refuses it.
type SourceSpec struct {
	Kind     string         `yaml:"kind" kind:"postgres duckdb api"`
	Template bool           `yaml:"template" kind:"postgres duckdb"`
	Timeout  *time.Duration `yaml:"timeout" kind:"postgres duckdb api"`

	DSN      Secret              `yaml:"dsn" kind:"postgres"`
	Host     string              `yaml:"host" kind:"postgres"`
	Port     int                 `yaml:"port" kind:"postgres"`
	Hosts    []HostSpec          `yaml:"hosts" kind:"postgres"`
	MaxLag   *time.Duration      `yaml:"max_lag" kind:"postgres"`
	Cells    map[string]CellSpec `yaml:"cells" kind:"postgres"`
	Database string              `yaml:"database" kind:"postgres"`
	User     string              `yaml:"user" kind:"postgres"`
	Password Secret              `yaml:"password" kind:"postgres"`
	Writer   WriterSpec          `yaml:"writer" kind:"postgres"`
	Schema   string              `yaml:"schema" kind:"postgres"`
	SSLMode  string              `yaml:"sslmode" kind:"postgres"`
	RootCert Path                `yaml:"root_cert" kind:"postgres api"`
	MaxConns *int                `yaml:"max_conns" kind:"postgres"`
	Pooler   string              `yaml:"pooler" kind:"postgres"`

	SearchPath []string `yaml:"search_path" kind:"postgres"` // nil: the database's
	ShowRaised bool     `yaml:"show_raised" kind:"postgres"`
	TraceSQL   bool     `yaml:"trace_sql" kind:"postgres"`
	Pipelining *bool    `yaml:"pipelining" kind:"postgres"` // nil: yes

	Session    SessionSpec `yaml:"session" kind:"postgres"`
	AllowHosts []string    `yaml:"allow_hosts" kind:"postgres api"`

	Path  Path            `yaml:"path" kind:"duckdb"`
	Files map[string]Path `yaml:"files" kind:"duckdb"`

	BaseURL      string              `yaml:"base_url" kind:"api"`
	ClientCert   Path                `yaml:"client_cert" kind:"api"`
	ClientKey    Path                `yaml:"client_key" kind:"api"`
	AllowPrivate bool                `yaml:"allow_private" kind:"postgres api"`
	Isolation    string              `yaml:"isolation" kind:"api"`
	Headers      map[string]Template `yaml:"headers" kind:"api"`
	Query        map[string]Template `yaml:"query" kind:"api"`
	Rows         string              `yaml:"rows" kind:"api"`
	Pages        PagesSpec           `yaml:"pages" kind:"api"`
	Pushdown     PushdownSpec        `yaml:"pushdown" kind:"api"`
	MaxRows      *int                `yaml:"max_rows" kind:"api"`
	MaxBytes     *int64              `yaml:"max_bytes" kind:"api"`

	Method        string        `yaml:"method" kind:"api"`
	Idempotent    bool          `yaml:"idempotent" kind:"api"`
	Body          BodySpec      `yaml:"body" kind:"api"`
	Format        string        `yaml:"format" kind:"api"`
	CSV           CSVSpec       `yaml:"csv" kind:"api"`
	OAuth2        OAuth2Spec    `yaml:"oauth2" kind:"api"`
	MaxConcurrent *int          `yaml:"max_concurrent" kind:"api"`
	StaleIfError  time.Duration `yaml:"stale_if_error" kind:"api"`

	Webhook WebhookSpec `yaml:"webhook" kind:"postgres duckdb api"`

	Protocol   string              `yaml:"protocol" kind:"api"`
	Secret     Secret              `yaml:"secret" kind:"api"`
	Properties map[string]Template `yaml:"properties" kind:"api"`
	Metadata   []string            `yaml:"metadata" kind:"api"`
	Plugin     PluginSpec          `yaml:"plugin" kind:"api"`
}

// CellSpec describes one of the databases that a shared source consists of.
type CellSpec struct {
	Host     string     `yaml:"host"`
	Port     int        `yaml:"port"`
	Hosts    []HostSpec `yaml:"hosts"`
	Database string     `yaml:"database"`
	User     string     `yaml:"user"`
	Password Secret     `yaml:"password"`
}

// HostSpec describes one of several servers that hold the same data.
type HostSpec struct {
	Host string `yaml:"host"`
	Port int    `yaml:"port"` // default: the port beside hosts
	Role string `yaml:"role"` // primary or replica; default primary
}

// BodySpec describes the body of a POST, in one of two forms.
type BodySpec struct {
	JSON query.Value         `yaml:"json"` // its texts are templates
	Form map[string]Template `yaml:"form"`
}

// CSVSpec describes the CSV of an API.
type CSVSpec struct {
	Delimiter string  `yaml:"delimiter"`
	Null      *string `yaml:"null_value"`
}

// OAuth2Spec describes the client credentials an API's tokens are fetched
// with.
type OAuth2Spec struct {
	TokenURL     string              `yaml:"token_url"`
	ClientID     Template            `yaml:"client_id"`
	ClientSecret Template            `yaml:"client_secret"`
	Scopes       []string            `yaml:"scopes"`
	Params       map[string]Template `yaml:"params"`
	Credentials  string              `yaml:"credentials"`
}

// WriterSpec is the account by which rows of a source are written, where that is another
// than the one by which they are read.
type WriterSpec struct {
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
}

// WebhookSpec describes how a source tells that its rows have changed.
type WebhookSpec struct {
	Secret Secret `yaml:"secret"`
}

// SessionSpec describes what a database is told at the start of each
// transaction.
type SessionSpec struct {
	Role     string            `yaml:"role"`
	Settings map[string]string `yaml:"settings"`
}

// PagesSpec describes how an API cuts its rows into pages.
type PagesSpec struct {
	Kind  string `yaml:"kind"`
	Param string `yaml:"param"`
	Size  string `yaml:"size"`
	Limit *int   `yaml:"limit"`
	Next  string `yaml:"next"`
	Max   *int   `yaml:"max"`
}

// PushdownSpec describes what an API can do itself.
type PushdownSpec struct {
	Filters map[string][]string `yaml:"filters"`
	Limit   string              `yaml:"limit"`
	Order   string              `yaml:"order"`
}

// StrategySpec describes a strategy.
type StrategySpec struct {
	Kind     string            `yaml:"kind"` // follows from the source; checked where it is written
	Source   string            `yaml:"source"`
	Datasets map[string]string `yaml:"datasets"` // sources of datasets that are elsewhere, by dataset
}

// LimitsSpec holds the limits of datasets that have none of their own, and the budgets of each
// tenant and of each token.
type LimitsSpec struct {
	Rows    *int `yaml:"rows"`
	MaxRows *int `yaml:"max_rows"`

	Tenant BudgetSpec `yaml:"tenant"`
	Token  BudgetSpec `yaml:"token"`
}

// BudgetSpec says how much there is for a minute. What is left out is not limited;
// a limit is at least 1, so that nothing which means "none" can be read as "any".
type BudgetSpec struct {
	Requests     *int64         `yaml:"requests"`
	DatabaseTime *time.Duration `yaml:"database_time"` // that databases worked
	Rows         *int64         `yaml:"rows"`          // read and written
	Bytes        *int64         `yaml:"bytes"`         // of them
}

// TenantSpec describes a tenant; it may be written as its key alone.
type TenantSpec struct {
	Key      string `yaml:"key" short:"true"` // the value in tenant columns; default: the id
	Name     string `yaml:"name"`             // for people; default: the id
	Strategy string `yaml:"strategy"`         // of tokens that name none
	Cell     string `yaml:"cell"`             // of the sources that have cells
	Weight   *int   `yaml:"weight"`           // in its turns at a source; default 1

	Limits BudgetSpec `yaml:"limits"` // before those of every tenant

	Strategies map[string]string `yaml:"strategies"` // those of single datasets, by dataset
	Bindings   map[string]string `yaml:"bindings"`   // those that a dataset has by name, by dataset

	ExternalIDs []string `yaml:"external_ids"` // what identity providers call it
	AllowHosts  []string `yaml:"allow_hosts"`  // where its accounts may lead, of what the sources allow

	Accounts map[string]AccountSpec `yaml:"accounts"` // by source
	Bind     map[string]OwnSpec     `yaml:"bind"`     // by dataset

	Registered *bool `yaml:"registered"` // false: the control store registers it, and only bind, weight and limits are said here
}

// OwnSpec says where a tenant's own table of a dataset is. Extra are columns
// that no other tenant's has.
type OwnSpec struct {
	Source  string              `yaml:"source"`
	Schema  string              `yaml:"schema"`
	Table   string              `yaml:"table"`
	Path    string              `yaml:"path"`
	Rows    string              `yaml:"rows"`
	Dataset string              `yaml:"dataset"`
	Columns map[string]*string  `yaml:"columns"`
	Extra   Ordered[ColumnSpec] `yaml:"extra"`
}

// AccountSpec describes what a tenant has of its own in a source's account.
// Headers and properties are taken as they stand.
type AccountSpec struct {
	Host     string `yaml:"host"`
	Port     int    `yaml:"port"`
	Database string `yaml:"database"`
	Schema   string `yaml:"schema"`
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`

	BaseURL    string              `yaml:"base_url"`
	Headers    map[string]Template `yaml:"headers"`
	Properties map[string]Template `yaml:"properties"`
}

// ParameterSpec describes a parameter.
type ParameterSpec struct {
	Type     string      `yaml:"type"`
	Required *bool       `yaml:"required"`
	Default  query.Value `yaml:"default"`
}

// RoleSpec describes a role.
type RoleSpec struct {
	Datasets map[string]RightSpec `yaml:"datasets"`
}

// RightSpec describes what a role may do with a dataset.
type RightSpec struct {
	Columns   []string    `yaml:"columns"`
	Filter    query.Value `yaml:"filter"`
	Aggregate bool        `yaml:"aggregate"`
	Limit     *int        `yaml:"limit"`

	Insert         *InsertSpec `yaml:"insert"`
	Update         *UpdateSpec `yaml:"update"`
	Delete         *DeleteSpec `yaml:"delete"`
	IncludeDeleted bool        `yaml:"include_deleted"`
}

// DatasetSpec describes a dataset.
type DatasetSpec struct {
	Type        string                 `yaml:"type"`
	Label       string                 `yaml:"label"`
	Description string                 `yaml:"description"`
	Tenant      TenancySpec            `yaml:"tenant"`
	Common      bool                   `yaml:"common"`
	Source      string                 `yaml:"source"`
	Key         Names                  `yaml:"key"`
	Filter      query.Value            `yaml:"filter"`
	Limit       *int                   `yaml:"limit"`
	MaxLimit    *int                   `yaml:"max_limit"`
	Cache       time.Duration          `yaml:"cache"`
	Columns     Ordered[ColumnSpec]    `yaml:"columns"`
	Relations   Ordered[RelationSpec]  `yaml:"relations"`
	Measures    Ordered[MeasureSpec]   `yaml:"measures"`
	Bound       string                 `yaml:"bound"`
	Bind        map[string]BindingSpec `yaml:"bind"`

	Writable   Operations  `yaml:"writable"`
	Keys       []Names     `yaml:"keys"` // other columns that no two rows share
	GlobalKeys bool        `yaml:"global_keys"`
	Presets    PresetsSpec `yaml:"presets"`
	Version    string      `yaml:"version"`
	Deleted    DeletedSpec `yaml:"deleted"`

	Stored string `yaml:"-"` // what its table is called, if nothing is bound; empty: as the dataset
}

// TenancySpec says whose a dataset's rows are: by a column, which may be written
// as its name alone, or by the row that a relation leads to.
type TenancySpec struct {
	Column  string `yaml:"column" short:"true"`
	Through string `yaml:"through"`

	// BelieveKey takes the key of the dataset that Through leads to for one of all tenants' rows where that is a
	// view, which promises nothing.
	BelieveKey bool `yaml:"believe_key"`
}

// ColumnSpec describes a column. Where only the type matters it may be
// written as that text: `id: BigInt!`.
type ColumnSpec struct {
	Type        string   `yaml:"type" short:"true"`
	Null        *bool    `yaml:"null"`
	Precision   *int     `yaml:"precision"`
	Scale       *int     `yaml:"scale" zero:"true"`
	Name        string   `yaml:"name"`
	Labels      []string `yaml:"labels"`
	Column      string   `yaml:"column"`
	Label       string   `yaml:"label"`
	Description string   `yaml:"description"`
	Collation   string   `yaml:"collation"`
	Expose      bool     `yaml:"expose"`
	OnlyTenants []string `yaml:"only_tenants"`
}

// RelationSpec describes a relation.
type RelationSpec struct {
	To          string            `yaml:"to"`
	Many        bool              `yaml:"many"`
	Through     string            `yaml:"through"`
	On          map[string]string `yaml:"on"`
	ToOn        map[string]string `yaml:"to_on"`
	OnDelete    string            `yaml:"on_delete"` // restrict, cascade or unlink; empty: what the database does
	Description string            `yaml:"description"`
}

// MeasureSpec describes a measure; it may be written as its expression alone.
type MeasureSpec struct {
	Expr        string      `yaml:"expr" short:"true"`
	Filter      query.Value `yaml:"filter"`
	Label       string      `yaml:"label"`
	Description string      `yaml:"description"`
	OnlyTenants []string    `yaml:"only_tenants"`
}

// BindingSpec says where a source keeps a dataset. A column bound to nil is
// one that the source does not have. With a source of its own it is no source's, but
// one that tenants' records may name.
type BindingSpec struct {
	Source  string             `yaml:"source"`
	Schema  string             `yaml:"schema"`
	Table   string             `yaml:"table"`
	Path    string             `yaml:"path"`
	Rows    string             `yaml:"rows"`
	Dataset string             `yaml:"dataset"`
	Columns map[string]*string `yaml:"columns"`
	Writes  APIWritesSpec      `yaml:"writes"`
}

// Ordered is a mapping that keeps the order in which it was written.
type Ordered[T any] []Entry[T]

// Entry is one name and value of an Ordered.
type Entry[T any] struct {
	Name  string
	Value T
}

// Names is a list of names; a list of one may be written as the name alone.
type Names []string

// Secret is text that is written in the configuration by reference only,
// {env: NAME} or {file: PATH}, and never printed.
type Secret string

// Template is text that may hold placeholders such as {tenant}. It is written
// as text or, when it carries a secret, by reference; it is never printed.
type Template string

// Path names a file. A relative one starts at the configuration file; the
// Spec holds it resolved.
type Path string

const redacted = "(secret)"

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret.
func (Secret) GoString() string { return redacted }

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// String hides the text.
func (Template) String() string { return redacted }

// GoString hides the text.
func (Template) GoString() string { return redacted }

// LogValue hides the text.
func (Template) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the text.
func (Template) MarshalText() ([]byte, error) { return []byte(redacted), nil }
