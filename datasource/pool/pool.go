// Package pool owns how many connections there are: to one account, to one
// host and in all. Whoever needs one when there are as many as there may be
// waits in line: within an account first come, first served, and accounts that
// wait for the same places take turns. An idle connection of whoever was not
// there for longest makes room. A connection counts until its other end has gone
// too, and is closed when it is old. An account that cannot be connected to is
// left alone for a moment and takes no more than one place while it is tried.
// It refuses to let more than a bounded number wait.
package pool

import (
	"cmp"
	"container/list"
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
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
	MaxAge  time.Duration // after which a connection is not used again; default 30 min
}

// The reasons why there is no connection, besides PausedError, those of
// connecting itself and of the caller's context.
var (
	ErrClosed = errors.New("the account is closed")
	ErrBusy   = errors.New("too many callers wait for a connection")
)

// Pool holds the connections of many accounts.
type Pool struct {
	limits Limits

	mu      sync.Mutex
	open    int // connections, and places promised to those that will connect
	hosts   map[string]*host
	turns   turns[*host] // those with a place that somebody waits for
	idle    list.List    // of *idle, the last used first
	waiting int
	inLine  map[*Account]struct{} // those with callers in line
	numbers uint64                // the last ticket's
	reaper  *time.Timer
	reaps   time.Time // when it does
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
	idle       []*idle // the last used last
	line       list.List
	expires    map[Conn]time.Time // of each connection: when it is old
	answers    bool               // the last attempt to connect succeeded
	known      bool               // an attempt has succeeded
	backoff    backoff
	closed     bool
	ticket
}

// New makes a pool without connections.
func New(l Limits) *Pool {
	l.Conns = cmp.Or(l.Conns, 100)
	l.PerHost = min(cmp.Or(l.PerHost, 40), l.Conns)
	l.Waiting = cmp.Or(l.Waiting, 10_000)
	l.Idle = cmp.Or(l.Idle, 5*time.Minute)
	l.MaxAge = cmp.Or(l.MaxAge, 30*time.Minute)
	return &Pool{limits: l, hosts: make(map[string]*host), inLine: make(map[*Account]struct{})}
}

// Account adds an account with at most so many connections of its own. It
// connects when one is needed.
func (p *Pool) Account(host string, most int, connect func(context.Context) (Conn, error)) *Account {
	return &Account{pool: p, host: host, max: most, connect: connect, expires: make(map[Conn]time.Time)}
}

// Most is how many connections an account can have that may have so many of its
// own.
func (p *Pool) Most(own int) int { return min(own, p.limits.PerHost, p.limits.Conns) }

// Stats are how many connections an account has, and how many callers are in
// line for one.
type Stats struct {
	Open, Idle, Waiting int
}

// Stats tells of this moment.
func (a *Account) Stats() Stats {
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	return Stats{Open: a.open, Idle: len(a.idle), Waiting: a.line.Len()}
}

// Take returns a connection that nobody else uses. The caller returns it.
func (a *Account) Take(ctx context.Context) (Conn, error) {
	for first := false; ; first = true {
		g, err := a.granted(ctx, first)
		if err != nil {
			return nil, err
		}
		if g.conn == nil {
			made, err := a.connected(ctx, g.victim)
			if err == nil || ctx.Err() != nil || !a.restarting(err) {
				return made, err
			}
			continue // the caller keeps its turn
		}
		if a.alive(g.conn) {
			return g.conn, nil
		}
		// That it is dead says nothing of connecting: the caller keeps its turn.
	}
}

// restarting tells whether whoever could not connect waits for the server, which may be
// back already.
func (a *Account) restarting(err error) bool {
	if !errors.As(err, new(*AwayError)) {
		return false
	}
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	return a.known && (a.backoff.err == nil || a.backoff.restarting(time.Now()))
}

// alive gives the place of a dead connection back.
func (a *Account) alive(c Conn) (alive bool) {
	defer func() { // a panic included
		if !alive {
			a.Return(c, false)
		}
	}()
	return c.Alive()
}

// granted waits for a grant, behind those in line or before them.
func (a *Account) granted(ctx context.Context, first bool) (grant, error) {
	g, w := a.pool.ask(a, first)
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
	case g.victim != nil:
		go func() {
			a.evict(g.victim)
			a.pool.unused(a)
		}()
	default:
		a.pool.unused(a)
	}
}

var errPanicked = errors.New("connecting panicked")

// connected connects in a place that was granted, once the connection that makes
// room is gone. The place is given back if that fails, in whatever way.
func (a *Account) connected(ctx context.Context, victim *idle) (_ Conn, err error) {
	if victim != nil {
		if err := a.makeRoom(ctx, victim); err != nil {
			return nil, err
		}
	}
	var made Conn
	began := time.Now()
	err = errPanicked
	defer func() { a.pool.ended(ctx, a, made, err, began) }()
	made, err = a.connect(ctx)
	return made, err
}

// makeRoom ends the connection that makes room. It is not waited for longer than
// the caller may wait.
func (a *Account) makeRoom(ctx context.Context, v *idle) error {
	gone := make(chan struct{})
	go func() {
		a.evict(v)
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

func (a *Account) evict(v *idle) {
	end(v.conn)
	a.pool.evicted(v, a)
}

// Return gives a connection back. One that is not to be kept is closed, which
// the caller does not wait for.
func (a *Account) Return(c Conn, keep bool) {
	if keep && a.pool.keep(a, c) {
		return
	}
	go a.drop(c)
}

// drop ends a connection and gives its place back.
func (a *Account) drop(c Conn) {
	end(c)
	a.pool.gone(a, c)
}

// end closes a connection. Should that panic, the connection is as good as gone:
// its place is not lost, and nobody else's work is.
func end(c Conn) {
	defer func() {
		if p := recover(); p != nil {
			slog.Error("closing a connection panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	_ = c.Close()
}

// Close ends the account: its idle connections now, those in use when they are
// returned. Nobody gets a connection any more. It waits for nothing.
func (a *Account) Close() {
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	a.closed = true
	a.backoff.stop()
	for len(a.idle) > 0 {
		a.pool.discard(a.idle[len(a.idle)-1])
	}
	a.pool.serve(a)
}

// Forsake ends the idle connections of an account that answers nobody any more, and
// tells those in line why. Those that ask later find out with one attempt.
func (a *Account) Forsake(why error) {
	a.pool.mu.Lock()
	defer a.pool.mu.Unlock()
	a.answers = false
	for len(a.idle) > 0 {
		a.pool.discard(a.idle[len(a.idle)-1])
	}
	for a.line.Len() > 0 {
		w := a.line.Front().Value.(*waiter)
		a.pool.out(w)
		w.granted <- grant{err: why}
	}
	a.pool.serve(a)
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
		p.discard(p.idle.Back().Value.(*idle))
	}
	for a := range p.inLine {
		p.serve(a)
	}
}

// evicted notes that a connection which made room for an account is gone.
func (p *Pool) evicted(v *idle, a *Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(v.account.expires, v.conn)
	v.account.open--
	if v.account.host != a.host {
		p.freedHost(v.account.host)
	}
	p.serve(v.account)
}

// ended notes how an attempt to connect has ended.
func (p *Pool) ended(ctx context.Context, a *Account, c Conn, err error, began time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	a.connecting--
	switch {
	case err == nil:
		a.answers, a.known = true, true
		a.backoff.clear()
		a.expires[c] = now.Add(p.age())
	case excused(ctx, now.Sub(began)):
		p.freed(a)
	default:
		a.answers = false
		a.backoff.failed(err, a.known, began, now, func() { p.resume(a) })
		p.freed(a)
	}
	p.serve(a)
}

// resume ends an account's pause: one of those in line may try.
func (p *Pool) resume(a *Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serve(a)
}

// unused gives a place back that nobody connected in.
func (p *Pool) unused(a *Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a.connecting--
	p.freed(a)
	p.serve(a)
}

// gone gives the place of a closed connection back.
func (p *Pool) gone(a *Account, c Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(a.expires, c)
	p.freed(a)
	p.serve(a)
}

func (p *Pool) freed(a *Account) {
	p.open--
	a.open--
	p.freedHost(a.host)
}

func (p *Pool) freedHost(name string) {
	h := p.host(name)
	h.open--
	p.rank(h)
}
