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
	rows, places, err := cb.given()
	if err != nil {
		return err
	}
	cb.c.given, cb.c.places = len(rows), places
	cells, columns, err := cb.cells(rows, places)
	if err != nil {
		return err
	}
	if err := cb.nestedInserts(cells); err != nil {
		return err
	}
	if err := cb.covered(); err != nil {
		return err
	}
	stamps, same, err := cb.stamps()
	if err != nil {
		return err
	}
	cb.wrote(stamps)
	at, p := make(map[string]int), cb.problems()
	for n := range rows {
		names := namesOf(columns[n])
		i, ok := at[names]
		if !ok {
			i, at[names] = len(cb.c.inserts), len(cb.c.inserts)
			p.ok("", cb.needed(columns[n], stamps, places[n]))
			if len(stamps)+len(columns[n]) == 0 {
				p.ok("", fault.New(fault.BadUserInput, "a row names a column at least"))
			}
			cb.c.inserts = append(cb.c.inserts, cb.statement(stamps, same, columns[n]))
		}
		p.ok("", cb.ownedBy(cells[n], stamps, same, places[n]))
		into := &cb.c.inserts[i]
		into.rows = append(into.rows, n)
		for c, col := range columns[n] {
			into.values[len(stamps)+c] = append(into.values[len(stamps)+c], cells[n][col])
		}
	}
	if err := p.err(); err != nil {
		return err
	}
	err = cb.refer(places, func(row int, col *catalog.Column) (Given, bool) {
		if g, ok := cells[row][col]; ok {
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

// cells reads the rows: what is given to each column, and to which, in their declared order.
func (cb *changeBuilder) cells(rows []query.Object, places []string) ([]map[*catalog.Column]Given, [][]*catalog.Column, error) {
	cells, columns := make([]map[*catalog.Column]Given, len(rows)), make([][]*catalog.Column, len(rows))
	p := cb.problems()
	once := func(n int, col *catalog.Column, g Given) error {
		if _, twice := cells[n][col]; twice {
			f := fault.New(fault.BadUserInput, "%s is given twice", col.Name)
			f.At = places[n] + "." + col.Name
			return f
		}
		columns[n], cells[n][col] = append(columns[n], col), g
		return nil
	}
	for n, row := range rows {
		cells[n] = make(map[*catalog.Column]Given, len(row))
		for _, m := range row {
			if rel := cb.relation(m.Name); rel != nil {
				given, err := cb.nest(rel, m.Value, places[n], n)
				p.ok("", err)
				for col, g := range given {
					p.ok("", once(n, col, g))
				}
				continue
			}
			col, given, err := cb.member(m, places[n])
			if p.ok("", err) {
				p.ok("", once(n, col, given))
			}
		}
		if cb.placed != nil && cb.placed.given != nil {
			for col, g := range cb.placed.given[n] {
				var err error
				if cb.settable(col.Name) == nil {
					err = fault.New(fault.Forbidden, "no role of yours links rows of %s", cb.vis.Dataset.Name)
				}
				if p.ok("", err) {
					p.ok("", once(n, col, g))
				}
			}
		}
		slices.SortFunc(columns[n], func(a, b *catalog.Column) int {
			return slices.Index(cb.vis.Dataset.Columns, a) - slices.Index(cb.vis.Dataset.Columns, b)
		})
		for _, col := range columns[n] {
			if !slices.Contains(cb.asked, col) {
				cb.asked = append(cb.asked, col)
			}
		}
	}
	cb.wrote(cb.asked)
	return cells, columns, p.err()
}

// statement is one that inserts rows of which these columns are given.
func (cb *changeBuilder) statement(stamps []*catalog.Column, same []Given, columns []*catalog.Column) Insert {
	into := Insert{table: cb.c.table, stamps: len(stamps)}
	for _, key := range cb.vis.Dataset.Key {
		into.keys = append(into.keys, cb.stored(key))
	}
	for i, col := range slices.Concat(stamps, columns) {
		into.columns, into.values = append(into.columns, cb.stored(col)), append(into.values, nil)
		if i < len(stamps) {
			into.values[i] = []Given{same[i]}
		}
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

// given are the rows to insert, and where each of them stands.
func (cb *changeBuilder) given() (rows []query.Object, places []string, err error) {
	if cb.placed != nil {
		return cb.placed.rows, cb.placed.places, nil
	}
	if cb.c.kind == query.InsertOne {
		row, ok, err := cb.args.object("row")
		if err == nil && !ok {
			err = fault.New(fault.BadUserInput, "row is missing")
		}
		return []query.Object{row}, []string{cb.c.key + ".row"}, err
	}
	list, err := cb.args.list("rows")
	if err != nil {
		return nil, nil, err
	}
	switch {
	case len(list) == 0:
		return nil, nil, fault.New(fault.BadUserInput, "rows is empty")
	case len(list) > maxGiven:
		return nil, nil, fault.New(fault.TooComplex, "rows has %d rows; at most %d are allowed", len(list), maxGiven)
	}
	for i, item := range list {
		row, ok := item.(query.Object)
		if !ok {
			return nil, nil, fault.New(fault.BadUserInput, "each of rows is an object")
		}
		rows, places = append(rows, row), append(places, fmt.Sprintf("%s.rows.%d", cb.c.key, i))
	}
	return rows, places, nil
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
	given, err := givenOf(preset.Column.Type, v)
	if err != nil {
		return Given{}, fault.New(fault.Forbidden, "what is written to %s has no value that fits", cb.vis.Dataset.Name).Because(fmt.Errorf("preset of %s: %w", preset.Column.Name, err))
	}
	return given, nil
}

// instant is the moment of the operation as a value of a column.
func (cb *changeBuilder) instant(col *catalog.Column) (value.Value, error) {
	at := cb.now.UTC().Truncate(time.Microsecond)
	switch col.Type.Scalar { //nolint:exhaustive // other types have no moment
	case value.Date:
		return value.Parse(col.Type, at.Format(time.DateOnly))
	case value.LocalTimestamp:
		return value.Parse(col.Type, at.Format("2006-01-02T15:04:05.999999"))
	}
	return value.Parse(col.Type, at.Format(time.RFC3339Nano))
}

// member reads one member of a row, or of what is set.
func (cb *changeBuilder) member(m query.Member, place string) (*catalog.Column, Given, error) {
	col := cb.settable(m.Name)
	if col == nil {
		f := fault.New(fault.BadUserInput, "%s of %s cannot be written", m.Name, cb.vis.Dataset.Name)
		f.At = place + "." + m.Name
		return nil, Given{}, f
	}
	given, err := givenOf(col.Type, m.Value)
	if err == nil && given.Null() && !given.list && (!col.Nullable || !cb.stored(col).Null) {
		err = errors.New("it is never null")
	}
	if err != nil {
		f := fault.New(fault.BadUserInput, "%s: %v", m.Name, err)
		f.At = place + "." + m.Name
		return nil, Given{}, f
	}
	return col, given, nil
}

// givenOf reads a value for a column.
func givenOf(t value.Type, v query.Value) (Given, error) {
	if _, null := v.(query.Null); null || v == nil {
		return Given{}, nil
	}
	if !t.List {
		one, err := fitting(t, v)
		return Given{value: one}, err
	}
	list, ok := v.(query.List)
	if !ok {
		list = query.List{v}
	}
	if len(list) > maxItems {
		return Given{}, fmt.Errorf("a list of %d values is too long; at most %d are allowed", len(list), maxItems)
	}
	given := Given{list: true}
	for _, item := range list {
		if _, null := item.(query.Null); null {
			given.items = append(given.items, value.Value{})
			continue
		}
		one, err := fitting(t.Elem(), item)
		if err != nil {
			return Given{}, err
		}
		given.items = append(given.items, one)
	}
	return given, nil
}

// fitting reads a value that is kept as it is: a decimal is not rounded.
func fitting(t value.Type, v query.Value) (value.Value, error) {
	out, err := typed(t, v)
	if err != nil {
		return out, err
	}
	return out, fits(t, out)
}

// fits refuses a decimal that would be rounded.
func fits(t value.Type, v value.Value) error {
	if t.Scalar == value.Decimal && t.Scale != value.Unscaled {
		whole, fraction := value.DecimalShape(v.Text())
		if fraction > max(t.Scale, 0) || t.Precision > 0 && whole > max(t.Precision-t.Scale, 1) {
			return fmt.Errorf("the number has more digits than are kept: %d in all, %d of them after the point", t.Precision, t.Scale)
		}
	}
	return nil
}

// needed refuses a row without a column that has to be given.
func (cb *changeBuilder) needed(columns, stamps []*catalog.Column, place string) error {
	for _, col := range cb.vis.Dataset.Columns {
		if !cb.required(col) || slices.Contains(columns, col) || slices.Contains(stamps, col) {
			continue
		}
		if cb.settable(col.Name) == nil {
			return fault.New(fault.Forbidden, "rows of %s need what you may not write", cb.vis.Dataset.Name)
		}
		f := fault.New(fault.BadUserInput, "%s is missing", col.Name)
		f.At = place + "." + col.Name
		return f
	}
	return nil
}
