package pool

import (
	"container/list"
	"time"
)

// waiter is a caller in line.
type waiter struct {
	account *Account
	granted chan grant // holds one
	at      *list.Element
}

// grant is what a caller gets: a connection, a place to connect in (once the
// victim is gone, if there is one), or an error.
type grant struct {
	conn   Conn
	victim *idle
	err    error
}

// host is one host's part of the pool: there while anything is open or anybody
// waits.
type host struct {
	name  string
	open  int
	idle  list.List       // of *idle, the last used first
	turns turns[*Account] // those that could use a place
	ticket
}

func (p *Pool) host(name string) *host {
	h := p.hosts[name]
	if h == nil {
		h = &host{name: name}
		p.hosts[name] = h
	}
	return h
}

// ask grants at once or puts the caller in line. Nobody overtakes: whatever
// those in line could use was given to them when it became free.
func (p *Pool) ask(a *Account, first bool) (grant, *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if err := p.refusal(a, now); err != nil {
		return grant{err: err}, nil
	}
	switch {
	case len(a.idle) > 0:
		return p.give(a), nil
	case a.line.Len() == 0 && a.mayConnect(now) && p.hasRoom(p.host(a.host)):
		return p.give(a), nil
	case p.waiting >= p.limits.Waiting:
		p.rank(p.host(a.host)) // which is forgotten, if nothing is there
		return grant{err: ErrBusy}, nil
	}
	w := &waiter{account: a, granted: make(chan grant, 1)}
	if a.line.Len() == 0 {
		p.inLine[a] = struct{}{}
		a.number = p.number()
	}
	if first {
		w.at = a.line.PushFront(w)
	} else {
		w.at = a.line.PushBack(w)
	}
	p.waiting++
	p.turn(a)
	return grant{}, w
}

// leave tells whether the caller was still in line.
func (p *Pool) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.at == nil {
		return false
	}
	p.out(w)
	p.turn(w.account)
	return true
}

// out takes a caller out of the line.
func (p *Pool) out(w *waiter) {
	w.account.line.Remove(w.at)
	w.at = nil
	p.waiting--
	if w.account.line.Len() == 0 {
		delete(p.inLine, w.account)
	}
}

func (p *Pool) number() uint64 {
	p.numbers++
	return p.numbers
}

// serve follows everything that happens to an account. What has become free goes
// to whoever's turn it is: the account's own caller, when it is a connection of
// it, or the caller of another that waits for a place. An account that was
// served goes behind the others that wait. The lines are not walked.
func (p *Pool) serve(a *Account) {
	p.turnAway(a)
	p.turn(a)
	for {
		next := p.next()
		if a.line.Len() > 0 && len(a.idle) > 0 && (next == nil || a.number < next.number) {
			next = a
		}
		if next == nil {
			return
		}
		w := next.line.Front().Value.(*waiter)
		p.out(w)
		next.number = p.number()
		w.granted <- p.give(next)
		if next.backoff.err != nil { // one tries it, and the others are told
			p.turnAway(next)
			p.turn(next)
		}
	}
}

// turnAway tells those in line that they need not wait, and why.
func (p *Pool) turnAway(a *Account) {
	err := p.refusal(a, time.Now())
	if err == nil {
		return
	}
	for a.line.Len() > 0 {
		w := a.line.Front().Value.(*waiter)
		p.out(w)
		w.granted <- grant{err: err}
	}
}

// next is the account whose caller gets the next place, if there is one.
func (p *Pool) next() *Account {
	if len(p.turns) == 0 || p.open >= p.limits.Conns && p.idle.Len() == 0 {
		return nil
	}
	return p.turns[0].turns[0]
}

// refusal is why an account's callers need not wait.
func (p *Pool) refusal(a *Account, now time.Time) error {
	if p.closed || a.closed {
		return ErrClosed
	}
	switch left := a.backoff.remaining(now); {
	case a.open > a.connecting: // one of them will be returned
	case left > patience && a.connecting == 0:
		return &PausedError{Cause: a.backoff.err, Left: left}
	case a.backoff.pause > patience && a.backoff.took > patience && a.connecting > 0: // whoever tries it may wait for as long as the last did
		return &PausedError{Cause: a.backoff.err, Left: a.backoff.pause}
	}
	return nil
}

// mayConnect tells whether an account may connect now. While it is not known to
// answer, one attempt is made at a time.
func (a *Account) mayConnect(now time.Time) bool {
	return a.open < a.max && (a.answers || a.connecting == 0) && a.backoff.remaining(now) == 0
}

// hasRoom tells whether there is a place at a host, or a connection that can make
// room for one.
func (p *Pool) hasRoom(h *host) bool {
	return p.hostHasRoom(h) && (p.open < p.limits.Conns || p.idle.Len() > 0)
}

func (p *Pool) hostHasRoom(h *host) bool { return h.open < p.limits.PerHost || h.idle.Len() > 0 }

// turn puts an account among those that could use a place at its host, or takes
// it out.
func (p *Pool) turn(a *Account) {
	h := p.host(a.host)
	h.turns.set(a, a.line.Len() > 0 && a.mayConnect(time.Now()))
	p.rank(h)
}

// rank follows every change of a host: its turn is that of its first account.
func (p *Pool) rank(h *host) {
	if len(h.turns) > 0 {
		h.number = h.turns[0].number
	}
	p.turns.set(h, len(h.turns) > 0 && p.hostHasRoom(h))
	if h.open == 0 && len(h.turns) == 0 {
		delete(p.hosts, h.name)
	}
}

// give grants an account its last used connection, or a place. At a limit that
// is the place of the connection that was unused for longest, which counts for
// its account, and for its host if it is another, until it is gone.
func (p *Pool) give(a *Account) grant {
	if last := len(a.idle) - 1; last >= 0 {
		g := grant{conn: p.take(a.idle[last]).conn}
		p.turn(a)
		return g
	}
	var g grant
	h := p.host(a.host)
	switch {
	case h.open >= p.limits.PerHost:
		g.victim = p.take(h.idle.Back().Value.(*idle))
	case p.open >= p.limits.Conns:
		g.victim = p.take(p.idle.Back().Value.(*idle))
	default:
		p.open++
	}
	if g.victim == nil || g.victim.account.host != a.host {
		h.open++
	}
	a.open++
	a.connecting++
	p.turn(a)
	return g
}
