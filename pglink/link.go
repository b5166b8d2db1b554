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
	"sync/atomic"
	"syscall"
	"time"
)

// Grace is how long a statement may still answer after its context has ended.
// It is for the driver to see that end and to ask the server to cancel.
const Grace = 100 * time.Millisecond

// ErrTooLarge is the error of a read when the server has sent its allowance.
var ErrTooLarge = errors.New("the server sent more than allowed for one statement")

// ErrNoTLS is the error of a link that shall be encrypted, to a server that does
// not do that.
var ErrNoTLS = errors.New("the server does not offer TLS")

// Server is where an account's links go.
type Server struct {
	address  string
	tls      *tls.Config // nil: unencrypted
	dialer   net.Dialer
	patience time.Duration
	deriving chan struct{} // held by the link whose driver derives a key from the password
}

// NewServer refuses an account whose TLS cannot be had as it says.
func NewServer(account Account, control Control) (*Server, error) {
	config, err := tlsConfig(account)
	if err != nil {
		return nil, err
	}
	return &Server{
		address:  net.JoinHostPort(account.Host, strconv.Itoa(account.Port)),
		tls:      config,
		dialer:   net.Dialer{Control: control},
		patience: account.Patience,
		deriving: make(chan struct{}, 1),
	}, nil
}

// SameRoots tells whether two servers are believed by the same authorities, whatever the files are called that
// hold their certificates. Those of the system are read once by a process.
func (s *Server) SameRoots(other *Server) bool {
	if s.tls == nil || other.tls == nil {
		return s.tls == other.tls
	}
	return s.tls.RootCAs.Equal(other.tls.RootCAs)
}

// Link is a network connection whose reads and writes end with the context
// that is watched. The driver alone would wait for ever for a silent server.
type Link struct {
	net.Conn // with TLS, if there is any
	raw      net.Conn
	max      int64 // bytes to read for one statement
	left     int64
	server   *Server
	patience time.Duration          // how long an answer to the driver may take; 0: its context says
	cancel   atomic.Pointer[[]byte] // the request that ends what the server does for this link
	ended    atomic.Bool            // with a context that was watched
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
	l.server, l.patience = s, s.patience
	if s.tls == nil {
		return l, nil
	}
	stop := l.Watch(ctx, 0)
	l.Conn, err = s.encrypt(ctx, raw)
	if stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
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
		return nil, fmt.Errorf("%w (it answered %q)", ErrNoTLS, answer[0])
	}
	encrypted := tls.Client(raw, s.tls)
	return encrypted, encrypted.HandshakeContext(ctx)
}

// Watch ends reads and writes a moment after ctx has ended. When stop reports
// that this has begun, the link is of no further use.
func (l *Link) Watch(ctx context.Context, after time.Duration) (stop func() (ended bool)) {
	forget := context.AfterFunc(ctx, func() {
		l.ended.Store(true)
		_ = l.raw.SetDeadline(time.Now().Add(after))
		if request := l.cancel.Load(); request != nil {
			canceling.begin()
			defer canceling.end()
			l.server.cancel(l.raw.RemoteAddr().String(), *request)
		}
	})
	return func() bool { return !forget() }
}

// Linger is Watch where others wait for answers behind this one: nothing is canceled, and if the answer
// comes after all, the link is as it was.
func (l *Link) Linger(ctx context.Context, after time.Duration) (stop func() (ended bool)) {
	begun := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		_ = l.raw.SetDeadline(time.Now().Add(after))
		close(begun)
	})
	return func() bool {
		if !forget() {
			<-begun
			_ = l.raw.SetDeadline(time.Time{})
		}
		return false
	}
}

// cancelBy notes the key with which the server's work for this link can be
// canceled.
func (l *Link) cancelBy(key []byte) {
	request := append([]byte{0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e}, key...)
	l.cancel.Store(&request)
}

// Backend is the process of the server that greeted; 0 if it named none.
func (l *Link) Backend() int64 {
	if request := l.cancel.Load(); request != nil {
		return int64(binary.BigEndian.Uint32((*request)[8:]))
	}
	return 0
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
	return n, err
}

// Close implements net.Conn. It does not say farewell in TLS, which can wait
// seconds for a frozen server.
func (l *Link) Close() error {
	if err := l.raw.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil // the driver has closed it already
}

// Sever ends the link under whoever reads from it: net.ErrClosed is what they get.
func (l *Link) Sever() { _ = l.raw.Close() }

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
		quiet = nothing(fd)
		return true
	})
	return quiet && err == nil
}

// Await returns when something has arrived, or at the deadline, and leaves it
// to be read.
func (l *Link) Await(deadline time.Time) error {
	tcp, ok := l.raw.(*net.TCPConn)
	if !ok {
		return errors.New("the link is not TCP")
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	if err := l.raw.SetReadDeadline(deadline); err != nil {
		return err
	}
	return raw.Read(func(fd uintptr) bool { return !nothing(fd) })
}

// nothing tells that a connection is open and has nothing to be read.
func nothing(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return errors.Is(err, syscall.EAGAIN)
}
