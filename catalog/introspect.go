package catalog

import (
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
	Extension   bool          // it is part of what an extension of the database has made
	Plugin      bool          // a plugin's dataset; the native types are those of its protocol
	Columns     []TableColumn // in the source's order
	PrimaryKey  []string
	Unique      [][]string // other sets of columns that no two rows share
	Indexes     [][]string // columns in whose order an index has all rows; none is empty
	ForeignKeys []ForeignKey
}

// TableColumn is a column as a source describes it.
type TableColumn struct {
	Name      string
	Native    string     // the source's own name of the type
	Type      value.Type // the scalar it is served as, when Supported
	Supported bool
	Form      value.Form // how it is read, where its type is another than the scalar's
	Odd       bool       // may hold values that cannot be printed, such as infinite times
	Nullable  bool
	ByCode    bool // text that the source already orders by code point
	InOrder   bool // rows lie in the table in its order, and reading them so costs no more than any other way
	Spread    *Spread
	Comment   string
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
		b := d.Bind[source.Name]
		note(b.Schema, b.Table)
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
