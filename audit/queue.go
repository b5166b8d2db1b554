package audit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// maxBatch is how many entries are written at once.
const maxBatch = 500

// Queue holds the entries that are to be written soon.
type Queue struct {
	waiting  chan Entry
	write    func(context.Context, []Entry) error
	now      func() time.Time
	log      *slog.Logger
	dropped  atomic.Int64
	reported int64 // of them; the writer's alone
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

// Flush writes what waits. What cannot be written is dropped, as time goes on.
func (q *Queue) Flush(ctx context.Context) {
	for range cap(q.waiting)/maxBatch + 1 {
		batch := q.batch()
		if len(batch) == 0 {
			break
		}
		if err := q.write(ctx, batch); err != nil {
			q.dropped.Add(int64(len(batch)))
			q.log.WarnContext(ctx, "entries of the audit log were not written", "entries", len(batch), "error", err)
			break
		}
	}
	if dropped := q.dropped.Load(); dropped > q.reported {
		q.log.WarnContext(ctx, "entries of the audit log were dropped", "entries", dropped-q.reported)
		q.reported = dropped
	}
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
