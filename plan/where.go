package plan

import (
	"errors"
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// maxDepth and maxItems bound one where, maxOrders one order.
const (
	maxDepth  = 12
	maxItems  = 1000
	maxOrders = 100
)

// maxLiterals bounds a plan: policies repeat theirs in every reference.
const maxLiterals = 65_535

// literals counts the literals of an expression.
func (e Expr) literals() int {
	n := len(e.lits)
	for _, a := range e.args {
		n += a.literals()
	}
	return n
}

// whereAt says where a where stands and what it may name.
type whereAt struct {
	ref       int
	inside    int  // reference whose scope it belongs to, or -1
	policy    bool // an administrator's or issuer's words: every column, tenant predicate only on what it reaches
	variables bool // an administrator's: $tenant, $subject, $parameters.x and $metadata.x stand for values
	own       bool // words of the tenant's own: columns its holder may see but for such words, no relations
	zone      string
	depth     int
}

// compared is the place of a filter of the tenant's own role, in the place of a
// role's.
func (at whereAt) compared() whereAt {
	at.own = true
	return at
}

// where resolves a where over a dataset into a predicate.
func (lb *levelBuilder) where(at whereAt, d *catalog.Dataset, v query.Value) (Expr, error) {
	o, ok := v.(query.Object)
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "where over %s must be an object", d.Name)
	}
	if at.depth++; at.depth > maxDepth {
		return Expr{}, fault.New(fault.TooComplex, "where is nested more than %d levels deep", maxDepth)
	}
	var parts []Expr
	for _, m := range o {
		e, err := lb.whereMember(at, d, m)
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, e)
	}
	return all(parts), nil
}

func (lb *levelBuilder) whereMember(at whereAt, d *catalog.Dataset, m query.Member) (Expr, error) {
	switch m.Name {
	case "and", "or":
		return connective(m, func(item query.Value) (Expr, error) { return lb.where(at, d, item) })
	case "not":
		e, err := lb.where(at, d, m.Value)
		return not(e), err
	}
	if col := lb.columnAt(at, d, m.Name); col != nil {
		e := lb.read(at.ref, col)
		switch u := lb.uses[at.ref]; {
		case at.own:
			u.compared = append(u.compared, col.Name)
		case !at.policy:
			e = lb.ask(at.ref, col)
		}
		return lb.comparisons(at, m.Name, e, m.Value)
	}
	rel, err := lb.relationAt(at, d, m.Name)
	if err != nil {
		return Expr{}, err
	}
	if rel.Many {
		return lb.quantified(at, rel, m.Value)
	}
	next, err := lb.join(at.ref, rel, at.inside)
	if err != nil {
		return Expr{}, err
	}
	at.ref = next
	return lb.where(at, rel.To, m.Value)
}

// connective reads and, or: a list of conditions, or one alone.
func connective(m query.Member, condition func(query.Value) (Expr, error)) (Expr, error) {
	list, ok := m.Value.(query.List)
	if one, isObject := m.Value.(query.Object); isObject {
		list, ok = query.List{one}, true
	}
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "%s must be a list of conditions", m.Name)
	}
	if len(list) > maxItems {
		return Expr{}, fault.New(fault.TooComplex, "%s has %d conditions; at most %d are allowed", m.Name, len(list), maxItems)
	}
	parts := make([]Expr, 0, len(list))
	for _, item := range list {
		e, err := condition(item)
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, e)
	}
	if m.Name == "and" {
		return all(parts), nil
	}
	return anyOf(parts), nil
}

// quantified reads {some, none, every} over the rows of a to-many relation.
// Rows out of scope are none of them.
func (lb *levelBuilder) quantified(at whereAt, rel *catalog.Relation, v query.Value) (Expr, error) {
	o, ok := v.(query.Object)
	if !ok || len(o) == 0 {
		return Expr{}, fault.New(fault.BadUserInput, "the condition on %s is empty", rel.Name).
			WithHint("write some, none or every, and a condition in it")
	}
	var parts []Expr
	for _, m := range o {
		if m.Name != "some" && m.Name != "none" && m.Name != "every" {
			return Expr{}, fault.New(fault.BadUserInput, "%s has no quantifier %q", rel.Name, m.Name)
		}
		first := rel.To
		if rel.Through != nil {
			first = rel.Through
		}
		i, err := lb.add(first, at.ref, at.inside, rel.On)
		if err != nil {
			return Expr{}, err
		}
		lb.l.refs[i].under = i + 1
		inner, there := at, predicate(True)
		inner.ref = i
		if rel.Through != nil {
			if inner.ref, err = lb.add(rel.To, i, at.inside, rel.ToOn); err != nil {
				return Expr{}, err
			}
			lb.l.refs[inner.ref].under = i + 1
			there = not(predicate(IsNull, lb.l.refs[inner.ref].on[0].To)) // a link to a row out of scope leads nowhere
		}
		cond, err := lb.where(inner, rel.To, m.Value)
		if err != nil {
			return Expr{}, err
		}
		if m.Name == "every" {
			cond = not(cond)
		}
		cond = all([]Expr{there, cond})
		e := Expr{op: Exists, typ: boolean, ref: i, args: []Expr{cond}}
		if m.Name != "some" {
			e = not(e)
		}
		parts = append(parts, e)
	}
	return all(parts), nil
}

// columnAt finds a column a where may name.
func (lb *levelBuilder) columnAt(at whereAt, d *catalog.Dataset, name string) *catalog.Column {
	switch {
	case at.own:
		return lb.uses[at.ref].visible.Granted(name)
	case at.policy:
		if col := d.Column(name); col != nil && (at.variables || lb.only(col.Only)) {
			return col
		}
		return nil
	}
	if vis := lb.view.Dataset(d.Name); vis != nil {
		return vis.Column(name)
	}
	return nil
}

// relationAt finds a relation a where may follow.
func (lb *levelBuilder) relationAt(at whereAt, d *catalog.Dataset, name string) (*catalog.Relation, error) {
	rel := d.Relation(name)
	switch {
	case at.own, rel != nil && !at.variables && !lb.only(rel.Only):
		rel = nil
	case !at.policy:
		rel = nil
		if vis := lb.view.Dataset(d.Name); vis != nil {
			rel, _ = lb.view.Relation(vis, name)
		}
	}
	if rel == nil && at.own {
		return nil, fault.New(fault.Forbidden, "a role of the tenant's own filters %s by what no other role of yours shows", d.Name)
	}
	if rel == nil {
		return nil, fault.New(fault.BadUserInput, "%s has no field %q to filter by", d.Name, name)
	}
	return rel, nil
}

// comparisons reads {op: operand, …} over one expression. Unknown operators
// and operands are refused, never dropped.
func (lb *levelBuilder) comparisons(at whereAt, name string, e Expr, v query.Value) (Expr, error) {
	o, ok := v.(query.Object)
	if !ok || len(o) == 0 {
		return Expr{}, fault.New(fault.BadUserInput, "the comparison of %s is empty", name).
			WithHint("write an operator and a value, such as {eq: …}, or leave %s out", name)
	}
	parts := make([]Expr, 0, len(o))
	for _, m := range o {
		p, err := lb.comparison(at, e, m)
		if err != nil {
			f := fault.From(err)
			if f.Code == fault.Internal {
				f = fault.New(fault.BadUserInput, "%s: %s: %v", name, m.Name, err)
			}
			return Expr{}, f
		}
		if lb.literals += max(1, p.literals()); lb.literals > maxLiterals {
			return Expr{}, fault.New(fault.TooComplex, "the conditions, filters included, compare with more than %d values", maxLiterals).
				WithHint("ask with fewer values, or of fewer datasets at once")
		}
		parts = append(parts, p)
	}
	return all(parts), nil
}

var plainOps = map[string]Op{"eq": Eq, "neq": Neq, "gt": Gt, "gte": Gte, "lt": Lt, "lte": Lte}

func (lb *levelBuilder) comparison(at whereAt, e Expr, m query.Member) (Expr, error) {
	t := e.typ
	if at.variables && lb.cleared(m.Value) {
		return predicate(True), nil
	}
	if t.Scalar == value.JSON && !t.List && (m.Name == "contains" || m.Name == "path") {
		m.Value = query.Look(m.Value) // what a document holds, and where, is written by what it is
		return lb.jsonComparison(at, e, m)
	}
	operand, err := lb.operand(at, m.Value)
	if err != nil {
		return Expr{}, err
	}
	switch m.Name {
	case "eq", "neq", "gt", "gte", "lt", "lte":
		ordering := m.Name != "eq" && m.Name != "neq"
		if t.List || ordering && !t.Ordered() || t.Scalar == value.JSON && !t.List {
			break
		}
		v, err := typed(t, operand)
		if err != nil {
			return Expr{}, err
		}
		return comparison(plainOps[m.Name], e, v), nil
	case "in", "notIn":
		if t.List || t.Scalar == value.JSON {
			break
		}
		if later, ok := operand.(query.SlotList); ok && lb.takesLists(e) {
			list, err := listLater(t, later)
			in := among(Among, e, []value.Value{list})
			if m.Name == "notIn" {
				in = not(in)
			}
			return in, err
		}
		lits, err := typedList(t, operand)
		if err != nil {
			return Expr{}, err
		}
		if t.Scalar == value.Decimal {
			lits = held(lits, t.Scale)
		}
		in := among(In, e, lits)
		if m.Name == "notIn" {
			return not(in), nil
		}
		return in, nil
	case "isNull":
		b, ok := operand.(query.Bool)
		if _, null := operand.(query.Null); null {
			return Expr{}, errors.New("it is true for null and false for any value, and null is neither")
		}
		if !ok {
			return Expr{}, mismatch(value.Of(value.Boolean), "something else")
		}
		if b {
			return predicate(IsNull, e), nil
		}
		return not(predicate(IsNull, e)), nil
	case "has", "hasAny", "hasAll":
		if !t.List || t.Scalar == value.JSON {
			break
		}
		if m.Name == "has" {
			v, err := typed(t.Elem(), operand)
			if err != nil {
				return Expr{}, err
			}
			return among(Has, e, []value.Value{v}), nil
		}
		lits, err := typedList(t.Elem(), operand)
		if err != nil {
			return Expr{}, err
		}
		if m.Name == "hasAny" {
			return among(HasAny, e, lits), nil
		}
		return among(HasAll, e, lits), nil
	case "between":
		if t.Ordered() {
			return lb.between(at, e, operand)
		}
	case "last", "lastAvailable", "next", "nextFull", "previous", "toDate", "ago", "moreThanAgo", "orMoreAgo":
		if t.Temporal() && t.Scalar != value.Time {
			return lb.relative(at, e, m.Name, query.Look(operand))
		}
	default:
		if t.Text() {
			return textComparison(e, m.Name, operand)
		}
	}
	return Expr{}, fault.New(fault.BadUserInput, "%s has no operator %q", typeOf(t), m.Name)
}

// between reads pairs {from, to}, in one of which the value lies. Both ends belong
// to it; neither may be null.
func (lb *levelBuilder) between(at whereAt, e Expr, operand query.Value) (Expr, error) {
	list, ok := operand.(query.List)
	if one, isObject := operand.(query.Object); isObject {
		list, ok = query.List{one}, true
	}
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "between needs pairs such as [{from: …, to: …}]")
	}
	if len(list) > maxItems {
		return Expr{}, fault.New(fault.TooComplex, "a list of %d pairs is too long; at most %d are allowed", len(list), maxItems)
	}
	if e.op == JSONNumber || e.op == JSONText {
		if err := lb.countJSON(2 * len(list) * len(e.args[0].lits)); err != nil {
			return Expr{}, err
		}
	}
	parts := make([]Expr, 0, len(list))
	for _, item := range list {
		pair, ok := item.(query.Object)
		if from, to := member(pair, "from"), member(pair, "to"); !ok || len(pair) != 2 || from == nil || to == nil {
			return Expr{}, fault.New(fault.BadUserInput, "each item of between is a pair of from and to, both of them given").
				WithHint("for a range that is open on one side use gte or lte")
		}
		var ends [2]Expr
		for i, op := range []Op{Gte, Lte} {
			given, err := lb.operand(at, member(pair, []string{"from", "to"}[i]))
			if err != nil {
				return Expr{}, err
			}
			v, err := typed(e.typ, given)
			if err != nil {
				return Expr{}, err
			}
			ends[i] = comparison(op, e, v)
		}
		parts = append(parts, all(ends[:]))
	}
	return anyOf(parts), nil
}

// member is a member's value, or nil.
func member(o query.Object, name string) query.Value {
	v, _ := o.Get(name)
	return v
}

// comparison compares an expression with a value of its type.
func comparison(op Op, e Expr, v value.Value) Expr {
	if e.typ.Scalar == value.Decimal {
		return decimalComparison(op, e, v)
	}
	return predicate(op, e, literal(v))
}

// textComparison reads the operators of text. The wildcards of a searched text
// are escaped; only like and its kin take a pattern, with a backslash as its
// escape.
func textComparison(e Expr, name string, operand query.Value) (Expr, error) {
	v, err := typed(e.typ, operand)
	if err != nil {
		return Expr{}, err
	}
	op, plain, negated := Like, name, false
	if rest, ok := strings.CutPrefix(name, "not"); ok && rest != "" {
		negated, plain = true, strings.ToLower(rest[:1])+rest[1:]
	}
	pattern, ok := patterns[plain]
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "%s has no operator %q", typeOf(e.typ), name)
	}
	if plain[0] == 'i' {
		op = ILike
	}
	lit, err := v.As(value.Of(value.String), plain, pattern)
	if err != nil {
		return Expr{}, err
	}
	like := among(op, e, []value.Value{lit})
	if negated {
		return not(like), nil
	}
	return like, nil
}

// patterns make the pattern of a text that is searched for, by operator.
var patterns = map[string]func(text string) (string, error){
	"like": asWritten, "ilike": asWritten,
	"contains": around("%", "%"), "icontains": around("%", "%"),
	"startsWith": around("", "%"), "istartsWith": around("", "%"),
	"endsWith": around("%", ""), "iendsWith": around("%", ""),
}

func asWritten(pattern string) (string, error) {
	if trailing := len(pattern) - len(strings.TrimRight(pattern, `\`)); trailing%2 == 1 {
		return "", fault.New(fault.BadUserInput, "a pattern must not end in its escape character, the backslash")
	}
	return pattern, nil
}

func around(before, after string) func(string) (string, error) {
	return func(text string) (string, error) {
		v, err := value.Parse(value.Of(value.String), before+escapeLike(text)+after)
		return v.Text(), err
	}
}

var likeEscapes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

func escapeLike(text string) string { return likeEscapes.Replace(text) }

// typedList reads a list operand; its items are made distinct, but for those that
// come later: their number is that of the list.
func typedList(t value.Type, v query.Value) ([]value.Value, error) {
	if later, ok := v.(query.SlotList); ok {
		v = query.Look(later)
	}
	list, ok := v.(query.List)
	if !ok {
		if _, null := v.(query.Null); null {
			return nil, fault.New(fault.BadUserInput, "null is no list")
		}
		list = query.List{v}
	}
	if len(list) > maxItems {
		return nil, fault.New(fault.TooComplex, "a list of %d values is too long; at most %d are allowed", len(list), maxItems)
	}
	lits := make([]value.Value, 0, len(list))
	seen := make(map[string]struct{}, len(list))
	var key []byte
	for _, item := range list {
		lit, err := typed(t, item)
		if err != nil {
			return nil, err
		}
		key = lit.AppendKey(key[:0])
		if _, ok := seen[string(key)]; !ok {
			seen[string(key)] = struct{}{}
			lits = append(lits, lit)
		}
	}
	if len(lits) < len(list)/2 { // the plan may be kept
		lits = slices.Clone(lits)
	}
	return lits, nil
}

// cleared tells an operand that a cleared parameter stands in: its condition
// does not apply. Under a not nothing fits, which is the safe side.
func (lb *levelBuilder) cleared(v query.Value) bool {
	switch v := v.(type) {
	case query.List:
		return slices.ContainsFunc(v, lb.cleared)
	case query.Object:
		return slices.ContainsFunc(v, func(m query.Member) bool { return lb.cleared(m.Value) })
	case query.Text:
		name, ok := strings.CutPrefix(string(v), "$")
		return ok && slices.Contains(lb.p.Grant.Cleared, strings.TrimPrefix(name, "parameters."))
	}
	return false
}

// operand puts the principal's values in the place of $names, where the words
// are an administrator's. A value that is missing refuses the request.
func (lb *levelBuilder) operand(at whereAt, v query.Value) (query.Value, error) {
	if !at.variables {
		return v, nil
	}
	if list, ok := v.(query.List); ok {
		out := make(query.List, 0, len(list))
		for _, item := range list {
			item, err := lb.operand(at, item)
			if err != nil {
				return nil, err
			}
			if later, isLater := item.(query.SlotList); isLater {
				item = query.Look(later)
			}
			if inner, isList := item.(query.List); isList {
				out = append(out, inner...)
				continue
			}
			out = append(out, item)
		}
		return out, nil
	}
	text, ok := v.(query.Text)
	name, isVariable := strings.CutPrefix(string(text), "$")
	if !ok || !isVariable {
		return v, nil
	}
	if strings.HasPrefix(name, "$") { // $$ is a dollar sign
		return query.Text(name), nil
	}
	missing := fault.New(fault.Forbidden, "the token has no value for %s, which a filter needs", text)
	switch {
	case name == "tenant":
		if lb.p.AllTenants {
			return nil, missing
		}
		return asked(lb.who.Key, lb.p.TenantKey), nil
	case name == "subject":
		if lb.p.Subject == "" {
			return nil, missing
		}
		return asked(lb.who.Subject, lb.p.Subject), nil
	case strings.HasPrefix(name, "metadata."):
		value, ok := lb.p.Grant.Metadata[strings.TrimPrefix(name, "metadata.")]
		if _, object := value.(query.Object); !ok || object {
			return nil, missing
		}
		return value, nil
	}
	name = strings.TrimPrefix(name, "parameters.")
	param := lb.cat.Parameters[name]
	if list, ok := lb.lists[name]; ok {
		return list, nil
	}
	values, ok := lb.parameters[name]
	if param == nil || !ok {
		return nil, missing
	}
	out := make(query.List, 0, len(values))
	for _, v := range values {
		out = append(out, untyped(v))
	}
	if !param.Type.List {
		return out[0], nil
	}
	return out, nil
}

// untyped turns a typed value back into an operand.
func untyped(v value.Value) query.Value {
	if term, ok := v.Term(); ok {
		return untypedLater(v.Type(), term)
	}
	switch v.Type().Scalar { //nolint:exhaustive // all else is text
	case value.Int, value.BigInt, value.Decimal, value.Float:
		return query.Number(v.Text())
	case value.Boolean:
		return query.Bool(v.Text() == "true")
	case value.Timestamp, value.LocalTimestamp:
		return query.Text(timeWritten(v.Text()))
	}
	return query.Text(v.Text())
}

// timeWritten is a canonical time as people write it.
func timeWritten(text string) string {
	return strings.Replace(strings.Replace(text, " ", "T", 1), "+00", "Z", 1)
}

func untypedLater(t value.Type, term *slot.Term) query.Value {
	if t.Scalar == value.Timestamp || t.Scalar == value.LocalTimestamp {
		term, _ = term.Then("as written", func(text string, _ slot.Inputs) (string, error) { return timeWritten(text), nil })
	}
	return query.Slot{Term: term, Number: t.Numeric()}
}
