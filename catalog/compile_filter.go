package catalog

import (
	"slices"
	"strconv"
	"strings"

	"usher/query"
	"usher/value"
)

// The operators of where. Those of values take one of the column's type.
var (
	valueOps = []string{"eq", "neq", "gt", "gte", "lt", "lte"}
	listOps  = []string{"in", "notIn"}
	otherOps = []string{
		"isNull", "like", "notLike", "ilike", "notIlike", "contains", "startsWith", "endsWith", "icontains",
		"istartsWith", "iendsWith", "last", "next", "previous", "toDate", "has", "hasAny", "hasAll", "path",
	}
)

// filter checks a where of the configuration as far as names, shape and plain
// literals go; package plan, which types it, refuses the rest.
func (c *compiler) filter(at place, d *Dataset, where query.Value) {
	if where == nil || len(d.Columns) == 0 {
		return
	}
	o, ok := where.(query.Object)
	if !ok {
		at.problem("must be a mapping such as {region: {eq: EU}}")
		return
	}
	if len(o) == 0 {
		at.problem("is empty, which would allow everything; leave it out if that is meant")
	}
	for _, m := range o {
		c.condition(at.in(m.Name), d, m)
	}
}

// policy checks a where that holds for principals of every tenant: what only
// some tenants' tables have, it cannot name.
func (c *compiler) policy(at place, d *Dataset, where query.Value) {
	c.filter(at, d, where)
	d.named(where, func(_ *Dataset, col *Column) {
		if col.Extra && c.sees == nil {
			at.problem("%s is an extra column of tenants, which the tables of others do not have", col.Name)
		}
	}, func(*Dataset, *Relation) {})
}

// nameable is a column that a filter or a role may name, or nil.
func (c *compiler) nameable(d *Dataset, name string) *Column {
	if col := d.columns[name]; col != nil && (c.sees == nil || c.sees(d, col)) {
		return col
	}
	return nil
}

func (c *compiler) condition(at place, d *Dataset, m query.Member) {
	switch m.Name {
	case "and", "or":
		list, ok := m.Value.(query.List)
		if !ok || len(list) == 0 {
			at.problem("must be a list of conditions")
		}
		for i, item := range list {
			c.filter(at.in(strconv.Itoa(i)), d, item)
		}
		return
	case "not":
		c.filter(at, d, m.Value)
		return
	}
	if rel := d.relations[m.Name]; rel != nil && c.sees == nil {
		c.related(at, rel, m.Value)
		return
	}
	col := c.nameable(d, m.Name)
	switch {
	case col == nil && c.sees != nil:
		at.problem("%s has no column %s", d.Name, m.Name)
		return
	case col == nil:
		at.problem("%s has no column or relation %s", d.Name, m.Name)
		return
	}
	ops, ok := m.Value.(query.Object)
	if !ok || len(ops) == 0 {
		at.problem("must say how to compare, such as {eq: …} or {in: […]}")
	}
	for _, op := range ops {
		c.operator(at.in(op.Name), col, op)
	}
}

func (c *compiler) related(at place, rel *Relation, v query.Value) {
	if !rel.Many {
		c.filter(at, rel.To, v)
		return
	}
	o, ok := v.(query.Object)
	if !ok || len(o) == 0 {
		at.problem("leads to many rows; write {some: …}, {none: …} or {every: …}")
	}
	for _, m := range o {
		if m.Name != "some" && m.Name != "none" && m.Name != "every" {
			at.in(m.Name).problem("must be some, none or every")
			continue
		}
		c.filter(at.in(m.Name), rel.To, m.Value)
	}
}

func (c *compiler) operator(at place, col *Column, op query.Member) {
	isValue, isList := slices.Contains(valueOps, op.Name), slices.Contains(listOps, op.Name)
	if !isValue && !isList && !slices.Contains(otherOps, op.Name) {
		at.problem("there is no operator %s", op.Name)
		return
	}
	want := col.Type
	switch {
	case isList && want.List:
		at.problem("%s is a list; use has, hasAny or hasAll", col.Name)
		return
	case isList:
		want.List = true
	}
	if ref, ok := op.Value.(query.Text); ok && strings.HasPrefix(string(ref), "$") {
		c.reference(at, string(ref), want, isValue || isList)
		return
	}
	if !c.judged && col.Type.Scalar != 0 && !compares(col.Type, op.Name) {
		at.problem("%s is %s, which has no operator %s", col.Name, col.Type.GraphQL(), op.Name)
		return
	}
	if !c.references(at, col.Type, op.Value) {
		if bad := c.badOperand(col.Type, want, op); bad != "" {
			at.problem("%s", bad)
		}
	}
}

// compares tells whether an operator compares values of a type.
func compares(t value.Type, op string) bool {
	one := !t.List && t.Scalar != value.JSON
	switch op {
	case "isNull":
		return true
	case "eq", "neq", "in", "notIn":
		return one
	case "gt", "gte", "lt", "lte":
		return t.Ordered()
	case "has", "hasAny", "hasAll":
		return t.List && t.Scalar != value.JSON
	case "last", "next", "previous", "toDate":
		return t.Temporal() && t.Scalar != value.Time
	case "path":
		return !t.List && t.Scalar == value.JSON
	case "contains":
		return t.Text() || !t.List && t.Scalar == value.JSON
	}
	return t.Text()
}

// badOperand says what is wrong with a literal that an operator compares a column with; want is
// the type of those that take one of the column's, or a list of them.
func (c *compiler) badOperand(t, want value.Type, op query.Member) string {
	_, isText := op.Value.(query.Text)
	switch {
	case slices.Contains(valueOps, op.Name), slices.Contains(listOps, op.Name):
		if t.Scalar == value.JSON {
			return ""
		}
		if c.judged {
			return badLiteral(want, op.Value)
		}
		return badComparison(want, op.Value)
	case c.judged:
		return ""
	case op.Name == "isNull":
		return badLiteral(value.Of(value.Boolean), op.Value)
	case op.Name == "has":
		return badComparison(t.Elem(), op.Value)
	case op.Name == "hasAny", op.Name == "hasAll":
		if _, several := op.Value.(query.List); !several {
			t = t.Elem()
		}
		return badComparison(t, op.Value)
	case t.Text() && !isText:
		return "must be a value of type " + value.String.String()
	}
	return ""
}

// badComparison is badLiteral where numbers are not written as text.
func badComparison(t value.Type, v query.Value) string {
	if list, ok := v.(query.List); ok && t.List {
		for _, item := range list {
			if bad := badComparison(t.Elem(), item); bad != "" {
				return bad
			}
		}
		return ""
	}
	if _, isText := v.(query.Text); isText && (t.Scalar == value.Int || t.Scalar == value.Float) {
		return badLiteral(t, query.Bool(false))
	}
	return badLiteral(t, v)
}

// references checks the references and nulls inside an operand and tells
// whether there are any.
func (c *compiler) references(at place, t value.Type, v query.Value) bool {
	found := false
	switch v := v.(type) {
	case query.Null:
		at.problem("null compares with nothing; write {isNull: true}")
		return true
	case query.Text:
		if strings.HasPrefix(string(v), "$") {
			c.reference(at, string(v), t.Elem(), false)
			return true
		}
	case query.List:
		for i, item := range v {
			found = c.references(at.in(strconv.Itoa(i)), t, item) || found
		}
	case query.Object:
		for _, m := range v {
			found = c.references(at.in(m.Name), t, m.Value) || found
		}
	}
	return found
}

// reference checks $tenant, $subject, $metadata.NAME, $parameters.NAME and
// $NAME; typed says that the parameter must have the type wanted.
func (c *compiler) reference(at place, ref string, want value.Type, typed bool) {
	name := strings.TrimPrefix(ref, "$")
	if strings.HasPrefix(name, "$") { // $$ is a dollar sign
		return
	}
	if name == "tenant" || name == "subject" || strings.HasPrefix(name, "metadata.") && name != "metadata." {
		if typed && want.List {
			at.problem("%s is one value; put it in a list, or use eq", ref)
		}
		return
	}
	name = strings.TrimPrefix(name, "parameters.")
	param := c.catalog.Parameters[name]
	if c.knows != nil && !c.knows(name) {
		param = nil
	}
	switch {
	case param == nil && c.sees != nil: // a tenant's administrator is not told what there is
		at.problem("%s: there is no parameter %s", ref, name)
	case param == nil:
		at.problem("%s: %s", ref, unknown("parameter", name, c.catalog.Parameters))
	case typed && param.Type.Scalar != 0 && param.Type.List != want.List:
		at.problem("%s is %s, and this takes %s", ref, param.Type.GraphQL(), want.GraphQL())
	case typed && param.Type.Scalar != 0 && !assignable(param.Type.Elem(), want.Elem()):
		at.problem("%s is %s, and this takes %s", ref, param.Type.GraphQL(), want.GraphQL())
	}
}

// assignable tells whether a parameter's value can be compared with a column;
// plan refuses the values that do not fit, such as a fraction for an integer.
func assignable(param, col value.Type) bool {
	return param.Scalar == col.Scalar || param.Numeric() && col.Numeric() ||
		param.Scalar == value.String && !col.Numeric() && col.Scalar != value.Boolean ||
		param.Scalar == value.ID && (col.Text() || col.Scalar == value.UUID)
}
