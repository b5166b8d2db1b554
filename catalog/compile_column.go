package catalog

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/value"
)

// columns takes the columns as declared, or else from the describing table.
func (c *compiler) columns(d *draft) {
	t, known := d.main()
	switch {
	case len(d.spec.Columns) > 0:
		for _, e := range d.spec.Columns {
			tc, _ := d.tableColumn(cmp.Or(e.Value.Column, e.Name))
			d.add(c.column(d.at.in("columns", e.Name), d, e.Name, e.Value, tc), cmp.Or(e.Value.Column, e.Name))
		}
	case known:
		c.introspect(d, t)
	case len(d.Bindings) > 0, d.PerTenant:
		d.at.problem("list its `columns`; no database that was asked describes them")
	}
}

// add appends a column; the name it is stored under is what bindings start from.
func (d *draft) add(col *Column, physical string) {
	d.Columns = append(d.Columns, col)
	d.columns[col.Name] = col
	d.physical[col.Name] = physical
}

// introspect takes all columns that have a type here.
func (c *compiler) introspect(d *draft, t Table) {
	naming := c.spec.Naming
	var usable []TableColumn
	for _, tc := range t.Columns {
		if bad := unusable(tc); bad != "" {
			d.at.note("the column %q of %s is left out: %s", tc.Name, t.Name, bad)
			continue
		}
		usable = append(usable, tc)
	}
	if len(usable) == 0 {
		d.at.problem("the table %s has no column of a type that can be served", t.Name)
	}
	physical := make([]string, len(usable))
	for i, tc := range usable {
		physical[i] = tc.Name
	}
	names := fieldNames(physical)
	if naming == CamelNames {
		names = camelFields(physical)
	}
	for i, name := range names {
		tc := usable[i]
		d.add(&Column{Name: name, Type: c.ownEnum(d, name, served(tc.Type)), Nullable: tc.Nullable, Odd: tc.Odd, Description: tc.Comment}, tc.Name)
		if name != tc.Name && (naming != CamelNames || name != Camel(tc.Name)) {
			d.at.note("the column %q is served as %s", tc.Name, name)
		}
	}
}

// served is an introspected type with a GraphQL name for its enum.
func served(t value.Type) value.Type {
	if t.Scalar == value.Enum {
		t.EnumName = pascal(t.EnumName)
	}
	return t
}

// NamedAs tells whether an enum of a table is served under a name where the configuration gives it no other.
func NamedAs(name string, found value.Type) bool { return served(found).EnumName == name }

// unusable says why a column of a table cannot be served, or "".
func unusable(tc TableColumn) string {
	switch {
	case !tc.Supported:
		return fmt.Sprintf("its type, %s, cannot be served", tc.Native)
	case tc.Type.Scalar == value.Enum && badLabels(tc.Type.Labels) != "":
		return fmt.Sprintf("its type, %s, cannot be an enum: %s", tc.Native, badLabels(tc.Type.Labels))
	}
	return ""
}

// ownEnum gives an enum a name of its own where another dataset's of that name has
// other labels: two schemas may have a type status each.
func (c *compiler) ownEnum(d *draft, column string, t value.Type) value.Type {
	if t.Scalar != value.Enum {
		return t
	}
	if labels, taken := c.enums[t.EnumName]; taken && !slices.Equal(labels, t.Labels) {
		t.EnumName = d.Type + pascal(column)
	}
	if c.enums == nil {
		c.enums = make(map[string][]string)
	}
	c.enums[t.EnumName] = t.Labels
	return t
}

// badTenant says why a column cannot tell tenants apart by what it is in the
// source, or "".
func badTenant(tc TableColumn) string {
	switch {
	case tc.Form == value.Padded:
		return tc.Native + ", which ignores trailing blanks"
	case tc.Form.Merges():
		return tc.Native + ", which takes different texts for equal"
	case tc.Form != value.Plain:
		return tc.Native + ", which is not compared as it is stored"
	}
	return ""
}

func badLabels(labels []string) string {
	if len(labels) == 0 {
		return "it has no labels"
	}
	seen := make(map[string]bool, len(labels))
	for _, label := range labels {
		switch {
		case label == "true" || label == "false" || label == "null":
			return fmt.Sprintf("GraphQL keeps the label %s for itself", label)
		case badName(label) != "":
			return fmt.Sprintf("the label %q is no GraphQL name", label)
		case seen[label]:
			return fmt.Sprintf("the label %s is there twice", label)
		}
		seen[label] = true
	}
	return ""
}

// column makes a declared column. What its declaration leaves open, the column
// of the describing table fills in.
func (c *compiler) column(at place, d *draft, name string, spec ColumnSpec, tc TableColumn) *Column {
	if bad := badField(name); bad != "" {
		at.problem("%s", bad)
	}
	col := &Column{
		Name: name, Nullable: true, Label: spec.Label, Description: spec.Description, Expose: spec.Expose,
		Collation: spec.Collation == "source", Only: only(at.in("only_tenants"), spec.OnlyTenants),
	}
	required := c.columnType(at, d, spec, tc, col)
	if spec.Null != nil {
		if required && *spec.Null {
			at.in("null").problem("the type ends in !, which says that it is never null; leave one of the two out")
		}
		required = required || !*spec.Null
	}
	if spec.Type == "" && tc.Name != "" && spec.Null == nil {
		required, col.Odd = !tc.Nullable, tc.Odd
	}
	col.Unsettled = col.Type.Scalar == value.Decimal && spec.Precision == nil && spec.Scale == nil && col.Type.Scale == value.Unscaled && !c.described(d)
	if col.Type.Scalar == value.String {
		col.Type.Folded = tc.Type.Folded
	}
	col.Nullable = !required
	if col.Description == "" {
		col.Description = tc.Comment
	}
	if spec.Collation != "" && (spec.Collation != "source" || !col.Type.Text()) {
		at.in("collation").problem("may be `source`, on text, to order as the source does")
	}
	if spec.Expose && (d.spec.Common || name != d.spec.Tenant.Column) {
		at.in("expose").problem("shows the tenant column to tenants; this column is visible anyway")
	}
	return col
}

func (d *draft) tableColumn(physical string) (TableColumn, bool) {
	t, _ := d.main()
	return t.column(physical)
}

func (t Table) column(name string) (TableColumn, bool) {
	for _, tc := range t.Columns {
		if tc.Name == name {
			return tc, true
		}
	}
	return TableColumn{}, false
}

// columnType sets the column's type and tells whether it was written with !.
func (c *compiler) columnType(at place, d *draft, spec ColumnSpec, tc TableColumn, col *Column) bool {
	name, required := strings.CutSuffix(strings.TrimSpace(spec.Type), "!")
	switch {
	case name == "" && tc.Supported:
		col.Type = served(tc.Type)
	case name == "":
		at.in("type").problem("is missing, and no database that was asked says it")
	case name == value.Enum.String():
		col.Type = enumType(at, d.Type, spec, tc, col.Name)
	default:
		t, ok := parseType(spec.Type)
		if !ok {
			at.in("type").problem("must be one of %s, a list such as [String], or Enum; ! says never null", scalars())
		}
		if t.List && strings.HasSuffix(name, "!]") {
			at.in("type").problem("elements of a list may be null; write %s", t.GraphQL())
		}
		col.Type = t
	}
	if col.Type.Scalar != value.Enum && (spec.Name != "" || spec.Labels != nil) {
		at.problem("`name` and `labels` belong to `type: Enum`")
	}
	decimalShape(at, spec, tc, &col.Type)
	return required
}

func scalars() string {
	var names []string
	for s := value.Int; s < value.Enum; s++ {
		names = append(names, s.String())
	}
	return strings.Join(names, ", ")
}

func enumType(at place, dataset string, spec ColumnSpec, tc TableColumn, column string) value.Type {
	t := value.Type{Scalar: value.Enum, EnumName: spec.Name, Labels: spec.Labels}
	if tc.Type.Scalar == value.Enum {
		if t.Labels == nil {
			t.Labels = tc.Type.Labels
		}
		t.EnumName = cmp.Or(t.EnumName, pascal(tc.Type.EnumName))
	}
	t.EnumName = cmp.Or(t.EnumName, dataset+pascal(column))
	if bad := badName(t.EnumName); bad != "" {
		at.in("name").problem("%s", bad)
	}
	if bad := badLabels(t.Labels); len(t.Labels) == 0 && tc.Name == "" {
		at.in("labels").problem("are missing, and no database that was asked says them")
	} else if bad != "" {
		at.in("labels").problem("%s", bad)
	}
	return t
}

// decimalShape takes precision and scale as declared, else from the table.
func decimalShape(at place, spec ColumnSpec, tc TableColumn, t *value.Type) {
	if t.Scalar != value.Decimal {
		if spec.Precision != nil || spec.Scale != nil {
			at.problem("`precision` and `scale` belong to `type: Decimal`")
		}
		return
	}
	if spec.Precision == nil && spec.Scale == nil {
		if tc.Type.Scalar == value.Decimal {
			t.Precision, t.Scale = tc.Type.Precision, tc.Type.Scale
		}
		return
	}
	t.Precision, t.Scale = said(spec.Precision, value.MaxDigits), 0
	if spec.Scale != nil {
		t.Scale = *spec.Scale
	}
	if t.Precision < 1 || t.Precision > value.MaxDigits {
		at.in("precision").problem("must be from 1 to %d", value.MaxDigits)
	}
	if t.Scale < 0 || t.Scale > t.Precision {
		at.in("scale").problem("must be from 0 to the precision, %d", t.Precision)
	}
}

// store says for each source how it keeps each column, and compares with what
// introspection found.
func (c *compiler) store(d *draft) {
	for _, source := range d.sources {
		b := d.Bindings[source]
		b.Columns = make(map[string]Stored, len(d.Columns))
		names := d.spec.Bind[source].Columns
		for _, name := range slices.Sorted(maps.Keys(names)) {
			if col := d.columns[name]; (col == nil || col.Extra) && len(d.Columns) > 0 {
				d.at.in("bind", source, "columns", name).problem("there is no column %s", name)
			}
		}
		for _, col := range d.Columns {
			if col.Extra {
				b.Columns[col.Name] = Stored{Missing: true}
				continue
			}
			b.Columns[col.Name] = c.stored(d, source, col)
		}
		d.indexed(source)
	}
}

// indexed notes the columns by which an index finds a tenant's rows: it begins
// with the column, or with it behind the tenant's.
func (d *draft) indexed(source string) {
	b := d.Bindings[source]
	t := d.found[source]
	tenant := b.Columns[d.spec.Tenant.Column] // nothing for common data
	for _, index := range t.Indexes {
		ofTenant := len(index) > 1 && !tenant.Missing && index[0] == tenant.Name
		if ofTenant {
			index = index[1:]
		}
		for name, s := range b.Columns {
			if !s.Missing && s.Name == index[0] && s.Form.Indexed() {
				tc, _ := t.column(s.Name)
				s.Indexed, s.Sorted = true, s.Sorted || ofTenant && tc.InOrder
				if s.Spread != nil && (ofTenant || d.Common) {
					ordered := *s.Spread
					ordered.Ordered = true
					s.Spread = &ordered
				}
				b.Columns[name] = s
			}
		}
	}
}

func (c *compiler) stored(d *draft, source string, col *Column) Stored {
	name, given := d.spec.Bind[source].Columns[col.Name]
	if given && name == nil {
		if !c.mayMiss(d, source, col) {
			d.at.in("bind", source, "columns", col.Name).problem("only the tenant column may be absent, " +
				"and only where the source itself keeps tenants apart")
		}
		return Stored{Missing: true}
	}
	s := Stored{Name: d.physical[col.Name]}
	at := d.at.in("columns", col.Name)
	if given {
		s.Name = *name
		at = d.at.in("bind", source, "columns", col.Name)
	}
	t, known := d.found[source]
	if !known {
		s.Form = c.assumed(d, source, col)
		return s
	}
	tc, ok := t.column(s.Name)
	if !ok {
		if c.mayMiss(d, source, col) {
			return Stored{Missing: true}
		}
		if slices.Contains(t.Unread.Columns, s.Name) {
			at.misfit(source, "%s", t.Unread.Lacks(fmt.Sprintf("the column %q of %s", s.Name, tableName(d.Bindings[source])), s.Name))
			return s
		}
		at.misfit(source, "%s has no column %q in %s", source, s.Name, tableName(d.Bindings[source]))
		return s
	}
	if drift := c.differs(source, col, tc, t.View); drift != "" {
		at.misfit(source, "in %s %s", source, drift)
	}
	s.Native, s.Form, s.ByCode, s.Collate, s.Filled, s.Default, s.Spread = tc.Native, formOf(col, tc), tc.ByCode, tc.Collation, !tc.Nullable && !t.View, tc.Default, tc.Spread
	if col.Type.Scalar == value.Enum && served(tc.Type).Scalar == value.Enum && len(tc.Type.Labels) > len(col.Type.Labels) {
		var more []string
		for _, label := range tc.Type.Labels {
			if !slices.Contains(col.Type.Labels, label) {
				more = append(more, label)
			}
		}
		loses := "a row with one of them has null there, and an error"
		if col.Promised() {
			loses = "what holds a row with one of them is null, and an error, since the column's type ends in !"
		}
		at.note("%s has more labels in %s than here: %s; %s", col.Name, source, strings.Join(more, ", "), loses)
	}
	if note := s.Form.Note(); note != "" {
		at.note("%s (%s) is served %s", col.Name, tc.Native, note)
	}
	return s
}

// assumed is the form of a column in databases that nobody looks into, a template's: as it is read in another source of
// their kind, where that reads what is plain as it stands, or is an address. What a tenant's table has is compared when it is used.
func (c *compiler) assumed(d *draft, source string, col *Column) value.Form {
	for _, other := range slices.Sorted(maps.Keys(d.found)) {
		if c.catalog.Sources[other].Kind != c.catalog.Sources[source].Kind || d.Bindings[other] == nil {
			continue
		}
		if tc, ok := d.found[other].column(d.Bindings[other].Columns[col.Name].Name); ok {
			if form := formOf(col, tc); form.ReadsPlain(col.Type.List) || form == value.Address || form == value.InUTC {
				return form
			}
		}
	}
	return value.Plain
}

// formOf is how a column of a table is read for the type that the dataset has it of. Times without a zone are of UTC
// where the dataset says that they are instants.
func formOf(col *Column, tc TableColumn) value.Form {
	if col.Type.Scalar == value.Timestamp && tc.Type.Scalar == value.LocalTimestamp && !tc.Type.List && tc.Form == value.Plain && strings.HasSuffix(tc.Native, "without time zone") {
		return value.InUTC
	}
	return tc.Form
}

// mayMiss tells whether the source may lack the column: the tenant column,
// where every row of the source is one tenant's by construction.
func (c *compiler) mayMiss(d *draft, source string, col *Column) bool {
	if d.Common || col.Name != d.spec.Tenant.Column {
		return false
	}
	src := c.catalog.Sources[source]
	if src.Kind == API {
		return src.API.Isolation == ByUpstream
	}
	return src.Template
}

func (c *compiler) differs(source string, col *Column, tc TableColumn, view bool) string {
	if c.catalog.Sources[source].API.Plugin != nil {
		return pluginDiffers(col.Type, tc)
	}
	return differs(col, tc, view)
}

// differs says in all ways how a column of a table is not what the dataset promises, or "".
func differs(col *Column, tc TableColumn, view bool) string {
	t, found := col.Type, served(tc.Type)
	if t.Scalar == 0 {
		return ""
	}
	if bad := unusable(tc); bad != "" {
		return "it cannot be served: " + bad
	}
	same := t.Scalar == found.Scalar ||
		t.Scalar == value.ID && found.Scalar == value.String ||
		t.Scalar == value.BigInt && found.Scalar == value.Int ||
		formOf(col, tc) == value.InUTC
	var bad []string
	switch {
	case !same || t.List != found.List:
		bad = append(bad, fmt.Sprintf("it is %s (%s), not %s", found.GraphQL(), tc.Native, t.GraphQL()))
	case t.Scalar == value.Enum && !labelsIn(t.Labels, found.Labels):
		bad = append(bad, fmt.Sprintf("its labels are %s, not %s", strings.Join(found.Labels, ", "), strings.Join(t.Labels, ", ")))
	case t.Scalar == value.Decimal && !col.Unsettled && found.Scale != value.Unscaled && t.Scale != found.Scale:
		bad = append(bad, fmt.Sprintf("it has %d digits after the point (%s), not %s", found.Scale, tc.Native, scaleText(t.Scale)))
	}
	if !col.Nullable && tc.Nullable && !view {
		bad = append(bad, "it may be null; write the type without !, or make the column NOT NULL")
	}
	return strings.Join(bad, "; and ") // all at once: who mends one shall not be told of the next
}

// labelsIn tells whether an enum's labels are among those that the source has, in their order: ALTER TYPE …
// ADD VALUE leaves what there was.
func labelsIn(labels, of []string) bool {
	for _, label := range of {
		if len(labels) > 0 && labels[0] == label {
			labels = labels[1:]
		}
	}
	return len(labels) == 0
}

func scaleText(scale int) string {
	if scale == value.Unscaled {
		return "any number"
	}
	return fmt.Sprint(scale)
}

// checkTenant makes the tenant column the dataset's, if it can tell tenants
// apart.
func (c *compiler) checkTenant(d *draft) {
	if d.Common || d.spec.Tenant.Column == "" || len(d.Columns) == 0 {
		return
	}
	at := d.at.in("tenant")
	d.Tenant = d.columns[d.spec.Tenant.Column]
	if d.Tenant == nil {
		if tc, ok := d.tableColumn(d.spec.Tenant.Column); ok && unusable(tc) != "" {
			at.problem("%s cannot be the tenant column: %s", d.spec.Tenant.Column, unusable(tc))
		} else {
			at.problem("there is no column %s", d.spec.Tenant.Column)
		}
		return
	}
	switch d.Tenant.Type.Scalar {
	case value.String, value.ID, value.Int, value.BigInt, value.UUID:
	default:
		at.problem("%s is a %s; a tenant column is a String, ID, Int, BigInt or UUID", d.spec.Tenant.Column, d.Tenant.Type.GraphQL())
		return
	}
	if d.Tenant.Type.List {
		at.problem("%s is a list; a row belongs to one tenant", d.spec.Tenant.Column)
	}
	if d.Tenant.Only != nil {
		at.problem("%s is only some tenants', and says whose everybody's rows are", d.spec.Tenant.Column)
	}
	for _, source := range d.sources {
		stored := d.Bindings[source].Columns[d.Tenant.Name]
		if tc, ok := d.found[source].column(stored.Name); ok && badTenant(tc) != "" {
			at.misfit(source, "in %s %s is %s, so tenants could meet; make it text", source, stored.Name, badTenant(tc))
		}
	}
}
