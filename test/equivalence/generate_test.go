package equivalence

import (
	"encoding/json"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"usher/value"
)

// generator draws one operation by walking the types of a schema.
type generator struct {
	t      *rapid.T
	schema *ast.Schema
	world  *world
	tenant string
	hits   map[string]int // what the operation asks, for the coverage
	before map[string]int // what was asked before; it is asked for less
	faulty bool           // what is drawn may be refused

	given     map[string]any
	declared  []string
	fragments []string
	lifting   bool   // whatever may be a variable is one
	ordered   *table // whose groups are being ordered
	aliases   int
}

// field is a selected field.
type field struct {
	name      string
	arguments object
	fields    []field
}

// draw makes an operation of a tenant.
func draw(t *rapid.T, s *ast.Schema, w *world, tenant string, before map[string]int) (operation, map[string]int) {
	g := newGenerator(t, s, w, tenant)
	g.before = before
	g.faulty = g.chance(8, "faulty")
	var roots []field
	for range g.upTo(1, 2, "roots") {
		roots = append(roots, g.root())
	}
	return g.operation(g.selection(roots, "Query")), g.hits
}

func newGenerator(t *rapid.T, s *ast.Schema, w *world, tenant string) *generator {
	return &generator{t: t, schema: s, world: w, tenant: tenant, hits: make(map[string]int), given: make(map[string]any)}
}

// operation is a selection with what it refers to.
func (g *generator) operation(selection string) operation {
	query := "query"
	if len(g.declared) > 0 {
		query += " Q(" + strings.Join(g.declared, ", ") + ")"
	}
	return operation{Query: query + " " + selection + strings.Join(g.fragments, ""), Variables: g.given}
}

func (g *generator) hit(kind, name string) { g.hits[kind+" "+name]++ }

// Drawing. Labels say what a shrunk example chose.

// below draws from 0 to n-1, all alike: rapid's own ranges prefer their ends,
// which would make what is rare the most frequent.
func (g *generator) below(n int, label string) int {
	if n == 1 {
		return 0
	}
	return rapid.Custom(func(t *rapid.T) int {
		drawn := 0
		for bits := bits.Len(uint(n)) + 2; bits > 0; bits-- {
			drawn *= 2
			if rapid.Bool().Draw(t, "bit") {
				drawn++
			}
		}
		return drawn % n
	}).Draw(g.t, label)
}

func (g *generator) upTo(low, high int, label string) int {
	return low + g.below(high-low+1, label)
}

// chance is true for one in n.
func (g *generator) chance(n int, label string) bool {
	return g.below(n, label) == n-1
}

// fault is rarely true, and only in operations that may have faults.
func (g *generator) fault(label string) bool {
	return g.faulty && g.chance(12, label)
}

func pick[T any](g *generator, from []T, label string) T {
	return from[g.below(len(from), label)]
}

// rarely prefers those that were not asked for before.
func rarely[T any](g *generator, from []T, name func(T) string) []T {
	rest := slices.DeleteFunc(slices.Clone(from), func(e T) bool { return g.before[name(e)] > 0 })
	if g.before == nil || len(rest) == 0 || g.chance(3, "as before") {
		return from
	}
	return rest
}

// named is how fields are counted as a kind of thing.
func named(kind string) func(*ast.FieldDefinition) string {
	return func(f *ast.FieldDefinition) string { return kind + " " + f.Name }
}

// several picks from low to high different elements, as far as there are.
func several[T any](g *generator, from []T, low, high int, label string) []T {
	rest := slices.Clone(from)
	var out []T
	for range g.upTo(min(low, len(rest)), min(high, len(rest)), label+"s") {
		i := g.upTo(0, len(rest)-1, label)
		out = append(out, rest[i])
		rest = slices.Delete(rest, i, i+1)
	}
	return out
}

// tableOf is the dataset that a type belongs to, by the type's name.
func (g *generator) tableOf(typ string) *table {
	for _, t := range g.world.tables {
		if strings.HasPrefix(typ, typeName(t)) {
			return t
		}
	}
	return nil
}

func typeName(t *table) string { return strings.ToUpper(t.name[:1]) + t.name[1:] }

func (g *generator) columnOf(typ, name string) (column, bool) {
	t := g.tableOf(typ)
	if t == nil {
		return column{}, false
	}
	for _, c := range t.stored() {
		if c.name == name {
			return c, true
		}
	}
	return column{}, false
}

// root is a field of the query type.
func (g *generator) root() field {
	t := pick(g, g.world.tables, "dataset")
	if g.chance(2, "orders") {
		t = g.world.table("orders")
	}
	kinds := []string{"", "Aggregate", "Aggregate"}
	if len(t.key) > 0 {
		kinds = append(kinds, "ByPk", "Connection")
	}
	def := g.schema.Query.Fields.ForName(t.name + pick(g, kinds, "root"))
	return g.field(def, rootDepth)
}

// rootDepth is how deep an operation may go below its roots.
const rootDepth = 3

// field selects below a field and gives it arguments.
func (g *generator) field(def *ast.FieldDefinition, depth int) field {
	f := field{name: def.Name}
	typ := g.schema.Types[def.Type.Name()]
	var groups grouping
	if typ.Kind == ast.Object {
		switch {
		case strings.HasSuffix(typ.Name, "Connection"):
			g.hit("syntax", "connection")
			f.fields = g.pageFields(typ, depth)
		case strings.HasSuffix(typ.Name, "Key"):
			f.fields, _ = g.keyFields(typ, depth)
		case typ.Fields.ForName("count") != nil:
			groups.root = depth == rootDepth
			f.fields = g.groupFields(typ, depth, &groups)
		default:
			f.fields = g.rowFields(typ, depth)
		}
		f.fields = g.typename(f.fields)
	}
	f.arguments = g.arguments(def, groups)
	return f
}

// pageFields selects what a connection shows of a page.
func (g *generator) pageFields(def *ast.Definition, depth int) []field {
	var out []field
	for _, f := range several(g, def.Fields, 1, 3, "page") {
		inner := g.schema.Types[f.Type.Name()]
		switch f.Name {
		case "nodes":
			out = append(out, field{name: f.Name, fields: g.rowFields(inner, depth-1)})
		case "edges":
			node := inner.Fields.ForName("node")
			edge := []field{{name: "cursor"}, {name: "node", fields: g.rowFields(g.schema.Types[node.Type.Name()], depth-1)}}
			out = append(out, field{name: f.Name, fields: edge[g.below(2, "edge"):]})
		case "pageInfo":
			info := field{name: f.Name}
			for _, i := range several(g, inner.Fields, 1, 4, "info") {
				info.fields = append(info.fields, field{name: i.Name})
			}
			out = append(out, info)
		default:
			out = append(out, field{name: f.Name})
		}
	}
	return out
}

func (g *generator) typename(fields []field) []field {
	if g.chance(8, "typename") {
		fields = append(fields, field{name: "__typename"})
	}
	return fields
}

// rowFields selects columns, and at times what a relation leads to.
func (g *generator) rowFields(def *ast.Definition, depth int) []field {
	var columns, nested []*ast.FieldDefinition
	for _, f := range def.Fields {
		if g.schema.Types[f.Type.Name()].Kind == ast.Object {
			nested = append(nested, f)
		} else {
			columns = append(columns, f)
		}
	}
	var out []field
	for _, f := range several(g, columns, 1, 5, "column") {
		g.hit("scalar", plainType(f.Type))
		out = append(out, g.field(f, 0))
	}
	if depth > 0 && len(nested) > 0 && g.chance(2, "nested") {
		for _, f := range several(g, nested, 1, 2, "relation") {
			g.relation(def.Name, f.Name)
			out = append(out, g.field(f, depth-1))
		}
	}
	return out
}

// relation notes which kind of relation is followed.
func (g *generator) relation(typ, name string) {
	from := g.tableOf(typ)
	for _, r := range relations[from.name] {
		to := g.world.table(r.Value.To)
		suffix := ""
		switch name {
		case r.Name:
		case r.Name + "Aggregate":
			suffix = " aggregate"
		default:
			continue
		}
		many := "to one"
		if r.Value.Many {
			many = "to many"
		}
		g.hit("relation", many+suffix)
		switch {
		case from == to:
			g.hit("relation", "self "+many)
		case to.common && !from.common:
			g.hit("relation", "to common")
		case from.common && !to.common:
			g.hit("relation", "from common")
		}
		if len(r.Value.On) > 1 {
			g.hit("relation", "two columns "+many)
		}
	}
}

// keyPath is a key that rows are grouped by, as an order may name it.
type keyPath struct {
	path []string
	unit string
}

// grouping is what is known of groups when their arguments are drawn.
type grouping struct {
	root     bool
	keys     []keyPath
	compared bool // an earlier period is selected
}

// bucket is the one key that cuts a time of the dataset itself, if there is
// just one and a series of its units is not endless.
func (k grouping) bucket() (keyPath, bool) {
	var found []keyPath
	for _, key := range k.keys {
		if key.unit != "" {
			found = append(found, key)
		}
	}
	if len(found) != 1 || len(found[0].path) != 1 || !slices.Contains(longUnits, found[0].unit) {
		return keyPath{}, false
	}
	return found[0], true
}

func (g *generator) groupFields(def *ast.Definition, depth int, groups *grouping) (out []field) {
	if key := def.Fields.ForName("key"); key != nil && !g.chance(4, "no key") {
		var inner []field
		inner, groups.keys = g.keyFields(g.schema.Types[key.Type.Name()], depth)
		out = append(out, field{name: "key", fields: g.typename(inner)})
	}
	if g.chance(2, "count") || len(out) == 0 {
		out = append(out, field{name: "count"})
	}
	for _, name := range []string{"runningCount", "countShare", "isOthers"} {
		if g.chance(8, name) {
			g.hit("series", name)
			out = append(out, field{name: name})
		}
	}
	out = append(out, g.aggregates(def, false)...)
	if def.Fields.ForName("previous") != nil && (g.chance(6, "previous") || g.fault("previous")) {
		groups.compared = true
		g.hit("series", "previous")
		out = append(out, field{name: "previous", fields: append(g.aggregates(def, true), field{name: "count"})})
	}
	return out
}

// ofGroups are the fields of a group that are not of a column or a measure.
var ofGroups = []string{"key", "count", "runningCount", "countShare", "isOthers", "previous"}

// aggregates selects functions of columns, and measures; of an earlier period,
// those that it has.
func (g *generator) aggregates(def *ast.Definition, earlier bool) (out []field) {
	var rest []*ast.FieldDefinition
	for _, f := range def.Fields {
		if !slices.Contains(ofGroups, f.Name) {
			rest = append(rest, f)
		}
	}
	for _, f := range several(g, rarely(g, rest, named("measure")), 0, 3, "aggregate") {
		inner := g.schema.Types[f.Type.Name()]
		if inner.Kind != ast.Object {
			g.hit("measure", f.Name)
			out = append(out, field{name: f.Name})
			continue
		}
		out = append(out, field{name: f.Name, fields: g.typename(g.functions(inner, g.tableOf(def.Name), earlier))})
	}
	return out
}

func (g *generator) functions(def *ast.Definition, of *table, earlier bool) []field {
	fields := def.Fields
	if earlier {
		fields = slices.DeleteFunc(slices.Clone(fields), func(f *ast.FieldDefinition) bool {
			return f.Name == "runningSum" || f.Name == "sumShare"
		})
	}
	var out []field
	for _, f := range several(g, rarely(g, fields, named("function")), 1, 3, "function") {
		g.hit("function", f.Name)
		selected := field{name: f.Name}
		switch {
		case f.Arguments.ForName("p") != nil:
			selected.arguments = object{{"p", g.percent()}}
		case f.Arguments.ForName("by") != nil:
			selected.arguments = object{{"by", g.sortable(of)}}
		}
		out = append(out, selected)
	}
	return out
}

// sortable is the name of a column that rows can be ordered by.
func (g *generator) sortable(t *table) string {
	var names []string
	for _, c := range t.stored() {
		if c.typ.Sortable() && c.name != tenantColumn || g.fault("by") {
			names = append(names, c.name)
		}
	}
	return pick(g, names, "by")
}

// percent is the p of a percentile.
func (g *generator) percent() json.Number {
	if g.fault("p") {
		return pick(g, []json.Number{"-0.1", "1.5"}, "p")
	}
	return pick(g, []json.Number{"0", "0.25", "0.5", "0.9", "0.99", "1"}, "p")
}

// bin is the width of a bin, for a type's name.
func (g *generator) bin(scalar string) json.Number {
	g.hit("bin", scalar)
	widths := []json.Number{"1", "7", "100"}
	if scalar == "Decimal" {
		widths = append(widths, "0.1", "2.5")
	}
	if g.fault("bin") {
		widths = []json.Number{"0", "-1", "0.0000001"}
	}
	return pick(g, widths, "bin")
}

func (g *generator) keyFields(def *ast.Definition, depth int) (out []field, keys []keyPath) {
	fields := def.Fields
	if g.chance(3, "times") { // units of time are many, and columns of time are few
		fields = slices.DeleteFunc(slices.Clone(fields), func(f *ast.FieldDefinition) bool { return f.Arguments.ForName("by") == nil })
	}
	if len(fields) == 0 {
		fields = def.Fields
	}
	for _, f := range several(g, fields, 1, 2, "key") {
		inner := g.schema.Types[f.Type.Name()]
		if inner.Kind == ast.Object {
			if depth == 0 {
				continue
			}
			g.relation(strings.TrimSuffix(def.Name, "Key"), f.Name)
			g.hit("relation", "key")
			fields, below := g.keyFields(inner, depth-1)
			if len(fields) == 0 {
				continue
			}
			out = append(out, field{name: f.Name, fields: fields})
			for _, k := range below {
				keys = append(keys, keyPath{append([]string{columnOf(f.Name)}, k.path...), k.unit})
			}
			continue
		}
		selected, path := field{name: f.Name}, keyPath{path: []string{columnOf(f.Name)}}
		if f.Arguments.ForName("by") != nil && !g.chance(4, "no bucket") {
			path.unit = g.unit(plainType(f.Type))
			selected.arguments = object{{"by", word(path.unit)}}
		}
		if f.Arguments.ForName("bin") != nil && g.chance(3, "bin") {
			selected.arguments = object{{"bin", g.bin(plainType(f.Type))}}
		}
		keys = append(keys, path)
		out = append(out, selected)
	}
	if len(out) == 0 { // nothing but relations was drawn
		f := def.Fields[0]
		return []field{{name: f.Name}}, []keyPath{{path: []string{columnOf(f.Name)}}}
	}
	return out, keys
}

// Groups have no field id, which caches take for an identity: a column of that
// name is called otherwise there.
func columnOf(field string) string {
	if field == "id_" {
		return "id"
	}
	return field
}

func ofGroup(column string) string {
	if column == "id" {
		return "id_"
	}
	return column
}

var (
	shortUnits = []string{"MILLISECOND", "SECOND", "MINUTE", "HOUR"}
	longUnits  = []string{"DAY", "WEEK", "MONTH", "QUARTER", "YEAR"}
)

func (g *generator) unit(scalar string) string {
	units := slices.Concat(shortUnits, longUnits)
	switch {
	case g.fault("any unit"):
	case scalar == "Date":
		units = longUnits
	case scalar == "Time":
		units = shortUnits
	}
	unit := pick(g, rarely(g, units, func(u string) string { return "unit " + scalar + " " + u }), "unit")
	g.hit("unit", scalar+" "+unit)
	return unit
}

// arguments draws the arguments of a field.
func (g *generator) arguments(def *ast.FieldDefinition, groups grouping) object {
	var out object
	bucket, filled := groups.bucket()
	filled = filled && g.chance(2, "fill") && def.Arguments.ForName("fill") != nil
	add := func(a *ast.ArgumentDefinition, v any) {
		out = append(out, member{a.Name, g.perhapsVariable(a.Type, v)})
	}
	if strings.HasSuffix(def.Name, "ByPk") {
		return g.keyArguments(def)
	}
	for _, a := range def.Arguments {
		switch a.Name {
		case "where":
			switch {
			case filled:
				add(a, g.year(g.schema.Types[a.Type.Name()], bucket.path[0]))
			case g.chance(2, "where"):
				add(a, g.conditions(g.schema.Types[a.Type.Name()], 2))
			}
		case "fill":
			if filled {
				g.hit("series", "fill")
				add(a, true)
			}
		case "rowsBy":
			if g.chance(3, "rows by") {
				g.hit("series", "rowsBy")
				add(a, word(pick(g, g.schema.Types[a.Type.Name()].EnumValues, "rows by").Name))
			}
		case "allValues":
			top := slices.ContainsFunc(out, func(m member) bool { return m.name == "topN" })
			if len(groups.keys) > 0 && !top && g.chance(6, "all values") {
				g.hit("series", "allValues")
				add(a, true)
			}
		case "compareTo":
			if groups.compared && !g.fault("compareTo") {
				add(a, g.earlier(g.schema.Types[a.Type.Name()]))
			}
		case "topN":
			if groups.root && len(groups.keys) > 0 && !filled && !groups.compared && g.chance(4, "top") {
				add(a, g.top(g.schema.Types[a.Type.Name()], groups.keys))
			}
		case "having":
			if g.chance(3, "having") {
				add(a, g.conditions(g.schema.Types[a.Type.Name()], 1))
			}
		case "orderBy":
			if g.chance(2, "order") {
				add(a, g.orders(g.schema.Types[a.Type.Name()], groups.keys))
			}
		case "first":
			if g.chance(2, "first") {
				add(a, integer(g.upTo(0, 40, "rows")))
			}
		case "last":
			if !slices.ContainsFunc(out, func(m member) bool { return m.name == "first" }) && g.chance(3, "last") || g.fault("last") {
				add(a, integer(g.upTo(0, 40, "rows")))
			}
		case "after", "before":
			if g.fault(a.Name) {
				add(a, pick(g, []any{"", "a cursor", nil}, "cursor"))
			}
		case "limit":
			if g.chance(2, "limit") {
				n := g.upTo(0, 60, "rows")
				if g.fault("limit beyond") {
					n = 2001
				}
				add(a, integer(n))
			}
		case "offset":
			if g.chance(4, "offset") {
				add(a, integer(g.upTo(0, 12, "skipped")))
			}
		case "timezone":
			if g.chance(2, "zone") {
				add(a, g.zone())
			}
		}
	}
	return out
}

// year is a condition that keeps the times of some months of 2026.
func (g *generator) year(def *ast.Definition, column string) any {
	from, to := fmt.Sprintf("2026-%02d-01", g.upTo(1, 6, "month")), fmt.Sprintf("2026-%02d-28", g.upTo(6, 12, "month"))
	switch def.Fields.ForName(column).Type.Name() {
	case "TimestampWhere":
		from, to = from+"T00:00:00Z", to+"T22:30:00Z"
	case "LocalTimestampWhere":
		from, to = from+"T00:00:00", to+"T22:30:00"
	}
	return object{{column, object{{"gte", from}, {pick(g, []string{"lt", "lte"}, "bound"), to}}}}
}

// earlier says with which period groups are compared.
func (g *generator) earlier(def *ast.Definition) any {
	f := pick(g, def.Fields, "compared")
	return object{{f.Name, object{{"n", integer(g.upTo(1, 3, "n"))}, {"unit", word(pick(g, longUnits, "unit"))}}}}
}

// top asks for the first groups, at times with one of all others.
func (g *generator) top(def *ast.Definition, keys []keyPath) any {
	g.hit("series", "topN")
	by := def.Fields.ForName("by")
	out := object{{"n", integer(g.upTo(1, 8, "n"))}, {"by", g.order(g.schema.Types[by.Type.Name()], keys, 2)}}
	if g.chance(2, "others") {
		g.hit("series", "others")
		out = append(out, member{"others", true})
	}
	return out
}

func (g *generator) zone() string {
	if g.fault("bad zone") {
		return pick(g, []string{"+02:00", "Mars/Olympus", "", "EST5EDT,M3.2.0"}, "zone")
	}
	return pick(g, []string{
		"UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Pacific/Apia",
	}, "zone")
}

// keyArguments asks for a row of the tenant, of another tenant or for none.
func (g *generator) keyArguments(def *ast.FieldDefinition) object {
	t := g.tableOf(def.Type.Name())
	rows := t.of(g.tenant)
	if g.chance(4, "foreign") {
		rows = t.rows
	}
	row := pick(g, rows, "row")
	var out object
	for _, a := range def.Arguments {
		i := t.index(a.Name)
		v := literalOf(t.columns[i].typ, row[i])
		if g.chance(8, "other key") {
			v = g.literal(t, t.columns[i])
		}
		out = append(out, member{a.Name, g.perhapsVariable(a.Type, v)})
	}
	return out
}

// orders draws orderBy: inputs with one member each.
func (g *generator) orders(def *ast.Definition, keys []keyPath) []any {
	var out []any
	for range g.upTo(1, 3, "terms") {
		out = append(out, g.order(def, keys, 2))
	}
	if g.fault("two members") {
		out = append(out, object{{"id", word("ASC")}, {"pieces", word("ASC")}})
	}
	return out
}

func (g *generator) order(def *ast.Definition, keys []keyPath, depth int) any {
	if t := g.tableOf(def.Name); t != nil {
		g.ordered = t
	}
	fields := slices.Clone(def.Fields)
	if len(keys) == 0 && !g.fault("key without keys") || depth == 0 {
		fields = slices.DeleteFunc(fields, func(f *ast.FieldDefinition) bool {
			return f.Name == "key" || depth == 0 && strings.HasSuffix(f.Type.Name(), "OrderBy")
		})
	}
	if len(fields) == 0 {
		fields = def.Fields
	}
	f := pick(g, fields, "term")
	if f.Name == "key" && len(keys) > 0 && !g.fault("any key") {
		return object{{"key", g.orderKey(f.Type, pick(g, keys, "grouped"))}}
	}
	inner := g.schema.Types[f.Type.Name()]
	switch {
	case inner.Kind == ast.Enum:
		return object{{f.Name, g.direction()}}
	case inner.Name == "PercentileOrderBy":
		return object{{f.Name, object{{"p", g.percent()}, {"direction", g.direction()}}}}
	case inner.Name == "ByOrderBy":
		return object{{f.Name, object{{"by", g.sortable(g.ordered)}, {"direction", g.direction()}}}}
	case inner.Name == "BucketOrderBy":
		return object{{f.Name, object{{"direction", g.direction()}}}}
	}
	if strings.HasSuffix(def.Name, "AggregateOrderBy") {
		g.hit("order", "aggregate")
	} else {
		g.hit("order", "relation")
	}
	return object{{f.Name, g.order(inner, nil, depth-1)}}
}

func (g *generator) orderKey(t *ast.Type, k keyPath) any {
	f := g.schema.Types[t.Name()].Fields.ForName(k.path[0])
	g.hit("order", "key")
	if len(k.path) > 1 {
		return object{{f.Name, g.orderKey(f.Type, keyPath{k.path[1:], k.unit})}}
	}
	if f.Type.Name() != "BucketOrderBy" {
		return object{{f.Name, g.direction()}}
	}
	bucket := object{{"direction", g.direction()}}
	if k.unit != "" {
		bucket = append(bucket, member{"by", word(k.unit)})
	}
	return object{{f.Name, bucket}}
}

func (g *generator) direction() word {
	def := g.schema.Types["Direction"]
	name := pick(g, def.EnumValues, "direction").Name
	g.hit("direction", name)
	return word(name)
}

// conditions draws a where or a having.
func (g *generator) conditions(def *ast.Definition, depth int) object {
	var out object
	var fields ast.FieldList
	for _, f := range def.Fields {
		if depth > 0 || f.Name != "and" && f.Name != "or" && f.Name != "not" && f.Type.Name() != def.Name {
			fields = append(fields, f)
		}
	}
	if g.chance(3, "logic") && depth > 0 {
		fields = ast.FieldList{def.Fields.ForName(pick(g, []string{"and", "or", "not"}, "connective"))}
	}
	for _, f := range several(g, fields, 1, 2, "condition") {
		out = append(out, member{f.Name, g.condition(def, f, depth)})
	}
	return out
}

func (g *generator) condition(def *ast.Definition, f *ast.FieldDefinition, depth int) any {
	inner := g.schema.Types[f.Type.Name()]
	switch {
	case f.Name == "and" || f.Name == "or":
		g.hit("connective", f.Name)
		var items []any
		for range g.upTo(0, 3, f.Name) {
			items = append(items, g.conditions(inner, depth-1))
		}
		return items
	case f.Name == "not":
		g.hit("connective", f.Name)
		return g.conditions(inner, depth-1)
	case inner.Fields.ForName("some") != nil: // a relation to many
		g.relation(strings.TrimSuffix(def.Name, "Where"), f.Name)
		quantifier := pick(g, rarely(g, inner.Fields, named("where")), "quantifier")
		g.hit("where", quantifier.Name)
		return object{{quantifier.Name, g.conditions(g.schema.Types[quantifier.Type.Name()], max(depth-1, 0))}}
	case inner.Fields.ForName("not") != nil: // a relation to one
		g.relation(strings.TrimSuffix(def.Name, "Where"), f.Name)
		g.hit("where", "relation")
		return g.conditions(inner, max(depth-1, 0))
	case strings.HasSuffix(inner.Name, "AggregateWhere"):
		fn := pick(g, rarely(g, inner.Fields, named("having")), "function")
		g.hit("having", fn.Name)
		return object{{fn.Name, g.comparison(def, f, g.schema.Types[fn.Type.Name()])}}
	}
	return g.comparison(def, f, inner)
}

// comparison draws operators and operands for a column, or for what an
// aggregate of it gives.
func (g *generator) comparison(def *ast.Definition, f *ast.FieldDefinition, operators *ast.Definition) any {
	if g.fault("empty comparison") {
		return object{}
	}
	var out object
	if p := operators.Fields.ForName("p"); p != nil {
		out = append(out, member{"p", g.percent()})
		operators = g.schema.Types["FloatWhere"]
	}
	if by := operators.Fields.ForName("by"); by != nil {
		out = append(out, member{"by", g.sortable(g.tableOf(def.Name))})
		operators = g.schema.Types[strings.TrimSuffix(operators.Name, "ByWhere")+"Where"]
	}
	for _, op := range several(g, rarely(g, operators.Fields, named("operator")), 1, 2, "operator") {
		g.hit("operator", op.Name)
		g.hit("operator of", strings.TrimSuffix(operators.Name, "Where")+" "+op.Name)
		out = append(out, member{op.Name, g.perhapsVariable(op.Type, g.operand(def, f, op))})
	}
	return out
}

func (g *generator) operand(def *ast.Definition, f, op *ast.FieldDefinition) any {
	if g.fault("null operand") {
		return nil
	}
	if op.Name == "isNull" {
		return g.chance(2, "is null")
	}
	switch op.Type.Name() {
	case "TimeRange":
		return g.timeRange(f)
	case "TimeUnit":
		return word(g.rangeUnit(f))
	case "JSONPathWhere":
		return []any{g.inside(g.schema.Types[op.Type.Name()])}
	}
	typ := op.Type.Name()
	one := func() any {
		t := g.tableOf(def.Name)
		if c, ok := g.columnOf(def.Name, f.Name); ok && operandType(c.typ) == typ {
			return g.literal(t, c)
		}
		// Of what an aggregate gives, no value is known beforehand.
		return g.anyLiteral(typ)
	}
	if of, ok := strings.CutSuffix(typ, "Between"); ok {
		typ = of
		pairs := []any{}
		for range g.upTo(0, 3, "pairs") {
			pair := object{{"from", one()}, {"to", one()}}
			if g.fault("half a pair") {
				pair = pair[:1]
			}
			pairs = append(pairs, pair)
		}
		return pairs
	}
	if op.Type.Elem != nil {
		items := []any{}
		for range g.upTo(0, 6, "items") {
			items = append(items, one())
		}
		return items
	}
	v := one()
	if v == nil { // JSON's own null, which is no operand
		v = object{}
	}
	text, ok := v.(string)
	if !ok {
		return v
	}
	switch op.Name {
	case "like", "notLike", "ilike", "notIlike":
		return g.pattern(text)
	case "contains", "startsWith", "endsWith", "icontains", "istartsWith", "iendsWith",
		"notContains", "notStartsWith", "notEndsWith", "notIcontains", "notIstartsWith", "notIendsWith":
		return g.part(text)
	}
	return v
}

// inside is a condition on what JSON holds at a path.
func (g *generator) inside(def *ast.Definition) any {
	paths := []string{"a", "b", "n", "a.b", "b[0]", "b[2].c", "[0]", `"a"`, "c", "d"}
	if g.fault("path") {
		paths = []string{"", "a..b", "[x]", "b[-1]"}
	}
	out := object{{"at", pick(g, paths, "path")}}
	f := pick(g, rarely(g, def.Fields[1:], named("inside")), "inside")
	g.hit("inside", f.Name)
	if f.Type.Name() == "Boolean" {
		return append(out, member{f.Name, g.chance(2, f.Name)})
	}
	return append(out, member{f.Name, g.comparison(def, f, g.schema.Types[f.Type.Name()])})
}

// timeRange is a range around now, mostly a wide one.
func (g *generator) timeRange(f *ast.FieldDefinition) any {
	n := g.upTo(1, 12, "n")
	if g.fault("n") {
		n = pick(g, []int{0, 100000, 100001}, "n")
	}
	out := object{{"n", integer(n)}, {"unit", word(g.rangeUnit(f))}}
	if g.chance(2, "zone") {
		out = append(out, member{"timezone", g.zone()})
	}
	return out
}

func (g *generator) rangeUnit(f *ast.FieldDefinition) string {
	units := []string{"DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "MONTH", "QUARTER", "YEAR"}
	if f.Type.Name() != "DateWhere" {
		units = append(units, shortUnits...)
	}
	return pick(g, units, "unit")
}

// operandType is the type of the operands that a column is compared with.
func operandType(t value.Type) string {
	return t.Elem().GraphQL()
}

// pattern makes a pattern that the text may match.
func (g *generator) pattern(text string) string {
	if g.fault("pattern") {
		return text + `\`
	}
	escaped := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(g.part(text))
	return pick(g, []string{escaped + "%", "%" + escaped, "%" + escaped + "%", "_%", "%_", "%", "", strings.ToUpper(escaped) + "%", "%_" + escaped}, "pattern")
}

// part is a part of a text, at times in other letters.
func (g *generator) part(text string) string {
	runes := []rune(text)
	if len(runes) > 1 {
		from := g.upTo(0, len(runes)-1, "from")
		runes = runes[from:g.upTo(from, len(runes), "to")]
	}
	if g.chance(3, "upper") {
		return strings.ToUpper(string(runes))
	}
	return string(runes)
}

// literal is a value for a column: mostly one of the tenant's, at times
// another tenant's or one that nobody has.
func (g *generator) literal(t *table, c column) any {
	rows := t.of(g.tenant)
	if g.chance(6, "not own") {
		rows = t.rows
	}
	v := rows[g.upTo(0, len(rows)-1, "row")][t.index(c.name)]
	if c.typ.List && !v.null && len(v.items) > 0 {
		v = pick(g, v.items, "item")
	}
	if v.null || v.items != nil || g.chance(6, "any value") {
		return g.anyLiteral(operandType(c.typ))
	}
	if c.typ.Scalar == value.Decimal && g.chance(4, "digits beyond") {
		v.text += "5"
	}
	return literalOf(c.typ.Elem(), v)
}

// anyLiteral is some value of a type, by the type's name.
func (g *generator) anyLiteral(typ string) any {
	if def := g.schema.Types[typ]; def.Kind == ast.Enum {
		return word(pick(g, def.EnumValues, "label").Name)
	}
	if g.fault("wrong type") {
		return pick(g, []any{true, integer(1), "wrong", integer(99999999999), word("WRONG")}, "wrong")
	}
	scalar, _ := value.ScalarByName(typ)
	texts := interesting[scalar]
	if scalar == 0 {
		panic("the schema has operands that are not drawn yet: " + typ)
	}
	switch scalar {
	case value.Decimal:
		texts = []string{"0", "1", "0.5", "-3.25", "12.30", "100.005", "99999999999999999999.5", "1e2"}
	case value.Bytes:
		texts = []string{"", "YQ==", "AAEC/w=="}
	default:
	}
	return literalOf(value.Of(scalar), cell{text: pick(g, texts, "value")})
}

// perhapsVariable moves a value into a variable.
func (g *generator) perhapsVariable(t *ast.Type, v any) any {
	if held(v) || !g.lifting && !g.chance(5, "variable") {
		return v
	}
	g.hit("syntax", "variable")
	name := fmt.Sprintf("v%d", len(g.declared))
	declared := "$" + name + ": " + t.String()
	if g.chance(8, "default") && v != nil {
		declared = "$" + name + ": " + t.String() + " = " + written(v)
	} else {
		g.given[name] = sent(v)
	}
	g.declared = append(g.declared, declared)
	return variable(name)
}

// held tells whether a variable stands in a value: no other one can hold it.
func held(v any) bool {
	switch v := v.(type) {
	case variable:
		return true
	case []any:
		return slices.ContainsFunc(v, held)
	case object:
		return slices.ContainsFunc(v, func(m member) bool { return held(m.value) })
	}
	return false
}

// selection writes fields, some of them by fragments and under directives.
func (g *generator) selection(fields []field, typ string) string {
	var b strings.Builder
	b.WriteString("{ ")
	used := make(map[string]bool)
	for _, f := range fields {
		text := g.written(f, typ, used)
		switch {
		case g.chance(12, "inline fragment"):
			g.hit("syntax", "inline fragment")
			text = "... on " + typ + " { " + text + " }"
		case g.chance(12, "fragment"):
			g.hit("syntax", "fragment")
			name := fmt.Sprintf("F%d", len(g.fragments))
			g.fragments = append(g.fragments, "\nfragment "+name+" on "+typ+" { "+text+" }")
			text = "..." + name
		case g.chance(15, "directive"):
			g.hit("syntax", "directive")
			text = "... " + pick(g, []string{"@include(if: true)", "@skip(if: false)", "@include(if: false)"}, "condition") + " { " + text + " __typename }"
		}
		b.WriteString(text)
		b.WriteByte(' ')
	}
	b.WriteString("}")
	return b.String()
}

func (g *generator) written(f field, typ string, used map[string]bool) string {
	text := f.name
	if len(f.arguments) > 0 {
		arguments := make([]string, len(f.arguments))
		for i, a := range f.arguments {
			arguments[i] = a.name + ": " + written(a.value)
		}
		text += "(" + strings.Join(arguments, ", ") + ")"
	}
	if used[f.name] || g.chance(6, "alias") {
		g.aliases++
		text = fmt.Sprintf("a%d: ", g.aliases) + text
		g.hit("syntax", "alias")
	}
	used[f.name] = true
	if g.fault("unknown field") {
		return text + " nothing_of_that_name"
	}
	if f.fields == nil {
		return text
	}
	def := g.schema.Types[typ].Fields.ForName(f.name)
	return text + " " + g.selection(f.fields, def.Type.Name())
}
