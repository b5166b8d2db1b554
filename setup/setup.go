// Package setup owns the first configuration: from the tables a source was
// found to hold it proposes whose rows each of them has, and writes usher.yml
// with the reasons. It never guesses towards more: a table that may hold
// tenants' rows and does not say whose is left out, not made common.
package setup

import (
	"cmp"
	"errors"
	"fmt"
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

	Schemas []string // that were looked into, the usual one first; none: only that
}

// usualSchema is the schema of tables that name none.
func (s Source) usualSchema() string {
	switch {
	case s.Spec.Kind == string(catalog.DuckDB):
		return "main"
	case s.Spec.Schema != "":
		return s.Spec.Schema
	}
	return "public"
}

// Options are what a person has decided.
type Options struct {
	Tenant string // the column that names a row's tenant; empty: it is guessed
	Naming string // catalog.CamelNames, or the names are kept
}

// files tells whether the tables are files: then they are views to the engine,
// but views of nothing else.
func (s Source) files() bool { return len(s.Spec.Files) > 0 }

// Draft is a proposed configuration.
type Draft struct {
	Column  string           // the tenant column
	Guessed bool             // nobody named it
	Passed  []string         // other columns that might be it, and why each was not taken
	Catalog *catalog.Catalog // what would be served
	Tenants []Tenant         // to be registered; nil: every tenant key is an id
	More    bool             // there are more tenants than those
	LeftOut []LeftOut

	source Source
	unread []catalog.Unreadable // what it holds and the account may not read
	naming string
	tables []*table
	notes  map[string][]string // by dataset: what of its table is not served
	all    *catalog.Catalog    // what there is, those among it whose owners are undecided, as if it were everybody's
}

// Introspected is what the source holds, as the catalog takes it.
func (d *Draft) Introspected() catalog.Introspected {
	return catalog.Introspected{d.source.Name: d.source.Tables}
}

// Named is a name as it is served.
func (d *Draft) served(name string) string {
	if d.naming == catalog.CamelNames {
		return catalog.Camel(name)
	}
	return name
}

// datasetOf is what is served of a table, or nil.
func (d *Draft) datasetOf(t *table) *catalog.Dataset { return d.Catalog.Dataset(d.served(t.dataset)) }

// LeftOut is a table that is not served, and why.
type LeftOut struct {
	Table, Reason string
	Lack          Lack
}

// Lack is what a table that is not served would need.
type Lack string

// What there may be to do about a table that is left out.
const (
	LacksChoice  Lack = "Whose a row is has to be chosen, and is proposed"
	LacksOwner   Lack = "Nothing says whose the rows are, nor that they are everybody's"
	LacksColumn  Lack = "Views, of which somebody has to look at whose their rows are, and at what they show of other tables"
	LacksRight   Lack = "Whose a row is, or whether it is deleted, may not be read"
	LacksFit     Lack = "Something does not fit"
	LacksNothing Lack = "Of tools and extensions"
)

func (t *table) lack() Lack {
	switch {
	case t.Extension, t.tools():
		return LacksNothing
	case t.refused && !t.undecided:
		return LacksFit
	case t.undecided:
		return LacksChoice
	case t.withheld, len(t.unseen) > 0:
		return LacksRight
	case t.view:
		return LacksColumn
	}
	return LacksOwner
}

// Propose makes a draft. Where nobody says which column names a row's tenant and
// the names do not tell, the error says what was found.
func Propose(source Source, o Options) (*Draft, error) {
	column := o.Tenant
	d := &Draft{Column: column, source: source, naming: o.Naming}
	d.newTables()
	if len(d.tables) == 0 {
		if len(d.unread) > 0 {
			return nil, fmt.Errorf("there is no table to serve that the account %s may read:\n%s", d.Account(), strings.Join(d.Grants(), "\n"))
		}
		return nil, errors.New("there is no table to serve; does the account have the right to read any?")
	}
	if column == "" {
		var err error
		if d.Column, d.Passed, err = guess(d.tables); err != nil {
			return nil, d.besides(err)
		}
		d.Guessed = true
	} else if !slices.ContainsFunc(d.tables, func(t *table) bool { return t.has(column) }) {
		return nil, d.besides(errors.New("no table has a column " + column))
	}
	classify(d.tables, d.Column)
	if err := d.compile(); err != nil {
		return nil, err
	}
	if err := d.tenantless(); err != nil {
		return nil, err
	}
	return d, nil
}

// tenantless refuses a draft that would serve nothing to tenants.
func (d *Draft) tenantless() error {
	d.LeftOut = nil
	for _, t := range d.tables {
		if t.leftOut != "" {
			d.LeftOut = append(d.LeftOut, LeftOut{Table: d.called(t), Reason: t.leftOut, Lack: t.lack()})
		}
	}
	if !slices.ContainsFunc(d.Catalog.Datasets, func(ds *catalog.Dataset) bool { return ds.Tenant != nil }) {
		return errors.New("no table can be served to tenants:\n" + d.reasons())
	}
	return nil
}

// called is a table's name, with its schema where it is not the usual one.
func (d *Draft) called(t *table) string {
	if t.Schema != "" && t.Schema != d.source.usualSchema() && !t.Plugin && !d.source.files() {
		return t.Schema + "." + t.Name
	}
	return t.Name
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
	dataset  string   // its name as a dataset
	typeName string   // its GraphQL type; empty: as the catalog has it
	types    int      // how many names were tried for it
	ends     []string // see endings
	view     bool     // shows rows of other tables
	tenant   string   // the column that names a row's tenant
	registry bool     // its rows are the tenants themselves
	common   bool
	list     bool       // looks like one of names, and may be everybody's
	leftOut  string     // why
	refused  bool       // it is left out since the catalog refuses it
	parent   *through   // the row that it references is the same tenant's
	renamed  bool       // its own name is taken by another root field
	through  *through   // that reference, should it be left out all the same
	ways     []*through // all references that lead to rows of tenants
	links    []*through // relations that no foreign key says

	pointed   map[string]bool // columns that are called like references to rows of tables
	referrers []*table        // a table for each foreign key of another one onto it

	unread   []string // columns that the account may not read
	withheld bool     // the tenant column is among these, or one that says which rows are deleted

	unseen []unseen // references to tables that the account may not read

	undecided bool   // it is left out since nothing says for certain which of them is the owner
	unsure    bool   // it is left out though nothing says that its rows are a tenant's
	key       string // the column by which the rows were found to differ, where no constraint says so
	rows      int64  // that were compared

	omitted map[string]string // columns and relations that the catalog refuses as they would be written, and why
}

// through is how a table without the tenant column comes to one that has it.
type through struct {
	key   catalog.ForeignKey
	to    *table
	back  bool // the key is that one's, onto this table, and no two of its rows have the same
	guess bool // the database knows of no key: a column is called like one
	blind bool // it leads to a table that the account may not read
	unled bool // it leads to rows of which nothing that is known leads to a tenant
}

// newTables names the datasets after the tables, with the schema before the
// name where a table of another one has it already. Names that need no change
// stay, and the others make room for them.
func (d *Draft) newTables() {
	tables := d.source.Tables
	d.source.Tables = make(map[string]catalog.Table, len(tables))
	for _, key := range slices.Sorted(maps.Keys(tables)) {
		t := tables[key]
		if t.Unread.Account != "" {
			d.unread = append(d.unread, t.Unread)
		}
		if !t.Unread.All() {
			d.source.Tables[key] = t
			d.tables = append(d.tables, &table{Table: t, view: t.View && !d.source.files(), unread: t.Unread.Columns})
		}
	}
	for _, t := range d.tables {
		t.pointed, t.unseen = t.pointing(d.tables), d.unseen(t)
	}
	order := func(t *table) int { return slices.Index(d.source.Schemas, t.Schema) }
	slices.SortStableFunc(d.tables, func(a, b *table) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(order(a), order(b))) })
	changes := func(t *table) int {
		switch {
		case !graphqlName.MatchString(t.Name):
			return 2
		case d.served(t.Name) != t.Name:
			return 1
		}
		return 0
	}
	taken := make(map[string]bool)
	for change := range 3 {
		for _, t := range d.tables {
			if changes(t) != change {
				continue
			}
			name := t.Name
			if plain := datasetName(name, d.served, nil); taken[d.served(plain)] && d.called(t) != t.Name {
				name = t.Schema + "_" + t.Name
			}
			t.dataset = datasetName(name, d.served, taken)
			taken[d.served(t.dataset)] = true
		}
	}
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
