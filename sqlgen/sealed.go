package sqlgen

import (
	"strconv"

	"usher/plan"
	"usher/query"
	"usher/value"
)

// Sealed is a statement that writes one row and fails unless what it wrote is right and the table is still
// what was judged. So COMMIT can be sent along with it: what is not right cannot be committed.
type Sealed struct {
	text string
	args Args
}

// SealBroken is what a server says in an error, among other words, when a sealed statement fails by itself. Of
// no other cast to a boolean it could say so: values are none that usher casts from texts of others.
const SealBroken = "usher_seal_broken"

// SealedCells are the cells before those of the answer: that the row is right, whether it is shown, and when the
// statement was read.
const SealedCells = 3

// SealedRead is the cell that says when it was read.
const SealedRead = 2

// Seals tells whether a change can be a sealed statement: it writes one row of a table where nothing but that
// becomes of it, and finds it by a key that no two rows have.
func Seals(c plan.Change, d ChangeDialect) bool {
	switch {
	case !AtOnce(c, d) || !c.Single() || d.ReadAt() == "" || c.Answers() != 1 || c.References() > 0:
		return false
	case c.Kind() == query.InsertOne:
		return c.Given() == 1 && c.Insert(0).Rows() == 1
	case c.Kind() == query.UpdateByKey:
		return c.Chosen().Where().Op() != plan.True
	}
	return false
}

// WriteSealed writes a change as a sealed statement. Its last argument is when it was read, as far as anybody
// knows: 0 lets it be whenever it was.
func WriteSealed(c plan.Change, d ChangeDialect) (Sealed, error) {
	if !c.Valid() || !Seals(c, d) {
		return Sealed{}, ErrNotPlanned
	}
	w := &writer{d: d, args: &arguments{}}
	within := func(l plan.Level, write func(*writer)) {
		w.within(&writer{d: d, l: l, args: w.args, inside: 1}, write)
	}
	var changes []plan.Level
	if c.Kind().Inserts() {
		i := c.Insert(0)
		if !stamped(i) {
			return Sealed{}, ErrNotPlanned
		}
		w.put("INSERT INTO ")
		w.intoAs(i.Table(), table(0))
		w.given1(i, d)
	} else {
		changes = []plan.Level{c.Chosen(), c.Update().Level()}
		w.put("UPDATE ")
		w.intoAs(c.Table(), table(0))
		w.sets(c.Update(), d, table(0))
	}
	w.put(" WHERE ")
	read := w.b.Len()
	for _, l := range changes {
		if l.Ref(0).ScopeKind() == 0 {
			return Sealed{}, ErrNotPlanned
		}
		within(l, func(of *writer) { of.put(" AND ", of.heldBy()) })
	}
	w.put(" RETURNING ")
	within(c.Check(0).Level(), func(of *writer) { of.put(sealed(of.heldBy())) })
	within(c.Answer(0).Root(), func(of *writer) {
		of.put(", ", of.heldBy(), ", ", d.ReadAt(), ", ")
		of.columns()
	})
	last := "CAST($" + strconv.Itoa(w.args.Len()+1) + " AS " + d.InternalType(value.Of(value.BigInt)) + ")"
	text := w.b.String()
	return Sealed{text[:read] + sealed(last+" IN (0, "+d.ReadAt()+")") + text[read:], w.args.Args}, w.err
}

// sealed fails where a condition does not hold. It must not be computed before that is known, and so is no
// constant.
func sealed(condition string) string {
	return "CAST(CASE WHEN " + condition + " THEN 'true' ELSE '" + SealBroken + "' END AS boolean)"
}

// heldBy tells that a row of the table itself is one of the level's, under its scope.
func (w *writer) heldBy() string {
	text := w.confined()
	w.inside = 1
	if where := w.l.Where(); where.Op() != plan.True {
		text += " AND " + w.expr(where)
	}
	return "(" + text + ")"
}

// given1 writes the columns and the values of one row.
func (w *writer) given1(i plan.Insert, d ChangeDialect) {
	for n := range i.Columns() {
		w.put([]string{" (", ", "}[min(n, 1)], Identifier(i.Column(n).Stored))
	}
	w.put(") SELECT ")
	for n := range i.Columns() {
		if n > 0 {
			w.put(", ")
		}
		w.put(w.given(i.Value(n, 0), i.Column(n), d))
	}
}

// Text is the statement's text.
func (s *Sealed) Text() string { return s.text }

// Len is the number of arguments.
func (s *Sealed) Len() int { return s.args.Len() + 1 }

// Bind are all arguments but the last, with the texts of a change that is bound. There is room for one more.
func (s *Sealed) Bind(c plan.Change) []string { return s.args.of(c) }

// Size is about how many bytes the statement takes in memory.
func (s *Sealed) Size() int { return len(s.text) + s.args.Size() }
