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
		SourceLines      []string
		Tenants          []Tenant
		More             bool
	}{issuer, d.source.Name, strategy, d.source.Lines, d.Tenants, d.More})
	if err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	for _, t := range d.tables {
		if ds := d.Catalog.Dataset(t.dataset); ds != nil && t.leftOut == "" {
			d.dataset(&out, t, ds)
		}
	}
	for _, t := range d.tables {
		if t.leftOut != "" {
			d.leftOut(&out, t)
		}
	}
	return out.Bytes(), nil
}

func (d *Draft) dataset(out *bytes.Buffer, t *table, ds *catalog.Dataset) {
	fmt.Fprintf(out, "  %s:\n", Scalar(ds.Name))
	if ds.Common {
		fmt.Fprintf(out, "    common: true                   # every tenant sees all of it\n")
	} else {
		fmt.Fprintf(out, "    tenant: %s\n", Scalar(ds.Tenant.Name))
	}
	if t.typeName != "" {
		fmt.Fprintf(out, "    type: %s\n", Scalar(t.typeName))
	}
	if len(ds.Key) > 0 {
		fmt.Fprintf(out, "    key: %s\n", names(ds.Key))
	}
	fmt.Fprintf(out, "    columns:\n")
	d.columns(out, t, ds)
	relations(out, ds)
	if b := t.binding(); b != (binding{}) {
		fmt.Fprintf(out, "    bind: %s\n", d.bind(b))
	}
	out.WriteByte('\n')
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
		stored := ds.Bindings[d.source.Name].Columns[c.Name].Name
		tc, _ := t.column(stored)
		name, written, remark := Scalar(c.Name), columnType(c), native(tc)
		var keys []string
		if stored != c.Name {
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
		if secret(stored) && !needed(d.Catalog, ds, c) {
			name, remark = "# "+name, "reads like a secret; without the # it is served"
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
	case value.Enum:
		return oneLine(strings.Join(tc.Type.Labels, ", "))
	}
	return ""
}

// needed tells whether something else of the configuration names the column.
func needed(cat *catalog.Catalog, ds *catalog.Dataset, c *catalog.Column) bool {
	if c == ds.Tenant || slices.Contains(ds.Key, c) {
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

func names(columns []*catalog.Column) string {
	var out []string
	for _, c := range columns {
		out = append(out, Scalar(c.Name))
	}
	if len(out) == 1 {
		return out[0]
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func relations(out *bytes.Buffer, ds *catalog.Dataset) {
	width := 0
	names := relationNames(ds)
	for i := range names {
		width = max(width, len(Scalar(names[i])))
	}
	for i, r := range ds.Relations {
		if i == 0 {
			fmt.Fprintf(out, "    relations:\n")
		}
		fmt.Fprintf(out, "      %-*s %s\n", width+1, Scalar(names[i])+":", relation(r))
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

func relation(r *catalog.Relation) string {
	var on []string
	for _, p := range r.On {
		on = append(on, Scalar(p.From.Name)+": "+Scalar(p.To.Name))
	}
	many := ""
	if r.Many {
		many = ", many: true"
	}
	return fmt.Sprintf("{to: %s%s, on: {%s}}", Scalar(r.To.Name), many, strings.Join(on, ", "))
}

// leftOut writes what a table would need to be served.
func (d *Draft) leftOut(out *bytes.Buffer, t *table) {
	fmt.Fprintf(out, "  # %s is left out: %s.\n", oneLine(t.Name), oneLine(t.leftOut))
	b := t.binding()
	if t.through != nil {
		b = binding{table: t.Name + "_by_tenant"}
		fmt.Fprintf(out, "  # A view can bring the column along; with it, remove the # here:\n  #\n")
		for _, line := range t.withTenant(d.Column, b.table) {
			fmt.Fprintf(out, "  #   %s\n", oneLine(line))
		}
		fmt.Fprintf(out, "  #\n")
	} else if t.refused {
		fmt.Fprintf(out, "  # Once that is settled, remove the # here.\n")
	} else {
		fmt.Fprintf(out, "  # Give it a column that says whose a row is, or write `common: true` if\n")
		fmt.Fprintf(out, "  # everybody may see all of it; then remove the # here.\n")
	}
	fmt.Fprintf(out, "  # %s:\n", Scalar(t.dataset))
	fmt.Fprintf(out, "  #   tenant: %s\n", Scalar(d.Column))
	if b != (binding{}) {
		fmt.Fprintf(out, "  #   bind: %s\n", d.bind(b))
	}
	out.WriteByte('\n')
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
