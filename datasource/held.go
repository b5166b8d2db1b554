package datasource

import (
	"usher/held"
	"usher/value"
)

// takeEvery is how many bytes are counted before they are taken.
const takeEvery = 64 << 10

// counted are rows that are counted while they are read, because somebody keeps
// them.
type counted struct {
	value.Rows
	cells int
	part  *held.Part

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
		c.err = c.part.Take(c.pending)
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

// sizeOf is how many bytes of a request's share results take.
func sizeOf(results ...*value.Result) int64 {
	size := 0
	for _, r := range results {
		if r != nil {
			size += r.Size()
		}
	}
	return int64(size)
}
