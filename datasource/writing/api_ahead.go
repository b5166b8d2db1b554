package writing

import (
	"context"
	"fmt"

	"usher/datasource/upstream"
	"usher/fault"
	"usher/plan"
	"usher/value"
)

// overlaid are rows with what is about to be written into them.
func (w *calling) overlaid(ref plan.Ref, there func() (value.Rows, error)) (value.Rows, error) {
	rows, err := there()
	if err != nil {
		return nil, err
	}
	out := &overlay{Rows: rows, cells: make(map[int]value.Cell)}
	for i := range ref.Fields() {
		for n := range w.change.Update().Sets() {
			if set := w.change.Update().Set(n); set.Column().Name == ref.Field(i).Name {
				cell, err := upstream.Cell(set.Column().Type, set.Value())
				if err != nil {
					return nil, fault.Broken("a value of %s: %w", set.Column().Name, err)
				}
				out.cells[i] = cell
			}
		}
	}
	return out, nil
}

type overlay struct {
	value.Rows
	cells map[int]value.Cell
}

// Cell implements value.Rows.
func (o *overlay) Cell(i int) value.Cell {
	if c, ok := o.cells[i]; ok {
		return c
	}
	return o.Rows.Cell(i)
}

// foresee checks rows before they are made, if all that decides on them is given: what
// the API fills in itself only it knows.
func (w *calling) foresee(ctx context.Context) error {
	if err := w.nameable(); err != nil {
		return err
	}
	keys, given := w.givenKeys()
	if !given {
		return nil
	}
	seen := make(map[string]bool)
	for n := range w.change.Given() {
		if key := textOfKey(keys, n); seen[key] {
			f := fault.New(fault.BadUserInput, "two rows have the same key")
			f.At = fmt.Sprintf("%s.rows.%d", w.change.Key(), n)
			return &rowError{n, f}
		}
		seen[textOfKey(keys, n)] = true
	}
	for i := range w.change.Checks() {
		ref := w.change.Check(i).Level().Ref(0)
		for n := range w.change.Inserts() {
			for f := range ref.Fields() {
				if ref.Field(f).Of > 0 || columnOf(w.change.Insert(n), ref.Field(f).Name) < 0 {
					return nil
				}
			}
		}
	}
	w.keys, w.count = keys, w.change.Given()
	return w.check(ctx, nil, w.intended)
}

// nameable refuses rows that could be made and never be changed: no call could name them.
func (w *calling) nameable() error {
	bad := w.change.Given() // the first row of which that is known
	var refused *fault.Error
	for i := range w.change.Inserts() {
		into := w.change.Insert(i)
		for n := range into.Rows() {
			key, _ := upstream.GivenKey(w.change, into, n)
			if k := upstream.Unnameable(key); k >= 0 && into.Row(n) < bad {
				bad, refused = into.Row(n), upstream.Unnamed(w.change.KeyName(k))
				refused.At = w.change.PlaceOf(bad, w.change.KeyName(k))
			}
		}
	}
	if refused == nil {
		return nil
	}
	return &rowError{bad, refused}
}

// givenKeys are the keys of the rows to be inserted, if they are given.
func (w *calling) givenKeys() ([][]value.Value, bool) {
	keys := make([][]value.Value, w.change.Keys())
	for k := range keys {
		keys[k] = make([]value.Value, w.change.Given())
	}
	for i := range w.change.Inserts() {
		into := w.change.Insert(i)
		for n := range into.Rows() {
			key, known := upstream.GivenKey(w.change, into, n)
			if !known {
				return nil, false
			}
			for k := range keys {
				keys[k][into.Row(n)] = key[k]
			}
		}
	}
	return keys, true
}

func columnOf(into plan.Insert, name string) int {
	for i := range into.Columns() {
		if into.Column(i).Name == name {
			return i
		}
	}
	return -1
}

// intended are the rows to be inserted, as a reference has them.
func (w *calling) intended(ref plan.Ref, _ func() (value.Rows, error)) (value.Rows, error) {
	buffer := value.NewBuffer(ref.Fields())
	for i := range w.change.Inserts() {
		into := w.change.Insert(i)
		for n := range into.Rows() {
			for f := range ref.Fields() {
				column := columnOf(into, ref.Field(f).Name)
				cell, err := upstream.Cell(into.Column(column).Type, into.Value(column, n))
				if err != nil {
					return nil, fault.Broken("a value of %s: %w", into.Column(column).Name, err)
				}
				buffer.Append(cell)
			}
		}
	}
	return value.RowsOf(buffer), nil
}
