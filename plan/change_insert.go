package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/query"
	"usher/value"
)

// insert plans rows that are made. Rows of which the same columns are given are one
// statement.
func (cb *changeBuilder) insert() error {
	rows, places, err := cb.toInsert()
	if err != nil {
		return err
	}
	cb.c.given, cb.c.places = len(rows), places
	cells, err := cb.cells(rows, places)
	if err != nil {
		return err
	}
	if err := cb.nestedInserts(cells); err != nil {
		return err
	}
	if err := cb.covered(func() []*catalog.Column { return cb.lackingIn(cells) }); err != nil {
		return err
	}
	stamps, same, err := cb.stamps()
	if err != nil {
		return err
	}
	cb.wrote(stamps)
	p := cb.problems()
	for n, row := range cells {
		if row.n == 0 { // the first of its form
			p.ok("", cb.needed(row.columns, stamps, places.at(n)))
			if len(stamps)+len(row.columns) == 0 {
				p.ok("", fault.New(fault.BadUserInput, "a row names a column at least"))
			}
			cb.c.inserts = append(cb.c.inserts, cb.statement(stamps, same, row.form))
		}
		p.ok("", cb.ownedBy(row, stamps, same, places.at(n)))
	}
	if err := p.err(); err != nil {
		return err
	}
	err = cb.refer(len(rows), places, func(row int, col *catalog.Column) (Given, bool) {
		if g, ok := cells[row].at(col); ok {
			return g, true
		}
		if i := slices.Index(stamps, col); i >= 0 {
			return same[i], true
		}
		return Given{}, false
	})
	if err != nil {
		return err
	}
	if err := cb.upsert(cells, stamps, same); err != nil {
		return err
	}
	return cb.checked()
}

// form is the columns that rows give something to, in their declared order, and what each of these
// rows gives. Rows that name the same have one form.
type form struct {
	columns []*catalog.Column
	values  []givens // by column
	rows    []int    // their numbers among all
}

// row is one row that is inserted.
type row struct {
	*form
	n int // among those of its form
}

// at is what is given to a column, if anything is.
func (r row) at(col *catalog.Column) (Given, bool) {
	if i := slices.Index(r.columns, col); i >= 0 {
		return r.values[i].at(r.n), true
	}
	return Given{}, false
}

// cells reads the rows. One that names the same columns as the row before, in the same order, is
// read as that one was.
func (cb *changeBuilder) cells(rows []query.Object, places *inputRows) ([]row, error) {
	cells, forms := make([]row, len(rows)), make(map[string]*form)
	p := cb.problems()
	var of *form
	var like []*catalog.Column // of the members of the row before; nil: they are to be found
	var order []int            // their places in its form
	for n, members := range rows {
		if n == 0 || like == nil || !sameNames(members, rows[n-1]) {
			var columns []*catalog.Column
			var given []Given
			columns, given, like = cb.row(members, places.at(n), n, p)
			of, order = formOf(columns, cb.vis.Dataset.Columns, forms, len(rows))
			for i, g := range given {
				of.values[order[i]].add(g)
			}
			for _, col := range of.columns {
				if !slices.Contains(cb.asked, col) {
					cb.asked = append(cb.asked, col)
				}
			}
		} else {
			for i, m := range members {
				p.ok("", of.values[order[i]].read(cb, like[i], m.Value, places.at(n)))
			}
		}
		cells[n] = row{of, len(of.rows)}
		of.rows = append(of.rows, n)
	}
	cb.wrote(cb.asked)
	return cells, p.err()
}

// row reads one row by the names of its members. Like is the column of each, unless some are
// something else than columns.
func (cb *changeBuilder) row(members query.Object, place inputAt, n int, p *problems) (columns []*catalog.Column, values []Given, like []*catalog.Column) {
	put := func(col *catalog.Column, g Given) {
		if slices.Contains(columns, col) {
			f := fault.New(fault.BadUserInput, "%s is given twice", col.Name)
			if f.At = place.member(col.Name); member(members, col.Name) != nil {
				f.At = place.String() + "." + col.Name
			}
			p.ok("", f)
			return
		}
		columns, values = append(columns, col), append(values, g)
	}
	related := cb.placed != nil && cb.placed.given != nil
	for _, m := range members {
		if rel := cb.relation(m.Name); rel != nil {
			related = true
			given, err := cb.nest(rel, m.Value, place, n)
			p.ok("", err)
			for col, g := range given {
				put(col, g)
			}
			continue
		}
		col, given, err := cb.member(m, place)
		if p.ok("", err) {
			put(col, given)
		}
	}
	if cb.placed != nil && cb.placed.given != nil {
		for col, g := range cb.placed.given[n] {
			var err error
			if cb.settable(col.Name) == nil {
				err = fault.New(fault.Forbidden, "no role of yours links rows of %s", cb.vis.Dataset.Name)
			}
			if p.ok("", err) {
				put(col, g)
			}
		}
	}
	if !related && len(columns) == len(members) {
		like = columns
	}
	return columns, values, like
}

// formOf finds the form of columns, and the place that each has in it: they are in the order in which
// they are declared. The first, which is mostly the only one, has room for all rows.
func formOf(columns, declared []*catalog.Column, forms map[string]*form, rows int) (of *form, order []int) {
	of = &form{columns: slices.Clone(columns)}
	slices.SortFunc(of.columns, func(a, b *catalog.Column) int { return slices.Index(declared, a) - slices.Index(declared, b) })
	names := namesOf(of.columns)
	if known := forms[names]; known != nil {
		of = known
	} else {
		room := 0
		if len(forms) == 0 {
			room = rows
		}
		forms[names] = of
		of.values, of.rows = make([]givens, len(of.columns)), make([]int, 0, room)
		for i, col := range of.columns {
			of.values[i] = givensOf(col.Type, room)
		}
	}
	order = make([]int, len(columns))
	for i, col := range columns {
		order[i] = slices.Index(of.columns, col)
	}
	return of, order
}

// sameNames tells rows that name the same in the same order.
func sameNames(a, b query.Object) bool {
	return slices.EqualFunc(a, b, func(m, o query.Member) bool { return m.Name == o.Name })
}

// statement is one that inserts rows of a form.
func (cb *changeBuilder) statement(stamps []*catalog.Column, same []Given, rows *form) Insert {
	into := Insert{table: cb.c.table, stamps: len(stamps), rows: rows.rows}
	for _, key := range cb.vis.Dataset.Key {
		into.keys = append(into.keys, cb.stored(key))
	}
	for i, col := range stamps {
		into.columns, into.values = append(into.columns, cb.stored(col)), append(into.values, oneGiven(same[i]))
	}
	for i, col := range rows.columns {
		into.columns, into.values = append(into.columns, cb.stored(col)), append(into.values, rows.values[i])
	}
	return into
}

// wrote notes columns to which something is written.
func (cb *changeBuilder) wrote(columns []*catalog.Column) {
	for _, col := range columns {
		if !slices.Contains(cb.written, col) {
			cb.written = append(cb.written, col)
		}
	}
}

func namesOf(columns []*catalog.Column) string {
	var b strings.Builder
	for _, col := range columns {
		b.WriteString(col.Name)
		b.WriteByte(0)
	}
	return b.String()
}

// toInsert are the rows to insert, and where each of them stands.
func (cb *changeBuilder) toInsert() (rows []query.Object, places *inputRows, err error) {
	if cb.placed != nil {
		places = &inputRows{each: cb.placed.places}
		if cb.placed.given != nil {
			for col := range cb.placed.given[0] {
				places.filled = append(places.filled, col.Name)
			}
		}
		return cb.placed.rows, places, nil
	}
	if cb.c.kind == query.InsertOne {
		row, ok, err := cb.args.condition("row")
		if err == nil && !ok {
			err = fault.New(fault.BadUserInput, "row is missing")
		}
		return []query.Object{row}, &inputRows{each: []string{cb.c.key + ".row"}}, err
	}
	list, err := cb.args.list("rows")
	if err != nil {
		return nil, places, err
	}
	switch {
	case len(list) == 0:
		return nil, places, fault.New(fault.BadUserInput, "rows is empty")
	case len(list) > maxGiven:
		return nil, places, fault.New(fault.TooComplex, "rows has %d rows; at most %d are allowed", len(list), maxGiven)
	}
	rows = make([]query.Object, 0, len(list))
	for _, item := range list {
		row, ok := item.(query.Object)
		if !ok {
			return nil, places, fault.New(fault.BadUserInput, "each of rows is an object")
		}
		rows = append(rows, row)
	}
	return rows, &inputRows{list: cb.c.key + ".rows"}, nil
}

// stamps are the columns that usher writes into every row: the tenant's, and presets.
func (cb *changeBuilder) stamps() (columns []*catalog.Column, same []Given, err error) {
	d := cb.vis.Dataset
	if name := cb.c.table.tenant; name != "" {
		columns, same = append(columns, d.Tenant), append(same, Given{value: cb.stampOf()})
	}
	presets, err := cb.presets(slices.Concat(d.Writes.InsertPresets, cb.grants[0].presets()))
	if err != nil {
		return nil, nil, err
	}
	for _, preset := range presets {
		if i := slices.Index(columns, preset.column); i >= 0 { // a role's counts
			if i > 0 || cb.c.table.tenant == "" { // the tenant is nobody's to choose
				same[i] = preset.value
			}
			continue
		}
		columns, same = append(columns, preset.column), append(same, preset.value)
	}
	if v := d.Writes.Version; v != nil && !slices.Contains(columns, v) {
		one, err := typed(v.Type, query.Number("1"))
		if err != nil {
			return nil, nil, err
		}
		columns, same = append(columns, v), append(same, Given{value: one})
	}
	return columns, same, nil
}

// stamped is a column and what usher writes to it.
type stamped struct {
	column *catalog.Column
	value  Given
}

// presets are the values of presets. One that the principal has no value for refuses.
func (cb *changeBuilder) presets(list []catalog.Preset) ([]stamped, error) {
	var out []stamped
	for _, preset := range list {
		given, err := cb.preset(preset)
		if err != nil {
			return nil, err
		}
		out = append(out, stamped{preset.Column, given})
	}
	return out, nil
}

func (cb *changeBuilder) preset(preset catalog.Preset) (Given, error) {
	if preset.Value == catalog.Now {
		v, err := cb.instant(preset.Column)
		return Given{value: v}, err
	}
	v, err := cb.table.operand(whereAt{variables: true}, preset.Value)
	if err != nil {
		return Given{}, err
	}
	given, err := givenOf(preset.Column.Type, cb.kept(preset.Column), v)
	if err != nil {
		return Given{}, fault.New(fault.Forbidden, "what is written to %s has no value that fits", cb.vis.Dataset.Name).Because(fmt.Errorf("preset of %s: %w", preset.Column.Name, err))
	}
	return given, nil
}

// instant is the moment of the operation as a value of a column, with as many digits of a second as it keeps.
func (cb *changeBuilder) instant(col *catalog.Column) (value.Value, error) {
	layout := "2006-01-02T15:04:05"
	if digits := cb.kept(col).Seconds(); digits > 0 {
		layout += "." + strings.Repeat("9", digits)
	}
	switch col.Type.Scalar { //nolint:exhaustive // other types have no moment
	case value.Date:
		layout = time.DateOnly
	case value.Timestamp:
		layout += "Z07:00"
	}
	return cb.exactly(col.Type, layout)
}

// member reads one member of a row, or of what is set.
func (cb *changeBuilder) member(m query.Member, place inputAt) (*catalog.Column, Given, error) {
	col := cb.settable(m.Name)
	if col == nil {
		f := fault.New(fault.BadUserInput, "%s of %s cannot be written", m.Name, cb.vis.Dataset.Name)
		f.At = place.member(m.Name)
		return nil, Given{}, f
	}
	given, err := cb.given(col, m.Value, place)
	return col, given, err
}

// given reads what a row at a place gives to a column.
func (cb *changeBuilder) given(col *catalog.Column, v query.Value, place inputAt) (Given, error) {
	var given Given
	var err error
	switch first := query.FirstTerm(v); {
	case first == nil || !spelled(col.Type):
		given, err = givenOf(col.Type, cb.kept(col), v)
	case col.Type.Scalar == value.JSON && !col.Type.List:
		given.value, err = jsonGiven(col.Type, v, first, place.member(col.Name))
	default: // statements are written by such values
		return Given{}, ErrEach
	}
	if err == nil && given.Null() && !given.list && (!col.Nullable || !cb.stored(col).Null) {
		err = errors.New("it is never null")
	}
	if err != nil {
		return Given{}, notGiven(err, col, place)
	}
	return given, nil
}

// kept is what a column keeps of its values.
func (cb *changeBuilder) kept(col *catalog.Column) value.Kept {
	stored := cb.table.uses[0].binding.Columns[col.Name]
	return value.Kept{Form: stored.Form, Native: stored.Native}
}

// givenOf reads a value for a column.
func givenOf(t value.Type, kept value.Kept, v query.Value) (Given, error) {
	if _, null := v.(query.Null); null || v == nil {
		return Given{}, nil
	}
	if !t.List {
		one, err := fitting(t, kept, v)
		return Given{value: one}, err
	}
	if later, ok := v.(query.SlotList); ok {
		all, err := listGiven(t.Elem(), kept, later)
		return Given{list: true, value: all}, err
	}
	list, ok := v.(query.List)
	if !ok {
		list = query.List{v}
	}
	if len(list) > maxItems {
		return Given{}, tooLong(len(list))
	}
	given := Given{list: true}
	for _, item := range list {
		if _, null := item.(query.Null); null {
			given.items = append(given.items, value.Value{})
			continue
		}
		one, err := fitting(t.Elem(), kept, item)
		if err != nil {
			return Given{}, err
		}
		given.items = append(given.items, one)
	}
	return given, value.CheckJSONList(t, given.items)
}

// fitting reads a value that is kept as it is: a decimal and a time are not rounded, and a float no more than floats are.
func fitting(t value.Type, kept value.Kept, v query.Value) (value.Value, error) {
	out, err := typed(t, v)
	if err != nil {
		return out, err
	}
	if t.Scalar != value.Decimal {
		return kept.Keeps(out)
	}
	if _, later := out.Term(); !later {
		return out, fits(t, out.Text())
	}
	return out.As(t, fmt.Sprintf("kept as decimal(%d,%d)", t.Precision, t.Scale), func(text string) (string, error) { return text, fits(t, text) })
}

// fits refuses a decimal that would be rounded.
func fits(t value.Type, text string) error {
	if t.Scalar != value.Decimal || t.Scale == value.Unscaled {
		return nil
	}
	whole, fraction := value.DecimalShape(text)
	if fraction > max(t.Scale, 0) || t.Precision > 0 && whole > max(t.Precision-t.Scale, 1) {
		return fmt.Errorf("the number has more digits than are kept: %d in all, %d of them after the point", t.Precision, t.Scale)
	}
	return nil
}

// needed refuses a row without a column that has to be given.
func (cb *changeBuilder) needed(columns, stamps []*catalog.Column, place inputAt) error {
	for _, col := range cb.vis.Dataset.Columns {
		if !cb.required(col) || slices.Contains(columns, col) || slices.Contains(stamps, col) {
			continue
		}
		if cb.settable(col.Name) == nil {
			return fault.New(fault.Forbidden, "rows of %s need what you may not write", cb.vis.Dataset.Name)
		}
		f := fault.New(fault.BadUserInput, "%s is missing", col.Name)
		f.At = place.member(col.Name)
		return f
	}
	return nil
}
