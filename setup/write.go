package setup

import (
	"bytes"
	_ "embed" // the text around the datasets
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"usher/catalog"
	"usher/sqlgen"
	"usher/value"
)

//go:embed usher.yml.tmpl
var templateText string

var page = template.Must(template.New("usher.yml").Funcs(template.FuncMap{"yaml": Scalar, "json": quoted}).Parse(templateText))

// Issuer is whose tokens the configuration accepts.
type Issuer struct {
	Issuer     string
	Audience   string
	SecretFile string // as usher.yml shall name it
	Example    string // a tenant's id
}

// YAML writes the configuration.
func (d *Draft) YAML(issuer Issuer) ([]byte, error) {
	var out bytes.Buffer
	err := page.Execute(&out, struct {
		By               Issuer
		Source, Strategy string
		Naming           string
		SourceLines      []string
		Tenants          []Tenant
		More             bool
	}{issuer, d.source.Name, strategy, d.written(), d.source.Lines, d.Tenants, d.More})
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	for _, t := range d.tables {
		if ds := d.datasetOf(t); ds != nil && t.leftOut == "" {
			d.dataset(&out, t, ds)
		}
	}
	if len(d.LeftOut) > 0 {
		out.WriteString(leftOutText)
	}
	for _, t := range d.tables {
		if t.leftOut != "" {
			d.leftOut(&out, t)
		}
	}
	d.notRead(&out)
	return out.Bytes(), nil
}

// leftOutText stands before what is left out.
const leftOutText = `  # What follows is left out, and served once its # is gone. Where a column or a relation says whose a row is, write
  # "tenant: COLUMN" or "tenant: {through: RELATION}"; "common: true" only where every tenant may see all of it.

`

// written is what `naming` says; empty where names are kept.
func (d *Draft) written() string {
	if d.naming == catalog.CamelNames {
		return d.naming
	}
	return ""
}

// column is a column's name as it is written: its own where that leads to the
// name it is served under.
func (d *Draft) column(ds *catalog.Dataset, c *catalog.Column) string {
	if stored := ds.Bindings[d.source.Name].Columns[c.Name].Name; d.served(stored) == c.Name {
		return stored
	}
	return c.Name
}

// stored is what the source says of a column.
func (d *Draft) stored(t *table, ds *catalog.Dataset, c *catalog.Column) catalog.TableColumn {
	tc, _ := t.column(ds.Bindings[d.source.Name].Columns[c.Name].Name)
	return tc
}

// tableOf is the table of a dataset.
func (d *Draft) tableOf(ds *catalog.Dataset) *table {
	for _, t := range d.tables {
		if d.served(t.dataset) == ds.Name && t.leftOut == "" {
			return t
		}
	}
	return nil
}

func (d *Draft) dataset(out *bytes.Buffer, t *table, ds *catalog.Dataset) {
	fmt.Fprintf(out, "  %s:\n", Scalar(t.dataset))
	tenantless, _, nobodys := d.nobodys(t, ds)
	remark := ""
	if nobodys {
		remark = "   # it may be null; see below"
	}
	if ds.Common {
		fmt.Fprintf(out, "    common: true                   # every tenant sees all of it\n")
	} else if ds.Parent != nil {
		names := relationNames(ds)
		name := Scalar(names[slices.Index(ds.Relations, ds.Parent)])
		whose := fmt.Sprintf("a row is the tenant's whose %s it references", name)
		if t.parent != nil && t.parent.back {
			whose = fmt.Sprintf("a row is the tenant's whose %s references it, and nobody's where none does", name)
		}
		fmt.Fprintf(out, "    tenant: {through: %s}   # %s\n", name, whose)
		d.otherOwners(out, t, ds, names)
	} else {
		fmt.Fprintf(out, "    tenant: %s%s\n", Scalar(d.column(ds, ds.Tenant)), remark)
	}
	d.body(out, t, ds)
	out.WriteByte('\n')
	if nobodys {
		d.forAll(out, t, ds, tenantless)
	}
}

// otherOwners writes the ways to a tenant that were not taken, and why.
func (d *Draft) otherOwners(out *bytes.Buffer, t *table, ds *catalog.Dataset, names []string) {
	if len(t.ways) < 2 || t.parent == nil {
		return
	}
	fmt.Fprintf(out, "    # %s was chosen since %s. Is that the owner? The other references to tenants' rows:\n", oneLine(t.parent.String()), t.why())
	for _, w := range t.others() {
		if rel := d.relationOf(ds, w); rel != nil {
			fmt.Fprintf(out, "    # tenant: {through: %s}   # %s\n", Scalar(names[slices.Index(ds.Relations, rel)]), oneLine(w.String()))
		} else {
			fmt.Fprintf(out, "    # %s\n", oneLine(w.String()))
		}
	}
}

// undecided writes a table behind #, with a line for each row that may be the
// owner of its own. It tells whether there is one.
func (d *Draft) undecided(out *bytes.Buffer, t *table) bool {
	ds := d.all.Dataset(d.served(t.dataset))
	if ds == nil || !t.undecided {
		return false
	}
	var text bytes.Buffer
	names, lines, ready := relationNames(ds), 0, false
	for _, w := range t.ways {
		if w.unled {
			fmt.Fprintf(&text, "    # %s%s\n", d.behind(w), t.without(w))
			lines++
			continue
		}
		if rel := d.relationOf(ds, w); rel != nil {
			left := ""
			if w.to.leftOut != "" {
				left = ", which is left out"
			}
			name := Scalar(names[slices.Index(ds.Relations, rel)])
			fmt.Fprintf(&text, "    tenant: {through: %s}   # %s%s%s\n", name, oneLine(w.String()), left, t.without(w))
			ready = true
			lines++
		}
	}
	if !ready {
		return false
	}
	as := *d
	as.Catalog = d.all
	as.body(&text, t, ds)
	fmt.Fprintf(out, "  # %s is left out: %s.\n", oneLine(d.called(t)), oneLine(t.leftOut))
	switch {
	case lines > 1:
		fmt.Fprintf(out, "  # Keep the one line `tenant` that is right: a wrong one shows rows to another\n  # tenant. Then remove the # here.\n")
	case strings.Contains(text.String(), ", which is left out"):
		fmt.Fprintf(out, "  # Once that is served, remove the # here.\n")
	default:
		fmt.Fprintf(out, "  # If it is right all the same, remove the # here.\n")
	}
	fmt.Fprintf(out, "  # %s:\n", Scalar(t.dataset))
	for line := range strings.Lines(text.String()) {
		out.WriteString("  # " + strings.TrimPrefix(line, "  "))
	}
	out.WriteByte('\n')
	return true
}

// without says what becomes of rows that lack a reference, where they may.
func (t *table) without(w *through) string {
	if w.back || t.always(w.key) {
		return ""
	}
	return "; a row without one is nobody's"
}

// behind is the line that says that rows are a tenant's through a table that is left out, and the relation that it takes.
func (d *Draft) behind(w *through) string {
	from, key, name := w.key.Columns[0], w.key.RefColumns[0], w.named()
	if len(w.key.Columns) != 1 || !graphqlName.MatchString(from) || !graphqlName.MatchString(key) || !graphqlName.MatchString(name) {
		return oneLine(w.String()) + ", which is left out"
	}
	line := fmt.Sprintf("tenant: {through: %[1]s}   # %[2]s, once that is served, by the relation %[1]s: {to: %[3]s, on: {%[4]s: %[5]s}}",
		Scalar(name), oneLine(w.String()), Scalar(w.to.dataset), Scalar(from), Scalar(key))
	if above := d.typedAbove(w.to, nil); above != "" { // what hides rows of a parent hides none here
		line += fmt.Sprintf(", and with filter: {%s: {%s}}", Scalar(name), above)
	}
	return line
}

// target is the table that a relation leads to, if it is among what is written.
func (d *Draft) target(t *table, r *catalog.Relation) *table {
	if to := d.tableOf(r.To); to != nil || d.Catalog != d.all {
		return to
	}
	for _, w := range t.ways {
		if d.relationOf(d.all.Dataset(d.served(t.dataset)), w) == r {
			return w.to
		}
	}
	return nil
}

// body writes all of a dataset but whose its rows are.
func (d *Draft) body(out *bytes.Buffer, t *table, ds *catalog.Dataset) {
	if t.typeName != "" {
		fmt.Fprintf(out, "    type: %s\n", Scalar(t.typeName))
	}
	if len(ds.Key) > 0 && !slices.ContainsFunc(ds.Key, func(c *catalog.Column) bool { return d.withheld(t, ds, c) }) {
		fmt.Fprintf(out, "    key: %s", d.names(ds, ds.Key))
		switch {
		case t.key != "":
			fmt.Fprintf(out, "   # no constraint says so: in all %d rows it is there and differs", t.rows)
		case len(t.PrimaryKey) == 0:
			fmt.Fprintf(out, "   # there is no primary key; these are unique, and never null")
		}
		out.WriteByte('\n')
	}
	gone := d.deletion(t, ds)
	if gone.stamp != "" {
		fmt.Fprintf(out, "    deleted: %s   # rows that are stamped are deleted, and shown to nobody\n", gone.stamp)
	}
	if marks := gone.filter(); marks != "" {
		fmt.Fprintf(out, "    filter: {%s}   # rows that are marked otherwise are deleted, and shown to nobody\n", marks)
	}
	fmt.Fprintf(out, "    columns:\n")
	d.columns(out, t, ds)
	d.relations(out, t, ds)
	if b := d.binding(t); b != (binding{}) {
		fmt.Fprintf(out, "    bind: %s\n", d.bind(b))
	}
}

// deletion says how rows of a dataset tell that they are deleted.
func (d *Draft) deletion(t *table, ds *catalog.Dataset) deletion {
	return t.deletion(func(tc catalog.TableColumn) string {
		c := ds.Column(fieldOf(d.Catalog, d.source.Name, ds.Name, tc.Name))
		if c == nil || t.omitted[c.Name] != "" {
			return ""
		}
		return d.column(ds, c)
	})
}

func (d *Draft) bind(b binding) string {
	if b.schema != "" {
		return fmt.Sprintf("{%s: {schema: %s, table: %s}}", Scalar(d.source.Name), Scalar(b.schema), Scalar(b.table))
	}
	return fmt.Sprintf("{%s: {table: %s}}", Scalar(d.source.Name), Scalar(b.table))
}

// columns writes a line for every column: `name: Type!  # remark`.
func (d *Draft) columns(out *bytes.Buffer, t *table, ds *catalog.Dataset) {
	var lines [][3]string
	width, values := 0, 0
	for _, c := range ds.Columns {
		tc := d.stored(t, ds, c)
		stored := tc.Name
		name, written, remark := Scalar(d.column(ds, c)), columnType(c), native(tc)
		var keys []string
		if c.Type.Scalar == value.Enum && !c.Type.List && !catalog.NamedAs(c.Type.EnumName, tc.Type) {
			keys = append(keys, "name: "+Scalar(c.Type.EnumName))
		}
		if d.column(ds, c) != stored {
			keys = append(keys, "column: "+Scalar(stored))
		}
		if c == ds.Tenant && t.registry {
			keys, remark = append(keys, "expose: true"), "a tenant may see its own id"
		}
		if written == "" || len(keys) > 0 {
			if written != "" {
				keys = append([]string{"type: " + written}, keys...)
			}
			written = "{" + strings.Join(keys, ", ") + "}"
		}
		switch {
		case t.omitted[c.Name] != "":
			name, remark = "# "+name, "left out: "+oneLine(t.omitted[c.Name])
		case d.withheld(t, ds, c):
			name, remark = "# "+name, t.closed(tc)+"; without the # it is served"
		case t.closed(tc) != "":
			remark = strings.ToUpper(t.closed(tc)) + ", and is served since a relation is made of it"
		}
		width = max(width, len(name))
		if remark != "" {
			values = max(values, len(written))
		}
		lines = append(lines, [3]string{name, written, remark})
	}
	for _, l := range lines {
		text := fmt.Sprintf("      %-*s %s", width+1, l[0]+":", l[1])
		if l[2] != "" {
			text = fmt.Sprintf("      %-*s %-*s # %s", width+1, l[0]+":", values+1, l[1], l[2])
		}
		fmt.Fprintln(out, text)
	}
	for _, note := range d.notes[ds.Name] {
		if slices.ContainsFunc(ds.Columns, func(c *catalog.Column) bool { return strings.HasSuffix(note, " is served as "+c.Name) }) {
			continue // the column's own line says so
		}
		fmt.Fprintf(out, "      # %s\n", oneLine(note))
	}
	if len(t.unread) > 0 {
		fmt.Fprintf(out, "      # the account may not read %s: see the end of the file\n", oneLine(strings.Join(t.unread, ", ")))
	}
}

// columnType is a column's type as usher.yml writes it; empty where the table
// alone can say it.
func columnType(c *catalog.Column) string {
	if c.Type.Scalar == value.Enum && c.Type.List {
		return ""
	}
	text := c.Type.GraphQL()
	if c.Type.Scalar == value.Enum {
		text = value.Enum.String()
	}
	if !c.Nullable && !c.Odd { // what it may hold besides cannot be promised
		text += "!"
	}
	return Scalar(text)
}

// native says what the type alone does not.
func native(tc catalog.TableColumn) string {
	switch tc.Type.Scalar {
	case value.Decimal:
		return oneLine(tc.Native)
	}
	return ""
}

// withheld tells whether a column is closed, and can be left out.
func (d *Draft) withheld(t *table, ds *catalog.Dataset, c *catalog.Column) bool {
	return t.closed(d.stored(t, ds, c)) != "" && !needed(d.Catalog, ds, c)
}

// Withheld names the columns that are not served for what they read like, as
// table.column.
func (d *Draft) Withheld() []string {
	var out []string
	for _, t := range d.tables {
		ds := d.datasetOf(t)
		if ds == nil || t.leftOut != "" {
			continue
		}
		for _, c := range ds.Columns {
			if d.withheld(t, ds, c) {
				out = append(out, d.called(t)+"."+ds.Bindings[d.source.Name].Columns[c.Name].Name)
			}
		}
	}
	return out
}

// Numbered names what is served under a name of its own since another one has
// taken the usual one, as table.column or table, and that name.
func (d *Draft) Numbered() [][2]string {
	var out [][2]string
	for _, t := range d.tables {
		ds := d.datasetOf(t)
		if ds == nil || t.leftOut != "" {
			continue
		}
		if t.renamed || d.naming == catalog.CamelNames && ds.Name != d.served(t.Name) {
			out = append(out, [2]string{d.called(t), ds.Name})
		}
		for _, c := range ds.Columns {
			if stored := ds.Bindings[d.source.Name].Columns[c.Name].Name; d.naming == catalog.CamelNames && c.Name != d.served(stored) {
				out = append(out, [2]string{d.called(t) + "." + stored, c.Name})
			}
		}
	}
	return out
}

// Omit leaves out what the catalog refuses of the text as it is written, and
// tells whether there was anything to leave out.
func (d *Draft) Omit(problems []catalog.Problem) bool {
	changed := false
	for _, p := range problems {
		if p.Note || len(p.Path) < 2 || p.Path[0] != "datasets" {
			continue
		}
		for _, t := range d.tables {
			if d.served(t.dataset) != p.Path[1] || t.leftOut != "" {
				continue
			}
			if part := len(p.Path) > 3 && (p.Path[2] == "columns" || p.Path[2] == "relations"); part && t.omitted[p.Path[3]] == "" && !t.tellsDeleted(p.Path[3]) {
				if t.omitted == nil {
					t.omitted = make(map[string]string)
				}
				t.omitted[p.Path[3]] = p.Message
			} else {
				t.leftOut, t.refused = p.Message, true
			}
			changed = true
		}
	}
	return changed && d.tenantless() == nil
}

// needed tells whether something else of the configuration names the column. A key does not: without one that is closed
// there is none.
func needed(cat *catalog.Catalog, ds *catalog.Dataset, c *catalog.Column) bool {
	if c == ds.Tenant {
		return true
	}
	for _, other := range cat.Datasets {
		for _, r := range other.Relations {
			if slices.ContainsFunc(r.On, func(p catalog.Pair) bool { return p.From == c || p.To == c }) {
				return true
			}
		}
	}
	return false
}

func (d *Draft) names(ds *catalog.Dataset, columns []*catalog.Column) string {
	var out []string
	for _, c := range columns {
		out = append(out, Scalar(d.column(ds, c)))
	}
	if len(out) == 1 {
		return out[0]
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (d *Draft) relations(out *bytes.Buffer, t *table, ds *catalog.Dataset) {
	width := 0
	var lines [][2]string
	names := relationNames(ds)
	for i, r := range ds.Relations {
		to := d.target(t, r)
		if to == nil || t.omitted[r.Name] != "" || t.omitted[names[i]] != "" {
			continue
		}
		line := d.relation(ds, r, to)
		if d.linked(t, ds, r, to) {
			line += "   # by their names: no foreign key says so"
		}
		width = max(width, len(Scalar(names[i])))
		lines = append(lines, [2]string{Scalar(names[i]) + ":", line})
	}
	if len(lines) > 0 {
		fmt.Fprintf(out, "    relations:\n")
	}
	for _, l := range lines {
		fmt.Fprintf(out, "      %-*s %s\n", width+1, l[0], l[1])
	}
}

// relationNames are the relations' names, those that lead to one row in the
// singular.
func relationNames(ds *catalog.Dataset) []string {
	out := make([]string, len(ds.Relations))
	for i, r := range ds.Relations {
		out[i] = r.Name
		one := singular(r.Name)
		if !r.Many && r.Name == r.To.Name && ds.Column(one) == nil && ds.Relation(one) == nil && !slices.Contains(out[:i], one) {
			out[i] = one
		}
	}
	return out
}

// linked tells whether a relation is made of names alone, in either direction.
func (d *Draft) linked(t *table, ds *catalog.Dataset, r *catalog.Relation, to *table) bool {
	if len(r.On) != 1 {
		return false
	}
	from, there := d.stored(t, ds, r.On[0].From).Name, d.stored(to, r.To, r.On[0].To).Name
	is := func(a, b *table, column, key string) bool {
		return slices.ContainsFunc(a.links, func(w *through) bool { return w.to == b && w.key.Columns[0] == column && w.key.RefColumns[0] == key })
	}
	return is(t, to, from, there) || is(to, t, there, from)
}

func (d *Draft) relation(ds *catalog.Dataset, r *catalog.Relation, to *table) string {
	var on []string
	for _, p := range r.On {
		on = append(on, Scalar(d.column(ds, p.From))+": "+Scalar(d.column(r.To, p.To)))
	}
	many := ""
	if r.Many {
		many = ", many: true"
	}
	return fmt.Sprintf("{to: %s%s, on: {%s}}", Scalar(to.dataset), many, strings.Join(on, ", "))
}

// leftOut writes what a table would need to be served.
func (d *Draft) leftOut(out *bytes.Buffer, t *table) {
	if d.undecided(out, t) {
		return
	}
	fmt.Fprintf(out, "  # %s is left out: %s.\n", oneLine(d.called(t)), oneLine(t.leftOut))
	b := d.binding(t)
	var lines []string
	everybodys := false // as it may come to be
	switch owners := d.owners(t); {
	case t.lack() == LacksNothing:
		out.WriteByte('\n')
		return
	case len(t.unseenDeletion()) > 0:
		fmt.Fprintf(out, "  # With the statement that the end of this file has for it, make this file anew.\n\n")
		return
	case t.undecided: // its rows are tenants', and so never proposed for everybody
		fmt.Fprintf(out, "  # No relation can be made of that: it takes columns that are compared, and unique where they lead.\n\n")
		return
	case t.through != nil && !t.through.back && t.through.to.tenant != "":
		b = binding{table: t.Name + "_by_tenant"}
		fmt.Fprintf(out, "  # A view can bring the column along; with it, remove the # here:\n  #\n")
		for _, line := range t.withTenant(d.Column, b.table) {
			fmt.Fprintf(out, "  #   %s\n", oneLine(line))
		}
		fmt.Fprintf(out, "  #\n")
		lines = append(lines, "tenant: "+Scalar(d.Column))
	case t.has(d.Column):
		lines = append(lines, "tenant: "+Scalar(d.Column))
	case len(owners) > 0:
		lines = owners
	case t.somebodys(d.tables):
		everybodys = true
		lines = append(lines, "tenant: COLUMN   # the one that says whose a row is, or {through: RELATION}: none is called like it")
	case d.looksOwned(t): // what is pasted without a look would show it to all
		everybodys = true
		line := "tenant: COLUMN   # the one that says whose a row is, or {through: RELATION}: none is called like it"
		if t.fact() || t.kind() {
			line += ". `common: true` in its place shows every row to every tenant"
		}
		lines = append(lines, line)
	default:
		everybodys = true
		lines = append(lines, "common: true")
	}
	columns, some := t.harmless(everybodys || t.view)
	if !some {
		fmt.Fprintf(out, "  # Each of its columns reads like a secret, or like what is hardly for everybody.\n\n")
		return
	}
	lines = t.deletion(func(c catalog.TableColumn) string { return c.Name }).among(lines)
	fmt.Fprintf(out, "  # %s:\n", Scalar(t.dataset))
	for _, line := range slices.Concat(lines, columns) {
		fmt.Fprintf(out, "  #   %s\n", line)
	}
	if b != (binding{}) {
		fmt.Fprintf(out, "  #   bind: %s\n", d.bind(b))
	}
	out.WriteByte('\n')
}

// harmless are the lines that list a table's columns but for those that are closed or, where all is to be
// everybody's, like what hardly is; none, where there are no such. It tells whether any column is left.
func (t *table) harmless(common bool) (lines []string, some bool) {
	var shown, kept []string
	for _, c := range t.Columns {
		switch {
		case t.closed(c) != "" || common && t.sensitive(c):
			kept = append(kept, oneLine(c.Name))
		case c.Supported && graphqlName.MatchString(c.Name):
			shown = append(shown, Scalar(c.Name)+": {}")
		}
	}
	if len(kept) == 0 {
		return nil, true
	}
	lines = []string{"# without " + strings.Join(kept, ", "), "columns:"}
	for _, column := range shown {
		lines = append(lines, "  "+column)
	}
	return lines, len(shown) > 0
}

// withTenant is a statement, for people to run, of a view that takes the
// tenant column from the table that is referenced.
func (t *table) withTenant(column, name string) []string {
	to := t.through.to
	var on []string
	for i, c := range t.through.key.Columns {
		on = append(on, fmt.Sprintf("r.%s = t.%s", sqlgen.Identifier(t.through.key.RefColumns[i]), sqlgen.Identifier(c)))
	}
	return []string{
		fmt.Sprintf("CREATE VIEW %s AS SELECT r.%s AS %s, t.*", sqlgen.Identifier(name), sqlgen.Identifier(to.tenant), sqlgen.Identifier(column)),
		fmt.Sprintf("FROM %s t JOIN %s r ON %s;", sqlgen.Identifier(t.Name), sqlgen.Identifier(to.Name), strings.Join(on, " AND ")),
	}
}

var plainScalar = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./!-]*$`)

// otherwise is text that YAML, of one version or another, reads as something
// else than text.
var otherwise = regexp.MustCompile(`^(?i:true|false|null|yes|no|on|off|y|n|[-+.0-9]*|\.inf|\.nan)$`)

// Scalar writes text so that YAML reads it as that text.
func Scalar(text string) string {
	if plainScalar.MatchString(text) && !otherwise.MatchString(text) {
		return text
	}
	return quoted(text)
}

// quoted writes text as JSON, which is YAML too.
func quoted(text string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // text always encodes
	return strings.TrimSuffix(out.String(), "\n")
}

// oneLine keeps text of the source from ending a comment.
func oneLine(text string) string {
	return strings.Join(strings.FieldsFunc(text, func(r rune) bool {
		return r < ' ' || r == 0x7f || r == 0x85 || r == 0x2028 || r == 0x2029
	}), " ")
}
