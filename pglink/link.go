package pglink

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"syscall"
	"time"
)

// Grace is how long a statement may still answer after its context has ended.
// It is for the driver to see that end and to ask the server to cancel.
const Grace = 100 * time.Millisecond

// maxGreeting is how much of what a server says at first is looked at.
const maxGreeting = 64 << 10

// cancelTimeout bounds a request to cancel, for which nobody waits.
const cancelTimeout = 5 * time.Second

// ErrTooLarge is the error of a read when the server has sent its allowance.
var ErrTooLarge = errors.New("the server sent more than allowed for one statement")

// Server is where an account's links go.
type Server struct {
	address string
	tls     *tls.Config // nil: unencrypted
	dialer  net.Dialer
}

func NewServer(account Account, control Control) (*Server, error) {
	config, err := tlsConfig(account)
	if err != nil {
		return nil, err
	}
	return &Server{
		address: net.JoinHostPort(account.Host, strconv.Itoa(account.Port)),
		tls:     config,
		dialer:  net.Dialer{Control: control},
	}, nil
}

// Link is a network connection whose reads and writes end with the context
// that is watched. The driver alone would wait for ever for a silent server.
type Link struct {
	net.Conn // with TLS, if there is any
	raw      net.Conn
	max      int64 // bytes to read for one statement
	left     int64
	server   *Server
	greeting []byte // all that came until the driver had signed in
	signed   bool
	cancel   []byte // the request that ends what the server does for this link
}

// Address is the server's host and port.
func (s *Server) Address() string { return s.address }

// Over is a link over a connection that is there already.
func Over(conn net.Conn, maxBytes int64) *Link {
	return &Link{Conn: conn, raw: conn, max: maxBytes, left: maxBytes}
}

// Dial connects and, where asked for, agrees on TLS.
func (s *Server) Dial(ctx context.Context, address string, maxBytes int64) (*Link, error) {
	raw, err := s.dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := Over(raw, maxBytes)
	l.server = s
	if s.tls == nil {
		return l, nil
	}
	stop := l.Watch(ctx, 0)
	l.Conn, err = s.encrypt(ctx, raw)
	if stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return l, nil
}

// encrypt asks for TLS as PostgreSQL's protocol has it: one message, one byte.
func (s *Server) encrypt(ctx context.Context, raw net.Conn) (net.Conn, error) {
	if _, err := raw.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil {
		return nil, err
	}
	var answer [1]byte
	if _, err := io.ReadFull(raw, answer[:]); err != nil {
		return nil, err
	}
	if answer[0] != 'S' {
		return nil, fmt.Errorf("the server does not offer TLS (it answered %q)", answer[0])
	}
	encrypted := tls.Client(raw, s.tls)
	return encrypted, encrypted.HandshakeContext(ctx)
}

// Watch ends reads and writes a moment after ctx has ended. When stop reports
// that this has begun, the link is of no further use.
func (l *Link) Watch(ctx context.Context, after time.Duration) (stop func() (ended bool)) {
	forget := context.AfterFunc(ctx, func() {
		_ = l.raw.SetDeadline(time.Now().Add(after))
		if l.cancel != nil {
			l.server.cancel(l.raw.RemoteAddr().String(), l.cancel)
		}
	})
	return func() bool { return !forget() }
}

// SignedIn finds in what the server said until now the key with which its work
// for this link can be canceled.
func (l *Link) SignedIn() {
	for rest := l.greeting; len(rest) >= 5; {
		size := int64(binary.BigEndian.Uint32(rest[1:]))
		if size < 4 || size+1 > int64(len(rest)) {
			break
		}
		if rest[0] == 'K' && size == 12 {
			l.cancel = append([]byte{0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e}, rest[5:13]...)
		}
		rest = rest[size+1:]
	}
	l.greeting, l.signed = nil, true
}

// Allow lets the server send the bytes of one more statement.
func (l *Link) Allow() { l.left = l.max }

// Left is how many bytes of the allowance are left.
func (l *Link) Left() int64 { return l.left }

// SetDeadline implements net.Conn.
func (l *Link) SetDeadline(at time.Time) error { return l.raw.SetDeadline(at) }

// Read implements net.Conn.
func (l *Link) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, ErrTooLarge
	}
	n, err := l.Conn.Read(p)
	l.left -= int64(n)
	if !l.signed && len(l.greeting) < maxGreeting {
		l.greeting = append(l.greeting, p[:n]...)
	}
	return n, err
}

// Close implements net.Conn. It does not say farewell in TLS, which can wait
// seconds for a frozen server.
func (l *Link) Close() error { return l.raw.Close() }

// End says that nothing more will come from here and waits until nothing more
// comes from there, for as long as the deadline allows.
func (l *Link) End() error {
	if tcp, ok := l.raw.(*net.TCPConn); ok && tcp.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, l.raw)
	}
	return l.raw.Close()
}

// Quiet tells whether nothing has come since the last answer. What comes to an
// idle connection is its end, or the server's reason for it.
func (l *Link) Quiet() bool {
	tcp, ok := l.raw.(*net.TCPConn)
	if !ok {
		return false
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return quiet && err == nil
}

// dialer makes the driver's link, and its requests to cancel.
type dialer struct {
	server *Server
	link   *Link
	to     string // where the link went: a name may lead elsewhere by now
}

// Dial is never called: the driver prefers DialContext.
func (d *dialer) Dial(_, _ string) (net.Conn, error) {
	return nil, errors.New("a dial needs a context")
}

// DialTimeout is never called either.
func (d *dialer) DialTimeout(_, _ string, _ time.Duration) (net.Conn, error) {
	return nil, errors.New("a dial needs a context")
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
