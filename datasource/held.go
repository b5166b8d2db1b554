package datasource

import (
	"sync/atomic"
	"time"

	"usher/fault"
	"usher/value"
)

// defaultHeld bounds the bytes that all requests together have fetched and not
// yet answered.
const defaultHeld = 2 << 30

// budget is what may be held by all requests together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// share is one request's part of the memory.
type share struct {
	of   *budget
	held atomic.Int64
}

// take adds to the share, or refuses: the one request that asks for everything,
// or, for a moment, every one.
func (s *share) take(n int64) error {
	mine, all := s.held.Add(n), s.of.used.Add(n)
	switch {
	case all <= s.of.limit:
		return nil
	case mine > s.of.limit/2:
		return fault.New(fault.TooComplex, "the question needs more than %d bytes of other sources", mine-n).
			WithHint("Narrow it with a filter, or ask for fewer fields.")
	}
	f := fault.New(fault.Unavailable, "there is no memory left for what the question needs of other sources").
		WithHint("Try again in a moment.")
	f.RetryAfter = time.Second
	return f
}

// release gives the whole share back.
func (s *share) release() { s.of.used.Add(-s.held.Swap(0)) }

// takeEvery is how many bytes are counted before they are taken.
const takeEvery = 4 << 10

// counted are rows that are counted while they are read.
type counted struct {
	value.Rows
	cells int
	share *share

	pending int64
	err     error
}

// Next implements value.Rows.
func (c *counted) Next() bool {
	if c.err != nil || !c.Rows.Next() {
		return false
	}
	for i := range c.cells {
		c.pending += int64(8 + len(c.Cell(i).Text))
	}
	if c.pending >= takeEvery {
		c.err = c.share.take(c.pending)
		c.pending = 0
	}
	return c.err == nil
}

// Err implements value.Rows.
func (c *counted) Err() error {
	if c.err != nil {
		return c.err
	}
	return c.Rows.Err()
}
