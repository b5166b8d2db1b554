package postgres

import (
	"context"
	"errors"
	"sync"
	"time"

	"usher/datasource/pool"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/pglink"
)

// host is one of an account's servers, with the connections to it.
type host struct {
	account   *pool.Account
	connector *connector
	probe     probe
}

// hostOf is where a session goes to. The hosts that were tried before are left
// out, and a question goes on where it has begun.
func (db *DB) hostOf(ctx context.Context, tried uint64) (int, error) {
	if db.cluster == nil {
		return 0, nil
	}
	pinned := pinOf(ctx)
	if pinned == nil {
		return db.choose(ctx, tried)
	}
	pinned.mu.Lock()
	defer pinned.mu.Unlock()
	switch at := pinned.hosts[db]; {
	case at != nil && tried&(1<<at.host) == 0:
		return at.host, nil
	case at != nil && at.begun:
		return 0, errMoved
	}
	host, err := db.choose(ctx, tried)
	if err == nil {
		pinned.hosts[db] = &pinnedTo{host: host}
	}
	return host, err
}

// begin notes that a question is about to read from a host. It tells whether the
// question is still to go there.
func (db *DB) begin(ctx context.Context, host int) bool {
	pinned := pinOf(ctx)
	if db.cluster == nil || pinned == nil {
		return true
	}
	pinned.mu.Lock()
	defer pinned.mu.Unlock()
	at := pinned.hosts[db]
	if at == nil || at.host != host {
		return false
	}
	at.begun = true
	return true
}

// errMoved ends a question whose server is gone after it has given some of the rows.
var errMoved = errors.New("the server that this question has begun with does not answer")

func (db *DB) choose(ctx context.Context, tried uint64) (int, error) {
	if freshOnly(ctx) {
		at, err := db.cluster.Primary(ctx)
		if err == nil && tried&(1<<at) != 0 {
			return 0, pglink.ErrNoPrimary
		}
		return at, err
	}
	since, _ := ctx.Value(sinceKey{}).(time.Time)
	return db.cluster.Read(ctx, tried, since)
}

// unreachable tells whether an attempt to get a connection says that its host is not
// there, so that another may be asked.
func unreachable(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, pool.ErrBusy) && !errors.Is(err, pool.ErrClosed)
}

// failingOver is the answer while there is no server to ask.
func failingOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return translate(ctx, err)
	}
	f := fault.New(fault.Unavailable, "the source does not answer")
	if none := (pglink.NoPrimaryError{}); errors.As(err, &none) {
		if last := fault.From(translate(ctx, none.Cause)); last.Code == fault.Unavailable {
			f.Message, f.Hint = last.Message, last.Hint
		}
		if kind := troubleOf(none.Cause); kind != trouble.Unreachable {
			err = trouble.With(kind, err)
		}
	}
	f = f.Because(err)
	f.RetryAfter = time.Second
	return f
}

type pinKey struct{}

// pin is which host each account's sessions of one question go to: an answer is
// made of rows of one server, not of one that is behind another.
type pin struct {
	mu    sync.Mutex
	hosts map[*DB]*pinnedTo
}

type pinnedTo struct {
	host  int
	begun bool // reading from it: there is no other any more
}

// OneHost returns a context in which all sessions of an account go to one host.
func OneHost(ctx context.Context) context.Context {
	if pinOf(ctx) != nil {
		return ctx
	}
	return context.WithValue(ctx, pinKey{}, &pin{hosts: make(map[*DB]*pinnedTo)})
}

func pinOf(ctx context.Context) *pin {
	p, _ := ctx.Value(pinKey{}).(*pin)
	return p
}

type freshKey struct{}

// Fresh returns a context in which sessions go to the primary.
func Fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

func freshOnly(ctx context.Context) bool { return ctx.Value(freshKey{}) != nil }

type sinceKey struct{}

// Since returns a context in which sessions go to a server that has all that was committed
// before a moment.
func Since(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, sinceKey{}, at)
}

// Replicated tells whether reads may go to a server that is behind the one that is written.
func (db *DB) Replicated() bool { return db.cluster != nil && db.cluster.Replicas() > 0 }

// probe is the connection that a host is asked on what it is. It is not the
// pool's: a host whose connections are all in use is not gone.
type probe struct {
	mu     sync.Mutex
	conn   *conn
	idle   *time.Timer
	closed bool
}

// probeIdle is how long the connection is kept that nobody asks on.
const probeIdle = 30 * time.Second

// status asks the host what it is.
func (h *host) status(ctx context.Context) (s pglink.Status, err error) {
	p := &h.probe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return s, pool.ErrClosed
	}
	if p.conn != nil && !p.conn.Alive() {
		p.drop()
	}
	if p.conn == nil {
		if p.conn, err = h.connector.connect(ctx); err != nil {
			return s, err
		}
	}
	if s, err = p.conn.status(ctx); err != nil {
		p.drop()
		return s, err
	}
	if p.idle == nil {
		p.idle = time.AfterFunc(probeIdle, p.end)
	} else {
		p.idle.Reset(probeIdle)
	}
	return s, nil
}

func (p *probe) drop() {
	if p.conn != nil {
		go end(p.conn)
		p.conn = nil
	}
}

func end(c *conn) { _ = c.Close() }

func (p *probe) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop()
}

func (p *probe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.drop()
	if p.idle != nil {
		p.idle.Stop()
	}
}

func (c *conn) status(ctx context.Context) (s pglink.Status, err error) {
	stop := c.link.Watch(ctx, pglink.Grace)
	c.link.Allow()
	cells, err := c.row(ctx, pglink.StatusQuery, nil)
	if stop() {
		c.broken = true
		return s, ctx.Err()
	}
	if err != nil {
		return s, err
	}
	texts := make([]string, len(cells))
	for i, cell := range cells {
		texts[i] = string(cell.Text)
	}
	return pglink.ReadStatus(texts)
}
