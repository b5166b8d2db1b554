package writing

import (
	"context"
	"errors"

	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/value"
)

// An API that says it has done something is not taken at its word: it is looked what is there afterwards.

// over are values of the columns that an update writes over, as JSON, by set; empty where the API does not show one.
func (w *calling) over(cell func(set int) (_ value.Cell, shown bool)) ([]string, error) {
	out := make([]string, w.change.Update().Sets())
	for i := range out {
		c, shown := cell(i)
		if !shown {
			continue
		}
		text, err := value.AppendJSON(nil, w.change.Update().Set(i).Column().Type, c, value.Style{})
		if err != nil {
			return nil, fault.From(err)
		}
		out[i] = string(text)
	}
	return out, nil
}

// taken looks whether what was written into rows is there: an API that takes a call and does nothing says so too. One that
// keeps something else than it was sent has taken it.
func (w *calling) taken(ctx context.Context) error {
	sets := w.change.Update()
	if w.was == nil || sets.Sets() == 0 {
		return nil
	}
	var failed error
	want, err := w.over(func(set int) (value.Cell, bool) {
		c, err := upstream.Cell(sets.Set(set).Column().Type, sets.Set(set).Value())
		failed = errors.Join(failed, err)
		return c, true
	})
	if err = errors.Join(failed, err); err != nil {
		return fault.Broken("what is written to %s: %w", w.change.Dataset(), err)
	}
	ignored := make([]int, w.count) // by row: the first set that nothing came of, from 1
	_, err = w.named(ctx, w.change.There(), w.keys, w.count, nil, func(n int, row value.Rows) {
		is, err := w.over(func(set int) (value.Cell, bool) {
			at := w.change.Is(set)
			if at < 0 {
				return value.Cell{}, false
			}
			return row.Cell(at + 1), true
		})
		failed = errors.Join(failed, err)
		for i, was := range w.was[textOfKey(w.keys, n)] {
			if w.keyed && sets.Set(i).Place() == "" { // what is preset may be another now than when it was made
				continue
			}
			if ignored[n] == 0 && err == nil && is[i] != want[i] && is[i] == was && was != "" {
				ignored[n] = i + 1
			}
		}
	})
	if err = errors.Join(failed, err); err != nil {
		return err
	}
	for _, set := range ignored {
		if set > 0 {
			w.written--
			failed = w.writer.Ignored(sets.Set(set - 1))
		}
	}
	return failed
}

// left looks for rows that are there though they were deleted: an API that takes a call and does nothing says so too.
func (w *calling) left(ctx context.Context) error {
	if w.count == 0 {
		return nil
	}
	there, err := w.leftOf(ctx, w.keys, w.count)
	if err != nil {
		return err
	}
	for _, is := range there {
		if is {
			w.written--
			err = w.writer.Kept()
		}
	}
	return err
}

// leftOf tells which rows that were deleted are still there.
func (w *calling) leftOf(ctx context.Context, keys [][]value.Value, count int) ([]bool, error) {
	w.forget() // nobody's older reply stands in for what is there now
	l := w.change.Remove()
	if u := w.change.Update(); u.Sets() > 0 {
		l = u.Level()
	}
	return w.named(ctx, l, keys, count, nil, nil)
}

// deleted looks for a row of which the API did not say that it is deleted. What was said stands where nobody can tell.
func (w *calling) deleted(ctx context.Context, key []value.Value, said error) error {
	keys := make([][]value.Value, len(key))
	for k := range key {
		keys[k] = key[k : k+1]
	}
	there, err := w.leftOf(ctx, keys, 1)
	switch {
	case err != nil:
		return said
	case there[0]:
		return w.writer.Kept()
	}
	return nil
}

// leaveOut takes rows out of the answers that somebody else has deleted meanwhile.
func (w *calling) leaveOut(out *sqlexec.Changed, all [][]value.Value, count int) {
	kept, at := make([]bool, count), 0
	for n := range kept {
		if kept[n] = at < w.count && textOfKey(all, n) == textOfKey(w.keys, at); kept[n] {
			at++
		}
	}
	for i, r := range out.Results {
		if r.Rows.Len() != count { // some were gone when they were read
			out.Err = fault.New(fault.Unavailable, "rows of %s were deleted by others meanwhile, and which of them by this is not known", w.change.Dataset())
			return
		}
		out.Results[i] = r.Only(func(row int) bool { return kept[row] })
	}
}
