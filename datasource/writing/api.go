package writing

import (
	"context"
	"errors"
	"strconv"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/plan"
	"usher/quota"
	"usher/value"
)

// A change of rows of an API is a call for each row, in order, and nothing undoes one. So all
// that can be known is asked before the first: what rows lead to, which rows are meant, and
// whether what would be written is right. What was written is read again afterwards.
// All reading goes the way of what is combined.

// API is an account by which rows of an API are written.
type API struct {
	Source *upstream.Source
	Engine Engine
	// Changed forgets what is kept of a dataset's rows: those of tenants or, with nil, everybody's.
	Changed func(source, dataset string, tenants []string)
}

// Engine is where rows of several sources are read together.
type Engine interface {
	// Beside does something for which rows are read there, when it is the tenant's turn. What was read
	// ends with it.
	Beside(ctx context.Context, tenant string, do func(Reading) error) error
}

// Reading is one use of the engine.
type Reading interface {
	Session() sqlexec.Session
	// Bring fetches what a level of a query reads, of the rows that keys lead to where there are any, and
	// returns the level over what arrived. The rows of its first reference are those ahead; nil: as they are.
	Bring(ctx context.Context, q plan.Query, l plan.Level, keys [][]value.Value, ahead Ahead) (plan.Level, error)
	// Stale tells that something was read of a reply that stands in for one that failed.
	Stale() bool
}

// Ahead are the rows of a reference as they are about to be. There fetches them as they are.
type Ahead func(of plan.Ref, there func() (value.Rows, error)) (value.Rows, error)

// mostCalls bounds the rows that one change writes through an API.
const mostCalls = 1000

// Change makes a change of rows of an API. What it returns beside an error is how many
// rows were written.
func (a API) Change(ctx context.Context, changes []plan.Change, terms Terms) (Made, error) {
	if err := Together(changes); err != nil {
		return Made{}, err
	}
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
	w := a.calling(c)
	if err := w.turn(c, terms.Once); err != nil {
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
			if err := w.turn(next, terms.Once); err != nil {
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
func (w *calling) turn(c plan.Change, once *Once) error {
	writer, err := w.Source.Writer(c)
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
func (a API) calling(c plan.Change) *calling {
	var owners []string
	if c.Owner() != "" {
		owners = []string{c.Owner()}
	}
	return &calling{API: a, change: c, forget: func() { a.Changed(c.Target().Source, c.Dataset(), owners) }}
}

// beside does something for which rows are read in the engine.
func (w *calling) beside(ctx context.Context, do func() error) error {
	entered := false
	err := w.Engine.Beside(ctx, w.change.Identity().Tenant(), func(r Reading) error {
		entered, w.rows = true, r
		return do()
	})
	if err != nil && !entered {
		return &ChangeError{-1, err}
	}
	return err
}

func tooManyCalls(c plan.Change) *fault.Error {
	return fault.New(fault.TooComplex, "%s is in an API, and this would be more than %d calls", c.Dataset(), mostCalls).
		WithHint("change fewer rows at a time")
}

// calling is a change being made by calls.
type calling struct {
	API
	writer  *upstream.Writer
	change  plan.Change
	forget  func()
	rows    Reading
	keys    [][]value.Value // of the rows, by cell of the key
	count   int
	keyed   bool // the mutation has a key, and may have been made before
	called  bool
	written int
	absent  []int               // rows that the API said it has written, and does not have
	was     map[string][]string // what is written over, as JSON, by key and set; nil: nothing is
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
	all, count := w.keys, w.count
	if err := w.each(ctx); err != nil {
		return out, err
	}
	if err := w.left(ctx); err != nil {
		return out, err
	}
	out.Affected = w.written
	switch {
	case w.written == count:
	case w.change.Kind().One():
		clear(out.Results)
	default:
		w.leaveOut(&out, all, count)
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
			w.written--
			return sqlexec.Changed{}, w.writer.Twice()
		}
		seen[made] = true
	}
	w.count = w.written
	return w.settled(ctx, nil)
}

// update writes into the rows that were chosen.
func (w *calling) update(ctx context.Context, by [][]bool) (sqlexec.Changed, error) {
	err := w.check(ctx, by, w.overlaid)
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
	if err := w.taken(ctx); err != nil {
		return out, err
	}
	answered, err := w.answered(ctx)
	if err != nil {
		out.Err = err
		return out, nil //nolint:nilerr // the change is made, and its answer is what failed
	}
	return answered, nil
}
