package cli

import (
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

// places is how many connections of clients are open at a time: half of the files that the process may have. The others
// are for sources, which nobody could be answered from if those who only stand there had them all, and for the embedded
// engine, which ends the process where it cannot open one.
func places() int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return maxPlaces
	}
	return int(min(files.Cur/2, maxPlaces))
}

// maxPlaces are those of a process without bounds.
const maxPlaces = 1 << 20

// seated lets in as many connections as there are places. Who comes when all are taken waits in the system's backlog, until
// somebody leaves; those that ask nothing at the moment are sent away for them.
type seated struct {
	*net.TCPListener
	taken    chan struct{} // one for each connection
	closed   chan struct{}
	close    sync.Once
	makeRoom func() // closes connections that are idle; set before Accept is called
	log      *slog.Logger
	told     time.Time // when it was said last that all are taken
}

func seat(l *net.TCPListener, places int, log *slog.Logger) *seated {
	return &seated{TCPListener: l, taken: make(chan struct{}, max(places, 1)), closed: make(chan struct{}), log: log, makeRoom: func() {}}
}

// Accept implements net.Listener; one goroutine calls it.
func (s *seated) Accept() (net.Conn, error) {
	if err := s.take(); err != nil {
		return nil, err
	}
	conn, err := s.AcceptTCP()
	if err != nil {
		<-s.taken
		return nil, err
	}
	return &seatedConn{TCPConn: conn, leave: sync.OnceFunc(func() { <-s.taken })}, nil
}

// take takes a place, as soon as there is one.
func (s *seated) take() error {
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	if now := time.Now(); now.Sub(s.told) > time.Minute {
		s.told = now
		s.log.Warn("as many clients are connected as may be, half of the files that the process may open (ulimit -n, LimitNOFILE): others wait, and idle connections are closed", "connections", cap(s.taken))
	}
	for again := time.NewTicker(time.Second); ; {
		s.makeRoom()
		select {
		case s.taken <- struct{}{}:
			again.Stop()
			return nil
		case <-s.closed:
			again.Stop()
			return net.ErrClosed
		case <-again.C:
		}
	}
}

// Close implements net.Listener.
func (s *seated) Close() error {
	s.close.Do(func() { close(s.closed) })
	return s.TCPListener.Close()
}

// seatedConn keeps what net/http knows of TCP, that one direction may be closed before the other.
type seatedConn struct {
	*net.TCPConn
	leave func()
}

func (c *seatedConn) Close() error {
	defer c.leave()
	return c.TCPConn.Close()
}
