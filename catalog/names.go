package catalog

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	graphqlName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)
	plainName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
)

// Names that mean something else where a dataset's own names stand: the
// connectives of where and having, and the fields of an aggregate.
var reservedFields = []string{
	"and", "or", "not", "key", "count", "previous", "runningCount", "countShare", "isOthers",
}

// Root fields and types that are there without any dataset.
var (
	staticRoots = []string{"viewer", "catalog", "dataset", "datasets", "table"}
	staticTypes = []string{
		"Query", "Mutation", "Subscription", "PageInfo", "Direction", "TimeUnit", "Table",
		"Int", "BigInt", "Decimal", "Float", "Boolean", "String", "ID", "UUID", "Date", "Time", "Timestamp",
		"LocalTimestamp", "Interval", "JSON", "Bytes", "Enum",
		"Viewer", "Dataset", "DatasetColumn", "DatasetRelation", "DatasetMeasure", "BucketOrderBy", "TimeRange", "PercentileWhere", "PercentileOrderBy", "ByOrderBy", "Period",
		"TableQuery", "TableDimension", "TableMeasure", "TableColumn", "DatasetParameter",
	}
)

// What a dataset adds to the schema beside its own name and type.
var (
	rootSuffixes = []string{"", "ByPk", "Connection", "Aggregate"}
	typeSuffixes = []string{
		"", "Where", "ManyWhere", "TopN", "CompareTo", "OrderBy", "Connection", "Edge", "Aggregate", "Having", "AggregateOrderBy", "Key", "KeyOrderBy",
		"Column", "Filter",
	}
)

// badName says what is wrong with a GraphQL name, or "".
func badName(name string) string {
	if !graphqlName.MatchString(name) {
		return fmt.Sprintf("%q is no GraphQL name; use letters, digits and _, not starting with a digit", name)
	}
	if strings.HasPrefix(name, "__") {
		return fmt.Sprintf("%q starts with __, which GraphQL keeps for itself", name)
	}
	return ""
}

// badField says what is wrong with the name of a column, relation or measure.
func badField(name string) string {
	if slices.Contains(reservedFields, name) {
		return fmt.Sprintf("%q has a meaning of its own in filters or aggregates; choose another name", name)
	}
	return badName(name)
}

// FreeField tells whether another column, relation or measure of the dataset may have a name.
func (d *Dataset) FreeField(name string) bool {
	return badField(name) == "" && d.Column(name) == nil &&
		!slices.ContainsFunc(d.Relations, func(rel *Relation) bool { return rel.Name == name }) &&
		!slices.ContainsFunc(d.Measures, func(m *Measure) bool { return m.Name == name })
}

// badPlain says what is wrong with the name of a source, strategy or role.
func badPlain(name string) string {
	if !plainName.MatchString(name) {
		return fmt.Sprintf("%q is no name; use letters, digits, _ and -", name)
	}
	return ""
}

// words splits at everything that no GraphQL name may hold, and at _.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// pascal turns a name into a type's name: order_items becomes OrderItems.
func pascal(name string) string {
	var b strings.Builder
	for _, w := range words(name) {
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	return b.String()
}

// camel turns any text into a field's name: "Cost: Total $" becomes costTotal.
func camel(text string) string {
	var b strings.Builder
	for i, w := range words(text) {
		if w == strings.ToUpper(w) {
			w = strings.ToLower(w)
		}
		first := strings.ToUpper(w[:1])
		if i == 0 {
			first = strings.ToLower(w[:1])
		}
		b.WriteString(first + w[1:])
	}
	name := b.String()
	if name == "" {
		return "column"
	}
	if name[0] >= '0' && name[0] <= '9' {
		return "_" + name
	}
	return name
}

// fieldNames gives each physical column a field name. Names that are valid
// stay; the others make room for them, so adding a column renames no other
// valid one.
func fieldNames(physical []string) []string {
	out := make([]string, len(physical))
	taken := make(map[string]bool, len(physical))
	for i, name := range physical {
		if badField(name) == "" && !taken[name] {
			out[i] = name
			taken[name] = true
		}
	}
	for i, name := range physical {
		if out[i] != "" {
			continue
		}
		base := camel(name)
		if slices.Contains(reservedFields, base) {
			base += "_"
		}
		out[i] = free(base, taken)
		taken[out[i]] = true
	}
	return out
}

// free is the name itself, or with the first number that nobody took.
func free(name string, taken map[string]bool) string {
	if !taken[name] {
		return name
	}
	for n := 2; ; n++ {
		if numbered := fmt.Sprintf("%s_%d", name, n); !taken[numbered] {
			return numbered
		}
	}
}

// checkFields reports columns, relations and measures that want one name.
func checkFields(at place, d *Dataset) {
	taken := make(map[string]string)
	for _, col := range d.Columns {
		taken[col.Name] = "a column"
	}
	claim := func(at place, name, what string) {
		if other := taken[name]; other != "" {
			at.problem("the name %s is already taken by %s of %s", name, other, d.Name)
			return
		}
		taken[name] = what
	}
	for _, rel := range d.Relations {
		claim(at.in("relations", rel.Name), rel.Name, "a relation")
		if rel.Many {
			claim(at.in("relations", rel.Name), rel.Name+"Aggregate", "the aggregate of relation "+rel.Name)
		}
	}
	for _, m := range d.Measures {
		claim(at.in("measures", m.Name), m.Name, "a measure")
	}
}

// checkSchema reports datasets and enums that want one root field or type.
func (c *compiler) checkSchema() {
	roots, types := make(map[string]string), make(map[string]string)
	for _, name := range staticRoots {
		roots[name] = "usher itself"
	}
	for _, name := range staticTypes {
		types[name] = "usher itself"
	}
	enums := make(map[string]enumAt)
	for _, d := range c.catalog.Datasets {
		at := c.at("datasets", d.Name)
		for _, suffix := range rootSuffixes {
			name := d.Name + suffix
			if other := roots[name]; other != "" {
				at.problem("the root field %s is already taken by %s; rename the dataset", name, other)
				break
			}
			roots[name] = "dataset " + d.Name
		}
		for _, suffix := range typeSuffixes {
			name := d.Type + suffix
			if other := types[name]; other != "" {
				at.problem("the type %s is already taken by %s; give the dataset another `type`", name, other)
				break
			}
			types[name] = "dataset " + d.Name
		}
	}
	for _, d := range c.catalog.Datasets {
		for _, col := range d.Columns {
			if col.Type.EnumName == "" {
				continue
			}
			at := c.at("datasets", d.Name, "columns", col.Name)
			name := col.Type.EnumName
			here := enumAt{labels: col.Type.Labels, dataset: d.Name, column: col.Name, listed: c.listsLabels(d.Name, col.Name)}
			if there, ok := enums[name]; ok {
				if !slices.Equal(there.labels, here.labels) {
					at.problem("the enum %s has other labels here (%s) than at datasets.%s.columns.%s (%s): %s; %s",
						name, here.from(), there.dataset, there.column, there.from(), here.beside(there), here.remedy(there))
				}
				continue
			}
			enums[name] = here
			if other := types[name]; other != "" {
				at.problem("the type %s is already taken by %s; give the enum another `name`", name, other)
			}
		}
	}
}

// enumAt is an enum as one column has it.
type enumAt struct {
	labels          []string
	dataset, column string
	listed          bool // by the file; else they are the source's own
}

// from says whose the labels are.
func (e enumAt) from() string {
	if e.listed {
		return "those that the file lists"
	}
	return "those of the source"
}

// beside says which labels only one of two places has.
func (e enumAt) beside(other enumAt) string {
	only := func(of, not []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(label string) bool { return slices.Contains(not, label) })
	}
	var out []string
	if labels := only(e.labels, other.labels); len(labels) > 0 {
		out = append(out, some(labels)+" only here")
	}
	if labels := only(other.labels, e.labels); len(labels) > 0 {
		out = append(out, some(labels)+" only there")
	}
	return cmp.Or(strings.Join(out, ", "), "they are in another order")
}

func (e enumAt) remedy(other enumAt) string {
	if e.listed != other.listed {
		return "list the same in both places or in neither, or give one of the two another `name`"
	}
	return "give one of the two another `name`"
}

// listsLabels tells whether the file lists the labels of an enum column.
func (c *compiler) listsLabels(dataset, column string) bool {
	return slices.ContainsFunc([]Entry[ColumnSpec](c.work[dataset].spec.Columns), func(e Entry[ColumnSpec]) bool { return e.Name == column && e.Value.Labels != nil })
}
