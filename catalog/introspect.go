package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/value"
)

// Introspected is what sources were found to hold: source name, then TableKey
// (of a plugin: the dataset's id), then the table. A source that is absent was not
// asked, and nothing is compared with it.
type Introspected map[string]map[string]Table

// Table is a table or view as a source describes it.
type Table struct {
	Schema      string
	Name        string
	View        bool
	Unfilled    bool          // a materialized view that cannot be read before it is refreshed
	Hidden      bool          // row-level security shows whoever has looked no row of it
	Extension   bool          // it is part of what an extension of the database has made
	Plugin      bool          // a plugin's dataset; the native types are those of its protocol
	Columns     []TableColumn // in the source's order
	PrimaryKey  []string
	Unique      [][]string // other sets of columns that no two rows share
	Indexes     [][]string // columns in whose order an index has all rows; none is empty
	ForeignKeys []ForeignKey

	Kind      TableKind
	Rules     bool          // the database rewrites what is written to it
	Triggers  bool          // the database runs triggers of its own when rows of it are written
	Fills     bool          // among them one that may fill in what a row that is inserted does not give
	Filled    []string      // the columns that the functions of such triggers name, in one of them or more
	Reaching  []string      // the triggers, by name, that may read or change other rows than the one that they run for
	Colliding []CollidingBy // everything by which rows may collide, Unique and PrimaryKey among it
	Referrers []Referrer    // foreign keys onto it, from whichever schema
	Checks    []CheckedBy   // conditions that every row satisfies
	Shape     int64         // another number when its keys, triggers or rules are others; 0: nobody has read it
	Writable  bool          // whoever has looked may write to it
	Parts     bool          // others hold rows of it: partitions, or tables that inherit
	Members   []string      // the names of these, by TableKey
	Inherited bool          // tables inherit from it, whose rows are in none of its indexes
	Unread    Unreadable    // what of it the account that has looked may not read; a table of which that is all has no columns here
}

// Unreadable is a table of which an account may not read some columns, or none.
type Unreadable struct {
	Account string
	Schema  string
	Table   string
	Columns []string // on which it lacks SELECT, in the source's order
	Whole   bool     // these are all
	Closed  bool     // it may not use the schema, so that it reads no column whatever it has been granted
}

// All tells whether the account may read nothing of the table.
func (u Unreadable) All() bool { return u.Closed || u.Whole }

// Grants are the statements by which the account may read these columns, or all that it may not.
func (u Unreadable) Grants(columns ...string) (out []string) {
	to := " TO " + Identifier(u.Account) + ";"
	if u.Closed {
		out = append(out, "GRANT USAGE ON SCHEMA "+Identifier(u.Schema)+to)
	}
	if columns == nil {
		columns = u.Columns
	}
	if len(columns) == 0 {
		return out
	}
	of := ""
	if !u.Whole {
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = Identifier(c)
		}
		of = " (" + strings.Join(names, ", ") + ")"
	}
	return append(out, "GRANT SELECT"+of+" ON "+Identifier(u.Schema)+"."+Identifier(u.Table)+to)
}

// Lacks says what an account may not read, of a table or of one column, and what helps.
func (u Unreadable) Lacks(what string, columns ...string) string {
	return fmt.Sprintf("the account %s may not read %s: %s", u.Account, what, strings.Join(u.Grants(columns...), " "))
}

// Identifier quotes a name as the SQL standard does.
func Identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// CheckedBy is a condition of a table, by its name.
type CheckedBy struct {
	Name    string
	Domain  string // whose condition it is; empty: the table's
	Columns []string
}

// TableKind is what a table is to whoever writes to it.
type TableKind string

// The kinds of tables.
const (
	OrdinaryTable TableKind = ""
	AView         TableKind = "view"
	Materialized  TableKind = "materialized view"
	ForeignTable  TableKind = "foreign table"
	ReadFile      TableKind = "file" // that the engine reads in place
)

// CollidingBy is a unique index, or one that excludes.
type CollidingBy struct {
	Name       string
	Columns    []string // whose values are equal where rows collide; what is included only is not among them
	Constraint bool     // it belongs to a constraint of that name
	Expression bool     // it holds more than columns
	Partial    bool     // it holds some rows only
	Exclusion  bool     // rows collide that are not equal
	Deferrable bool     // the collision may show itself at the end
}

// Referrer is a foreign key of another table, or of the same, onto a table.
type Referrer struct {
	Schema     string
	Table      string
	Columns    []string
	RefColumns []string
	OnDelete   Action
	OnUpdate   Action
	Sets       []string // the columns that OnDelete sets, where it does not set all
	Deferrable bool
}

// Action is what a database does with rows whose referenced row is gone or
// another.
type Action string

// The actions.
const (
	NoAction    Action = "" // it refuses, at once or at the end
	CascadeTo   Action = "cascade"
	SetsNull    Action = "set null"
	SetsDefault Action = "set default"
)

// DefaultKind is what a database writes into a column that is left out.
type DefaultKind uint8

// The kinds of defaults.
const (
	NoDefault DefaultKind = iota // null
	ByDefault                    // a default, or an identity that may be given
	AlwaysOwn                    // an identity that may not be given
	Computed                     // made of other columns, and never written
)

// Made says whether a default makes values that no other row has.
type Made uint8

// What a default may make.
const (
	NotMade Made = iota
	Counted      // by a sequence: values tell how many others there are
	Random       // values tell nothing
)

// TableColumn is a column as a source describes it.
type TableColumn struct {
	Name      string
	Native    string     // the source's own name of the type
	Type      value.Type // the scalar it is served as, when Supported
	Supported bool
	Form      value.Form // how it is read, where its type is another than the scalar's
	Odd       bool       // may hold values that cannot be printed, such as infinite times
	Nullable  bool
	ByCode    bool   // text that the source already orders by code point
	Collation string // of text, as the source's statements name it; empty: none is known by which only the same texts are equal
	InOrder   bool   // rows lie in the table in its order, and reading them so costs no more than any other way
	Spread    *Spread
	Nulls     *float64 // rows without a value, as the source's planner believes; nil where it does not say
	Comment   string
	Default   DefaultKind
	Made      Made // of what kind the default's values are
}

// Spread is how a column's values are spread over the rows of its table, as the
// source's planner believes it; nil where it does not say.
type Spread struct {
	Rows float64 // of the table
	Each float64 // rows of one value, on average
	Most float64 // rows of the most frequent value

	InIndex bool // an index of the table, of whatever kind, has to do with the column
	Ordered bool // of a dataset: an index has each tenant's rows in its order
}

// ForeignKey is a reference to another table of the same source.
type ForeignKey struct {
	Columns    []string
	RefSchema  string
	RefTable   string
	RefColumns []string
	Cascade    bool // rows are deleted with the one they reference
	OnDelete   Action
	OnUpdate   Action
	Deferrable bool
}

// TableKey tells the tables of a source apart: schema.table, where a name with a
// dot or a quote in it stands in quotes.
func TableKey(schema, table string) string {
	if schema == "" {
		return quotedPart(table)
	}
	return quotedPart(schema) + "." + quotedPart(table)
}

func quotedPart(name string) string {
	if !strings.ContainsAny(name, `."`) {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// tableParts reads what TableKey writes: schema.table, or a table alone. Without
// quotes the first dot ends the schema.
func tableParts(text string) (schema, table string) {
	first, rest := cutPart(text)
	if rest == "" {
		return "", first
	}
	if table, rest := cutPart(rest[1:]); rest == "" {
		return first, table
	}
	return first, rest[1:]
}

// cutPart reads a name off the text: in quotes, or up to a dot. What only looks
// like one in quotes is a name as it stands.
func cutPart(text string) (name, rest string) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok {
		for i := 0; i < len(quoted); i++ {
			switch after := quoted[i+1:]; {
			case quoted[i] != '"':
			case strings.HasPrefix(after, `"`):
				i++
			case i > 0 && (after == "" || len(after) > 1 && after[0] == '.'):
				return strings.ReplaceAll(quoted[:i], `""`, `"`), after
			default:
				return text, ""
			}
		}
		return text, ""
	}
	if i := strings.IndexByte(text, '.'); i > 0 && i < len(text)-1 {
		return text[:i], text[i:]
	}
	return text, ""
}

// UsualSchema is the schema of a database's tables for which none is named.
func (s *Source) UsualSchema() string {
	switch s.Kind {
	case Postgres:
		return s.Postgres.Schema
	case DuckDB:
		return duckdbSchema
	case API:
	}
	return ""
}

// Schemas are those of a source that a configuration names, the usual one among
// them: where its datasets are bound, and the tables of tenants' own.
func (s Spec) Schemas(source *Source) []string {
	if source.Kind == API {
		return nil
	}
	named := map[string]bool{source.UsualSchema(): true}
	note := func(schema, table string) {
		if schema == "" {
			schema, _ = tableParts(table)
		}
		if schema != "" {
			named[schema] = true
		}
	}
	for _, d := range s.Datasets {
		for name, b := range d.Bind {
			if cmp.Or(b.Source, name) == source.Name {
				note(b.Schema, b.Table)
			}
		}
	}
	for _, t := range s.Tenants {
		for _, b := range t.Bind {
			if b.Source == source.Name {
				note(b.Schema, b.Table)
			}
		}
	}
	return slices.Sorted(maps.Keys(named))
}
