package sqlgen

import (
	"strconv"

	"usher/plan"
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
		if l := c.Answer(i).Root(); !alone(l) || l.Orders() > 0 || l.Offset() > 0 || l.Cut() {
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

// WholeCells are the cells before the answer: how many rows were to be written, how many
// were, how many of these are right, what the table is, and the number of the row that is answered,
// or null where none is.
const WholeCells = 5

// Whole writes a change that is one statement. Told is an expression that tells what the table
// is; empty: nobody asks. There is a row at least.
func Whole(c plan.Change, told string, d ChangeDialect) (Statement, error) {
	if !c.Valid() || !AtOnce(c, d) {
		return Statement{}, ErrNotPlanned
	}
	w := &writer{d: d, args: &arguments{}}
	chosen := "0"
	w.put("WITH ")
	if c.Kind().Inserts() {
		w.wholeInsert(c, d)
		chosen = strconv.Itoa(c.Given())
	} else {
		w.wholeUpdate(c, d)
		chosen = "(SELECT count(*) FROM p)"
	}
	if told == "" {
		told = "NULL"
	}
	w.put(" SELECT CAST(", chosen, " AS bigint), (SELECT count(*) FROM ", writtenRows, "), (SELECT count(*) FROM ")
	w.overWritten(c.Check(0).Level(), func(l *writer) {
		l.reference(0)
		l.condition(" WHERE ", l.l.Where())
	})
	w.put("), CAST(", told, " AS bigint)")
	if c.Answers() == 0 {
		w.put(", CAST(NULL AS bigint)")
		return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
	}
	w.put(", a.* FROM (SELECT 1) AS o LEFT JOIN (SELECT ")
	w.overWritten(c.Answer(0).Root(), func(l *writer) {
		l.put(table(0), ".", Identifier(parentMark), " AS n, ")
		l.columns()
		l.put(" FROM ")
		l.reference(0)
		l.condition(" WHERE ", l.l.Where())
		l.put(" ORDER BY 1")
		l.limit()
	})
	w.put(") AS a ON TRUE ORDER BY a.n")
	return Statement{Text: w.b.String(), Args: w.args.Args}, w.err
}

// overWritten writes a level over the rows that the statement has written.
func (w *writer) overWritten(l plan.Level, write func(*writer)) {
	of := &writer{d: w.d, l: l, args: w.args, written: true}
	w.within(of, write)
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
	w.put("i", w.d.Materialized(), "INSERT INTO ")
	w.into(i.Table())
	w.inserted(names, values, texts)
	w.put(" RETURNING ")
	w.returned(c)
	w.put("), ", writtenRows, w.d.Materialized(), "SELECT row_number() OVER () AS ", Identifier(parentMark), ", i.* FROM i)")
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
	w.put(") AS s), ", writtenRows, w.d.Materialized(), "UPDATE ")
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
