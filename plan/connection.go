package plan

import (
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// Page is what a connection adds to its rows.
type Page struct {
	size     int
	backward bool
	after    bool
	before   bool
	position []int
	total    *Level
}

// Size is how many rows the page has at most; the level returns one more, to
// know whether there are further ones.
func (p Page) Size() int { return p.size }

// Backward tells that the level returns rows in reverse, from the end of the
// page to its start.
func (p Page) Backward() bool { return p.backward }

// After and Before tell which ends of the page a cursor was given for.
func (p Page) After() bool { return p.after }

// Before is After's counterpart.
func (p Page) Before() bool { return p.before }

// Position is the number of cells that make a row's position.
func (p Page) Position() int { return len(p.position) }

// PositionCell is the index of the i-th of them.
func (p Page) PositionCell(i int) int { return p.position[i] }

// Page is the page of a connection's root level, if it is one.
func (l Level) Page() (Page, bool) {
	if l.page == nil {
		return Page{}, false
	}
	return *l.page, true
}

// Total is the level that counts the rows of the whole connection, when the
// caller asks for it: one row with one cell.
func (l Level) Total() (Level, bool) {
	if l.page == nil || l.page.total == nil {
		return Level{}, false
	}
	return *l.page.total, true
}

// connection plans a page of rows by position. The cursors among its arguments
// are opened already: each is a list of the position's texts and nulls.
func (b *builder) connection(vis *catalog.Visible, f query.Field) (Level, error) {
	lb, err := b.start(vis, nil)
	if err != nil {
		return Level{}, err
	}
	if len(vis.Dataset.Key) == 0 {
		return Level{}, fault.New(fault.BadUserInput, "%s has no key to page by; use limit and offset", vis.Dataset.Name)
	}
	args := arguments(f.Args)
	p := b.problems()
	p.ok(DeletedArgument, lb.withDeleted(vis, args))
	p.ok("where", lb.filter(vis.Dataset, args))
	ordered := p.ok("orderBy", lb.totalOrder(vis, args))
	page := &Page{}
	if ordered { // cursors are positions in the order
		page, err = lb.page(vis, args)
		p.ok("", err)
	}
	if err == nil {
		lb.l.output, err = lb.selectPage(vis, page, f)
		p.ok("", err)
	}
	if err := p.err(); err != nil {
		return Level{}, err
	}
	if page.total != nil {
		if *page.total, err = b.count(vis, args, lb.uses[0].asked); err != nil {
			return Level{}, err
		}
	}
	for _, o := range lb.l.order {
		page.position = append(page.position, lb.cell(o.expr))
	}
	if page.backward {
		for i := range lb.l.order {
			o := &lb.l.order[i]
			o.descending, o.nullsFirst = !o.descending, !o.nullsFirst
		}
	}
	lb.l.page, lb.l.limit = page, page.size+1
	return lb.seal()
}

// page reads first, after, last and before.
func (lb *levelBuilder) page(vis *catalog.Visible, args arguments) (*Page, error) {
	page := &Page{}
	first, hasFirst, err := args.integer("first")
	if err != nil {
		return nil, err
	}
	last, hasLast, err := args.integer("last")
	if err != nil {
		return nil, err
	}
	if hasFirst && hasLast {
		return nil, fault.New(fault.BadUserInput, "first and last are two pages; ask for one of them")
	}
	standard, most := vis.Limits()
	page.size, page.backward = standard, hasLast
	if hasFirst || hasLast {
		page.size = first + last // one of them is 0
	}
	if page.size > most {
		return nil, fault.New(fault.TooComplex, "a page of %d rows is more than the %d allowed for %s", page.size, most, vis.Dataset.Name).
			WithHint("ask for smaller pages")
	}
	where := []Expr{lb.l.where}
	for _, end := range []struct {
		name  string
		given *bool
		ahead bool
	}{{"after", &page.after, true}, {"before", &page.before, false}} {
		v, ok := args.open(end.name)
		if !ok {
			continue
		}
		position, err := lb.positionOf(v)
		if err != nil {
			f := *fault.From(err)
			f.At = strings.Join(append(slices.Clone(lb.path), end.name), ".")
			return nil, &f
		}
		*end.given = true
		where = append(where, lb.beyond(position, end.ahead))
	}
	lb.l.where = all(where)
	return page, nil
}

// positionOf reads an opened cursor.
func (lb *levelBuilder) positionOf(v query.Value) ([]value.Value, error) {
	if later, ok := v.(query.SlotList); ok {
		v = query.Look(later)
	}
	list, ok := v.(query.List)
	if !ok || len(list) != len(lb.l.order) {
		return nil, fault.New(fault.BadUserInput, "the cursor does not belong to this list")
	}
	out := make([]value.Value, len(list))
	for i, item := range list {
		c := value.Cell{}
		if later, ok := item.(query.Slot); ok {
			if !spelled(lb.l.order[i].expr.typ) {
				out[i] = value.Later(lb.l.order[i].expr.typ, later.Term)
				continue
			}
			item = query.Look(later)
		}
		if text, ok := item.(query.Text); ok {
			c = value.Cell{Kind: value.KindText, Text: []byte(text)}
		}
		out[i] = value.Bound(lb.l.order[i].expr.typ, c)
	}
	return out, nil
}

// beyond is true for rows after the position, or before it. Terms without
// nulls that all go one way are compared as one row value, which an index on
// them answers as a range; else the comparison is written out, with a bound on
// the leading term alone for the index.
func (lb *levelBuilder) beyond(position []value.Value, ahead bool) Expr {
	order := lb.l.order
	uniform := true
	for i, o := range order {
		uniform = uniform && o.descending == order[0].descending && !lb.nullable(o.expr) && !position[i].Null() &&
			!o.bySource && o.expr.typ.Ordered()
	}
	if uniform {
		op := RowGt
		if order[0].descending == ahead {
			op = RowLt
		}
		e := Expr{op: op, typ: boolean, lits: position}
		for _, o := range order {
			e.args = append(e.args, o.expr)
		}
		return e
	}
	var ways, same []Expr
	for i, o := range order {
		if next, possible := lb.follows(o, position[i], ahead); possible {
			ways = append(ways, all(append(append([]Expr(nil), same...), next)))
		}
		same = append(same, equals(o.expr, position[i]))
	}
	return all([]Expr{lb.from(order[0], position[0], ahead), anyOf(ways)})
}

// from is true for v and the values that follow it: one comparison where that says it, for an
// index answers no two as a range.
func (lb *levelBuilder) from(o Order, v value.Value, ahead bool) Expr {
	next, possible := lb.follows(o, v, ahead)
	if !possible {
		return equals(o.expr, v)
	}
	if _, plain := lb.l.field(o.expr); plain && !o.bySource && o.expr.typ.Ordered() {
		switch next.op { //nolint:exhaustive // others are no comparison
		case Lt:
			return predicate(Lte, o.expr, literal(v))
		case Gt:
			return predicate(Gte, o.expr, literal(v))
		}
	}
	return anyOf([]Expr{equals(o.expr, v), next})
}

func equals(e Expr, v value.Value) Expr {
	if v.Null() {
		return predicate(IsNull, e)
	}
	return predicate(Eq, e, literal(v))
}

// follows is true for values that come after v in the term's order, or before
// it; not possible when v stands at that end.
func (lb *levelBuilder) follows(o Order, v value.Value, ahead bool) (Expr, bool) {
	nullsBeyond := o.nullsFirst != ahead // nulls are at the end we walk to
	if v.Null() {
		return predicate(Not, predicate(IsNull, o.expr)), !nullsBeyond
	}
	op := Gt
	if o.descending == ahead {
		op = Lt
	}
	e := predicate(op, o.expr, literal(v))
	if nullsBeyond && lb.nullable(o.expr) {
		e = anyOf([]Expr{e, predicate(IsNull, o.expr)})
	}
	return e, true
}

// nullable tells whether an order term can be null: its column can, or the
// relation that leads to it.
func (lb *levelBuilder) nullable(e Expr) bool {
	if e.op != Column || e.ref != 0 {
		return true
	}
	return lb.uses[0].dataset.Column(e.name).Nullable
}

// selectPage plans the fields of a connection.
func (lb *levelBuilder) selectPage(vis *catalog.Visible, page *Page, f query.Field) ([]Output, error) {
	typ := vis.Dataset.Type + "Connection"
	var out []Output
	for _, field := range f.Fields {
		o := Output{key: field.Key}
		var err error
		switch field.Name {
		case "__typename":
			o.kind, o.text = OutTypename, typ
		case "nodes":
			o.kind = OutNodes
			o.fields, err = lb.selectRows(vis, 0, field.Fields)
		case "edges":
			o.kind = OutEdges
			o.fields, err = lb.selectEdge(vis, field)
		case "pageInfo":
			o.kind = OutPageInfo
			for _, info := range field.Fields {
				o.fields = append(o.fields, Output{key: info.Key, kind: OutTypename, text: info.Name})
			}
		case "totalCount":
			o.kind = OutTotal
			page.total = &Level{}
		default:
			return nil, unknownField(typ, field.Name)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

func (lb *levelBuilder) selectEdge(vis *catalog.Visible, f query.Field) ([]Output, error) {
	typ := vis.Dataset.Type + "Edge"
	var out []Output
	for _, field := range f.Fields {
		o := Output{key: field.Key}
		var err error
		switch field.Name {
		case "__typename":
			o.kind, o.text = OutTypename, typ
		case "cursor":
			o.kind = OutCursor
		case "node":
			o.kind, o.index = OutObject, -1
			o.fields, err = lb.selectRows(vis, 0, field.Fields)
		default:
			return nil, unknownField(typ, field.Name)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, nil
}

// count plans how many rows the whole connection has: of the roles that show
// together what its rows are asked for.
func (b *builder) count(vis *catalog.Visible, args arguments, asked []string) (Level, error) {
	lb, err := b.start(vis, nil)
	if err != nil {
		return Level{}, err
	}
	if err := lb.withDeleted(vis, args); err != nil {
		return Level{}, err
	}
	if err := lb.filter(vis.Dataset, args); err != nil {
		return Level{}, err
	}
	for _, name := range asked {
		if !slices.Contains(lb.uses[0].asked, name) {
			lb.uses[0].asked = append(lb.uses[0].asked, name)
		}
	}
	g := &groupBuilder{levelBuilder: lb, vis: vis}
	level, err := func() (Level, error) {
		lb.l.output = []Output{g.returned("totalCount", Expr{op: CountRows, typ: bigInt})}
		return lb.seal() // not yet marked as grouped: counting one's own list needs no right to aggregate
	}()
	level.grouped, level.limit = true, 1
	return level, err
}
