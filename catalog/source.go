package catalog

import (
	"time"

	"usher/query"
)

// PostgresSpec is where a PostgreSQL source is. Nothing is taken from the
// process's PG* environment.
type PostgresSpec struct {
	Host     string // or several, as ServersText writes them
	Port     int
	MaxLag   time.Duration   // of a standby that is read from
	Cells    map[string]Cell // by name; there may be no Host beside them
	Database string          // may hold {tenant} in a template
	User     string
	Password string
	Writer   Writer // who writes in place of User; empty: nobody else does
	Schema   string // schema of tables that name none; default public
	SSLMode  string // default verify-full
	RootCert string // file with the CA's certificate
	MaxConns int    // per account and host
	Pooler   Pooler // what stands before the server

	SearchPath []string // where triggers and functions of the database's look names up; nil: where they do for its accounts
	ShowRaised bool     // what they raise is told to whoever writes
	TraceSQL   bool     // statements of traced requests say which trace they are of

	NoPipelining bool // no statement is sent before the one before it is answered

	AllowPrivate bool // a host that an override names may be loopback or private
	Session      Session
}

// Writer is the account by which rows are written.
type Writer struct{ User, Password string }

// Pooler says of what kind the connection pooler is that stands before a server.
type Pooler string

// The kinds of poolers. A source that says nothing has none.
const (
	NoPooler          Pooler = ""
	SessionPooler     Pooler = "session"     // a connection of the server for each client, as long as that stays
	TransactionPooler Pooler = "transaction" // another one for each transaction
)

// Session is what a database is told at the start of each transaction, for
// policies of its own. Role may hold {tenant}, values {tenant} and
// {tenant_key}.
type Session struct {
	Role     string
	Settings []Setting // by name
}

// Setting is a setting of a session.
type Setting struct{ Name, Value string }

// DuckDBSpec is where a DuckDB source is: a database file, or files that are
// read in place, each as a table.
type DuckDBSpec struct {
	Path  string            // may hold {tenant} in a template; empty: in memory, with Files
	Files map[string]string // table name to a Parquet, CSV or JSON file
}

// inPlace tells that the engine reads files where they are: they promise nothing of their rows, and nothing is written to them.
func (s *Source) inPlace() bool { return s.Kind == DuckDB && s.DuckDB.Path == "" }

// APISpec is how an HTTP API is asked.
type APISpec struct {
	BaseURL      string
	AllowPrivate bool // loopback and private addresses may be dialed
	Isolation    Isolation
	Headers      map[string]string // templates
	Query        map[string]string // templates
	Rows         string            // JSON pointer to the array of rows
	Pages        Pages
	Pushdown     Pushdown
	MaxRows      int
	MaxBytes     int64

	Method        string // GET or POST
	Idempotent    bool   // the same call twice does what one does
	Body          Body   // of a POST
	Format        Format
	CSV           CSV
	OAuth2        OAuth2
	MaxConcurrent int           // calls under way together, for each base URL
	StaleIfError  time.Duration // how old a reply may stand in for one that fails; 0: none does

	RootCert              string // PEM file of the authorities its server may be certified by; empty: the system's
	ClientCert, ClientKey string // PEM files usher shows itself with; empty: it does not

	Plugin *Plugin // the API is a broker plugin; nil: it is not
}

// Body is the body of a POST: JSON or a form, or nothing.
type Body struct {
	JSON query.Value       // nil: none; its texts are templates
	Form map[string]string // nil: none; templates
}

// Format is what an API writes its rows in.
type Format string

// The formats.
const (
	JSON   Format = "json"
	NDJSON Format = "ndjson" // an object on each line
	CSVs   Format = "csv"    // the first line names the columns
)

// CSV says how an API writes CSV.
type CSV struct {
	Delimiter rune
	Null      string // the text of a cell that is null
}

// OAuth2 is how an API's tokens are fetched, by client credentials (RFC 6749,
// 4.4).
type OAuth2 struct {
	TokenURL     string // empty: the API takes no such token
	ClientID     string // template
	ClientSecret string // template
	Scopes       []string
	Params       map[string]string // templates
	InBody       bool              // the credentials go in the body, not in a header
}

// PageKind names how an API cuts its rows into pages.
type PageKind string

// The kinds of pages.
const (
	NoPages     PageKind = "none"
	PageNumber  PageKind = "page"
	PageOffset  PageKind = "offset"
	PageCursor  PageKind = "cursor"
	PageLink    PageKind = "link"
	maxPageSize          = 10000
)

// Pages says how an API cuts its rows into pages.
type Pages struct {
	Kind  PageKind
	Param string // parameter of the page number, offset or cursor
	Size  string // parameter of the page size, may be empty
	Limit int    // rows to a page
	Next  string // cursor: JSON pointer to the next cursor; link: to the next URL, or empty for the Link header
	Max   int    // pages at most
}

// Pushdown says what an API can do itself. A parameter that starts with / is a
// JSON pointer into the body, any other is one of the query.
type Pushdown struct {
	Filters map[string][]string // by column name: where operators, eq in gt gte lt lte
	Limit   string              // parameter of the row limit
	Order   string              // parameter of the order: column or -column
	Bytes   int                 // bounds the text of all conditions; 0: as many as any URL can hold
}
