package writing

import (
	"context"
	"errors"
	"slices"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
	"usher/value"
)

// answered reads the rows as they are asked for.
func (w *calling) answered(ctx context.Context) (sqlexec.Changed, error) {
	out := sqlexec.Changed{Affected: w.count}
	for i := range w.change.Answers() {
		q := w.change.Answer(i)
		bring := func(ctx context.Context, l plan.Level, keys [][]value.Value) (plan.Level, error) {
			return w.rows.Bring(ctx, q, l, keys, nil)
		}
		r, err := sqlexec.Run{Session: w.rows.Session(), Dialect: sqlgen.DuckDB, Before: bring}.Keyed(ctx, q, w.keys, w.count)
		if err != nil {
			return out, err
		}
		out.Results = append(out.Results, r)
	}
	return out, w.current()
}

// current refuses what was read of replies that stand in for failures.
func (w *calling) current() error {
	if !w.rows.Stale() {
		return nil
	}
	return fault.New(fault.Unavailable, "the API of %s does not answer", w.change.Dataset())
}

// references asks for the rows that will be led to.
func (w *calling) references(ctx context.Context) error {
	for i := range w.change.References() {
		r := w.change.Reference(i)
		keys := make([][]value.Value, r.Level().Links())
		for link := range keys {
			for n := range r.Tuples() {
				keys[link] = append(keys[link], r.Value(link, n))
			}
		}
		there, err := w.named(ctx, r.Level(), keys, r.Tuples(), nil, nil)
		if err != nil {
			return err
		}
		if n := slices.Index(there, false); n >= 0 {
			return r.Refusal(n)
		}
	}
	return nil
}

// choose finds the rows to be changed.
func (w *calling) choose(ctx context.Context) error {
	l := w.change.Chosen()
	here, err := w.rows.Bring(ctx, w.change.Asked(l), l, nil, nil)
	if err != nil {
		return err
	}
	statement, err := sqlgen.Render(here, sqlgen.DuckDB)
	if err != nil {
		return err
	}
	rows, err := w.rows.Session().Query(ctx, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return err
	}
	w.keys = make([][]value.Value, w.change.Keys())
	sets := w.change.Kind().Updates()
	if sets {
		w.was = make(map[string][]string)
	}
	for rows.Next() {
		for k := range w.keys {
			w.keys[k] = append(w.keys[k], value.Bound(l.Column(k).Type(), rows.Cell(k)))
		}
		if sets {
			was, err := w.over(func(set int) (value.Cell, bool) {
				at := w.change.Was(set)
				if at < 0 {
					return value.Cell{}, false
				}
				return rows.Cell(at), true
			})
			if err != nil {
				return errors.Join(err, rows.Close())
			}
			w.was[textOfKey(w.keys, w.count)] = was
		}
		w.count++
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	switch {
	case w.count > mostCalls:
		return tooManyCalls(w.change)
	case w.change.Kind().One() && w.count > 1:
		return sqlexec.SeveralRows(w.change.Dataset())
	}
	return w.current()
}

// held finds for each grant which rows it lets be changed; nil where one lets all.
func (w *calling) held(ctx context.Context) ([][]bool, error) {
	by := make([][]bool, w.change.Helds())
	for i := range by {
		var err error
		if by[i], err = w.named(ctx, w.change.Held(i), w.keys, w.count, nil, nil); err != nil {
			return nil, err
		}
	}
	return by, nil
}

// kept refuses to delete rows that others refer to.
func (w *calling) kept(ctx context.Context) error {
	for i := range w.change.Keepers() {
		k := w.change.Keeper(i)
		keys := make([][]value.Value, k.Level().Links())
		for link := range keys {
			keys[link] = w.keys[k.Level().Link(link).Cell()]
		}
		there, err := w.named(ctx, k.Level(), keys, w.count, nil, nil)
		if err != nil {
			return err
		}
		if slices.Contains(there, true) {
			return k.Refusal()
		}
	}
	return nil
}

// check asks whether rows are right in one of the ways, and of several grants in that of
// one that let the row be changed.
func (w *calling) check(ctx context.Context, by [][]bool, ahead Ahead) error {
	right := make([]bool, w.count)
	var first error
	for i := range w.change.Checks() {
		check := w.change.Check(i)
		refers := make([]error, w.count)
		there, err := w.named(ctx, check.Level(), w.keys, w.count, ahead, func(n int, row value.Rows) {
			for cell := range check.Level().Columns() {
				if !row.Cell(cell + 1).Bool {
					refers[n] = check.Refusal(cell)
					break
				}
			}
		})
		if err != nil {
			return err
		}
		for n := range right {
			switch {
			case !there[n] || len(by) > 0 && !by[i][n]:
			case refers[n] != nil:
				return &rowError{n, refers[n]}
			default:
				right[n] = true
			}
		}
		if first == nil {
			first = check.Outside()
		}
	}
	n := slices.Index(right, false)
	if n < 0 {
		return nil
	}
	if ahead == nil { // they were written
		there, err := w.named(ctx, w.change.There(), w.keys, w.count, nil, nil)
		if err != nil {
			return err
		}
		for row, is := range there {
			if !is {
				w.absent = append(w.absent, row)
			}
		}
		if len(w.absent) > 0 {
			return &rowError{w.absent[0], w.writer.Absent()}
		}
	}
	return &rowError{n, first}
}

// rowError is what is wrong with one of the rows of a change.
type rowError struct {
	row int
	err error
}

// Error implements error.
func (e *rowError) Error() string { return e.err.Error() }

// Unwrap returns what is wrong.
func (e *rowError) Unwrap() error { return e.err }

// named asks for the rows of a level that have keys, and returns which of them there are. What cannot be read once a call
// was made is what nobody knows.
func (w *calling) named(ctx context.Context, l plan.Level, keys [][]value.Value, count int, ahead Ahead, cell func(n int, row value.Rows)) ([]bool, error) {
	there, err := w.found(ctx, l, keys, count, ahead, cell)
	if err != nil && w.called {
		err = w.writer.Unread(err)
	}
	return there, err
}

func (w *calling) found(ctx context.Context, l plan.Level, keys [][]value.Value, count int, ahead Ahead, cell func(n int, row value.Rows)) ([]bool, error) {
	here, err := w.rows.Bring(ctx, w.change.Asked(l), l, keys, ahead)
	if err != nil {
		return nil, err
	}
	statement, err := sqlgen.Keyed(here, sqlgen.DuckDB)
	if err != nil {
		return nil, err
	}
	args := make([]string, 0, len(keys)+statement.Args.Len())
	for _, list := range keys {
		args = append(args, sqlgen.DuckDB.KeyList(value.Values(list)))
	}
	rows, err := w.rows.Session().Query(ctx, statement.Text, append(args, statement.Args.Bind(nil)...))
	if err != nil {
		return nil, err
	}
	there := make([]bool, count)
	for rows.Next() {
		n := int(rows.Cell(0).Int) - 1
		if n < 0 || n >= count || there[n] {
			_ = rows.Close()
			return nil, sqlexec.SeveralRows(w.change.Dataset())
		}
		there[n] = true
		if cell != nil {
			cell(n, rows)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	return there, w.current()
}
