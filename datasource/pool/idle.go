package pool

import (
	"container/list"
	"math/rand/v2"
	"slices"
	"time"
)

// idle is a connection that nobody uses.
type idle struct {
	conn    Conn
	account *Account
	due     time.Time // it is closed then, unless somebody uses it
	inPool  *list.Element
	inHost  *list.Element
}

// age is how old a connection gets: those that were opened together are not
// closed together.
func (p *Pool) age() time.Duration {
	return p.limits.MaxAge - rand.N(p.limits.MaxAge/5+1) //nolint:gosec // spreads load, keeps no secret
}

// keep makes a connection idle, unless its account is closed or it is old.
func (p *Pool) keep(a *Account, c Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	expires := a.expires[c]
	if p.closed || a.closed || !now.Before(expires) {
		return false
	}
	v := &idle{conn: c, account: a, due: now.Add(p.limits.Idle)}
	if expires.Before(v.due) {
		v.due = expires
	}
	h := p.host(a.host)
	v.inPool, v.inHost = p.idle.PushFront(v), h.idle.PushFront(v)
	a.idle = append(a.idle, v)
	p.rank(h)
	p.serve(a)
	p.watch(v.due)
	return true
}

// take makes an idle connection somebody's.
func (p *Pool) take(v *idle) *idle {
	a, h := v.account, p.host(v.account.host)
	p.idle.Remove(v.inPool)
	h.idle.Remove(v.inHost)
	if last := len(a.idle) - 1; a.idle[last] == v {
		a.idle = a.idle[:last]
	} else {
		i := slices.Index(a.idle, v)
		a.idle = slices.Delete(a.idle, i, i+1)
	}
	p.rank(h)
	return v
}

// discard closes an idle connection; its place is free when it is gone.
func (p *Pool) discard(v *idle) {
	p.take(v)
	go v.account.drop(v.conn)
}

// watch sees to it that idle connections are closed in time.
func (p *Pool) watch(due time.Time) {
	if p.reaper != nil {
		if !due.Before(p.reaps) {
			return
		}
		p.reaper.Stop()
	}
	p.reaps = due
	p.reaper = time.AfterFunc(time.Until(due), p.reap)
}

func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	if p.closed {
		return
	}
	now, next := time.Now(), time.Time{}
	for e := p.idle.Back(); e != nil; {
		v, before := e.Value.(*idle), e.Prev()
		switch {
		case !now.Before(v.due):
			p.discard(v)
		case next.IsZero() || v.due.Before(next):
			next = v.due
		}
		e = before
	}
	if !next.IsZero() {
		p.watch(next)
	}
}
