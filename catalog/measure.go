package catalog

import (
	"usher/query"
	"usher/value"
)

// Measure is a named aggregate of a dataset.
type Measure struct {
	Name        string
	Label       string
	Description string
	Type        value.Type
	Expr        *Expr
	Only        Only // the tenants that it and all it is made of are for
}

// ExprOp names a node of a measure's expression.
type ExprOp uint8

// The nodes of an expression. Aggregates hold row expressions, arithmetic may
// stand on either side of them.
const (
	ExprColumn ExprOp = iota + 1 // Path and Column
	ExprNumber                   // Number
	ExprAdd                      // two Args
	ExprSub                      // two Args
	ExprMul                      // two Args
	ExprDiv                      // two Args; null when the divisor is 0; Float
	ExprNeg                      // one Arg
	ExprCount                    // no Args: rows
	ExprAgg                      // Func of one Arg, in the rows in which the second, if there is one, is not null
)

// Func names an aggregate function.
type Func string

// The aggregate functions.
const (
	Count         Func = "count"
	CountDistinct Func = "countDistinct"
	Sum           Func = "sum"
	Avg           Func = "avg"
	Min           Func = "min"
	Max           Func = "max"
	Median        Func = "median"
	Stddev        Func = "stddev"
	Variance      Func = "variance"
	Percentile    Func = "percentile"
	First         Func = "first" // the value in the first row by another column
	Last          Func = "last"  // the value in the last row by another column
)

// Expr is a measure's expression, resolved and typed.
type Expr struct {
	Op     ExprOp
	Type   value.Type
	Path   []string // relations to follow, to-one each
	Column string
	Number value.Value
	Func   Func
	Args   []*Expr
	Filter query.Value // aggregates: nil, or a where the rows must satisfy
}

// FuncResult is the type of an aggregate function over a column of type t,
// and whether the function exists for it.
func FuncResult(f Func, t value.Type) (value.Type, bool) {
	if t.List {
		return value.Type{}, false
	}
	switch f {
	case Count:
		return value.Of(value.BigInt), true
	case CountDistinct:
		return value.Of(value.BigInt), t.Groupable()
	case Sum:
		switch t.Scalar {
		case value.Int:
			return value.Of(value.BigInt), true
		case value.BigInt:
			return value.DecimalOf(value.MaxDigits, 0), true
		case value.Decimal:
			return value.DecimalOf(value.MaxDigits, t.Scale), true
		case value.Float:
			return t, true
		default:
			return value.Type{}, false
		}
	case Avg, Median, Stddev, Variance, Percentile:
		return value.Of(value.Float), t.Numeric()
	case First, Last:
		return t, t.Groupable()
	case Min, Max:
		ok := t.Ordered() || t.Scalar == value.Enum
		return t, ok
	}
	return value.Type{}, false
}
