package datasource

import (
	"context"
	"time"

	"usher/fault"
)

// A slot is the right to have one account of a tenant's own open: accounts are an
// LRU cache whose entries are closed only when nobody uses them.

// acquire takes a slot. When all of them are taken, the least recently used account
// of those that nobody uses is closed. When all are in use, the caller waits, and
// the account that was asked for longest ago takes no further users, so that its
// slot becomes free however busy it is. The lock is held, but for the waiting.
func (a *accounts) acquire(ctx context.Context) error {
	if a.slots < a.opts.Accounts {
		a.slots++
		return nil
	}
	for e := a.recent.Back(); e != nil; e = e.Prev() {
		if acc := e.Value.(*account); acc.users == 0 {
			a.remove(acc)
			a.end(acc)
			return nil // in its slot
		}
	}
	turn := make(chan struct{})
	at := a.waiting.PushBack(turn)
	a.drain()
	a.mu.Unlock()
	select {
	case <-turn:
		a.mu.Lock()
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	select {
	case <-turn: // just now
		a.release()
	default:
		a.waiting.Remove(at)
	}
	return fault.From(ctx.Err())
}

// release gives a slot to the first in line, or back.
func (a *accounts) release() {
	if e := a.waiting.Front(); e != nil {
		close(a.waiting.Remove(e).(chan struct{}))
		return
	}
	a.slots--
}

// drain lets as many accounts end with their users as callers wait.
func (a *accounts) drain() {
	for e := a.recent.Back(); e != nil && a.draining < a.waiting.Len(); e = a.recent.Back() {
		a.remove(e.Value.(*account))
		a.draining++
	}
}

// watch sees to it that idle accounts are closed.
func (a *accounts) watch() {
	if a.reaper == nil && !a.closed && a.recent.Len() > 0 {
		a.reaper = time.AfterFunc(a.opts.Conns.Idle, a.reap)
	}
}

func (a *accounts) reap() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reaper = nil
	var unused []*account
	for e := a.recent.Back(); e != nil; {
		acc, prev := e.Value.(*account), e.Prev()
		if acc.users == 0 && time.Since(acc.used) >= a.opts.Conns.Idle {
			a.remove(acc)
			unused = append(unused, acc)
		}
		e = prev
	}
	for _, acc := range unused {
		a.end(acc)
		a.release()
	}
	a.watch()
}
