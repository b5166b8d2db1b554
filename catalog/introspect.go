package catalog

import "usher/value"

// Introspected is what sources were found to hold: source name, then
// "schema.table" or "table" (of a plugin: the dataset's id), then the table. A source that is absent was not
// asked, and nothing is compared with it.
type Introspected map[string]map[string]Table

// Table is a table or view as a source describes it.
type Table struct {
	Schema      string
	Name        string
	View        bool
	Plugin      bool          // a plugin's dataset; the native types are those of its protocol
	Columns     []TableColumn // in the source's order
	PrimaryKey  []string
	Unique      [][]string // other sets of columns that no two rows share
	Indexes     [][]string // columns in whose order an index has all rows; none is empty
	ForeignKeys []ForeignKey
}

// TableColumn is a column as a source describes it.
type TableColumn struct {
	Name          string
	Native        string     // the source's own name of the type
	Type          value.Type // the scalar it is served as, when Supported
	Supported     bool
	Nullable      bool
	ByCode        bool // text that the source already orders by code point
	InOrder       bool // rows lie in the table in its order, and reading them so costs no more than any other way
	Deterministic bool // equal text is the same text; false under some collations
	Comment       string
}

// ForeignKey is a reference to another table of the same source.
type ForeignKey struct {
	Columns    []string
	RefSchema  string
	RefTable   string
	RefColumns []string
}
