package writing

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/plan"
	"usher/value"
)

// An API takes the rows of an import as it takes those of mutations: by calls, which nothing undoes. So
// there are batches only. Each is held, and all is asked of it that can be, before its first call; several
// calls are under way at a time; and what was written is read again. The first row that fails ends the
// import when the calls under way are answered, and it is told of each row what became of it.

const (
	callsAtOnce = 8  // of one import
	mostAhead   = 32 // rows from the first that is not done to the last that is tried
	mostTries   = 10 // of a row that is not taken now
)

// Import writes rows as they come, and tells which are in, after an error too.
func (a API) Import(ctx context.Context, i plan.Import, rows sqlexec.Incoming, terms ImportTerms) (out Imported, err error) {
	if !i.Valid() {
		return Imported{}, ErrNotPlanned
	}
	c := cutOf(ctx, i, rows, terms)
	out = Imported{Rows: terms.From, Beyond: terms.Beyond}
	switch {
	case c.batch == 0:
		return out, fault.New(fault.BadUserInput, "rows of %s are in an API, where nothing is undone: they are imported in batches only", i.Dataset()).
			WithHint("Say how many rows are checked before the first of them is written, such as batch=1000.")
	case terms.Once != nil && i.Call().IdempotencyKey() == "":
		return out, errAPIKeepsNone()
	}
	ctx = postgres.OneHost(ctx)
	for {
		c.count = 0
		now, err := c.next(false)
		if err != nil {
			return out, err
		}
		if len(now.lines) > 0 {
			b := &callBatch{API: a, portion: now, keys: make([][]value.Value, len(now.lines)), failed: make([]error, len(now.lines))}
			b.moved = sync.NewCond(&b.mu)
			if terms.In != nil {
				before := out.Rows
				b.told = func(done int64) { terms.In(before + done) }
			}
			err = b.write(ctx, i, terms.Once)
			c.counted.ends(0) // the calls have counted their time
			out.Written += b.done.Load()
			if err != nil {
				return b.left(out), err
			}
		}
		out.Rows, out.Beyond = c.number, behind(c.number, out.Beyond)
		if c.ended {
			return out, nil
		}
	}
}

// behind are the numbers that come after one.
func behind(number int64, of []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(of), func(n int64) bool { return n <= number })
}

// callBatch is a portion being written by calls.
type callBatch struct {
	API
	portion
	told func(done int64) // nil: nobody asks

	keys   [][]value.Value // of rows that are in, by row
	failed []error         // of rows that were tried, by row
	done   atomic.Int64

	mu      sync.Mutex
	moved   *sync.Cond // something of what follows has changed
	next    int        // the row that is tried next
	low     int        // all rows before it are in
	stopped bool       // a row has failed, or whoever tried it
	broken  any        // what a worker has panicked with
}

// ready makes the change of the rows with what the first role presets that lets all of them be written, as
// far as that can be foreseen.
func (b *callBatch) ready(ctx context.Context, i plan.Import) (*calling, error) {
	for {
		c, err := i.Portion(b.lines, b.rows)
		if err != nil {
			return nil, err
		}
		w := b.calling(c)
		err = w.beside(ctx, func() error {
			if err := w.references(ctx); err != nil {
				return err
			}
			return w.foresee(ctx)
		})
		next, again := i.Otherwise(err)
		if !again {
			return w, b.at(err)
		}
		i = next
	}
}

// write writes the rows, if all of them may be written.
func (b *callBatch) write(ctx context.Context, i plan.Import, once *Once) error {
	w, err := b.ready(ctx, i)
	if err != nil {
		return err
	}
	c := w.change
	defer w.forget()
	if err := b.calls(ctx, c, once); err != nil {
		return err
	}
	w.forget() // nobody's older reply stands in for what is there now
	if w.writer, err = b.writer(c, once); err != nil {
		return err
	}
	if w.keys, err = b.together(w); err != nil {
		return err
	}
	w.count, w.called = len(b.lines), true
	err = b.at(w.beside(ctx, func() error { return w.check(ctx, nil, nil) }))
	for _, n := range w.absent {
		b.keys[n], b.failed[n] = nil, err
		b.done.Add(-1)
	}
	return err
}

// writer makes calls for rows of the portion.
func (b *callBatch) writer(c plan.Change, once *Once) (*upstream.Writer, error) {
	writer, err := b.Source.Writer(c)
	if err != nil {
		return nil, err
	}
	writer.Numbered(b.numbers)
	if once != nil {
		writer.Under(once.Tenant, once.Subject, once.Key)
	}
	return writer, nil
}

// at is an error of a row with its line.
func (b *callBatch) at(err error) error {
	var of *rowError
	if !errors.As(err, &of) {
		return err
	}
	return b.line(of.row, of.err)
}

func (b *callBatch) line(row int, err error) *fault.Error {
	f := *fault.From(err)
	f.Line, f.At = b.lines[row], ""
	return &f
}

// calls makes a call for each row, several at a time and in their order, until one fails.
func (b *callBatch) calls(ctx context.Context, c plan.Change, once *Once) error {
	var group sync.WaitGroup
	for range min(callsAtOnce, len(b.lines)) {
		writer, err := b.writer(c, once)
		if err != nil {
			b.end(nil)
			group.Wait()
			return err
		}
		group.Go(func() { b.work(ctx, writer) })
	}
	group.Wait()
	if b.broken != nil {
		panic(b.broken)
	}
	n := slices.IndexFunc(b.failed, func(err error) bool { return err != nil })
	if n < 0 {
		if b.done.Load() < int64(len(b.lines)) {
			return fault.From(ctx.Err())
		}
		return nil
	}
	f := b.line(n, b.failed[n])
	f.Unknown = slices.ContainsFunc(b.failed, unsure)
	return f
}

func unsure(err error) bool { return err != nil && fault.From(err).Unknown }

// work tries row after row. A call that is under way is waited for, whoever has left: what became of it
// would be known to nobody.
func (b *callBatch) work(ctx context.Context, w *upstream.Writer) {
	defer func() {
		if p := recover(); p != nil {
			b.end(p)
		}
	}()
	for {
		n, ok := b.take()
		if !ok {
			return
		}
		if ctx.Err() != nil {
			b.end(nil)
			return
		}
		key, err := insertRow(ctx, w, n)
		if err != nil {
			b.failed[n] = err
			b.end(nil)
			return
		}
		b.is(n, key)
		if done := b.done.Add(1); b.told != nil {
			b.told(done)
		}
	}
}

// take is the row that is tried next. Nobody is far ahead of the slowest.
func (b *callBatch) take() (n int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !b.stopped && b.next < len(b.lines) && b.next >= b.low+mostAhead {
		b.moved.Wait()
	}
	if b.stopped || b.next == len(b.lines) {
		return 0, false
	}
	b.next++
	return b.next - 1, true
}

// is notes that a row is in.
func (b *callBatch) is(n int, key []value.Value) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.keys[n] = key; b.low < b.next && b.keys[b.low] != nil; b.low++ {
	}
	b.moved.Broadcast()
}

// end lets no further row be tried.
func (b *callBatch) end(broken any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped = true; broken != nil {
		b.broken = broken
	}
	b.moved.Broadcast()
}

// insertRow writes a row, and waits where the API takes none for a while.
func insertRow(ctx context.Context, w *upstream.Writer, row int) ([]value.Value, error) {
	for try := 1; ; try++ {
		key, err := w.Insert(context.WithoutCancel(ctx), row)
		if err == nil {
			return key, nil
		}
		wait, later := upstream.Later(err)
		if !later || try == mostTries {
			return nil, err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, err
		}
	}
}

// together are the keys of all rows, by cell. Rows that the API says are one are not all in.
func (b *callBatch) together(w *calling) ([][]value.Value, error) {
	keys, seen := make([][]value.Value, w.change.Keys()), make(map[string]bool)
	for n, key := range b.keys {
		for k := range keys {
			keys[k] = append(keys[k], key[k])
		}
		made := textOfKey(keys, n)
		if seen[made] {
			b.keys[n], b.failed[n] = nil, w.writer.Twice()
			b.done.Add(-1)
			return nil, b.line(n, b.failed[n])
		}
		seen[made] = true
	}
	return keys, nil
}

// left says what became of each row of a batch that was not written as a whole.
func (b *callBatch) left(out Imported) Imported {
	whole := true
	for n, number := range b.numbers {
		switch in := b.keys[n] != nil; {
		case in && whole:
			out.Rows = number
			continue
		case in:
			out.Beyond = append(out.Beyond, number)
		case unsure(b.failed[n]):
			out.Unsure = append(out.Unsure, number)
		case b.failed[n] != nil:
			out.Refused = append(out.Refused, number)
		}
		if whole { // what was passed over before it is in
			out.Rows, whole = number-1, false
		}
	}
	out.Beyond = behind(out.Rows, out.Beyond)
	slices.Sort(out.Beyond)
	return out
}
