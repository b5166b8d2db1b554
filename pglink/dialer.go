package pglink

import (
	"context"
	"errors"
	"io"
	"net"
	"time"
)

// cancelTimeout bounds a request to cancel, for which nobody waits.
const cancelTimeout = 5 * time.Second

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
	go c.server.cancel(c.to, append([]byte(nil), request...))
	return len(request), nil
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
