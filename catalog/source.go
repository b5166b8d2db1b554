package catalog

// PostgresSpec is where a PostgreSQL source is. Nothing is taken from the
// process's PG* environment.
type PostgresSpec struct {
	Host     string
	Port     int
	Database string // may hold {tenant} in a template
	User     string
	Password string
	Schema   string // schema of tables that name none; default public
	SSLMode  string // default verify-full
	RootCert string // file with the CA's certificate
	MaxConns int    // per account
}

// DuckDBSpec is where a DuckDB source is: a database file, or files that are
// read in place, each as a table.
type DuckDBSpec struct {
	Path  string            // may hold {tenant} in a template; empty: in memory, with Files
	Files map[string]string // table name to a Parquet, CSV or JSON file
}

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
}

// PageKind names how an API cuts its rows into pages.
type PageKind string

// The kinds of pages.
const (
	NoPages     PageKind = "none"
	PageNumber  PageKind = "page"
	PageOffset  PageKind = "offset"
	PageCursor  PageKind = "cursor"
	maxPageSize          = 10000
)

// Pages says how an API cuts its rows into pages.
type Pages struct {
	Kind  PageKind
	Param string // query parameter of the page number, offset or cursor
	Size  string // query parameter of the page size, may be empty
	Limit int    // rows to a page
	Next  string // cursor: JSON pointer to the next cursor
}

// Pushdown says what an API can do itself.
type Pushdown struct {
	Filters map[string][]string // by column name: where operators, eq in gt gte lt lte
	Limit   string              // query parameter of the row limit
	Order   string              // query parameter of the order: column or -column
}
