package sqlgen

import (
	"slices"
	"strconv"

	"usher/plan"
	"usher/value"
)

// nestedRows writes a list below its parents: numbered for each parent, so
// that limit and offset hold for each, and ordered by parent.
func (w *writer) nestedRows() {
	if w.fewOfMany() {
		w.firstOfEach()
		return
	}
	w.pageOf(w.parentNumber())
	w.columns()
	w.numbered(w.parentNumber())
	w.put(" FROM ")
	w.from(w.belonging)
	w.condition(" WHERE ", w.l.Where())
	w.window()
}

// fewOfMany tells a page of few rows for each parent, where an index finds a
// parent's rows: then it is better to look for each parent's first ones than to
// number all rows of all.
func (w *writer) fewOfMany() bool {
	if w.l.Links() != 1 || w.l.Through() > 0 || w.l.Limit() == plan.All || w.l.Offset()+w.l.Limit() > few {
		return false
	}
	link := w.l.Link(0)
	f, ok := w.field(link.Own())
	return ok && link.Own().Ref() == 0 && f.Indexed && link.Own().Type().Scalar == link.Type().Scalar
}

// few is how many rows are worth a look into the index for each parent.
const few = 100

// firstOfEach writes a nested list as a query of its own for each parent.
func (w *writer) firstOfEach() {
	w.pageOf("p.n")
	w.put("s.* FROM ")
	w.parentRows(false)
	w.put(w.d.Lateral(), "SELECT ")
	w.columns()
	w.put(", row_number() OVER (")
	w.orderBy("ORDER BY ")
	w.put(") AS rn FROM ")
	w.from(w.alone)
	w.put(" WHERE ")
	w.links()
	w.condition(" AND ", w.l.Where())
	w.orderBy(" ORDER BY ")
	w.limit()
	w.put(") AS s) AS s")
	w.inPlace()
}

// inPlace orders the rows of a nested level by their parents.
func (w *writer) inPlace() {
	if w.part == nil {
		w.put(" ORDER BY n, rn")
	}
}

// pageOf begins a nested level: the subquery that numbered and window end.
func (w *writer) pageOf(parent string) {
	w.put("SELECT n")
	if w.part != nil {
		w.put(", rn")
		if w.part.kept {
			w.put(", row_number() OVER (ORDER BY n, rn) AS id")
		}
	}
	for i := range max(w.l.Columns(), 1) {
		w.put(", c", strconv.Itoa(i))
	}
	w.linkNames()
	w.put(" FROM (SELECT ", parent, " AS n, ")
}

// numbered writes the row number within the parent.
func (w *writer) numbered(parent string) {
	w.put(", row_number() OVER (PARTITION BY ", parent)
	w.orderBy(" ORDER BY ")
	w.put(") AS rn")
}

// window closes a numbered subquery and keeps the rows of each parent's page.
func (w *writer) window() {
	n := w.l.Offset() + w.l.Limit()
	if w.l.Cut() {
		n++
	}
	if w.l.Limit() == plan.All {
		w.put(") AS s WHERE rn > ", strconv.Itoa(w.l.Offset()))
		w.inPlace()
		return
	}
	w.put(") AS s WHERE rn <= ", strconv.Itoa(n))
	if w.l.Offset() > 0 {
		w.put(" AND rn > ", strconv.Itoa(w.l.Offset()))
	}
	w.inPlace()
}

// parentMark is the number of the parent in the rows that link many to many. No
// column can have its name.
const parentMark = "__n"

// parentNumber is the number of the parent of a row that belonging writes.
func (w *writer) parentNumber() string {
	if i := w.l.Through(); i > 0 {
		return table(i) + "." + Identifier(parentMark)
	}
	return "p.n"
}

// belonging writes the first reference joined to the parents that its rows belong
// to. Of rows that link many to many, those of these parents alone are made
// distinct: each pair once, of which what a policy reads must not make two.
func (w *writer) belonging() {
	i := w.l.Through()
	if i == 0 {
		w.parentRows(false)
		w.put(" JOIN ")
		w.reference(0)
		w.put(" ON ")
		w.links()
		return
	}
	r := w.l.Ref(i)
	names := make([]string, r.Ons())
	for j := range names {
		names[j] = r.On(j).To.Name()
	}
	slices.Sort(names)
	w.put("(SELECT DISTINCT p.n AS ", Identifier(parentMark))
	for _, name := range slices.Compact(names) {
		w.put(", ", table(i), ".", Identifier(name))
	}
	w.put(" FROM ")
	w.parentRows(false)
	w.put(" JOIN ")
	w.reference(i)
	w.put(" ON ")
	w.links()
	w.put(") AS ", table(i), " JOIN ")
	w.reference(0)
	w.on(r)
}

// parentRows writes the parents' keys as rows k0, k1, … n; all of them, or those
// that have a key.
func (w *writer) parentRows(all bool) {
	if w.part != nil {
		w.part.parents(w, all)
		return
	}
	types := make([]value.Type, w.l.Links())
	for i := range types {
		types[i] = w.l.Link(i).Type()
	}
	w.put(w.d.Parents(types), " AS p")
}

func (w *writer) links() {
	for i := range w.l.Links() {
		if i > 0 {
			w.put(" AND ")
		}
		own := w.l.Link(i).Own()
		if f, _ := w.field(own); f.Form == value.Padded && own.Type().Text() {
			w.put(w.raw(own), " = ", w.d.Padded("p.k"+strconv.Itoa(i)))
			continue
		}
		if f, _ := w.field(own); f.Form == value.Folded && own.Type().Folded && f.Native != "" { // a row that is there, by a key as the source compares it
			w.put(w.d.FoldedIn(w.raw(own), "CAST(p.k"+strconv.Itoa(i)+" AS "+f.Native+")", f.Native))
			continue
		}
		w.put(w.labeled(w.lenient(own), own.Type(), ""), " = p.k", strconv.Itoa(i))
	}
}
