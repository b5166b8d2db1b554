package plan

import (
	"usher/catalog"
	"usher/query"
	"usher/value"
)

// Op names a node of an expression.
type Op uint8

// The nodes. All of a predicate's nodes give true, false or unknown, and
// unknown counts as false wherever a predicate is used; Not turns unknown into
// true, so what it returns is never unknown.
const (
	Column       Op = iota + 1 // a column of a reference
	Inner                      // a key or aggregate of the grouped rows below, by index
	Literal                    // a typed value, always bound
	True                       //
	False                      //
	And                        // of any number of Args
	Or                         // of any number of Args
	Not                        // "is not true" of one Arg
	Eq                         // two Args
	Neq                        // two Args; the exact negation of Eq
	Lt                         //
	Lte                        //
	Gt                         //
	Gte                        //
	RowLt                      // the Args, as one row, before the Literals; all of them not null
	RowGt                      //
	In                         // one Arg in the Literals; none of them: false
	Among                      // one Arg in the list that the Literal is; it has items, none of them null
	IsNull                     // one Arg
	Like                       // one Arg and a pattern literal whose escape is a backslash
	ILike                      // the same, ignoring case
	Has                        // a list Arg holds the literal
	HasAny                     // a list Arg holds one of the Literals
	HasAll                     // a list Arg holds all of the Literals
	JSONContains               // a JSON Arg contains the literal
	JSONAt                     // what a JSON Arg holds at the path of the Literals: members (String) and positions (Int)
	JSONExists                 // a JSONAt Arg finds something, if only JSON's null
	JSONText                   // a JSONAt Arg's string; null where it is something else
	JSONNumber                 // a JSONAt Arg's number; null where it is something else
	JSONBoolean                // a JSONAt Arg's boolean; null where it is something else
	Exists                     // a row of Ref, linked by its Ons, satisfies the Arg
	Latest                     // the largest value of the Arg in the rows of Ref
	Bucket                     // the Unit of time in Zone in which one Arg lies
	Bin                        // the lower bound of the bin, as wide as the Literal, in which one Arg lies
	Add                        //
	Sub                        //
	Mul                        //
	Div                        // null where the divisor is 0
	Neg                        //
	Shifted                    // one Arg of time, later by Ref Units, by the calendar of Zone
	Running                    // the sum of one Inner over the groups so far
	Share                      // one Inner as a part of its sum over all groups
	Prior                      // Inner of the Prior level; its Ref is -1 for "there is such a group"
	IsOthers                   // true for the group of a Top's others
	CountRows                  // aggregate: the number of rows
	Agg                        // aggregate: Func of one Arg
	Total                      // aggregate: the sum of one Arg, which counts rows; 0 over none
	Rounded                    // one Arg to 12 significant digits
)

// Unit is a unit of time.
type Unit string

// The units of time buckets.
const (
	Millisecond Unit = "millisecond"
	Second      Unit = "second"
	Minute      Unit = "minute"
	Hour        Unit = "hour"
	Day         Unit = "day"
	Week        Unit = "week" // starts on Monday
	Month       Unit = "month"
	Quarter     Unit = "quarter"
	Year        Unit = "year"
)

// Expr is one expression. Its zero value is invalid and cannot be rendered.
type Expr struct {
	op     Op
	typ    value.Type
	ref    int
	name   string
	args   []Expr
	lits   []value.Value
	fn     catalog.Func
	filter *Expr
	unit   Unit
	zone   string
}

// Op is the node's name.
func (e Expr) Op() Op { return e.op }

// Type is the type of what the expression gives.
func (e Expr) Type() value.Type { return e.typ }

// Ref is the reference a Column belongs to or an Exists looks into, or the
// index of an Inner.
func (e Expr) Ref() int { return e.ref }

// Name is the column's name in the catalog.
func (e Expr) Name() string { return e.name }

// Len is the number of Args.
func (e Expr) Len() int { return len(e.args) }

// Arg is the i-th argument.
func (e Expr) Arg(i int) Expr { return e.args[i] }

// Literals is the number of literals.
func (e Expr) Literals() int { return len(e.lits) }

// Literal is the i-th literal.
func (e Expr) Literal(i int) value.Value { return e.lits[i] }

// Listed is an Among of a list that was looked at, as the In of its items.
func (e Expr) Listed() Expr {
	var lits []value.Value
	for _, text := range query.SplitTexts(e.lits[0].Text()) {
		lits = append(lits, value.Bound(e.args[0].typ, value.Cell{Kind: value.KindText, Text: []byte(text)}))
	}
	return among(In, e.args[0], lits)
}

// Func is the aggregate function of an Agg.
func (e Expr) Func() catalog.Func { return e.fn }

// Filter is what rows must satisfy to count for an aggregate, if anything.
func (e Expr) Filter() (Expr, bool) {
	if e.filter == nil {
		return Expr{}, false
	}
	return *e.filter, true
}

// Unit and Zone say which bucket of time.
func (e Expr) Unit() Unit { return e.unit }

// Zone is an IANA name.
func (e Expr) Zone() string { return e.zone }

var boolean = value.Of(value.Boolean)

func column(ref int, c *catalog.Column) Expr {
	return Expr{op: Column, typ: c.Type, ref: ref, name: c.Name}
}

func literal(v value.Value) Expr {
	return Expr{op: Literal, typ: v.Type(), lits: []value.Value{v}}
}

func predicate(op Op, args ...Expr) Expr {
	return Expr{op: op, typ: boolean, args: args}
}

func among(op Op, arg Expr, lits []value.Value) Expr {
	return Expr{op: op, typ: boolean, args: []Expr{arg}, lits: lits}
}

// all is the conjunction; nothing to conjoin is true.
func all(args []Expr) Expr {
	var kept []Expr
	for _, a := range args {
		switch a.op { //nolint:exhaustive // every other node is kept as it is
		case True:
		case False:
			return a
		case And:
			kept = append(kept, a.args...)
		default:
			kept = append(kept, a)
		}
	}
	switch len(kept) {
	case 0:
		return predicate(True)
	case 1:
		return kept[0]
	}
	return predicate(And, kept...)
}

// anyOf is the disjunction; nothing to choose from is false.
func anyOf(args []Expr) Expr {
	var kept []Expr
	for _, a := range args {
		switch a.op { //nolint:exhaustive // every other node is kept as it is
		case True:
			return a
		case False:
		default:
			kept = append(kept, a)
		}
	}
	switch len(kept) {
	case 0:
		return predicate(False)
	case 1:
		return kept[0]
	}
	return predicate(Or, kept...)
}

// not is the negation.
func not(e Expr) Expr {
	switch e.op { //nolint:exhaustive // every other node is negated where it stands
	case True:
		return predicate(False)
	case False:
		return predicate(True)
	}
	return predicate(Not, e)
}

// conjuncts lists the parts that must all hold.
func (e Expr) conjuncts() []Expr {
	switch e.op { //nolint:exhaustive // every other node is one part
	case True:
		return nil
	case And:
		return e.args
	}
	return []Expr{e}
}

// refs calls f with every reference the expression reads.
func (e Expr) refs(f func(ref int, name string)) {
	if e.op == Column || e.op == Exists || e.op == Latest {
		f(e.ref, e.name)
	}
	for _, a := range e.args {
		a.refs(f)
	}
	if e.filter != nil {
		e.filter.refs(f)
	}
}

// Only tells whether the expression reads no reference but this one.
func (e Expr) Only(ref int) bool {
	ok := true
	e.refs(func(r int, _ string) { ok = ok && r == ref })
	return ok
}
