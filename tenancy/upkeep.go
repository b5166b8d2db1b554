package tenancy

import (
	"context"
	"sync/atomic"
	"time"

	"usher/audit"
	"usher/fault"
)

// measureEvery is how often it is asked how large the audit log is.
const measureEvery = time.Minute

// upkeep is what those who run usher have to know of the store: whether the audit log is
// written, how large it has become, and whether what has had its time is removed. Moments are
// nanoseconds since the store was opened; 0: none.
type upkeep struct {
	soon, chained atomic.Int64                // since when entries of either kind cannot be written
	why           atomic.Pointer[fault.Error] // the store took no change last; nil: it did
	bytes         atomic.Int64
	pruned        atomic.Int64 // when that was done last
}

// Upkeep is what is known of it now.
type Upkeep struct {
	Lost      int64         // entries of the audit log since the store was opened
	Waiting   int64         // entries that are to be written
	Unwritten time.Duration // for so long none could be; 0: they are written
	Why       error         // the store took no change last; nil: it did
	Bytes     int64         // of the audit log, or of the file that holds the store; 0: not known yet
	Pruned    time.Time     // when what has had its time was removed last, or the store was opened
}

// Upkeep is what those who run usher watch.
func (s *Store) Upkeep() Upkeep {
	u := &s.upkeep
	now := time.Since(s.started)
	since := func(began *atomic.Int64) time.Duration {
		if at := began.Load(); at != 0 {
			return now - time.Duration(at)
		}
		return 0
	}
	kept := Upkeep{
		Lost: s.audit.Dropped() + s.journal.Lost(), Waiting: s.audit.Waiting() + s.journal.Waiting(),
		Unwritten: max(since(&u.soon), since(&u.chained)), Bytes: u.bytes.Load(), Pruned: s.started.Add(time.Duration(u.pruned.Load())),
	}
	if why := u.why.Load(); why != nil {
		kept.Why = why
	}
	return kept
}

// noting writes entries and notes since when they cannot be written.
func (s *Store) noting(since *atomic.Int64, write func(context.Context, []audit.Entry) error) func(context.Context, []audit.Entry) error {
	return func(ctx context.Context, entries []audit.Entry) error {
		err := write(ctx, entries)
		if err == nil {
			since.Store(0)
		} else {
			since.CompareAndSwap(0, int64(time.Since(s.started)))
		}
		return err
	}
}

// measure asks how large the audit log is.
func (s *Store) measure(ctx context.Context) {
	bytes, err := s.db.Size(ctx, "audit")
	if err != nil {
		s.opts.Log.DebugContext(ctx, "the size of the audit log is not known", "error", err)
		return
	}
	s.upkeep.bytes.Store(bytes)
}
