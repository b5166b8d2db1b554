package pglink

import (
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// cancelTimeout bounds a request to cancel, for which nobody waits.
const cancelTimeout = 5 * time.Second

// settling is how long a process that ends waits for them all the same: they take as long as a connection does.
const settling = time.Second

// dialer makes the driver's link, and its requests to cancel.
type dialer struct {
	server *Server
	link   *guard
	to     string // where the link went: a name may lead elsewhere by now
}

var errNoContext = errors.New("a dial needs a context")

// Dial is never called: the driver prefers DialContext.
func (d *dialer) Dial(_, _ string) (net.Conn, error) {
	return nil, errNoContext
}

// DialTimeout is never called either.
func (d *dialer) DialTimeout(_, _ string, _ time.Duration) (net.Conn, error) {
	return nil, errNoContext
}

// DialContext returns the link that is there already, and from then on a
// canceler: the driver dials again only for that.
func (d *dialer) DialContext(context.Context, string, string) (net.Conn, error) {
	if l := d.link; l != nil {
		d.link, d.to = nil, l.raw.RemoteAddr().String()
		return l, nil
	}
	return &canceler{server: d.server, to: d.to}, nil
}

// canceler takes the driver's request to cancel and sends it on a link of its
// own, for which the driver need not wait: the server may be frozen.
type canceler struct {
	net.Conn // nil; the driver calls none but the methods below
	server   *Server
	to       string
}

// Write implements net.Conn.
func (c *canceler) Write(request []byte) (int, error) {
	own := slices.Clone(request)
	canceling.begin()
	go func() {
		defer canceling.end()
		c.server.cancel(c.to, own)
	}()
	return len(request), nil
}

// underWay counts requests to cancel.
type underWay struct {
	mu   sync.Mutex
	n    int
	none chan struct{} // is closed when there are none any more
}

// canceling are those of the process, whichever server they are for: it is the process that ends before their answer.
var canceling underWay

func (u *underWay) begin() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n++; u.n == 1 {
		u.none = make(chan struct{})
	}
}

func (u *underWay) end() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.n--; u.n == 0 {
		close(u.none)
	}
}

// Settle waits, but not for long, until requests to cancel have been passed on: PgBouncer 1.18 may end, with everybody's
// connections, when whoever sent one is gone before.
func Settle() {
	canceling.mu.Lock()
	n, none := canceling.n, canceling.none
	canceling.mu.Unlock()
	if n == 0 {
		return
	}
	select {
	case <-none:
	case <-time.After(settling):
	}
}

func (s *Server) cancel(to string, request []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), cancelTimeout)
	defer cancel()
	l, err := s.Dial(ctx, to, 1024)
	if err != nil {
		return
	}
	defer func() { _ = l.Close() }()
	defer l.Watch(ctx, 0)()
	if _, err := l.Write(request); err != nil {
		return
	}
	// The server closes when it has passed the request on.
	_, _ = io.Copy(io.Discard, l)
}

// Read implements net.Conn.
func (c *canceler) Read([]byte) (int, error) { return 0, io.EOF }

// Close implements net.Conn.
func (c *canceler) Close() error { return nil }

// SetDeadline implements net.Conn.
func (c *canceler) SetDeadline(time.Time) error { return nil }
