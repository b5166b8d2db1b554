package setup

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/catalog"
	"usher/value"
)

// classify says of every table whose rows it holds: a tenant's, where it has
// the tenant column, is the list of tenants itself or leads to such rows by keys;
// everybody's, where all tells that it is; else it is left out.
func classify(tables []*table, column string) {
	for _, t := range tables {
		switch {
		case t.Extension:
			t.leftOut = "it belongs to an extension of the database"
		case slices.Contains(t.unread, column):
			t.withheld, t.leftOut = true, fmt.Sprintf("the account may not read its column %s, which says whose a row is", column)
		case len(t.unseenDeletion()) > 0: // deleted rows would be served
			t.withheld, t.leftOut = true, fmt.Sprintf("the account may not read its column %s, which says which rows are deleted", strings.Join(t.unseenDeletion(), " and its column "))
		case t.view && t.has(column):
			t.leftOut = fmt.Sprintf("it is a view: a tenant has the rows with its own %s, and nobody confines what these show of other tables, which may be other tenants'. Look at its text", column)
		case t.has(column):
			t.tenant = column
		}
	}
	for _, t := range tables {
		t.findRegistry(tables, column)
	}
	misfits(tables)
	parents(tables, column)
	guesses(tables)
	everybodys(tables, column)
}

// misfits leaves out the tables whose tenant column is of another kind than that
// of most: a token's tenant has one key, which is no value of both.
func misfits(tables []*table) {
	count := make(map[string]int)
	kind := ""
	for _, t := range tables {
		if k := t.keyKind(); k != "" {
			count[k]++
			if count[k] > count[kind] || count[k] == count[kind] && t.registry {
				kind = k
			}
		}
	}
	for _, t := range tables {
		if k := t.keyKind(); k != "" && k != kind {
			c, _ := t.column(t.tenant)
			t.leftOut = fmt.Sprintf("its column %s is %s, and that of most tables is %s: no tenant has a key that is both", t.tenant, oneOf(k, c), kind)
			t.tenant, t.registry = "", false
		}
	}
}

func oneOf(kind string, c catalog.TableColumn) string {
	if c.Native == "" {
		return kind
	}
	return c.Native
}

// keyKind is what the keys of tenants are in a table: numbers, text or UUIDs.
func (t *table) keyKind() string {
	c, ok := t.column(t.tenant)
	if !ok {
		return ""
	}
	return kindOfKey(c)
}

func kindOfKey(c catalog.TableColumn) string {
	switch {
	case c.Type.List:
	case c.Type.Scalar == value.Int, c.Type.Scalar == value.BigInt:
		return "a whole number"
	case c.Type.Scalar == value.UUID:
		return "a UUID"
	case c.Type.Text():
		return "text"
	}
	return ""
}

func (t *table) open() bool { return t.tenant == "" && t.parent == nil && t.leftOut == "" }

// findRegistry finds the list of tenants: the table that tenant columns refer
// to, or that is called like them. Its rows are tenants, each its own.
func (t *table) findRegistry(tables []*table, column string) {
	own, ok := t.column(column)
	if !ok {
		return
	}
	for _, fk := range t.ForeignKeys {
		if slices.Equal(fk.Columns, []string{column}) {
			if to := find(tables, fk.RefSchema, fk.RefTable, t.Schema); to != nil && to.open() {
				to.tenant, to.registry = fk.RefColumns[0], true
			}
		}
	}
	for _, to := range tables {
		if !to.open() || to.view {
			continue
		}
		id, ok := to.column("id")
		named := refersTo(column, to.Name) || isPlural(plain(column), plain(to.Name))
		if ok && named && id.Type.Scalar == own.Type.Scalar {
			to.tenant, to.registry = "id", true
		}
	}
}

// unfit says why a table without the tenant column cannot be everybody's by
// what it is itself, or "".
func (t *table) unfit(tables []*table, column string) string {
	if t.view {
		return fmt.Sprintf("it is a view without a column %s, and may show rows of every tenant", column)
	}
	if t.tools() {
		return fmt.Sprintf("it has no column %s, and is where a tool keeps which migrations were made", column)
	}
	if leads := t.anyones(tables); leads != "" {
		return fmt.Sprintf("it has no column %s, and %s to rows of whichever table", column, leads)
	}
	for _, c := range t.Columns {
		if t.sensitive(c) || t.secret(c) {
			return fmt.Sprintf("it has no column %s, and its column %s is hardly for everybody", column, c.Name)
		}
	}
	if about := recorded(t.Name); about != "" {
		return fmt.Sprintf("it has no column %s, and is called like one of what people are or do (%s)", column, about)
	}
	return ""
}

// tools tells whether a tool keeps in the table which migrations were made.
func (t *table) tools() bool { return slices.Contains(migrations, strings.ToLower(t.Name)) }

// anyones is what leads to rows of whichever table: a column that is called after any row there is, or two
// of which one names the table; empty if there is none.
func (t *table) anyones(tables []*table) string {
	for _, c := range t.Columns {
		parts := words(c.Name)
		n := len(parts) - 1
		if n < 1 || parts[n] != "id" || slices.Equal(t.PrimaryKey, []string{c.Name}) || t.references(c.Name) {
			continue
		}
		kind := t.kindOf(c.Name)
		switch {
		case kind != "":
			return fmt.Sprintf("its columns %s and %s lead", kind, c.Name)
		case slices.Contains(anything, parts[n-1]) && !slices.ContainsFunc(tables, func(to *table) bool { return refersTo(c.Name, to.Name) }):
			return fmt.Sprintf("its column %s leads", c.Name)
		}
	}
	return ""
}

// somebodys tells whether the rows of a table look like those of somebody, so that nothing speaks for showing them to everybody.
func (t *table) somebodys(tables []*table) bool {
	return t.view || len(t.unread) > 0 || t.saying() != "" || slices.Contains(holders, last(t.Name)) || t.othersToo(tables) ||
		slices.ContainsFunc(t.Columns, func(c catalog.TableColumn) bool { return t.sensitive(c) || t.closed(c) != "" })
}

// othersToo tells whether rows look like those of somebody besides the tenant: they lead to what is not everybody's, or are
// people, or what people do.
func (t *table) othersToo(tables []*table) bool {
	elsewhere := func(to *table) bool { return to != t && (to == nil || !to.common && !to.list) }
	keys := slices.DeleteFunc(slices.Clone(t.ForeignKeys), func(fk catalog.ForeignKey) bool { return slices.Contains(fk.Columns, t.tenant) })
	return recorded(t.Name) != "" || t.anyones(tables) != "" ||
		slices.ContainsFunc(keys, func(fk catalog.ForeignKey) bool { return elsewhere(find(tables, fk.RefSchema, fk.RefTable, t.Schema)) }) ||
		slices.ContainsFunc(t.Columns, func(c catalog.TableColumn) bool {
			to, points := t.pointsTo(c, tables)
			return c.Name != t.tenant && (to != nil || points) && elsewhere(to) &&
				!slices.ContainsFunc(keys, func(fk catalog.ForeignKey) bool { return slices.Contains(fk.Columns, c.Name) })
		})
}

// leadsAway says how a table leads to rows that are not everybody's, or "", and whether nothing tells that they
// are tenants'.
func (t *table) leadsAway(tables []*table, column string) (why string, unsure bool) {
	lacks := "it has no column " + column
	if nowhere := t.leadsUnseen(tables, column); nowhere != "" {
		return fmt.Sprintf("%s, and references %s", lacks, nowhere), false
	}
	for _, fk := range t.ForeignKeys {
		to := find(tables, fk.RefSchema, fk.RefTable, t.Schema)
		switch {
		case to == t:
		case to.tenant != "" || to.parent != nil:
			return fmt.Sprintf("%s, and references %s, whose rows are tenants'", lacks, to.Name), false
		case to.leftOut != "":
			return fmt.Sprintf("%s, and references %s, which is left out", lacks, to.Name), to.unsure
		}
	}
	for _, c := range t.Columns {
		if to, _ := t.pointsTo(c, tables); to != nil && !to.open() && !t.references(c.Name) {
			return fmt.Sprintf("%s, and its column %s looks like a reference to %s", lacks, c.Name, to.Name), to.unsure
		}
	}
	return "", false
}

func find(tables []*table, schema, name, home string) *table {
	if schema == "" {
		schema = home
	}
	for _, t := range tables {
		if t.Name == name && t.Schema == schema {
			return t
		}
	}
	return nil
}

// compile makes the catalog of the draft. What the catalog refuses, such as a
// tenant column of a type that cannot tell tenants apart, is left out with its
// reason, so what remains is a configuration that works.
func (d *Draft) compile() error {
	for _, t := range d.tables {
		t.link(d.tables)
	}
	// Fields may be called otherwise than columns: everything common tells how.
	names, _, err := d.settle(func(*table) catalog.DatasetSpec { return catalog.DatasetSpec{Common: true} }, true)
	if err != nil {
		return err
	}
	d.all = names
	for _, t := range d.tables {
		if t.leftOut == "" && t.parent != nil && t.parent.to.leftOut == "" && d.relationOf(names.Dataset(d.served(t.dataset)), t.parent) == nil {
			t.leftOut, t.parent = fmt.Sprintf("its rows belong to those of %s, but no relation can be made of their columns, whose values are not compared", t.parent), nil
		}
	}
	d.orphans()
	d.Catalog, d.notes, err = d.settle(func(t *table) catalog.DatasetSpec {
		spec := catalog.DatasetSpec{Common: t.common}
		switch {
		case t.parent != nil:
			spec.Tenant.Through = d.relationOf(names.Dataset(d.served(t.dataset)), t.parent).Name
		case !t.common:
			spec.Tenant.Column = fieldOf(names, d.source.Name, d.served(t.dataset), t.tenant)
		}
		for _, column := range t.keyColumns() {
			spec.Key = append(spec.Key, fieldOf(names, d.source.Name, d.served(t.dataset), column))
		}
		return spec
	}, false)
	return err
}

// orphans leaves out what belongs to rows of tables that are left out.
func (d *Draft) orphans() {
	for changed := true; changed; {
		changed = false
		for _, t := range d.tables {
			if t.leftOut == "" && t.parent != nil && t.parent.to.leftOut != "" {
				t.undecided, t.leftOut, t.parent, changed = true, orphaned(t.parent), nil, true
			}
		}
	}
}

// settle compiles, without what is refused; with what is undecided, if that is
// asked for.
func (d *Draft) settle(dataset func(*table) catalog.DatasetSpec, undecided bool) (*catalog.Catalog, map[string][]string, error) {
	spec, found := d.spec(dataset, undecided), d.guessed(undecided)
	for {
		cat, problems := catalog.Compile(spec, found)
		if cat != nil {
			return cat, notesOf(problems), nil
		}
		if err := d.drop(spec, problems); err != nil {
			return nil, nil, err
		}
	}
}

// guessed is what the source holds with a key for each column that is called like one, so that
// there are relations to write; for what is undecided, too, if that is asked for.
func (d *Draft) guessed(undecided bool) catalog.Introspected {
	tables := maps.Clone(d.source.Tables)
	for key, found := range tables {
		i := slices.IndexFunc(d.tables, func(t *table) bool { return t.Name == found.Name && t.Schema == found.Schema })
		for _, w := range slices.Concat(d.tables[i].ways, d.tables[i].links) {
			if w.guess && (undecided || d.tables[i].leftOut == "" && w.to.leftOut == "") {
				found.ForeignKeys = append(slices.Clip(found.ForeignKeys), w.key)
			}
		}
		tables[key] = found
	}
	return catalog.Introspected{d.source.Name: tables}
}

// drop leaves out the datasets that have problems, after it has tried another
// name for their types.
func (d *Draft) drop(spec catalog.Spec, problems []catalog.Problem) error {
	changed := make(map[string]bool)
	for _, p := range problems {
		if p.Note || len(p.Path) < 2 || p.Path[0] != "datasets" {
			continue
		}
		for _, t := range d.tables {
			ds, there := spec.Datasets[t.dataset]
			switch {
			case d.served(t.dataset) != p.Path[1] || !there || changed[t.dataset]:
			case len(p.Path) == 2 && !t.renamed && strings.HasPrefix(p.Message, "the root field "):
				delete(spec.Datasets, t.dataset)
				d.rename(t)
				spec.Datasets[t.dataset] = d.bound(t, ds)
				changed[t.dataset] = true
			case len(p.Path) == 2 && t.types < maxTypes:
				t.types++
				t.typeName = rowType(t.dataset, t.types)
				ds.Type = t.typeName
				spec.Datasets[t.dataset] = ds
				changed[t.dataset] = true
			default:
				t.leftOut, t.refused, t.undecided, t.common, t.tenant = p.Message, true, false, false, ""
				delete(spec.Datasets, t.dataset)
				changed[t.dataset] = true
			}
		}
	}
	for again := true; again; { // what belongs to such rows goes with them, whatever else is said of it
		again = false
		for _, t := range d.tables {
			if t.parent != nil && t.parent.to.leftOut != "" && t.leftOut != orphaned(t.parent) {
				t.undecided, t.leftOut, t.refused, again = true, orphaned(t.parent), false, true
				delete(spec.Datasets, t.dataset)
				changed[t.dataset] = true
			}
		}
	}
	if len(changed) > 0 && len(spec.Datasets) > 0 {
		return nil
	}
	text := "no configuration can be made of this:"
	for _, p := range problems {
		if !p.Note {
			text += "\n  " + p.String()
		}
	}
	return fmt.Errorf("%s", text)
}

// strategy is the name of the one strategy of a first configuration.
const strategy = "shared"

func (d *Draft) spec(dataset func(*table) catalog.DatasetSpec, undecided bool) catalog.Spec {
	spec := catalog.Spec{
		Sources:    map[string]catalog.SourceSpec{d.source.Name: d.source.Spec},
		Strategies: map[string]catalog.StrategySpec{strategy: {Kind: string(catalog.Shared), Source: d.source.Name}},
		Datasets:   make(map[string]catalog.DatasetSpec),
		Naming:     d.naming,
	}
	for _, t := range d.tables {
		if t.leftOut != "" && (!undecided || !t.undecided) {
			continue
		}
		ds := dataset(t)
		ds.Type = t.typeName
		spec.Datasets[t.dataset] = d.bound(t, ds)
	}
	return spec
}

// bound is a dataset with the place of its table, where that is to be said.
func (d *Draft) bound(t *table, ds catalog.DatasetSpec) catalog.DatasetSpec {
	if b := d.binding(t); b != (binding{}) {
		ds.Bind = map[string]catalog.BindingSpec{d.source.Name: {Schema: b.schema, Table: b.table}}
	}
	return ds
}

// rename gives a dataset a name that is no root field of usher's own, nor one
// that another dataset adds.
func (d *Draft) rename(t *table) {
	t.dataset, t.renamed = d.free(t.dataset+"_rows"), true
}

// free is a name for a dataset that no other one has.
func (d *Draft) free(name string) string {
	taken := make(map[string]bool)
	for _, other := range d.tables {
		taken[d.served(other.dataset)] = true
	}
	return datasetName(name, d.served, taken)
}

// binding names the table where the dataset's name does not lead to it.
type binding struct{ schema, table string }

func (d *Draft) binding(t *table) binding {
	switch {
	case strings.ContainsAny(t.Name, `."`), d.called(t) != t.Name: // would be read as schema.table
		return binding{schema: t.Schema, table: t.Name}
	case t.Name != t.dataset:
		return binding{table: t.Name}
	}
	return binding{}
}

// fieldOf is what a column is called as a field.
func fieldOf(cat *catalog.Catalog, source, dataset, column string) string {
	if cat == nil || cat.Dataset(dataset) == nil {
		return column
	}
	for name, stored := range cat.Dataset(dataset).Bindings[source].Columns {
		if stored.Name == column {
			return name
		}
	}
	return column
}

// notesOf are the notes by dataset.
func notesOf(problems []catalog.Problem) map[string][]string {
	out := make(map[string][]string)
	for _, p := range problems {
		if p.Note && len(p.Path) >= 2 && p.Path[0] == "datasets" {
			out[p.Path[1]] = append(out[p.Path[1]], p.Message)
		}
	}
	return out
}
