package datasource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"usher/datasource/duckdb"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/quota"
	"usher/sqlgen"
	"usher/value"
)

// A change of rows of an API is a call for each row, in order, and nothing undoes one. So all
// that can be known is asked before the first: what rows lead to, which rows are meant, and
// whether what would be written is right. What was written is read again afterwards.
// All reading goes the way of what is combined.

// mostCalls bounds the rows that one change writes through an API.
const mostCalls = 1000

// call makes a change of rows of an API. What it returns beside an error is how many
// rows were written.
func (s *Sources) call(ctx context.Context, api *upstream.Source, changes []plan.Change, terms Terms) (Made, error) {
	c := changes[0]
	if terms.Once != nil && c.Call().IdempotencyKey() == "" {
		return Made{}, &ChangeError{-1, errAPIKeepsNone()}
	}
	if len(changes) > 1 {
		return Made{}, &ChangeError{1, fault.New(fault.BadUserInput, "%s is in an API, where a change that is made is not undone when the next one fails", c.Dataset()).
			WithHint("send each change as a mutation of its own")}
	}
	if c.Given() > mostCalls {
		return Made{}, &ChangeError{0, tooManyCalls(c)}
	}
	w := s.calling(c, nil)
	if err := w.turn(api, c, terms.Once); err != nil {
		return Made{}, &ChangeError{0, err}
	}
	defer func() { quota.From(ctx).Spend(0, w.written, 0) }()
	ctx = postgres.OneHost(ctx)
	var changed sqlexec.Changed
	err := w.beside(ctx, func() (err error) {
		if terms.Before != nil { // nothing undoes a call
			if err := terms.Before(nil); err != nil {
				return err
			}
		}
		for {
			changed, err = w.make(ctx)
			next, again := w.change.Otherwise(err)
			if !again || w.called {
				return err
			}
			if err := w.turn(api, next, terms.Once); err != nil {
				return err
			}
		}
	})
	var outside *ChangeError
	switch {
	case err == nil:
		return Made{Changed: []sqlexec.Changed{changed}}, nil
	case errors.As(err, &outside):
		return Made{}, outside
	}
	if w.called {
		f := *fault.From(err)
		f.Written = &w.written
		if w.written > 0 {
			f.RetryAfter = 0 // the same mutation once more would not be the same
		}
		err = &f
	}
	return Made{Changed: []sqlexec.Changed{{Affected: w.written}}}, &ChangeError{0, err}
}

// turn has a change be made: the one that was planned first, or one with what another role presets.
func (w *calling) turn(api *upstream.Source, c plan.Change, once *Once) error {
	writer, err := api.Writer(c)
	if err != nil {
		return err
	}
	w.keyed = once != nil
	if w.keyed { // the API keeps the keys, and tells calls that are made again by them
		writer.Under(once.Tenant, once.Subject, once.Key)
	}
	w.change, w.writer = c, writer
	return nil
}

// calling readies a change that is made by calls.
func (s *Sources) calling(c plan.Change, writer *upstream.Writer) *calling {
	var owners []string
	if c.Owner() != "" {
		owners = []string{c.Owner()}
	}
	return &calling{sources: s, writer: writer, change: c, forget: func() { s.Changed(c.Target().Source, c.Dataset(), owners) }}
}

// beside does something for which rows are read in the embedded engine, when it is the tenant's turn there.
func (w *calling) beside(ctx context.Context, do func() error) error {
	s := w.sources
	slot, err := s.gate.Enter(ctx, w.change.Identity().Tenant())
	if err != nil {
		return &ChangeError{-1, err}
	}
	defer slot.Leave()
	scratch, err := s.engine.Scratch(ctx)
	if err != nil {
		return &ChangeError{-1, err}
	}
	defer scratch.Close()
	w.rows = combination{sources: s, scratch: scratch, part: held.From(ctx).Part()}
	defer w.rows.part.Release()
	err = scratch.Session(ctx, false, func(session sqlexec.Session) error {
		w.rows.session = session
		return do()
	})
	if errors.Is(err, duckdb.ErrBroken) {
		err = errors.Join(err, s.engine.Renew(ctx))
	}
	return err
}

func tooManyCalls(c plan.Change) *fault.Error {
	return fault.New(fault.TooComplex, "%s is in an API, and this would be more than %d calls", c.Dataset(), mostCalls).
		WithHint("change fewer rows at a time")
}

// calling is a change being made by calls.
type calling struct {
	sources *Sources
	writer  *upstream.Writer
	change  plan.Change
	forget  func()
	rows    combination
	keys    [][]value.Value // of the rows, by cell of the key
	count   int
	keyed   bool // the mutation has a key, and may have been made before
	called  bool
	written int
	absent  []int // rows that the API said it has written, and does not have
}

func (w *calling) make(ctx context.Context) (sqlexec.Changed, error) {
	if err := w.references(ctx); err != nil {
		return sqlexec.Changed{}, err
	}
	if w.change.Kind().Inserts() {
		return w.insert(ctx)
	}
	if err := w.choose(ctx); err != nil || w.count == 0 {
		if err == nil && w.keyed {
			err = w.writer.Unfound()
		}
		return sqlexec.Changed{Results: make([]*value.Result, w.change.Answers())}, err
	}
	by, err := w.held(ctx)
	if err != nil {
		return sqlexec.Changed{}, err
	}
	if w.change.Kind().Updates() {
		return w.update(ctx, by)
	}
	if err := w.kept(ctx); err != nil {
		return sqlexec.Changed{}, err
	}
	out, err := w.answered(ctx) // of what is there no more afterwards
	if err != nil {
		return out, err
	}
	if err := w.each(ctx); err != nil {
		return out, err
	}
	if err := w.stamped(ctx); err != nil {
		return out, err
	}
	if out.Affected = w.written; w.change.Kind().One() && w.written == 0 {
		clear(out.Results)
	}
	return out, nil
}

// insert makes the rows, one after the other.
func (w *calling) insert(ctx context.Context) (sqlexec.Changed, error) {
	if err := w.foresee(ctx); err != nil {
		return sqlexec.Changed{}, err
	}
	w.keys = make([][]value.Value, w.change.Keys())
	defer w.forget()
	seen := make(map[string]bool)
	for row := range w.change.Given() {
		w.called = true
		key, err := w.writer.Insert(ctx, row)
		if err != nil {
			return sqlexec.Changed{}, err
		}
		w.written++
		for k := range w.keys {
			w.keys[k] = append(w.keys[k], key[k])
		}
		made := textOfKey(w.keys, row)
		if seen[made] {
			return sqlexec.Changed{}, fault.New(fault.Unavailable, "the API of %s says that two rows are one", w.change.Dataset())
		}
		seen[made] = true
	}
	w.count = w.written
	return w.settled(ctx, nil)
}

// update writes into the rows that were chosen.
func (w *calling) update(ctx context.Context, by [][]bool) (sqlexec.Changed, error) {
	err := w.check(ctx, by, func(l plan.Level) ([]part, func(value.Rows) (value.Rows, error)) {
		fetch := w.change.Asked(l).Fetches(l, 0)[0]
		own := l.Link(0).Own().Name()
		return w.sources.parts(fetch, own, distinct(w.keys[0])), func(rows value.Rows) (value.Rows, error) { return w.overlaid(rows, fetch) }
	})
	if err != nil {
		return sqlexec.Changed{}, err
	}
	all, count := w.keys, w.count
	if err := w.each(ctx); err != nil {
		return sqlexec.Changed{}, err
	}
	if w.count < count && len(by) > 0 { // by is of all that were chosen
		by = w.still(by, all)
	}
	return w.settled(ctx, by)
}

// each makes the calls for the rows that were chosen, and leaves out those that are gone.
func (w *calling) each(ctx context.Context) error {
	defer w.forget()
	left := make([][]value.Value, len(w.keys))
	for n := range w.count {
		key := make([]value.Value, len(w.keys))
		for k := range key {
			key[k] = w.keys[k][n]
		}
		w.called = true
		gone, err := w.writer.Change(ctx, key)
		if errors.Is(err, upstream.ErrUnsaid) && !w.change.Kind().Updates() {
			err = w.deleted(ctx, key, err)
		}
		if err != nil {
			return err
		}
		if gone {
			continue
		}
		w.written++
		for k := range left {
			left[k] = append(left[k], key[k])
		}
	}
	w.keys, w.count = left, w.written
	return nil
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

// stamped looks for rows that are kept though they were deleted: a reply that shows one does not say that it is.
func (w *calling) stamped(ctx context.Context) error {
	if w.change.Update().Sets() == 0 || w.count == 0 {
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

// still is what grants held of the rows that are left.
func (w *calling) still(by [][]bool, all [][]value.Value) [][]bool {
	out := make([][]bool, len(by))
	at := 0
	for n := range all[0] {
		if at < w.count && textOfKey(all, n) == textOfKey(w.keys, at) {
			for g := range by {
				out[g] = append(out[g], by[g][n])
			}
			at++
		}
	}
	return out
}

// textOfKey is one text for one key.
func textOfKey(keys [][]value.Value, n int) string {
	text := ""
	for _, list := range keys {
		text += strconv.Itoa(len(list[n].Text())) + ":" + list[n].Text()
	}
	return text
}

// settled reads again what was written: it has to be the tenant's and right. Then it is
// answered.
func (w *calling) settled(ctx context.Context, by [][]bool) (sqlexec.Changed, error) {
	out := sqlexec.Changed{Affected: w.written, Results: make([]*value.Result, w.change.Answers())}
	if w.count == 0 {
		return out, nil
	}
	w.forget() // nobody's older reply stands in for what is there now
	if err := w.check(ctx, by, nil); err != nil {
		w.written -= len(w.absent)
		return out, err
	}
	answered, err := w.answered(ctx)
	if err != nil {
		out.Err = err
		return out, nil //nolint:nilerr // the change is made, and its answer is what failed
	}
	return answered, nil
}

// answered reads the rows as they are asked for.
func (w *calling) answered(ctx context.Context) (sqlexec.Changed, error) {
	out := sqlexec.Changed{Affected: w.count}
	for i := range w.change.Answers() {
		q := w.change.Answer(i)
		w.rows.query = q
		r, err := sqlexec.Run{Session: w.rows.session, Dialect: sqlgen.DuckDB, Before: w.rows.bring}.Keyed(ctx, q, w.keys, w.count)
		if err != nil {
			return out, err
		}
		out.Results = append(out.Results, r)
	}
	return out, w.current()
}

// current refuses what was read of replies that stand in for failures.
func (w *calling) current() error {
	if w.rows.asOf.IsZero() {
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
	w.rows.query = w.change.Asked(l)
	here, err := w.rows.bring(ctx, l, nil)
	if err != nil {
		return err
	}
	statement, err := sqlgen.Render(here, sqlgen.DuckDB)
	if err != nil {
		return err
	}
	rows, err := w.rows.session.Query(ctx, statement.Text, statement.Args.Bind(nil))
	if err != nil {
		return err
	}
	w.keys = make([][]value.Value, w.change.Keys())
	for rows.Next() {
		for k := range w.keys {
			w.keys[k] = append(w.keys[k], value.Bound(l.Column(k).Type(), rows.Cell(k)))
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

// ahead says where the rows of a check come from before they are written.
type ahead func(plan.Level) ([]part, func(value.Rows) (value.Rows, error))

// check asks whether rows are right in one of the ways, and of several grants in that of
// one that let the row be changed.
func (w *calling) check(ctx context.Context, by [][]bool, from ahead) error {
	right := make([]bool, w.count)
	var first error
	for i := range w.change.Checks() {
		check := w.change.Check(i)
		refers := make([]error, w.count)
		there, err := w.named(ctx, check.Level(), w.keys, w.count, from, func(n int, row value.Rows) {
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
	if from == nil { // they were written
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

// named asks for the rows of a level that have keys, and returns which of them there are.
func (w *calling) named(ctx context.Context, l plan.Level, keys [][]value.Value, count int, from ahead, cell func(n int, row value.Rows)) ([]bool, error) {
	w.rows.query = w.change.Asked(l)
	bring := w.rows.bring
	if from != nil {
		bring = func(ctx context.Context, l plan.Level, keys [][]value.Value) (plan.Level, error) {
			return w.rows.bringAhead(ctx, l, keys, from)
		}
	}
	here, err := bring(ctx, l, keys)
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
	rows, err := w.rows.session.Query(ctx, statement.Text, append(args, statement.Args.Bind(nil)...))
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

// bringAhead is bring for a level whose first reference has rows that are not written yet.
func (c *combination) bringAhead(ctx context.Context, l plan.Level, parents [][]value.Value, from ahead) (plan.Level, error) {
	id := c.levels
	c.levels++
	fetches := c.query.Fetches(l, id)
	for i, f := range fetches {
		parts, over := []part(nil), func(rows value.Rows) (value.Rows, error) { return rows, nil }
		if i == 0 {
			parts, over = from(l)
		} else {
			var err error
			if parts, err = c.narrow(ctx, l, fetches, i, f, parents); err != nil {
				return plan.Level{}, err
			}
		}
		if i > 0 {
			if err := c.load(ctx, parts); err != nil {
				return plan.Level{}, err
			}
			continue
		}
		if err := c.loadAhead(ctx, f, parts, over); err != nil {
			return plan.Level{}, err
		}
	}
	return l.OnScratch(id), nil
}

// loadAhead makes a table of rows as they would be written.
func (c *combination) loadAhead(ctx context.Context, f plan.Fetch, parts []part, over func(value.Rows) (value.Rows, error)) error {
	ref := f.Query().Root().Ref(0)
	columns := make([]duckdb.ScratchColumn, ref.Fields())
	for i := range columns {
		columns[i] = duckdb.ScratchColumn{Name: ref.Field(i).Name, Type: ref.Field(i).Type}
	}
	var rows value.Rows
	if len(parts) > 0 {
		source, release, err := c.sources.accounts.get(ctx, ref.Target())
		if err != nil {
			return err
		}
		defer release()
		if rows, err = c.together(ctx, source, parts); err != nil {
			return err
		}
	}
	rows, err := over(rows)
	if err != nil {
		return err
	}
	_, err = c.scratch.Load(ctx, f.Table(), columns, rows, fetchCaps)
	return err
}

// overlaid are rows with what is about to be written into them.
func (w *calling) overlaid(rows value.Rows, f plan.Fetch) (value.Rows, error) {
	ref := f.Query().Root().Ref(0)
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
	return w.check(ctx, nil, func(l plan.Level) ([]part, func(value.Rows) (value.Rows, error)) {
		return nil, func(value.Rows) (value.Rows, error) { return w.intended(l.Ref(0)) }
	})
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
func (w *calling) intended(ref plan.Ref) (value.Rows, error) {
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
