package catalog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"usher/value"
)

// Bounds of an expression, far above what a reader could follow.
const (
	maxExpression = 2000
	maxNesting    = 50
)

// aggregates are the functions an expression may call beside count().
var aggregates = []Func{Sum, Avg, Min, Max, Median, Stddev, Variance, CountDistinct}

// Functions of two arguments: a percentile of a column, and two quotients of
// sums, as dashboards ask for them.
const (
	percentileOf    = "percentile"      // percentile(x, 0.9)
	weightedAverage = "weightedAverage" // sum(x * weight) / sum(weight), in the rows with an x
	rate            = "rate"            // sum(x) / sum(y)
)

var twoArguments = []string{percentileOf, weightedAverage, rate}

// parseExpression reads a measure's expression over a dataset: arithmetic of
// numbers and aggregates, each over arithmetic of the row's columns. Errors
// name the position, counted from 1.
func parseExpression(d *Dataset, text string) (*Expr, error) {
	if len(text) > maxExpression {
		return nil, fmt.Errorf("is longer than %d characters", maxExpression)
	}
	p := &parser{dataset: d, text: text}
	p.next()
	e, err := p.sum()
	switch {
	case err != nil:
		return nil, err
	case p.token != "":
		return nil, p.unexpected("an operator")
	case !e.aggregated():
		return nil, fmt.Errorf("holds no aggregate; write count(), sum(…) or another of %s", functionNames())
	}
	return e, nil
}

func functionNames() string {
	names := make([]string, len(aggregates))
	for i, f := range aggregates {
		names[i] = string(f)
	}
	return strings.Join(append(names, twoArguments...), ", ")
}

func (e *Expr) aggregated() bool {
	return e.Op == ExprCount || e.Op == ExprAgg || slices.ContainsFunc(e.Args, (*Expr).aggregated)
}

// parser is a recursive descent: sum, product, sign, atom.
type parser struct {
	dataset *Dataset
	text    string
	end     int    // of the token
	token   string // empty at the end of the text
	start   int    // of the token
	inside  Func   // the aggregate whose argument this is
	depth   int
}

func (p *parser) next() {
	p.start = p.end
	for p.start < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.start]) >= 0 {
		p.start++
	}
	p.end = p.start
	for p.end < len(p.text) && wordByte(p.text[p.end]) {
		p.end++
	}
	if p.end == p.start && p.end < len(p.text) {
		p.end++
		for p.end < len(p.text) && p.text[p.end]&0xC0 == 0x80 { // the rest of a character
			p.end++
		}
	}
	p.token = p.text[p.start:p.end]
}

// wordByte tells whether a byte belongs to a name, a path or a number.
func wordByte(b byte) bool {
	return b == '_' || b == '.' || b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z'
}

func (p *parser) errorAt(start int, format string, args ...any) error {
	return fmt.Errorf("at %d: %s", len([]rune(p.text[:start]))+1, fmt.Sprintf(format, args...))
}

func (p *parser) unexpected(wanted string) error {
	if p.token == "" {
		return p.errorAt(p.start, "expected %s, but the expression ends", wanted)
	}
	return p.errorAt(p.start, "expected %s, not %q", wanted, p.token)
}

func (p *parser) sum() (*Expr, error) {
	return p.operators(p.product, map[string]ExprOp{"+": ExprAdd, "-": ExprSub})
}

func (p *parser) product() (*Expr, error) {
	return p.operators(p.sign, map[string]ExprOp{"*": ExprMul, "/": ExprDiv})
}

// operators reads operands with operators of one rank between them, to the left.
func (p *parser) operators(operand func() (*Expr, error), ops map[string]ExprOp) (*Expr, error) {
	left, err := operand()
	for err == nil {
		op, ok := ops[p.token]
		if !ok {
			return left, nil
		}
		start, symbol := p.start, p.token
		p.next()
		var right *Expr
		if right, err = operand(); err != nil {
			break
		}
		e := &Expr{Op: op, Args: []*Expr{left, right}}
		for _, arg := range e.Args {
			if !arg.Type.Numeric() {
				return nil, p.errorAt(start, "%s takes numbers, not %s", symbol, arg.Type.GraphQL())
			}
		}
		if e.Type, ok = arithmetic(op, left.Type, right.Type); !ok {
			return nil, p.errorAt(start, "the product has more than %d digits after the point", value.MaxDigits)
		}
		left = e
	}
	return nil, err
}

// arithmetic is the type of an operation: Float when an operand is, or by
// division; else an exact Decimal.
func arithmetic(op ExprOp, a, b value.Type) (value.Type, bool) {
	if op == ExprDiv || !a.Exact() || !b.Exact() {
		return value.Of(value.Float), true
	}
	x, y := scale(a), scale(b)
	switch {
	case x == value.Unscaled || y == value.Unscaled:
		return value.Of(value.Decimal), true
	case op == ExprMul:
		return value.DecimalOf(value.MaxDigits, x+y), x+y <= value.MaxDigits
	}
	return value.DecimalOf(value.MaxDigits, max(x, y)), true
}

func scale(t value.Type) int {
	if t.Scalar == value.Decimal {
		return t.Scale
	}
	return 0
}

func (p *parser) sign() (*Expr, error) {
	if p.token != "-" {
		return p.atom()
	}
	start := p.start
	if err := p.deeper(); err != nil {
		return nil, err
	}
	p.next()
	arg, err := p.sign()
	if err != nil {
		return nil, err
	}
	p.depth--
	if !arg.Type.Numeric() {
		return nil, p.errorAt(start, "- takes numbers, not %s", arg.Type.GraphQL())
	}
	t, _ := arithmetic(ExprSub, arg.Type, arg.Type)
	return &Expr{Op: ExprNeg, Type: t, Args: []*Expr{arg}}, nil
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > maxNesting {
		return p.errorAt(p.start, "is nested deeper than %d", maxNesting)
	}
	return nil
}

func (p *parser) atom() (*Expr, error) {
	switch {
	case p.token == "(":
		if err := p.deeper(); err != nil {
			return nil, err
		}
		p.next()
		e, err := p.sum()
		if err != nil {
			return nil, err
		}
		p.depth--
		return e, p.expect(")")
	case p.token == "" || !wordByte(p.token[0]) || p.token[0] == '.':
		return nil, p.unexpected("a number, a column or a function")
	case p.token[0] >= '0' && p.token[0] <= '9':
		return p.number()
	}
	name, start := p.token, p.start
	p.next()
	if p.token == "(" {
		return p.call(name, start)
	}
	return p.column(name, start)
}

func (p *parser) expect(token string) error {
	if p.token != token {
		return p.unexpected("`" + token + "`")
	}
	p.next()
	return nil
}

func (p *parser) number() (*Expr, error) {
	for _, t := range []value.Type{value.Of(value.BigInt), value.Of(value.Decimal)} {
		v, err := value.Parse(t, p.token)
		if err != nil || strings.ContainsAny(p.token, "eE") {
			continue
		}
		if t.Scalar == value.Decimal {
			_, digits := value.DecimalShape(v.Text())
			t = value.DecimalOf(value.MaxDigits, digits)
		}
		p.next()
		return &Expr{Op: ExprNumber, Type: t, Number: v}, nil
	}
	return nil, p.errorAt(p.start, "%s is no number of at most %d digits", p.token, value.MaxDigits)
}

func (p *parser) call(name string, start int) (*Expr, error) {
	f := Func(name)
	switch {
	case f != Count && !slices.Contains(aggregates, f) && !slices.Contains(twoArguments, name):
		return nil, p.errorAt(start, "there is no function %s; there is count, %s", name, functionNames())
	case p.inside != "":
		return nil, p.errorAt(start, "%s cannot stand inside %s; aggregates hold columns of rows", name, p.inside)
	}
	p.next()
	if f == Count {
		if p.token != ")" {
			return nil, p.errorAt(p.start, "count() counts rows and takes nothing; countDistinct counts the values of a column")
		}
		p.next()
		return &Expr{Op: ExprCount, Type: value.Of(value.BigInt), Func: Count}, nil
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	p.inside = f
	arg, err := p.sum()
	if err != nil {
		return nil, err
	}
	if slices.Contains(twoArguments, name) {
		return p.pair(name, start, arg)
	}
	p.inside = ""
	p.depth--
	e, err := p.aggregate(f, arg, start)
	if err != nil {
		return nil, err
	}
	return e, p.expect(")")
}

func (p *parser) aggregate(f Func, arg *Expr, start int) (*Expr, error) {
	t, ok := FuncResult(f, arg.Type)
	if !ok {
		return nil, p.errorAt(start, "%s does not exist for %s", f, arg.Type.GraphQL())
	}
	return &Expr{Op: ExprAgg, Type: t, Func: f, Args: []*Expr{arg}}, nil
}

// pair reads the second argument of a function of two.
func (p *parser) pair(name string, start int, first *Expr) (*Expr, error) {
	if err := p.expect(","); err != nil {
		return nil, err
	}
	at := p.start
	second, err := p.sum()
	if err != nil {
		return nil, err
	}
	p.inside = ""
	p.depth--
	if err := p.expect(")"); err != nil {
		return nil, err
	}
	if name == percentileOf {
		if second.Op != ExprNumber || !Fraction(second.Number) {
			return nil, p.errorAt(at, "the percentile must be a number from 0 to 1, such as 0.9")
		}
		e, err := p.aggregate(Percentile, first, start)
		if err != nil {
			return nil, err
		}
		e.Number = second.Number
		return e, nil
	}
	if !first.Type.Numeric() || !second.Type.Numeric() {
		return nil, p.errorAt(start, "%s takes two numbers", name)
	}
	above := first
	if name == weightedAverage {
		above = &Expr{Op: ExprMul, Args: []*Expr{first, second}}
		if above.Type, _ = arithmetic(ExprMul, first.Type, second.Type); above.Type.Scale > value.MaxDigits {
			return nil, p.errorAt(start, "the product has more than %d digits after the point", value.MaxDigits)
		}
	}
	over, err := p.aggregate(Sum, above, start)
	if err != nil {
		return nil, err
	}
	under, err := p.aggregate(Sum, second, start)
	if err != nil {
		return nil, err
	}
	if name == weightedAverage { // a row without a value weighs nothing
		under.Args = append(under.Args, first)
	}
	return &Expr{Op: ExprDiv, Type: value.Of(value.Float), Args: []*Expr{over, under}}, nil
}

// Fraction tells whether a number is from 0 to 1.
func Fraction(v value.Value) bool {
	f, err := strconv.ParseFloat(v.Text(), 64)
	return err == nil && f >= 0 && f <= 1
}

// column resolves a column, or one of a to-one relation: product.cost.
func (p *parser) column(name string, start int) (*Expr, error) {
	steps := strings.Split(name, ".")
	last := len(steps) - 1
	at := p.dataset
	for _, step := range steps[:last] {
		rel := at.relations[step]
		switch {
		case rel == nil:
			return nil, p.errorAt(start, "%s has no relation %s", at.Name, step)
		case rel.Many:
			return nil, p.errorAt(start, "%s leads to many rows; measures follow relations to one row", step)
		}
		at = rel.To
	}
	col := at.columns[steps[last]]
	switch {
	case col == nil:
		return nil, p.errorAt(start, "%s has no column %s", at.Name, steps[last])
	case p.inside == "":
		return nil, p.errorAt(start, "the column %s stands outside an aggregate; write sum(%s) or another of %s",
			name, name, functionNames())
	}
	return &Expr{Op: ExprColumn, Type: col.Type, Path: slices.Clip(steps[:last]), Column: col.Name}, nil
}
