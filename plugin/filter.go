package plugin

import (
	"cmp"
	"encoding/json"
	"math/big"
	"strings"
	"time"
)

// Operator is how a filter compares.
type Operator string

// The operators.
const (
	Less           Operator = "<"
	LessOrEqual    Operator = "<="
	Greater        Operator = ">"
	GreaterOrEqual Operator = ">="
	Equal          Operator = "="
	NotEqual       Operator = "<>"
	In             Operator = "in"
	NotIn          Operator = "not in"
	Between        Operator = "between" // both bounds included
	IsNull         Operator = "is null"
	IsNotNull      Operator = "is not null"
)

// Filter is a condition on one column.
type Filter struct {
	Column   string
	Operator Operator
	Values   []any // string, json.Number, bool or nil: one; any number (In, NotIn); two (Between); none (IsNull, IsNotNull)
}

// values is how many values an operator takes; -1 is any number but none.
var values = map[Operator]int{
	Less: 1, LessOrEqual: 1, Greater: 1, GreaterOrEqual: 1, Equal: 1, NotEqual: 1,
	In: -1, NotIn: -1, Between: 2, IsNull: 0, IsNotNull: 0,
}

// operator reads an expression: bare, or with a question mark for the column
// and one for each value, such as "? in ?" and "? between ? and ?".
func operator(expression string) (Operator, bool) {
	words := strings.Fields(strings.ToLower(expression))
	if len(words) > 1 && words[0] == "?" {
		words = words[1:]
		for n := len(words) - 1; n > 0 && (words[n] == "?" || words[n] == "(?)" || words[n] == "and"); n-- {
			words = words[:n]
		}
	}
	op := Operator(strings.Join(words, " "))
	if op == "!=" {
		op = NotEqual
	}
	_, known := values[op]
	return op, known
}

// Match tells whether a cell (nil, string, bool, a number or a time.Time)
// meets the filter. Null equals null, differs from everything else, and is
// neither less nor greater than anything. A cell and a value of kinds that do
// not compare are not equal.
func (f Filter) Match(cell any) bool {
	switch f.Operator {
	case IsNull:
		return cell == nil
	case IsNotNull:
		return cell != nil
	case Equal, In:
		return f.holds(cell)
	case NotEqual, NotIn:
		return !f.holds(cell)
	case Between:
		low, ok := compare(cell, f.Values[0])
		high, too := compare(cell, f.Values[1])
		return ok && too && low >= 0 && high <= 0
	case Less, LessOrEqual, Greater, GreaterOrEqual:
	}
	order, ok := compare(cell, f.Values[0])
	switch f.Operator { //nolint:exhaustive // the others returned above
	case Less:
		return ok && order < 0
	case LessOrEqual:
		return ok && order <= 0
	case Greater:
		return ok && order > 0
	}
	return ok && order >= 0
}

// holds tells whether one of the values equals the cell.
func (f Filter) holds(cell any) bool {
	for _, v := range f.Values {
		if cell == nil || v == nil {
			if cell == v {
				return true
			}
			continue
		}
		if order, ok := compare(cell, v); ok && order == 0 {
			return true
		}
	}
	return false
}

// compare orders a cell and a filter's value, if they are of one kind.
func compare(cell, v any) (int, bool) {
	switch c := cell.(type) {
	case string:
		text, ok := v.(string)
		return cmp.Compare(c, text), ok
	case bool:
		b, ok := v.(bool)
		return cmp.Compare(one(c), one(b)), ok
	case time.Time:
		text, _ := v.(string)
		at, err := time.Parse(time.RFC3339, text)
		return c.Compare(at), err == nil
	}
	a, ok := number(cell)
	b, too := number(v)
	if !ok || !too {
		return 0, false
	}
	return a.Cmp(b), true
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

// number is a number as an exact fraction.
func number(v any) (*big.Rat, bool) {
	switch n := v.(type) {
	case int:
		return new(big.Rat).SetInt64(int64(n)), true
	case int32:
		return new(big.Rat).SetInt64(int64(n)), true
	case int64:
		return new(big.Rat).SetInt64(n), true
	case float64:
		r := new(big.Rat).SetFloat64(n)
		return r, r != nil
	case json.Number:
		return new(big.Rat).SetString(string(n))
	}
	return nil, false
}
