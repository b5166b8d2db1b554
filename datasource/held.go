package datasource

import (
	"usher/held"
	"usher/quota"
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
	spent *quota.Account // nil: nobody is limited

	rows    int
	pending int64
	err     error
}

// Next implements value.Rows.
func (c *counted) Next() bool {
	if c.err != nil || !c.Rows.Next() {
		c.count()
		return false
	}
	c.rows++
	for i := range c.cells {
		c.pending += int64(8 + len(c.Cell(i).Text))
	}
	if c.pending >= takeEvery {
		c.err = c.part.Take(c.pending)
		c.count()
	}
	return c.err == nil
}

// count counts what was read as used.
func (c *counted) count() {
	c.spent.Spend(0, c.rows, int(c.pending))
	c.rows, c.pending = 0, 0
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
		size += r.Size()
	}
	return int64(size)
}
