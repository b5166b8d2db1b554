package plan

import (
	"slices"
	"time"

	"usher/catalog"
	"usher/value"
)

// Partial is the level over groups that its source makes, in the place of the
// source's rows: pre-aggregation, as a combiner does it. It may be asked where the
// source says that its groups are exact: equal values and only those make one,
// sums of whole numbers and decimals have all their digits, and times are cut in
// UTC. False where that does not give the same answer, or no smaller one.
//
// The source groups by all that the level looks at otherwise: what it groups by
// and what any condition reads, the tenant column included. So scopes, filters
// and keys apply to the groups as they would to the rows, whatever the source
// made of the filters that it was sent; only what is added up was added up there.
// A time is cut to the longest unit that keeps every bucket and every bound of a
// condition apart.
func (l Level) Partial() (Level, bool) {
	if !l.grouped || len(l.refs) != 1 || len(l.children)+len(l.parent) > 0 || l.shift != nil || l.refs[0].reason == ByParent || l.refs[0].target.Kind != catalog.API {
		return Level{}, false
	}
	r := l.refs[0]
	d := dimensions{}
	for _, e := range slices.Concat(r.scope, []Expr{l.where}, l.keys) {
		d.read(e)
	}
	if r.tenant != "" {
		d[r.tenant] = raw
	}
	p := partials{ref: r}
	for _, f := range r.columns {
		unit, needed := d[f.Name]
		switch {
		case !needed:
			continue
		case !f.Type.Groupable() || f.Type.Scalar == value.Float:
			return Level{}, false
		case unit == raw && (f.Type.Scalar == value.Timestamp || f.Type.Scalar == value.LocalTimestamp):
			return Level{}, false // each row would be a group
		case f.Type.Temporal():
			f.Cut = unit
		}
		p.fields = append(p.fields, f)
	}
	aggs := make([]Expr, len(l.aggs))
	for i, e := range l.aggs {
		var ok bool
		if aggs[i], ok = p.aggregate(e); !ok {
			return Level{}, false
		}
	}
	if len(l.aggs) == 0 { // distinct keys: a count is asked for, so that it is groups that are sent
		p.add(Expr{op: CountRows, typ: bigInt})
	}
	r.columns = p.fields
	l.refs, l.aggs = []Ref{r}, aggs
	return l, true
}

// raw is a time that is not cut.
const raw Unit = ""

// unitsUp are the units of which each is made of whole ones before it. Weeks lie
// across months, so they are made of days.
var unitsUp = []Unit{raw, Second, Minute, Hour, Day, Month, Quarter, Year}

// dimensions are the columns that a source groups by, with the unit that times
// are cut to.
type dimensions map[string]Unit

func (d dimensions) need(column string, unit Unit) {
	if unit == Week {
		unit = Day
	}
	if had, ok := d[column]; ok && slices.Index(unitsUp, had) < slices.Index(unitsUp, unit) {
		return
	}
	if !slices.Contains(unitsUp, unit) {
		unit = raw
	}
	d[column] = unit
}

// read notes what an expression reads, and how fine.
func (d dimensions) read(e Expr) {
	switch {
	case e.op == Column:
		d.need(e.name, raw)
		return
	case e.op == Bucket && e.args[0].op == Column && (e.zone == "" || e.zone == "UTC"):
		d.need(e.args[0].name, e.unit)
		return
	case (e.op == Gte || e.op == Lt) && e.args[0].op == Column && e.args[1].op == Literal && e.args[0].typ.Temporal():
		d.need(e.args[0].name, aligned(e.args[1].lits[0])) // true of a time just if it is of the begin of its unit
		return
	}
	for _, a := range e.args {
		d.read(a)
	}
}

// aligned is the longest unit that begins at a time.
func aligned(v value.Value) Unit {
	layout, ok := map[value.Scalar]string{value.Date: time.DateOnly, value.Timestamp: "2006-01-02 15:04:05-07", value.LocalTimestamp: time.DateTime}[v.Type().Scalar]
	if !ok || v.Null() {
		return raw
	}
	at, err := time.Parse(layout, v.Text())
	if err != nil {
		return raw
	}
	at = at.UTC()
	switch {
	case at.Nanosecond() != 0:
		return raw
	case at.Second() != 0:
		return Second
	case at.Minute() != 0:
		return Minute
	case at.Hour() != 0:
		return Hour
	case at.Day() != 1:
		return Day
	case at.Month() == time.January:
		return Year
	case at.Month()%3 == 1:
		return Quarter
	}
	return Month
}

// partials are the columns of the groups that a source makes.
type partials struct {
	ref    Ref
	fields []Field
}

// aggregate is an aggregate of rows as one of groups of them.
func (p *partials) aggregate(e Expr) (Expr, bool) {
	if e.filter != nil {
		return Expr{}, false
	}
	if e.op == CountRows {
		return Expr{op: Total, typ: e.typ, args: []Expr{p.add(e)}}, true
	}
	if e.op != Agg || len(e.args) != 1 || e.args[0].op != Column || p.stored(e.args[0].name) == "" {
		return Expr{}, false
	}
	t := e.args[0].typ
	switch {
	case e.fn == catalog.Count:
		return Expr{op: Total, typ: e.typ, args: []Expr{p.add(e)}}, true
	case e.fn == catalog.Sum && t.Exact(), (e.fn == catalog.Min || e.fn == catalog.Max) && (t.Exact() || t.Temporal() && t.Scalar != value.Time):
		return Expr{op: Agg, typ: e.typ, fn: e.fn, args: []Expr{p.add(e)}}, true
	}
	return Expr{}, false
}

// stored is what the source calls a column, or empty.
func (p *partials) stored(name string) string {
	for _, f := range p.ref.columns {
		if f.Name == name {
			return f.Stored
		}
	}
	return ""
}

// AnyColumn stands for the rows of which a source is asked the count.
const AnyColumn = "*"

// add asks the source for an aggregate. Its name is none that a column can
// have.
func (p *partials) add(e Expr) Expr {
	f := Field{Name: "count *", Stored: AnyColumn, Type: e.typ, Func: catalog.Count, Asked: true}
	if e.op == Agg {
		name := e.args[0].name
		f.Name, f.Stored, f.Func, f.Null = string(e.fn)+" "+name, p.stored(name), e.fn, e.fn != catalog.Count
	}
	if !slices.ContainsFunc(p.fields, func(o Field) bool { return o.Name == f.Name }) {
		p.fields = append(p.fields, f)
	}
	return Expr{op: Column, typ: f.Type, name: f.Name}
}

// Grouped tells that the reference's rows are groups that its source makes.
func (r Ref) Grouped() bool {
	return slices.ContainsFunc(r.columns, func(f Field) bool { return f.Func != "" })
}
