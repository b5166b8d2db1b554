package duckdb

import (
	"errors"
	"sync"
	"time"
)

// claims say which instances of this process have which database files open. The engine's
// lock on a file keeps other processes out, but not another instance of the same: one that
// writes has the file for itself. Who finds it claimed has the others let go of it
// as soon as nobody uses them, and waits for that: so while one configuration takes the
// place of another, both answer, one after the other.
type claims struct {
	mu    sync.Mutex
	by    map[string]map[*instance]bool // by path; true: for writing
	freed chan struct{}                 // closed when somebody who waits may look again
}

var opened = claims{by: make(map[string]map[*instance]bool), freed: make(chan struct{})}

// claimWait is how long one waits for others to let go.
const claimWait = 10 * time.Second

var errClaimed = errors.New("the file is written by somebody else for too long")

// claim waits until an instance may open a file.
func (c *claims) claim(path string, i *instance, writes bool) error {
	timeout := time.After(claimWait)
	for {
		others, freed := c.try(path, i, writes)
		if len(others) == 0 {
			return nil
		}
		for _, other := range others {
			other.memory.yield(other)
		}
		select {
		case <-freed:
		case <-timeout:
			return errClaimed
		}
	}
}

func (c *claims) try(path string, i *instance, writes bool) ([]*instance, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var others []*instance
	for other, writing := range c.by[path] {
		if other != i && (writes || writing) {
			others = append(others, other)
		}
	}
	if len(others) > 0 {
		return others, c.freed
	}
	if c.by[path] == nil {
		c.by[path] = make(map[*instance]bool)
	}
	c.by[path][i] = writes
	return nil, nil
}

// release gives up what an instance has claimed.
func (c *claims) release(path string, i *instance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by[path], i)
	if len(c.by[path]) == 0 {
		delete(c.by, path)
	}
	close(c.freed)
	c.freed = make(chan struct{})
}
