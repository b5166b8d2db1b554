package sqlexec

import (
	"usher/held"
	"usher/value"
)

// charge takes of a request's share what results grow by while they are read.
// When they are complete it has taken their size; who no longer needs them
// gives that back. After a failure the request's end does.
type charge struct {
	share *held.Share
	taken int
}

func (c *charge) add(n int) error {
	c.taken += n
	return c.share.Take(int64(n))
}

// settle makes what was taken the size of the results.
func (c *charge) settle(results ...*value.Result) error {
	size := 0
	for _, r := range results {
		size += r.Size()
	}
	return c.add(size - c.taken)
}
