package audit

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"usher/outage"
)

// Journal holds the entries that have to be written, such as of what was refused. Who
// adds one waits until it is written, many in one go; where nothing can be written,
// not for longer than a moment, and it is written later.
type Journal struct {
	waiting chan noted
	write   func(context.Context, []Entry) error
	now     func() time.Time
	log     *slog.Logger
	lost    atomic.Int64
	kept    atomic.Int64 // of those unsent
	unsent  []noted      // could not be written yet; of whoever writes
	outage  outage.Outage
}

type noted struct {
	entry   Entry
	written chan struct{} // closed when writing it was tried
}

const (
	patience = time.Second // of who adds an entry
	retry    = time.Second // between two tries to write
	maxLeft  = 10_000      // entries that wait: some minutes of a flood
)

// NewJournal makes a journal that writes by a function.
func NewJournal(now func() time.Time, log *slog.Logger, write func(context.Context, []Entry) error) *Journal {
	return &Journal{waiting: make(chan noted, maxLeft), write: write, now: now, log: log}
}

// Add takes an entry, and returns when it is written, or after a moment.
func (j *Journal) Add(e Entry) {
	if e.At.IsZero() {
		e.At = j.now()
	}
	n := noted{e, make(chan struct{})}
	enough := time.NewTimer(patience)
	defer enough.Stop()
	select {
	case j.waiting <- n:
	case <-enough.C:
		j.lose(n)
		return
	}
	select {
	case <-n.written:
	case <-enough.C:
	}
}

// lose says in the program's log what the audit log will not have.
func (j *Journal) lose(n noted) {
	j.lost.Add(1)
	e := n.entry
	j.log.Error("an entry of the audit log is lost", "at", e.At, "operation", e.Operation, "subject", e.Subject, "issuer", e.Issuer, "tenant", e.Tenant, "outcome", e.Outcome)
}

// Lost is how many entries were lost so far.
func (j *Journal) Lost() int64 { return j.lost.Load() }

// Waiting is how many entries are to be written.
func (j *Journal) Waiting() int64 { return int64(len(j.waiting)) + j.kept.Load() }

// Run writes until the context ends.
func (j *Journal) Run(ctx context.Context) {
	for ctx.Err() == nil {
		if len(j.unsent) == 0 {
			select {
			case n := <-j.waiting:
				j.gather(n)
			case <-ctx.Done():
				return
			}
		}
		if j.try(ctx) {
			continue
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
		}
	}
}

// gather takes what waits beside the first one.
func (j *Journal) gather(first noted) {
	j.unsent = append(j.unsent, first)
	for len(j.unsent) < maxBatch {
		select {
		case n := <-j.waiting:
			j.unsent = append(j.unsent, n)
		default:
			return
		}
	}
}

// try writes what was gathered. Whoever waits goes on, whether it is written or not.
func (j *Journal) try(ctx context.Context) bool {
	j.kept.Store(int64(len(j.unsent)))
	entries := make([]Entry, len(j.unsent))
	for i, n := range j.unsent {
		entries[i] = n.entry
	}
	err := j.write(ctx, entries)
	for i := range j.unsent {
		if n := &j.unsent[i]; n.written != nil {
			close(n.written)
			n.written = nil
		}
	}
	if err != nil {
		if ctx.Err() == nil {
			j.outage.Lasts(ctx, j.log, unwritten, err, "entries", len(j.unsent)+len(j.waiting))
		}
		return false
	}
	j.outage.Over(ctx, j.log, written)
	j.unsent = nil
	j.kept.Store(0)
	return true
}

// Close writes what is left after Run has ended, for the last time.
func (j *Journal) Close(ctx context.Context) {
	for {
		if len(j.unsent) == 0 {
			select {
			case n := <-j.waiting:
				j.gather(n)
			default:
				return
			}
		}
		if !j.try(ctx) {
			for _, n := range j.unsent {
				j.lose(n)
			}
			j.unsent = nil
		}
	}
}
