package audit

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"usher/outage"
)

// What is said in the log of a store that takes no entries, and of one that does again.
const (
	unwritten = "entries of the audit log are not written yet"
	written   = "entries of the audit log are written again"
)

// maxBatch is how many entries are written at once.
const maxBatch = 500

// Queue holds the entries that are to be written soon.
type Queue struct {
	waiting chan Entry
	write   func(context.Context, []Entry) error
	now     func() time.Time
	log     *slog.Logger
	dropped atomic.Int64
	kept    atomic.Int64 // of those unsent

	writing  sync.Mutex // who adds never takes it
	unsent   []Entry    // could not be written yet
	outage   outage.Outage
	reported int64 // of those dropped
}

// NewQueue makes a queue of so many entries that writes by a function.
func NewQueue(size int, now func() time.Time, log *slog.Logger, write func(context.Context, []Entry) error) *Queue {
	return &Queue{waiting: make(chan Entry, size), write: write, now: now, log: log}
}

// Add takes an entry and writes it soon. It never waits: while more come than
// can be written, entries are dropped.
func (q *Queue) Add(e Entry) {
	if e.At.IsZero() {
		e.At = q.now()
	}
	select {
	case q.waiting <- e:
	default:
		q.dropped.Add(1)
	}
}

// Dropped is how many entries were lost so far.
func (q *Queue) Dropped() int64 { return q.dropped.Load() }

// Waiting is how many entries are to be written.
func (q *Queue) Waiting() int64 { return int64(len(q.waiting)) + q.kept.Load() }

// Flush writes what waits. What cannot be written is kept for the next time,
// while the queue fills behind it.
func (q *Queue) Flush(ctx context.Context) {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.flush(ctx)
}

func (q *Queue) flush(ctx context.Context) {
	for range cap(q.waiting)/maxBatch + 1 {
		if len(q.unsent) == 0 {
			q.unsent = q.batch()
			q.kept.Store(int64(len(q.unsent)))
		}
		if len(q.unsent) == 0 {
			break
		}
		if err := q.write(ctx, q.unsent); err != nil {
			q.outage.Lasts(ctx, q.log, unwritten, err, "entries", len(q.unsent)+len(q.waiting))
			break
		}
		q.outage.Over(ctx, q.log, written)
		q.unsent = nil
		q.kept.Store(0)
	}
	q.report(ctx)
}

// report says how many entries were lost since it was said last.
func (q *Queue) report(ctx context.Context) {
	if dropped := q.dropped.Load(); dropped > q.reported {
		q.log.WarnContext(ctx, "entries of the audit log were dropped", "entries", dropped-q.reported)
		q.reported = dropped
	}
}

// Close writes what waits, for the last time: what cannot be written is lost.
func (q *Queue) Close(ctx context.Context) {
	q.writing.Lock()
	defer q.writing.Unlock()
	q.flush(ctx)
	q.dropped.Add(int64(len(q.unsent) + len(q.waiting)))
	q.unsent = nil
	q.kept.Store(0)
	q.report(ctx)
}

func (q *Queue) batch() []Entry {
	var batch []Entry
	for len(batch) < maxBatch {
		select {
		case e := <-q.waiting:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}
