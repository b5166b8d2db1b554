package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// Rows that a statement has written, with what it returned of each. Nothing else can
// see them in that statement.
const writtenRows = "made"

// AtOnce tells whether a change can be one statement: what the source returns of the rows it
// writes is what is there afterwards, and it is all that checks and the answer read.
func AtOnce(c plan.Change, d ChangeDialect) bool {
	_, upserts := c.Upsert()
	if !c.Settled() || !d.Returns() || c.Snapshot() || upserts || c.Checks() != 1 || c.Check(0).Level().Columns() > 0 || !alone(c.Check(0).Level()) || c.Answers() > 1 {
		return false
	}
	for i := range c.Answers() {
		if l := c.Answer(i).Root(); !alone(l) || l.Orders() > 0 || l.Offset() > 0 || l.Limit() != plan.All {
			return false
		}
	}
	switch {
	case c.Kind().Inserts():
		return c.Inserts() == 1 && c.Before()+c.After() == 0
	case c.Kind().Updates():
		return alone(c.Chosen()) && alone(c.Update().Level()) && c.Helds()+c.Above()+c.Dependents() == 0 && !c.Versioned()
	}
	return false
}

// alone tells a level of rows of one table that are read for themselves.
func alone(l plan.Level) bool {
	_, total := l.Total()
	return l.Refs() == 1 && l.Children() == 0 && !total && !l.Grouped()
}

// The cells before those of the answer: whether the row was written, whether it is right, whether
// it is shown, and what the table is. Without an answer there is one row, and they are how many of
// the rows were to be written, were, and are right.
const WholeCells = 4

// What the rows are called that are compared with the check and the answer's level: no column can have
// such a name.
const (
	rightMark = "__right"
	shownMark = "__shown"
)

// Whole writes a change that is one statement. Told is an expression that tells what the table
// is; empty: nobody asks.
func Whole(c plan.Change, told string, d ChangeDialect) (Statement, error) {
	if !c.Valid() || !AtOnce(c, d) {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, args: &arguments{}}
	w.put("WITH ")
	rows, made := writtenRows+" AS "+table(0), "TRUE"
	if c.Kind().Inserts() {
		w.wholeInsert(c, d)
	} else {
		w.wholeUpdate(c, d)
		rows = "p LEFT JOIN " + rows + " ON " + table(0) + "." + Identifier(parentMark) + " = p.n"
		made = table(0) + "." + Identifier(parentMark) + " IS NOT NULL"
	}
	whole := d.InternalType(value.Of(value.BigInt))
	if told == "" {
		told = "NULL"
	}
	levels := []*writer{{d: d, l: c.Check(0).Level(), args: w.args}}
	for i := range c.Answers() {
		levels = append(levels, &writer{d: d, l: c.Answer(i).Root(), args: w.args})
	}
	marks := []string{rightMark, shownMark}
	right := make([]string, len(levels))
	for i, l := range levels {
		right[i] = table(0) + "." + Identifier(marks[i])
		if where := l.l.Where(); where.Op() != plan.True {
			right[i] += " AND " + l.expr(where)
		}
	}
	w.put(" SELECT ")
	if c.Answers() == 0 {
		w.put("count(*), count(*)", d.Filter(Identifier(rowMark)), ", count(*)", d.Filter(Identifier(rowMark)+" AND "+right[0]), ", CAST(", told, " AS ", whole, ")")
	} else {
		w.put(Identifier(rowMark), ", ", right[0], ", ", right[1], ", CAST(", told, " AS ", whole, "), ")
		levels[1].columns()
		w.put(levels[1].b.String())
	}
	w.put(" FROM (SELECT ", made, " AS ", Identifier(rowMark))
	seen := make(map[string]bool)
	for i, l := range levels {
		w.put(", ", l.confined(), " AS ", Identifier(marks[i]))
		r := l.l.Ref(0)
		for n := range r.Fields() {
			f := r.Field(n)
			if seen[f.Name] {
				continue
			}
			seen[f.Name] = true
			read := table(0) + "." + Identifier(f.Stored)
			if !atUse(f) {
				read = d.Read(read, f)
			}
			w.put(", ", read, " AS ", Identifier(f.Name))
		}
		if w.err == nil {
			w.err = l.err
		}
	}
	if !c.Kind().Inserts() {
		w.put(", p.n AS ", Identifier(parentMark))
	}
	w.put(" FROM ", rows, ") AS ", table(0))
	if !c.Kind().Inserts() && c.Answers() > 0 {
		w.put(" ORDER BY ", table(0), ".", Identifier(parentMark))
	}
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// confined is the scope of the first reference, of its rows as they are stored.
func (w *writer) confined() string {
	r := w.l.Ref(0)
	parts := []string{"TRUE"}
	w.inside = 1
	for i := range r.Scopes() {
		parts = append(parts, w.expr(r.Scope(i)))
	}
	w.inside = 0
	return "(" + strings.Join(parts, " AND ") + ")"
}

// within writes with another writer of the same statement.
func (w *writer) within(of *writer, write func(*writer)) {
	write(of)
	w.put(of.b.String())
	if w.err == nil {
		w.err = of.err
	}
}

func (w *writer) wholeInsert(c plan.Change, d ChangeDialect) {
	i := c.Insert(0)
	if !stamped(i) {
		w.err = ErrNotPlanned
		return
	}
	names, values, texts := w.toInsert(i, d)
	w.put(writtenRows, " AS (INSERT INTO ")
	w.into(i.Table())
	w.inserted(names, values, texts)
	w.put(" RETURNING ")
	w.returned(c)
	w.put(")")
}

func (w *writer) wholeUpdate(c plan.Change, d ChangeDialect) {
	l := c.Chosen()
	w.put("p", w.d.Materialized(), "SELECT row_number() OVER () AS n, s.* FROM (SELECT ")
	w.within(&writer{d: w.d, l: l, args: w.args}, func(of *writer) {
		for k := range c.Keys() {
			if k > 0 {
				of.put(", ")
			}
			of.put(of.d.Key(of.lenient(l.Column(k)), l.Column(k).Type()), " AS k", strconv.Itoa(k))
		}
		of.put(" FROM ")
		of.from(of.alone)
		of.condition(" WHERE ", l.Where())
		of.orderBy(" ORDER BY ")
		of.limit()
		of.put(d.Lock(ToChange, table(0)))
	})
	w.put(") AS s), ", writtenRows, " AS (UPDATE ")
	w.within(&writer{d: w.d, l: c.Update().Level(), args: w.args}, func(of *writer) {
		of.into(of.l.Ref(0))
		of.sets(c.Update(), d)
		of.put(" FROM ")
		of.from(of.linkedTo("p"))
		of.put(" WHERE ")
		of.same()
		of.condition(" AND ", of.l.Where())
	})
	w.put(" RETURNING p.n AS ", Identifier(parentMark), ", ")
	w.returned(c)
	w.put(")")
}

// returned are the columns that checks and the answer read.
func (w *writer) returned(c plan.Change) {
	seen := make(map[string]bool)
	of := func(r plan.Ref) {
		for i := range r.Fields() {
			if stored := r.Field(i).Stored; !seen[stored] {
				if len(seen) > 0 {
					w.put(", ")
				}
				seen[stored] = true
				w.put(changed, ".", Identifier(stored))
			}
		}
	}
	of(c.Check(0).Level().Ref(0))
	for i := range c.Answers() {
		of(c.Answer(i).Root().Ref(0))
	}
}
