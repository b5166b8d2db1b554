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

// Whole is a change that is one statement. What its table is to be told by is known later.
type Whole struct {
	before, after string
	Args          Args
	Parents       int // of the arguments before these: the keys of the rows, which were chosen before
}

// Text is the statement's text. Told is an expression that tells what the table is; empty: nobody asks.
func (s Whole) Text(told string) string {
	if told == "" {
		told = "NULL"
	}
	return s.before + told + s.after
}

// Bind are the statement's arguments, with the texts of a change that is bound.
func (s Whole) Bind(c plan.Change) []string { return s.Args.of(c) }

// of are the arguments with the texts of a change that is bound, which may be appended to.
func (a Args) of(c plan.Change) []string {
	out := make([]string, len(a.texts), len(a.texts)+1)
	copy(out, a.texts)
	for i, term := range a.terms {
		if term > 0 {
			out[i] = c.Text(term - 1)
		}
	}
	return out
}

// Size is about how many bytes the statement takes in memory.
func (s Whole) Size() int { return len(s.before) + len(s.after) + s.Args.Size() }

// WriteWhole writes a change that is one statement. Where a condition says which rows are changed they are chosen
// before, and its first arguments are their keys: an engine that reads them in the same statement cannot say how many
// they will be, and joins for the number that old statistics say.
func WriteWhole(c plan.Change, d ChangeDialect) (Whole, error) {
	if !c.Valid() || !AtOnce(c, d) {
		return Whole{}, ErrNotPlanned
	}
	w := &writer{d: d, args: &arguments{}}
	if c.Kind().Updates() && !c.Kind().One() {
		w.parents = c.Update().Level().Links()
	}
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
	levels := []*writer{{d: d, l: c.Check(0).Level(), args: w.args, parents: w.parents}}
	for i := range c.Answers() {
		levels = append(levels, &writer{d: d, l: c.Answering(i).Root(), args: w.args, parents: w.parents})
	}
	marks := []string{rightMark, shownMark}
	right := make([]string, len(levels))
	for i, l := range levels {
		right[i] = l.holds(marks[i])
	}
	w.put(" SELECT ")
	if c.Answers() == 0 {
		w.put("count(*), count(*)", d.Filter(Identifier(rowMark)), ", count(*)", d.Filter(Identifier(rowMark)+" AND "+right[0]), ", CAST(")
	} else {
		w.put(Identifier(rowMark), ", ", right[0], ", ", right[1], ", CAST(")
	}
	told := w.b.Len()
	w.put(" AS ", whole, ")")
	if c.Answers() > 0 {
		levels[1].columns()
		w.put(", ", levels[1].b.String())
	}
	w.put(" FROM (SELECT ", made, " AS ", Identifier(rowMark))
	seen := make(map[string]bool)
	for i, l := range levels {
		w.put(", ", l.markedFields(marks[i], seen))
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
	text := w.b.String()
	return Whole{before: text[:told], after: text[told:], Args: w.args.Args, Parents: w.parents}, w.err
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
	w.wholeReturned(c)
	w.put(")")
}

// wholeUpdate writes p, the keys of the rows that are changed with their numbers, and what changes them.
func (w *writer) wholeUpdate(c plan.Change, d ChangeDialect) {
	if c.Kind().One() {
		w.chosenOne(c, d)
	} else {
		w.put("p AS (SELECT * FROM ")
		w.within(&writer{d: w.d, l: c.Update().Level(), args: w.args, parents: w.parents}, func(of *writer) { of.parentRows(false) })
		w.put(")")
	}
	w.put(", ", writtenRows, " AS (UPDATE ")
	w.within(&writer{d: w.d, l: c.Update().Level(), args: w.args, parents: w.parents}, func(of *writer) {
		of.into(of.l.Ref(0))
		of.sets(c.Update(), d, changed)
		of.put(" FROM ")
		of.from(of.linkedTo("p"))
		of.put(" WHERE ")
		of.same()
		of.condition(" AND ", of.l.Where())
	})
	w.put(" RETURNING p.n AS ", Identifier(parentMark), ", ")
	w.wholeReturned(c)
	w.put(")")
}

func (w *writer) chosenOne(c plan.Change, d ChangeDialect) {
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
	w.put(") AS s)")
}

// wholeReturned are the columns that the check and the answer read.
func (w *writer) wholeReturned(c plan.Change) {
	levels := []plan.Level{c.Check(0).Level()}
	for i := range c.Answers() {
		levels = append(levels, c.Answering(i).Root())
	}
	w.returned(levels)
}
