package plan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"usher/catalog"
	"usher/query"
	"usher/value"
)

// Dump is the plan as text for people: one line for each reference, with where
// its rows are and the scope that confines it, then what each level does with
// them. It holds every literal, those of filters included, so it is for those
// who may see them.
func Dump(q Query) string {
	if !q.Valid() {
		return "no plan\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "strategy %s\n", q.body.strategy)
	for _, source := range slices.Sorted(maps.Keys(q.body.overrides)) {
		fmt.Fprintf(&b, "account of %s:%s\n", source, q.body.overrides[source].text())
	}
	q.body.root.dump(&b, "")
	return b.String()
}

func (l Level) dump(b *strings.Builder, indent string) {
	line := func(format string, args ...any) { fmt.Fprintf(b, indent+format+"\n", args...) }
	keys := len(l.keys)
	for i, r := range l.refs {
		line("t%d %s", i, r.text())
	}
	for _, p := range l.parent {
		line("parent c%d = %s", p.cell, p.own)
	}
	if l.where.op != True {
		line("where %s", l.where)
	}
	for i, k := range l.keys {
		line("k%d %s", i, k)
	}
	for i, a := range l.aggs {
		line("a%d %s", i, a)
	}
	if l.values != nil {
		for _, i := range l.values.labels {
			line("every label of k%d", i)
		}
		for i, key := range l.values.keys {
			line("every k%d of %s", key, l.values.of[i])
		}
	}
	if l.fill != nil {
		step := string(l.fill.unit)
		if step == "" {
			step = "bin"
		}
		line("every %s of k%d", step, l.fill.key)
	}
	if l.top != nil {
		line("first %d by %s%s, others %t", l.top.n, l.top.by.expr.text(keys), l.top.by.text(), l.top.others)
	}
	if prior, ok := l.Prior(); ok {
		line("prior where %s", prior.where)
		for i, k := range prior.keys {
			line("prior k%d %s", i, k)
		}
	}
	if guard := l.Guard(); guard.op != True {
		line("guard %s", guard.text(keys))
	}
	if l.having.op != True {
		line("having %s", l.having.text(keys))
	}
	for i, c := range l.columns {
		line("c%d %s", i, c.text(keys))
	}
	if len(l.order) > 0 {
		terms := make([]string, len(l.order))
		for i, o := range l.order {
			terms[i] = o.expr.text(keys) + o.text()
		}
		line("order %s", strings.Join(terms, ", "))
	}
	line("%s", l.rowsText())
	line("output %s", outputs(l.output))
	for i, c := range l.children {
		line("level %d", i)
		c.dump(b, indent+"  ")
	}
	if total, ok := l.Total(); ok {
		line("total")
		total.dump(b, indent+"  ")
	}
}

func (l Level) rowsText() string {
	text := "limit " + strconv.Itoa(l.limit)
	if l.limit == All {
		text = "no limit"
	}
	if l.cut {
		text += " by default"
	}
	if l.offset > 0 {
		text += " offset " + strconv.Itoa(l.offset)
	}
	if l.page != nil {
		text += " for a page of " + strconv.Itoa(l.page.size)
		if l.page.backward {
			text += " backward"
		}
		for _, cell := range l.page.position {
			text += " c" + strconv.Itoa(cell)
		}
	}
	return text
}

var scopeWords = map[ScopeKind]string{
	ByTenantColumn: "by tenant column", ByParent: "by parent", ByOwnSource: "by own source", ByUpstream: "by upstream",
	IsCommon: "common", IsAllTenants: "all tenants",
}

// text is an override without its values.
func (o Override) text() string {
	text := strings.TrimSuffix(" at "+o.BaseURL(), " at ")
	for name := range o.Headers() {
		text += " header " + name
	}
	for name := range o.Properties() {
		text += " property " + name
	}
	return text
}

// text is an account without its password.
func (a Account) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, " at %s:%d/%s as %s", a.Host, a.Port, a.Database, a.User)
	if a.Role != "" {
		fmt.Fprintf(&b, " in role %s", a.Role)
	}
	for name, v := range a.Settings() {
		fmt.Fprintf(&b, " with %s %q", name, v)
	}
	return b.String()
}

func (r Ref) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s %s", r.dataset, r.target.Kind, r.target.Source)
	if r.target.Tenant != "" {
		fmt.Fprintf(&b, " of %s", r.target.Tenant)
		if r.target.Kind == catalog.Postgres {
			b.WriteString(r.target.Account().text())
		}
	}
	place := r.path
	if r.table != "" {
		place = strings.TrimPrefix(r.schema+"."+r.table, ".")
	}
	fmt.Fprintf(&b, " (%s)", place)
	if r.inside >= 0 {
		fmt.Fprintf(&b, " inside t%d", r.inside)
	}
	if r.under > 0 {
		fmt.Fprintf(&b, " under t%d", r.under-1)
	}
	for i, on := range r.on {
		word := " and "
		if i == 0 {
			word = " on "
		}
		fmt.Fprintf(&b, "%s%s = %s", word, on.To, on.From)
	}
	names := make([]string, len(r.columns))
	for i, f := range r.columns {
		names[i] = f.Name
		switch {
		case f.Of > 0:
			names[i] += "=t" + strconv.Itoa(f.Of-1) + "." + f.Stored
		case f.Stored != f.Name:
			names[i] += "=" + f.Stored
		}
	}
	fmt.Fprintf(&b, ", reads %s, %s", strings.Join(names, " "), scopeWords[r.reason])
	for i, s := range r.scope {
		word := " and "
		if i == 0 {
			word = ": "
		}
		b.WriteString(word + s.String())
	}
	return b.String()
}

func (o Order) text() string {
	text := ""
	if o.descending {
		text = " desc"
	}
	if o.nullsFirst {
		text += " nulls first"
	}
	if o.bySource {
		text += " by source"
	}
	return text
}

func outputs(list []Output) string {
	parts := make([]string, len(list))
	for i, o := range list {
		parts[i] = o.key + ": " + o.describe()
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (o Output) describe() string {
	switch o.kind {
	case OutTypename:
		return strconv.Quote(o.text)
	case OutCell:
		text := "c" + strconv.Itoa(o.index) + " " + o.typ.GraphQL()
		if o.zone != "" {
			text += " in " + o.zone
		}
		if o.round {
			text += " rounded"
		}
		return text
	case OutObject:
		if o.index >= 0 {
			return "unless c" + strconv.Itoa(o.index) + " is null " + outputs(o.fields)
		}
		return outputs(o.fields)
	case OutList:
		return "level " + strconv.Itoa(o.index)
	case OutNodes:
		return "nodes " + outputs(o.fields)
	case OutEdges:
		return "edges " + outputs(o.fields)
	case OutCursor:
		return "cursor"
	case OutID:
		return "id " + o.text + " " + outputs(o.fields)
	case OutPageInfo:
		return "page info " + outputs(o.fields)
	case OutTotal:
		return "total"
	}
	return "?"
}

var infix = map[Op]string{
	And: " and ", Or: " or ", Eq: " = ", Neq: " <> ", Lt: " < ", Lte: " <= ", Gt: " > ", Gte: " >= ", RowLt: " < ", RowGt: " > ",
	Add: " + ", Sub: " - ", Mul: " * ", Div: " / ",
}

var listWords = map[Op]string{In: "in", Among: "in", Like: "like", ILike: "ilike", Has: "has", HasAny: "has any of", HasAll: "has all of", JSONContains: "contains"}

// String is the expression as text for people; it is no SQL.
func (e Expr) String() string { return e.text(0) }

// Masked is the same text without a literal: each is a question mark.
func (e Expr) Masked() string { return e.write(0, func(value.Value) string { return "?" }) }

// text is the expression over groups of so many keys.
func (e Expr) text(keys int) string { return e.write(keys, literalText) }

func (e Expr) write(keys int, literal func(value.Value) string) string {
	args := make([]string, len(e.args))
	for i, a := range e.args {
		args[i] = a.write(keys, literal)
	}
	lits := make([]string, len(e.lits))
	for i, v := range e.lits {
		lits[i] = literal(v)
	}
	switch e.op {
	case Column:
		return "t" + strconv.Itoa(e.ref) + "." + e.name
	case Inner:
		if e.ref < keys {
			return "k" + strconv.Itoa(e.ref)
		}
		return "a" + strconv.Itoa(e.ref-keys)
	case Literal:
		return lits[0]
	case True, False:
		return strconv.FormatBool(e.op == True)
	case And, Or, Eq, Neq, Lt, Lte, Gt, Gte, Add, Sub, Mul, Div:
		return "(" + strings.Join(args, infix[e.op]) + ")"
	case Not:
		return "not " + args[0]
	case Neg:
		return "-" + args[0]
	case IsNull:
		return "(" + args[0] + " is null)"
	case In, HasAny, HasAll:
		return "(" + args[0] + " " + listWords[e.op] + " [" + strings.Join(slices.Compact(lits), " ") + "])"
	case Like, ILike, Has, JSONContains, Among:
		return "(" + args[0] + " " + listWords[e.op] + " " + lits[0] + ")"
	case Bucket:
		return string(e.unit) + "(" + strings.Join(slices.DeleteFunc([]string{args[0], e.zone}, func(s string) bool { return s == "" }), ", ") + ")"
	case RowLt, RowGt:
		return "((" + strings.Join(args, ", ") + ")" + infix[e.op] + "(" + strings.Join(lits, ", ") + "))"
	case JSONAt:
		return args[0] + jsonPathText(e.lits, literal)
	case JSONExists:
		return "(" + args[0] + " exists)"
	case JSONText, JSONNumber, JSONBoolean:
		return map[Op]string{JSONText: "text", JSONNumber: "number", JSONBoolean: "boolean"}[e.op] + "(" + args[0] + ")"
	case Exists:
		return "exists t" + strconv.Itoa(e.ref) + " where " + args[0]
	case Latest:
		return "latest " + args[0]
	case Bin:
		return "bin(" + args[0] + ", " + lits[0] + ")"
	case CountRows:
		return "count()" + e.whereText(literal)
	case Total:
		return "total(" + args[0] + ")"
	case Agg:
		return string(e.fn) + "(" + strings.Join(append(args, lits...), ", ") + ")" + e.whereText(literal)
	case Rounded:
		return "rounded(" + args[0] + ")"
	case Shifted:
		return fmt.Sprintf("later(%s, %d %s, %s)", args[0], e.ref, e.unit, e.zone)
	case Running:
		return "running(" + args[0] + ")"
	case Share:
		return "share(" + args[0] + ")"
	case Prior:
		if e.ref < 0 {
			return "prior"
		}
		return "prior " + Expr{op: Inner, ref: e.ref}.text(keys)
	case IsOthers:
		return "others"
	}
	return "?"
}

func (e Expr) whereText(literal func(value.Value) string) string {
	if e.filter == nil {
		return ""
	}
	return " where " + e.filter.write(0, literal)
}

func literalText(v value.Value) string {
	if term, ok := v.Term(); ok {
		return "$" + strconv.Itoa(term.Number())
	}
	if v.Type().List {
		items := query.SplitTexts(v.Text())
		for i, item := range items {
			if !v.Type().Elem().Numeric() {
				items[i] = strconv.Quote(item)
			}
		}
		return "[" + strings.Join(items, " ") + "]"
	}
	switch v.Type().Scalar {
	case value.Int, value.BigInt, value.Decimal, value.Float, value.Boolean:
		return v.Text()
	default:
		return strconv.Quote(v.Text())
	}
}
