package plan

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// Fill makes a level's groups gap-free over one key: buckets of time, or bins of
// a number.
type Fill struct {
	key       int
	unit      Unit
	low, high *Expr
}

// Key is the index of the key.
func (f Fill) Key() int { return f.key }

// Unit is the distance of two buckets of time; bins have their own width.
func (f Fill) Unit() Unit { return f.unit }

// Low is the first bucket, when the conditions name one; else the first bucket
// that has rows is.
func (f Fill) Low() (Expr, bool) { return deref(f.low) }

// High is the last bucket, as Low.
func (f Fill) High() (Expr, bool) { return deref(f.high) }

func deref(e *Expr) (Expr, bool) {
	if e == nil {
		return Expr{}, false
	}
	return *e, true
}

// Top keeps the first groups by one aggregate.
type Top struct {
	n      int
	by     Order
	others bool
}

// N is how many groups are kept.
func (t Top) N() int { return t.n }

// By is what the groups are ranked by, over Inner.
func (t Top) By() Order { return t.by }

// Others tells that the rows of all other groups make one more group, with
// null keys.
func (t Top) Others() bool { return t.others }

// Fill tells whether the groups are made gap-free.
func (l Level) Fill() (Fill, bool) {
	if l.fill == nil {
		return Fill{}, false
	}
	return *l.fill, true
}

// Top tells whether only the first groups are kept.
func (l Level) Top() (Top, bool) {
	if l.top == nil {
		return Top{}, false
	}
	return *l.top, true
}

// Prior is the same grouping over an earlier period, its keys moved to the
// present one. Prior expressions read it.
func (l Level) Prior() (Level, bool) {
	if l.shift == nil {
		return Level{}, false
	}
	p := Level{grouped: true, refs: l.refs, having: predicate(True), guard: l.guard, aggs: l.aggs, parent: l.parent, through: l.through, limit: All}
	p.where = all([]Expr{l.shift.moved(l.where), l.around})
	for _, key := range l.keys {
		p.keys = append(p.keys, l.shift.moved(key))
	}
	return p, true
}

// shifted notes what follows for the column of the shift itself, when the conditions
// are known.
func (l *Level) shifted() {
	parts := []Expr{predicate(True)}
	if l.shift != nil {
		for _, e := range l.where.conjuncts() {
			parts = append(parts, l.shift.around(e))
		}
	}
	l.around = all(parts)
}

// shift moves a column of time by a period.
type shift struct {
	column string
	n      int
	unit   Unit
	zone   string
}

func (s shift) moved(e Expr) Expr {
	if e.op == Column && e.ref == 0 && e.name == s.column {
		return Expr{op: Shifted, typ: e.typ, args: []Expr{e}, ref: s.n, unit: s.unit, zone: s.zone}
	}
	args := make([]Expr, len(e.args))
	for i, a := range e.args {
		args[i] = s.moved(a)
	}
	e.args = args
	return e
}

// around is what follows for the column itself where a condition holds for it
// moved, and a little wider: an index knows the column, and not what is computed
// of it. It is true where nothing follows.
func (s shift) around(e Expr) Expr {
	if len(e.args) != 2 || e.args[1].op != Literal {
		return predicate(True)
	}
	at, to := e.args[0], e.args[1]
	if at.op != Column || at.ref != 0 || at.name != s.column {
		return predicate(True)
	}
	bound, scalar := to.lits[0], to.typ.Scalar
	edge := func(op Op, days int) Expr {
		moved := func(text string) (string, error) {
			t, err := instant(scalar, text)
			if err != nil {
				return "", err
			}
			v, err := boundary(at.typ, step(t, s.unit, -s.n).AddDate(0, 0, days))
			return v.Text(), err
		}
		name := fmt.Sprintf("moved %d %s and %d days as %s", -s.n, s.unit, days, at.typ.Scalar)
		if bound.Says(name, func(text string) string {
			_, err := moved(text)
			return strconv.FormatBool(err == nil)
		}) != "true" { // beyond the years there are
			return predicate(True)
		}
		v, _ := bound.As(at.typ, name, moved)
		return predicate(op, at, literal(v))
	}
	slack := s.slack()
	switch e.op { //nolint:exhaustive // from others nothing follows
	case Gt, Gte:
		return edge(Gte, -slack)
	case Lt, Lte:
		return edge(Lte, slack)
	case Eq:
		return all([]Expr{edge(Gte, -slack), edge(Lte, slack)})
	}
	return predicate(True)
}

// slack is how many days a step back from a moved time may be away from the time
// itself: months end on different days, and clocks change.
func (s shift) slack() int {
	switch s.unit {
	case Millisecond, Second, Minute, Hour:
		return 0
	case Day, Week:
		return 2
	case Month, Quarter, Year:
	}
	return 5
}

// compareTo reads {column: {n, unit}}.
func (g *groupBuilder) compareTo(args arguments) error {
	o, ok, err := args.object("compareTo")
	if err != nil || !ok {
		return err
	}
	m, err := oneMember(o)
	if err != nil {
		return fault.New(fault.BadUserInput, "compareTo names one column of time, such as {orderedAt: {n: 1, unit: YEAR}}")
	}
	col := g.vis.Column(m.Name)
	if col == nil || !col.Type.Temporal() || col.Type.Scalar == value.Time {
		return fault.New(fault.BadUserInput, "compareTo: %s has no column of time %q", g.vis.Dataset.Name, m.Name)
	}
	period, _ := m.Value.(query.Object)
	given, _ := period.Get("unit")
	p := g.problems()
	unit, err := unitOf(given)
	if p.ok("compareTo.unit", err) && !unit.allowed(col.Type) {
		p.ok("compareTo.unit", fault.New(fault.BadUserInput, "compareTo: %s has no periods of %s", typeOf(col.Type), strings.ToUpper(string(unit))))
	}
	n, hasN, err := arguments(period).integer("n")
	if p.ok("compareTo.n", err) && (!hasN || n == 0 || n > 100_000) {
		p.ok("compareTo.n", fault.New(fault.BadUserInput, "compareTo needs n, a whole number from 1 to 100000"))
	}
	if err := p.err(); err != nil {
		return err
	}
	g.ask(0, col)
	g.l.shift = &shift{column: col.Name, n: n, unit: unit, zone: g.zone}
	return nil
}

// selectPrevious plans the fields of the same group a period earlier.
func (g *groupBuilder) selectPrevious(f query.Field, typ string) (Output, error) {
	if g.l.shift == nil {
		return Output{}, fault.New(fault.BadUserInput, "previous needs compareTo, which says how much earlier").
			WithHint("add compareTo: {column: {n: 1, unit: YEAR}} to the field")
	}
	o := Output{key: f.Key, kind: OutObject, index: g.cell(Expr{op: Prior, typ: boolean, ref: -1})}
	g.prior = true
	defer func() { g.prior = false }()
	for _, inner := range f.Fields {
		out, err := g.selectGroupField(inner, typ)
		if err != nil {
			return Output{}, err
		}
		o.fields = append(o.fields, out)
	}
	return o, nil
}

// fill reads the fill argument, when the keys are known.
func (g *groupBuilder) fill(args arguments) error {
	v, ok := args.get("fill")
	if on, _ := v.(query.Bool); !ok || !bool(on) {
		return nil
	}
	at, err := g.series()
	if err != nil {
		return err
	}
	key := g.l.keys[at]
	if key.op == Bin {
		g.l.fill = &Fill{key: at}
		return g.l.fill.bins(key, g.l.where)
	}
	f := &Fill{key: at, unit: key.unit}
	for _, e := range g.l.where.conjuncts() {
		if len(e.args) != 2 || !e.args[0].same(key.args[0]) || e.args[1].op != Literal {
			continue
		}
		bound := key
		bound.args = []Expr{e.args[1]}
		switch e.op { //nolint:exhaustive // only these bound a range
		case Gte, Gt:
			f.low = &bound
		case Lte:
			f.high = &bound
		case Lt:
			last, err := justBefore(e.args[1])
			if err != nil {
				return err
			}
			bound.args = []Expr{last}
			f.high = &bound
		}
	}
	if key.unit.short() {
		if f.low == nil || f.high == nil {
			return fault.New(fault.BadUserInput, "fill by %s needs a range of the time", key.unit).
				WithHint("bound it in where, such as {gte: …, lt: …}")
		}
	}
	g.l.fill = f
	return f.bounded()
}

// series finds the key that is made gap-free: the one bucket of time or, where
// there is none, the one bin.
func (g *groupBuilder) series() (int, error) {
	for _, op := range []Op{Bucket, Bin} {
		at, n := -1, 0
		for i, key := range g.l.keys {
			if key.op == op {
				at, n = i, n+1
			}
		}
		switch {
		case n > 1:
			return 0, fault.New(fault.BadUserInput, "fill works over one bucket of time or one bin; the key has several").
				WithHint("select one of them in key, or leave fill out")
		case n == 1 && g.l.keys[at].typ.Scalar != value.Time:
			return at, nil
		}
	}
	return 0, fault.New(fault.BadUserInput, "fill needs a bucket of time or a bin among the keys").
		WithHint("select one, such as key { orderedAt(by: DAY) } or key { total(bin: 10) }")
}

// bins reads the range of a series of bins off the conditions.
func (f *Fill) bins(key, where Expr) error {
	width := rational(key.lits[0])
	bin := func(v value.Value, below bool) *big.Int {
		n := new(big.Rat).Quo(rational(v), width)
		whole := new(big.Int).Div(n.Num(), n.Denom()) // Euclidean: rounded down
		if below && n.IsInt() {
			whole.Sub(whole, big.NewInt(1))
		}
		return whole
	}
	var low, high *big.Int
	for _, e := range where.conjuncts() {
		if len(e.args) != 2 || !e.args[0].same(key.args[0]) || e.args[1].op != Literal {
			continue
		}
		bound := e.args[1].lits[0]
		switch e.op { //nolint:exhaustive // only these bound a range
		case Gte, Gt:
			low = bin(bound, false)
		case Lt, Lte:
			high = bin(bound, e.op == Lt)
		}
	}
	if low != nil && high != nil && new(big.Int).Sub(high, low).Cmp(big.NewInt(maxBuckets)) > 0 {
		return fault.New(fault.TooComplex, "the range has more than %d bins", maxBuckets).
			WithHint("ask for a shorter range or wider bins")
	}
	for _, end := range []struct {
		n  *big.Int
		to **Expr
	}{{low, &f.low}, {high, &f.high}} {
		if end.n == nil {
			continue
		}
		at := new(big.Rat).Mul(new(big.Rat).SetInt(end.n), width)
		v, err := value.Parse(key.typ, at.FloatString(max(key.typ.Scale, scaleOf(key.lits[0]))))
		if err != nil { // beyond what the type holds: the rows bound the series
			continue
		}
		e := literal(v)
		*end.to = &e
	}
	return nil
}

func rational(v value.Value) *big.Rat {
	r, ok := new(big.Rat).SetString(v.Text())
	if !ok {
		return new(big.Rat)
	}
	return r
}

func scaleOf(v value.Value) int {
	_, scale := value.DecimalShape(v.Text())
	return scale
}

// maxBuckets is how many buckets a gap-free series may have.
const maxBuckets = 100_000

var unitLength = map[Unit]time.Duration{
	Millisecond: time.Millisecond, Second: time.Second, Minute: time.Minute, Hour: time.Hour, Day: 24 * time.Hour,
	Week: 7 * 24 * time.Hour, Month: 28 * 24 * time.Hour, Quarter: 90 * 24 * time.Hour, Year: 365 * 24 * time.Hour,
}

// bounded refuses a range with too many buckets.
func (f Fill) bounded() error {
	if f.low == nil || f.high == nil {
		return nil
	}
	low, high, unit := f.low.args[0].lits[0], f.high.args[0].lits[0], f.unit
	scalar := low.Type().Scalar
	return value.Check(low, high, "so many buckets of a "+string(unit), func(low, high string) error {
		from, err := instant(scalar, low)
		if err != nil {
			return err
		}
		to, err := instant(scalar, high)
		if err != nil {
			return err
		}
		if (to.UnixMilli()-from.UnixMilli())/unitLength[unit].Milliseconds() > maxBuckets { // a Duration ends at 292 years
			return fault.New(fault.TooComplex, "the range has more than %d buckets of a %s", maxBuckets, unit).
				WithHint("ask for a shorter range or a longer unit")
		}
		return nil
	})
}

// instant is the time of a literal's text, in UTC where it has no zone.
func instant(scalar value.Scalar, text string) (time.Time, error) {
	layout := "2006-01-02 15:04:05.999999"
	if scalar == value.Date {
		layout = time.DateOnly
	}
	at, err := time.Parse(layout, trimZone(text))
	if err != nil {
		return at, fault.Broken("%w", err)
	}
	return at, nil
}

// justBefore is the last instant, or day, before a literal.
func justBefore(e Expr) (Expr, error) {
	t, step := e.typ, -time.Microsecond
	if t.Scalar == value.Date {
		step = -24 * time.Hour
	}
	v, err := e.lits[0].As(t, "just before", func(text string) (string, error) {
		at, err := instant(t.Scalar, text)
		if err != nil {
			return "", err
		}
		before, err := boundary(t, at.Add(step))
		return before.Text(), err
	})
	return literal(v), err
}

func trimZone(text string) string {
	if n := len(text) - len("+00"); n > 0 && text[n:] == "+00" {
		return text[:n]
	}
	return text
}

// maxTop is how many groups topN keeps at most.
const maxTop = 1000

// topN reads {n, by, others}.
func (g *groupBuilder) topN(args arguments) error {
	o, ok, err := args.object("topN")
	if err != nil || !ok {
		return err
	}
	n, hasN, err := arguments(o).integer("n")
	p := g.problems()
	if p.ok("topN.n", err) && (!hasN || n == 0 || n > maxTop) {
		p.ok("topN.n", fault.New(fault.BadUserInput, "topN needs n, a whole number from 1 to %d", maxTop))
	}
	if len(g.l.keys) == 0 {
		p.ok("topN", fault.New(fault.BadUserInput, "topN needs keys to group by").
			WithHint("select one, such as key { region }; without a key there is one group"))
	}
	for _, other := range []struct {
		is   bool
		name string
	}{{g.l.fill != nil, "fill"}, {g.l.values != nil, "allValues"}, {g.l.shift != nil, "compareTo"}} {
		if other.is {
			p.ok("topN", fault.New(fault.BadUserInput, "topN and %s cannot be used together", other.name).
				WithHint("leave one of them out, or ask for both in two fields"))
		}
	}
	if len(g.l.parent) > 0 {
		p.ok("topN", fault.New(fault.BadUserInput, "topN cannot be used in a nested list").WithHint("use orderBy and limit, which hold for each parent"))
	}
	if err := p.err(); err != nil {
		return err
	}
	by, _ := o.Get("by")
	before := g.l.order
	g.l.order = nil
	if err := g.order(by); err != nil {
		return err
	}
	term := g.l.order[0]
	others, _ := o.Get("others")
	keep, _ := others.(query.Bool)
	g.l.top = &Top{n: n, by: term, others: bool(keep)}
	g.l.order = before
	return nil
}

// rankedOrder is the order of a top list when none is asked for: as ranked,
// the others last.
func (g *groupBuilder) rankedOrder() {
	if g.l.top == nil {
		return
	}
	if len(g.l.order) == 0 {
		g.l.order = append(g.l.order, g.l.top.by)
	}
	if g.l.top.others {
		g.l.order = append([]Order{{expr: Expr{op: IsOthers, typ: boolean}}}, g.l.order...)
	}
}

// running is the total of an aggregate over the groups so far, in their order.
func (g *groupBuilder) running(key string, e Expr) (Output, error) {
	typ, ok := catalog.FuncResult(catalog.Sum, e.typ)
	if !ok {
		return Output{}, unknownField(aggregateType(e.typ), key)
	}
	r := Expr{op: Running, typ: typ, args: []Expr{g.aggregate(e)}}
	return Output{key: key, kind: OutCell, index: g.cell(r), typ: typ, round: typ.Scalar == value.Float}, nil
}

// share is an aggregate as a part of its sum over all groups.
func (g *groupBuilder) share(key string, e Expr) Output {
	typ := value.Of(value.Float)
	s := Expr{op: Share, typ: typ, args: []Expr{g.aggregate(e)}}
	return Output{key: key, kind: OutCell, index: g.cell(s), typ: typ, round: e.typ.Scalar == value.Float}
}
