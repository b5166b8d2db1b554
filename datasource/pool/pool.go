// Package pool owns how many connections there are: to one account, to one
// host and in all. Whoever needs one when there are as many as there may be
// waits in line, first come, first served; an idle connection of whoever was
// not there for longest makes room. A connection counts until its other end
// has gone too. An account that cannot be connected to is left alone for a
// moment and takes no more than one place while it is tried. It refuses to
// let more than a bounded number wait.
package pool

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Conn is a connection that is kept for the next who needs one.
type Conn interface {
	// Alive tells whether an idle connection can be used again.
	Alive() bool
	// Close ends the connection. It returns when the other end is known to
	// have ended it too, or after a moment.
	Close() error
}

// Limits bound all accounts of a pool together. Zero values mean the defaults.
type Limits struct {
	Conns   int           // in all; default 100
	PerHost int           // to one host; default 40
	Waiting int           // callers in line; default 10000
	Idle    time.Duration // after which an unused connection is closed; default 5 min
}

// The reasons why there is no connection, besides those of connecting itself
// and of the caller's context.
var (
	ErrClosed = errors.New("the account is closed")
	ErrBusy   = errors.New("too many callers wait for a connection")
)

// Pool holds the connections of many accounts.
type Pool struct {
	limits Limits

	mu      sync.Mutex
	open    int            // connections, and places promised to those that will connect
	hosts   map[string]int // the same for each host
	idle    *list.List     // of *idle, the last used first
	waiting *list.List     // of *waiter, in line
	reaper  *time.Timer
	closed  bool
}

// Account is one account's share of a pool.
type Account struct {
	pool    *Pool
	host    string
	max     int
	connect func(context.Context) (Conn, error)

	// What follows belongs to the pool's lock.
	open       int
	connecting int
	waiting    int
	idle       []*list.Element // the last used last
	answers    bool            // the last attempt to connect succeeded
	failure    failure
	closed     bool
}

// idle is a connection that nobody uses.
type idle struct {
	conn    Conn
	account *Account
	since   time.Time
}

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

// New makes a pool without connections.
func New(l Limits) *Pool {
	l.Conns = cmp.Or(l.Conns, 100)
	l.PerHost = min(cmp.Or(l.PerHost, 40), l.Conns)
	l.Waiting = cmp.Or(l.Waiting, 10_000)
	l.Idle = cmp.Or(l.Idle, 5*time.Minute)
	return &Pool{limits: l, hosts: make(map[string]int), idle: list.New(), waiting: list.New()}
}

// Account adds an account with at most so many connections of its own. It
// connects when one is needed.
func (p *Pool) Account(host string, most int, connect func(context.Context) (Conn, error)) *Account {
	return &Account{pool: p, host: host, max: most, connect: connect}
}

// Stats are how many connections an account has, and how many callers are in
// line for one.
type Stats struct {
	Open, Idle, Waiting int
}

// Stats tells of this moment.
func (a *Account) Stats() Stats {
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	return Stats{Open: a.open, Idle: len(a.idle), Waiting: a.waiting}
}

// Take returns a connection that nobody else uses. The caller returns it.
func (a *Account) Take(ctx context.Context) (Conn, error) {
	g, err := a.granted(ctx)
	if err != nil {
		return nil, err
	}
	if g.conn != nil {
		if g.conn.Alive() {
			return g.conn, nil
		}
		_ = g.conn.Close() // its end is known: this takes no time
		a.pool.begin(a)
	}
	if g.victim != nil {
		if err := a.evict(ctx, g.victim); err != nil {
			return nil, err
		}
	}
	conn, err := a.connect(ctx)
	a.pool.connected(ctx, a, err)
	return conn, err
}

// granted waits for a grant.
func (a *Account) granted(ctx context.Context) (grant, error) {
	g, w := a.pool.ask(a)
	if w == nil {
		return g, g.err
	}
	select {
	case g := <-w.granted:
		return g, g.err
	case <-ctx.Done():
	}
	if !a.pool.leave(w) { // granted just now
		a.decline(<-w.granted)
	}
	return grant{}, ctx.Err()
}

// decline gives back what nobody waits for any more.
func (a *Account) decline(g grant) {
	switch {
	case g.err != nil:
	case g.conn != nil:
		a.Return(g.conn, true)
	default:
		go func() {
			if g.victim != nil {
				_ = g.victim.conn.Close()
				a.pool.ended(g.victim, a)
			}
			a.pool.unused(a)
		}()
	}
}

// evict ends the connection that makes room. It is not waited for longer than
// the caller may wait.
func (a *Account) evict(ctx context.Context, v *idle) error {
	gone := make(chan struct{})
	go func() {
		_ = v.conn.Close()
		a.pool.ended(v, a)
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
		go func() {
			<-gone
			a.pool.unused(a)
		}()
		return ctx.Err()
	}
}

// Return gives a connection back. One that is not to be kept is closed, which
// the caller does not wait for.
func (a *Account) Return(c Conn, keep bool) {
	if keep && a.pool.keep(a, c) {
		return
	}
	go func() {
		_ = c.Close()
		a.pool.gone(a)
	}()
}

// Close ends the account: its idle connections now, those in use when they are
// returned. Nobody gets a connection any more.
func (a *Account) Close() {
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	a.closed = true
	for len(a.idle) > 0 {
		a.pool.discard(a.idle[0])
	}
	a.pool.serve()
}

// Close ends the pool and all accounts of it.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.reaper != nil {
		p.reaper.Stop()
	}
	for p.idle.Len() > 0 {
		p.discard(p.idle.Back())
	}
	p.serve()
}

// ask grants at once or puts the caller in line. Nobody overtakes: whatever
// those in line could use was given to them when it became free.
func (p *Pool) ask(a *Account) (grant, *waiter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if g, ok := p.admit(a); ok {
		return g, nil
	}
	if p.waiting.Len() >= p.limits.Waiting {
		return grant{err: ErrBusy}, nil
	}
	w := &waiter{account: a, granted: make(chan grant, 1)}
	w.at = p.waiting.PushBack(w)
	a.waiting++
	return grant{}, w
}

// leave tells whether the caller was still in line.
func (p *Pool) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.at == nil {
		return false
	}
	p.waiting.Remove(w.at)
	w.at = nil
	w.account.waiting--
	return true
}

// serve grants what can be granted to those in line, in their order. It
// follows everything that makes room.
func (p *Pool) serve() {
	for e := p.waiting.Front(); e != nil; {
		w, next := e.Value.(*waiter), e.Next()
		if g, ok := p.admit(w.account); ok {
			p.waiting.Remove(e)
			w.at = nil
			w.account.waiting--
			w.granted <- g
		}
		e = next
	}
}

// admit decides what a caller gets now, or that it has to wait.
func (p *Pool) admit(a *Account) (grant, bool) {
	switch {
	case p.closed || a.closed:
		return grant{err: ErrClosed}, true
	case len(a.idle) > 0:
		return grant{conn: p.take(a.idle[len(a.idle)-1]).conn}, true
	case a.failure.holds(time.Now()):
		return grant{err: a.failure.err}, a.open == 0 // with others open, one of them will be returned
	case a.open >= a.max, a.connecting > 0 && !a.answers:
		return grant{}, false
	case p.hosts[a.host] >= p.limits.PerHost:
		return p.replace(a, func(v *idle) bool { return v.account.host == a.host })
	case p.open >= p.limits.Conns:
		return p.replace(a, func(*idle) bool { return true })
	}
	p.open++
	p.hosts[a.host]++
	a.open++
	a.connecting++
	return grant{}, true
}

// replace grants the place of the idle connection that was unused for longest.
// That one counts for its account, and for its host if it is another, until it
// is gone.
func (p *Pool) replace(a *Account, fits func(*idle) bool) (grant, bool) {
	for e := p.idle.Back(); e != nil; e = e.Prev() {
		if !fits(e.Value.(*idle)) {
			continue
		}
		v := p.take(e)
		if v.account.host != a.host {
			p.hosts[a.host]++
		}
		a.open++
		a.connecting++
		return grant{victim: v}, true
	}
	return grant{}, false
}

// ended notes that a connection which made room for an account is gone.
func (p *Pool) ended(v *idle, a *Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	v.account.open--
	if v.account.host != a.host {
		p.leftHost(v.account.host)
	}
	p.serve()
}

// begin notes that an account connects anew in a place that it has.
func (p *Pool) begin(a *Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.connecting++
}

// connected notes how an attempt to connect has ended.
func (p *Pool) connected(ctx context.Context, a *Account, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.connecting--
	switch {
	case err == nil:
		a.answers, a.failure = true, failure{}
	case errors.Is(ctx.Err(), context.Canceled): // says nothing of the account
		p.left(a)
	default:
		a.answers = false
		a.failure.again(err, time.Now())
		p.left(a)
	}
	p.serve()
}

// unused gives a place back that nobody connected in.
func (p *Pool) unused(a *Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.connecting--
	p.left(a)
	p.serve()
}

// gone gives the place of a closed connection back.
func (p *Pool) gone(a *Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left(a)
	p.serve()
}

func (p *Pool) left(a *Account) {
	p.open--
	a.open--
	p.leftHost(a.host)
}

func (p *Pool) leftHost(host string) {
	if p.hosts[host]--; p.hosts[host] == 0 {
		delete(p.hosts, host)
	}
}

// keep makes a connection idle, unless its account is closed.
func (p *Pool) keep(a *Account, c Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || a.closed {
		return false
	}
	a.idle = append(a.idle, p.idle.PushFront(&idle{conn: c, account: a, since: time.Now()}))
	p.serve()
	p.watch()
	return true
}

// take makes an idle connection somebody's.
func (p *Pool) take(e *list.Element) *idle {
	v := p.idle.Remove(e).(*idle)
	for i, at := range v.account.idle {
		if at == e {
			v.account.idle = append(v.account.idle[:i], v.account.idle[i+1:]...)
			break
		}
	}
	return v
}

// discard closes an idle connection; its place is free when it is gone.
func (p *Pool) discard(e *list.Element) {
	v := p.take(e)
	go func() {
		_ = v.conn.Close()
		p.gone(v.account)
	}()
}

// watch sees to it that idle connections are closed in time.
func (p *Pool) watch() {
	if p.reaper != nil || p.idle.Len() == 0 || p.closed {
		return
	}
	oldest := p.idle.Back().Value.(*idle)
	p.reaper = time.AfterFunc(time.Until(oldest.since.Add(p.limits.Idle)), p.reap)
}

func (p *Pool) reap() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaper = nil
	for e := p.idle.Back(); e != nil && time.Since(e.Value.(*idle).since) >= p.limits.Idle; e = p.idle.Back() {
		p.discard(e)
	}
	p.watch()
}
