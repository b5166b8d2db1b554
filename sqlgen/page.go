package sqlgen

import (
	"slices"
	"strconv"
	"strings"
)

// page is the subquery of a root's page, each of its columns once: sorted rows are to
// be narrow.
type page struct{ texts, names []string }

// column is an expression of the page's rows, as what stands around it sees it.
func (p *page) column(text, name string) string {
	if i := slices.Index(p.texts, text); i >= 0 {
		return "s." + p.names[i]
	}
	p.texts, p.names = append(p.texts, text), append(p.names, name)
	return "s." + name
}

// placed writes a root in a script. Its page comes first, of values as they are
// stored; only its rows are numbered, and made texts of. Numbered first, all rows
// would be sorted for the few.
func (w *writer) placed(from func()) {
	p := &page{}
	var columns, order []string
	for i := range w.l.Columns() {
		e, name := w.l.Column(i), "c"+strconv.Itoa(i)
		columns = append(columns, w.d.InternalText(p.column(w.stored(e), name), e.Type())+" AS "+name)
	}
	if len(columns) == 0 {
		columns = append(columns, p.column("TRUE", "c0"))
	}
	for i := range w.l.Orders() {
		o := w.l.Order(i)
		order = append(order, p.column(w.term(o), "o"+strconv.Itoa(i))+w.direction(o))
	}
	for i := range w.l.Children() {
		child := w.l.Child(i)
		for j := range child.Links() {
			link, name := child.Link(j), linkKey(i, j)
			columns = append(columns, w.d.Key(p.column(w.lenient(w.l.Column(link.Cell())), name), link.Type())+" AS "+name)
		}
	}
	over := ""
	if len(order) > 0 {
		over = "ORDER BY " + strings.Join(order, ", ")
	}
	w.put("SELECT 0 AS n, row_number() OVER (", over, ") AS rn, ", strings.Join(columns, ", "), " FROM (")
	list := w.items()
	for i, text := range p.texts {
		list(text, p.names[i])
	}
	from()
	w.orderBy(" ORDER BY ")
	w.limit()
	w.put(") AS s")
}
