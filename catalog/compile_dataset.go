package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// draft is a dataset in the making.
type draft struct {
	*Dataset
	at       place
	spec     DatasetSpec
	sources  []string          // that serve it, the one it is described by first
	found    map[string]Table  // by source: the table, where the source was introspected
	physical map[string]string // by column: what sources call it unless a binding says otherwise
	own      map[string]*ownDraft
	foreign  []foreign // once they are asked for
}

// main is the table that types, keys and foreign keys are taken from: a
// database's, since a plugin knows three types only, or else a plugin's.
func (d *draft) main() (described Table, ok bool) {
	for _, name := range d.sources {
		if t, found := d.found[name]; found && !t.Plugin {
			return t, true
		} else if found && !ok {
			described, ok = t, true
		}
	}
	return described, ok
}

// described tells whether nothing that main says of a dataset may be another when the sources
// that are silent are reached.
func (c *compiler) described(d *draft) bool {
	for _, name := range d.sources {
		switch t, found := d.found[name]; {
		case found && !t.Plugin:
			return true
		case c.silent[name] && c.catalog.Sources[name].Kind != API:
			return false
		}
	}
	return !slices.ContainsFunc(d.sources, func(name string) bool { return c.silent[name] })
}

// datasets compiles in steps, each over all datasets, since a later step of
// one needs the earlier steps of others.
func (c *compiler) datasets() {
	var drafts []*draft
	for _, name := range slices.Sorted(maps.Keys(c.spec.Datasets)) {
		d := c.dataset(name, c.spec.Datasets[name])
		drafts = append(drafts, d)
		c.work[name] = d
		c.catalog.Datasets = append(c.catalog.Datasets, d.Dataset)
		c.catalog.byName[name] = d.Dataset
	}
	switch {
	case len(drafts) > 0 || c.incomplete:
	case c.spec.Datasets == nil: // whoever begins with none says so: what was forgotten is no beginning
		c.at("datasets").problem("there is none, so nothing can be asked; `usher init` writes a first configuration from what a database has, and `datasets: {}` begins without")
	default:
		c.at("datasets").note("there is none yet, so nothing can be asked; `usher init` proposes some from what a database has")
	}
	steps := []func(*draft){
		c.chooseSources, c.bind, c.owns, c.choices, c.columns, c.extras, c.store, c.checkTenant, c.storeOwn, c.key, c.relations, c.foreignToOne, c.foreignToMany, c.parent, c.checkParents, c.measures,
		func(d *draft) { checkFields(d.at, d.Dataset) },
		func(d *draft) { c.policy(d.at.in("filter"), d.Dataset, d.Filter) },
		c.apiWrites, c.targets, c.deleted, c.writes, c.judgeWrites, c.upserts, c.give, c.offered,
	}
	for _, step := range steps {
		for _, d := range drafts {
			step(d)
		}
	}
	c.checkPushdown()
	c.checkAlone()
	c.noteCommon()
}

func (c *compiler) dataset(name string, spec DatasetSpec) *draft {
	d := &draft{
		Dataset: &Dataset{
			Name: name, Type: cmp.Or(spec.Type, pascal(name)), Label: spec.Label, Description: spec.Description,
			Common: spec.Common, Filter: spec.Filter, writable: spec.Writable, Bindings: make(map[string]*Binding), Own: make(map[string]*Own),
			columns: make(map[string]*Column), relations: make(map[string]*Relation), measures: make(map[string]*Measure),
		},
		at: c.at("datasets", name), spec: spec, own: make(map[string]*ownDraft),
		found: make(map[string]Table), physical: make(map[string]string),
	}
	if bad := badName(name); bad != "" {
		d.at.problem("%s", bad)
	} else if bad := badName(d.Type); bad != "" {
		d.at.in("type").problem("%s", bad)
	}
	switch {
	case spec.Common && spec.Tenant != TenancySpec{}:
		d.at.in("tenant").problem("a common dataset belongs to no tenant; leave out `tenant` or `common`")
	case !spec.Common && spec.Tenant == TenancySpec{}:
		d.at.problem("say whose rows these are: `tenant`, the column with the tenant or a relation `through` which a row is one's, " +
			"or `common: true` for rows of everybody")
	case spec.Tenant.Column != "" && spec.Tenant.Through != "":
		d.at.in("tenant").problem("names a column and a relation; rows with the tenant's column need no other way to it, so leave out `through`")
	case spec.Tenant.Column != "" && spec.Tenant.BelieveKey:
		d.at.in("tenant", "believe_key").problem("is about where `through` leads, and these rows have the tenant's column")
	case spec.Tenant.Column == "" && spec.Tenant.Through == "" && spec.Tenant.BelieveKey:
		d.at.in("tenant").problem("names no column and no relation `through` which a row is a tenant's")
	}
	d.PerTenant = spec.Bound == boundPerTenant
	switch {
	case spec.Bound != "" && !d.PerTenant:
		d.at.in("bound").problem("must be %s, or left out", boundPerTenant)
	case d.PerTenant && spec.Common:
		d.at.in("bound").problem("a common dataset belongs to no tenant")
	}
	if spec.Cache < 0 || spec.Cache > maxCache {
		d.at.in("cache").problem("must be from 0s to %s", maxCache)
	}
	d.Cache = spec.Cache
	d.Limit, d.MaxLimit = limitPair(d.at, "limit", "max_limit", spec.Limit, spec.MaxLimit, c.rows, c.maxRows)
	return d
}

// chooseSources finds the sources that may be asked: every strategy's for a
// tenant's dataset, its own for a common one.
func (c *compiler) chooseSources(d *draft) {
	switch {
	case d.Common:
		c.commonSource(d)
	case d.PerTenant:
		if d.spec.Source != "" || slices.ContainsFunc(slices.Collect(maps.Values(d.spec.Bind)), func(b BindingSpec) bool { return b.Source == "" }) {
			d.at.in("bound").problem("each tenant has rows of its own, under `tenants` or by a binding that its record names; leave out `source` and what `bind` says of sources, whose rows nobody would get")
		}
		return
	default:
		if d.spec.Source != "" {
			d.at.in("source").problem("belongs to common datasets; a tenant's rows come from where the strategy says")
		}
		for _, name := range c.strategyOrder() {
			source := c.catalog.Strategies[name].SourceOf(d.Name)
			if c.catalog.Sources[source] != nil && !slices.Contains(d.sources, source) {
				d.sources = append(d.sources, source)
			}
		}
		if len(d.sources) == 0 {
			d.at.problem("no strategy leads to a source of it; declare one under `strategies`")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.spec.Bind)) {
		switch {
		case d.spec.Bind[name].Source != "": // see choices
		case c.catalog.Sources[name] == nil:
			d.at.in("bind", name).problem("%s", unknown("source", name, c.catalog.Sources))
		case !slices.Contains(d.sources, name) && d.Common:
			d.at.in("bind", name).problem("a common dataset comes from its own source, %s", cmp.Or(d.Source, "which is not known"))
		case !slices.Contains(d.sources, name):
			d.at.in("bind", name).problem("no strategy leads to this source")
		}
	}
}

// strategyOrder lists the strategies, the default one first.
func (c *compiler) strategyOrder() []string {
	names := slices.Sorted(maps.Keys(c.catalog.Strategies))
	slices.SortStableFunc(names, func(a, b string) int {
		return cmp.Compare(notDefault(a, c.catalog.DefaultStrategy), notDefault(b, c.catalog.DefaultStrategy))
	})
	return names
}

// named tells whether a strategy leads to a source for this very dataset.
func (c *compiler) named(source, dataset string) bool {
	for _, s := range c.catalog.Strategies {
		if s.Datasets[dataset] == source {
			return true
		}
	}
	return false
}

func notDefault(name, def string) int {
	if name == def {
		return 0
	}
	return 1
}

func (c *compiler) commonSource(d *draft) {
	d.Source = d.spec.Source
	if d.Source == "" {
		var shared []string
		for _, name := range c.strategyOrder() {
			s := c.catalog.Strategies[name]
			if s.Kind == Shared && (len(shared) == 0 || shared[0] != s.Source) {
				shared = append(shared, s.Source)
			}
			if s.Kind == Shared && name == c.catalog.DefaultStrategy {
				break
			}
		}
		if len(shared) != 1 {
			d.at.problem("name the `source` of these common rows; only a single shared strategy, or a default one, would settle it")
			return
		}
		d.Source = shared[0]
	}
	src := c.catalog.Sources[d.Source]
	switch {
	case src == nil && d.spec.Source != "":
		d.at.in("source").problem("%s", unknown("source", d.Source, c.catalog.Sources))
	case src == nil: // the strategy's problem, reported there
	case src.Template:
		d.at.in("source").problem("%s is a template, which holds one tenant's data", d.Source)
	default:
		d.sources = []string{d.Source}
	}
}

// bind finds where each source keeps the dataset. A table that only the
// default name leads to may be missing: then that source does not serve the
// dataset.
func (c *compiler) bind(d *draft) {
	refused := len(d.sources) == 0
	var unread []string
	for _, name := range d.sources {
		src := c.catalog.Sources[name]
		spec, given := d.spec.Bind[name]
		given = given || c.named(name, d.Name)
		at := d.at.in("bind", name)
		if src.API.Plugin != nil {
			refused = c.pluginBinding(d, name) || refused
			continue
		}
		if spec.Dataset != "" {
			at.problem("%s is no plugin; `dataset` names one of a plugin's", name)
		}
		if src.Kind == API {
			b, named := c.pathBinding(at, src, d.storedName(), spec)
			if src.API.Isolation == ByUpstream && !d.Common && !named && !src.API.says(placeholder.MatchString) && pathsName(name, c.spec) {
				at.in("path").problem("holds no placeholder such as {tenant}, and nothing else tells the API whose rows to send")
			}
			d.Bindings[name] = b
			continue
		}
		b := tableBinding(at, src, d.storedName(), spec)
		tables, asked := c.tables[name]
		if t, ok := lookup(tables, b); ok {
			d.found[name] = t
		} else if asked && given {
			if t.Unread.All() {
				at.misfit(name, "%s", t.Unread.Lacks("the table "+tableName(b)))
			} else {
				at.misfit(name, "there is no table %s that the account may read", tableName(b))
			}
			refused = true
			continue
		} else if asked && t.Unread.All() {
			unread = append(unread, "in "+name+" "+t.Unread.Lacks("the table "+tableName(b)))
			d.Absent = append(d.Absent, name)
			continue
		} else if asked {
			d.Absent = append(d.Absent, name)
			d.at.note("%s has no table %s that its account may read, so it does not serve this dataset; name another under `bind`", name, tableName(b))
			continue
		}
		d.Bindings[name] = b
	}
	d.sources = slices.DeleteFunc(d.sources, func(name string) bool { return d.Bindings[name] == nil })
	switch missing := len(d.Bindings) == 0 && !refused && !d.PerTenant; {
	case missing && unread != nil:
		d.at.problem("%s", strings.Join(unread, "; "))
	case missing:
		d.at.problem("no source has a table of this name that its account may read (SELECT); name it under `bind`")
	default:
		for _, lacks := range unread {
			d.at.note("%s; until then, and the next reload, that source does not serve this dataset", lacks)
		}
	}
}

// pathBinding is where an API keeps a dataset, and whether its path tells whose
// rows are meant.
func (c *compiler) pathBinding(at place, src *Source, dataset string, spec BindingSpec) (b *Binding, named bool) {
	if spec.Schema != "" || spec.Table != "" {
		at.problem("%s is an API; write `path`, not a table", src.Name)
	}
	path := cmp.Or(spec.Path, "/"+dataset)
	if !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		at.in("path").problem("must start with / and hold no ?; parameters belong in the source's `query`")
	}
	pointer(at.in("rows"), spec.Rows)
	return &Binding{Path: path, Rows: spec.Rows}, placeholders(at.in("path"), path, c.spec.Parameters)
}

// tableBinding is where a database keeps a dataset. The schema of a template
// may hold {tenant}; the plan of a tenant's request fills it in.
func tableBinding(at place, src *Source, dataset string, spec BindingSpec) *Binding {
	if spec.Path != "" || spec.Rows != "" {
		at.problem("%s is a database; write `table`, not a path", src.Name)
	}
	b := &Binding{Schema: spec.Schema, Table: cmp.Or(spec.Table, dataset)}
	if spec.Schema == "" {
		b.Schema, b.Table = tableParts(b.Table)
	}
	if b.Schema == "" && src.Kind == Postgres {
		b.Schema = src.Postgres.Schema
	}
	return b
}

func tableName(b *Binding) string { return TableKey(b.Schema, b.Table) }

// duckdbSchema is the schema of DuckDB's tables that name none.
const duckdbSchema = "main"

func lookup(tables map[string]Table, b *Binding) (Table, bool) {
	if t, ok := tables[tableName(b)]; ok {
		return t, !t.Unread.All()
	}
	for _, t := range tables {
		if t.Name == b.Table && t.Schema == cmp.Or(b.Schema, duckdbSchema) {
			return t, true
		}
	}
	return Table{}, false
}

// Bound is the table of a binding, as it was found in its source; false: nothing is known of it.
func (i Introspected) Bound(source string, b *Binding) (Table, bool) { return lookup(i[source], b) }

// checkPushdown reports columns that an API is said to filter by and no
// dataset of it has.
func (c *compiler) checkPushdown() {
	if c.incomplete {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.catalog.Sources)) {
		for _, col := range slices.Sorted(maps.Keys(c.catalog.Sources[name].API.Pushdown.Filters)) {
			if !slices.ContainsFunc(c.catalog.Datasets, func(d *Dataset) bool {
				return d.Bindings[name] != nil && d.columns[col] != nil
			}) {
				c.at("sources", name, "pushdown", "filters", col).problem("no dataset of this source has a column %s", col)
			}
		}
	}
}

// key finds the columns that identify a row: as declared, else the primary key
// of the table.
func (c *compiler) key(d *draft) {
	t, known := d.main()
	if len(d.spec.Key) > 0 {
		at := d.at.in("key")
		for _, name := range d.spec.Key {
			col := d.columns[name]
			switch {
			case col == nil:
				at.problem("there is no column %s", name)
				continue
			case slices.Contains(d.Key, col):
				at.problem("names %s twice", name)
			case d.merges(col):
				at.problem("%s takes different texts for equal, so it cannot identify rows", name)
				continue
			case !col.Type.Groupable():
				at.problem("%s, a %s, cannot identify rows", name, col.Type.GraphQL())
			case col.Only != nil:
				at.problem("%s is only some tenants', and identifies everybody's rows", name)
			}
			d.Key = append(d.Key, col)
		}
		within := d.Key // one tenant, whose rows are all that are asked by key
		if d.Tenant != nil {
			within = append(slices.Clone(d.Key), d.Tenant)
		}
		switch promised := d.uniqueBy(t, within); {
		case !known, t.Plugin, t.Kind == ReadFile, len(d.sources) > 0 && c.catalog.Sources[d.sources[0]].inPlace(), promised && !t.Inherited, len(d.Key) < len(d.spec.Key):
		case t.View || t.Kind != OrdinaryTable:
			at.note("nothing can say of %s, %s, that these columns identify a row, so it is believed; of two rows with one key lists would skip one, and whoever asks for it is shown either", t.Name, t.kindText())
		case promised:
			at.note("tables inherit from %s, whose rows are in none of its unique indexes, so these columns may not identify a row; of two rows with one key lists would skip one, and whoever asks for it is shown either", t.Name)
		default:
			at.note("no unique constraint of %s says that these columns identify a row; of two rows with one key lists would skip one, and whoever asks for it is shown either",
				t.Name)
		}
		return
	}
	if !known {
		d.Unsettled = !c.described(d)
		return
	}
	for _, physical := range t.PrimaryKey {
		col := d.storedAs(physical)
		if col != nil && d.merges(col) {
			d.Key = nil
			d.at.note("the primary key column %q takes different texts for equal, so rows cannot be asked by key", physical)
			return
		}
		if col != nil && !col.Type.Groupable() {
			d.Key = nil
			d.at.note("the primary key column %q is a %s, whose values are not compared, so rows cannot be asked by key", physical, col.Type.GraphQL())
			return
		}
		if col == nil {
			d.Key = nil
			d.at.note("the primary key column %q is no column of it, so rows cannot be asked by key", physical)
			return
		}
		if col.Only != nil {
			d.at.in("columns", col.Name, "only_tenants").problem("the column identifies everybody's rows; declare another `key`, or leave this out")
		}
		d.Key = append(d.Key, col)
	}
}

// merges tells text that a source of the dataset takes for equal when it differs.
func (d *draft) merges(col *Column) bool {
	return col.Type.Folded || slices.ContainsFunc(d.sources, func(source string) bool {
		return d.Bindings[source].Columns[col.Name].Form.Merges()
	})
}

// UniqueSets are all sets of columns that no two rows of the table share.
func (t Table) UniqueSets() [][]string {
	sets := slices.Clone(t.Unique)
	if len(t.PrimaryKey) > 0 {
		sets = append(sets, t.PrimaryKey)
	}
	return sets
}

// uniqueBy tells whether the table promises that no two rows agree in cols.
func (d *draft) uniqueBy(t Table, cols []*Column) bool {
	return slices.ContainsFunc(t.UniqueSets(), func(set []string) bool {
		return !slices.ContainsFunc(set, func(physical string) bool {
			return !slices.ContainsFunc(cols, func(col *Column) bool { return d.physical[col.Name] == physical })
		})
	})
}

// storedAs is the column that the describing table calls so.
func (d *draft) storedAs(physical string) *Column {
	for _, col := range d.Columns {
		if d.physical[col.Name] == physical && !col.Extra {
			return col
		}
	}
	return nil
}

// storedName is what sources call the dataset unless a binding says otherwise.
func (d *draft) storedName() string { return cmp.Or(d.spec.Stored, d.Name) }

// boundPerTenant is the `bound` of a dataset that tenants have tables of their
// own of, and nobody else's.
const boundPerTenant = "per_tenant"

// maxCache is how long answers may be kept at most.
const maxCache = 24 * time.Hour
