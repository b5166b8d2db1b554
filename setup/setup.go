// Package setup owns the first configuration: from the tables a source was
// found to hold it proposes whose rows each of them has, and writes usher.yml
// with the reasons. It never guesses towards more: a table that may hold
// tenants' rows and does not say whose is left out, not made common.
package setup

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"usher/catalog"
)

// Source is the source that was looked into.
type Source struct {
	Name   string
	Spec   catalog.SourceSpec
	Tables map[string]catalog.Table // as introspection found them
	Lines  []string                 // the source's keys as usher.yml shall have them
}

// files tells whether the tables are files: then they are views to the engine,
// but views of nothing else.
func (s Source) files() bool { return len(s.Spec.Files) > 0 }

// Draft is a proposed configuration.
type Draft struct {
	Column  string           // the tenant column
	Guessed bool             // nobody named it
	Catalog *catalog.Catalog // what would be served
	Tenants []Tenant         // to be registered; nil: every tenant key is an id
	More    bool             // there are more tenants than those
	LeftOut []LeftOut

	source Source
	tables []*table
	notes  map[string][]string // by dataset: what of its table is not served
}

// LeftOut is a table that is not served, and why.
type LeftOut struct{ Table, Reason string }

// Propose makes a draft. The column is the one that names a row's tenant;
// empty: it is guessed from the names, or else the error says what was found.
func Propose(source Source, column string) (*Draft, error) {
	d := &Draft{Column: column, source: source, tables: newTables(source)}
	if len(d.tables) == 0 {
		return nil, errors.New("there is no table to serve; does the account have the right to read any?")
	}
	if column == "" {
		var err error
		if d.Column, err = guess(d.tables); err != nil {
			return nil, err
		}
		d.Guessed = true
	} else if !slices.ContainsFunc(d.tables, func(t *table) bool { return t.has(column) }) {
		return nil, errors.New("no table has a column " + column)
	}
	classify(d.tables, d.Column)
	if err := d.compile(); err != nil {
		return nil, err
	}
	for _, t := range d.tables {
		if t.leftOut != "" {
			d.LeftOut = append(d.LeftOut, LeftOut{Table: t.Name, Reason: t.leftOut})
		}
	}
	if !slices.ContainsFunc(d.Catalog.Datasets, func(ds *catalog.Dataset) bool { return ds.Tenant != nil }) {
		return nil, errors.New("no table can be served to tenants:\n" + d.reasons())
	}
	return d, nil
}

func (d *Draft) reasons() string {
	var lines []string
	for _, l := range d.LeftOut {
		lines = append(lines, "  "+l.Table+": "+l.Reason)
	}
	return strings.Join(lines, "\n")
}

// Holders are how many tables have the tenant column, and how many there are.
func (d *Draft) Holders() (holders, all int) {
	for _, t := range d.tables {
		if t.has(d.Column) {
			holders++
		}
	}
	return holders, len(d.tables)
}

// table is a table and what is made of it. One of tenant, parent, common and
// leftOut is set once it is classified.
type table struct {
	catalog.Table
	dataset  string // its name as a dataset
	typeName string // its GraphQL type; empty: as the catalog has it
	view     bool   // shows rows of other tables
	tenant   string // the column that names a row's tenant
	registry bool   // its rows are the tenants themselves
	common   bool
	leftOut  string   // why
	refused  bool     // it is left out since the catalog refuses it
	parent   *through // the row that it references is the same tenant's
	through  *through // that reference, should it be left out all the same
}

// through is how a table without the tenant column comes to one that has it.
type through struct {
	key catalog.ForeignKey
	to  *table
}

func newTables(source Source) []*table {
	var out []*table
	for _, key := range slices.Sorted(maps.Keys(source.Tables)) {
		t := source.Tables[key]
		out = append(out, &table{Table: t, view: t.View && !source.files()})
	}
	slices.SortStableFunc(out, func(a, b *table) int { return cmp.Compare(a.Name, b.Name) })
	taken := make(map[string]bool)
	for _, t := range out {
		t.dataset = datasetName(t.Name, taken)
		taken[t.dataset] = true
	}
	return out
}

func (t *table) column(name string) (catalog.TableColumn, bool) {
	for _, c := range t.Columns {
		if c.Name == name {
			return c, true
		}
	}
	return catalog.TableColumn{}, false
}

func (t *table) has(column string) bool {
	_, ok := t.column(column)
	return ok
}
