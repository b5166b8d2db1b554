package pgtest

import (
	"syscall"
	"testing"
)

// Crash ends the server at once, as an immediate stop does. Its data stays.
func (s *Server) Crash(tb testing.TB) {
	tb.Helper()
	if s.cluster == nil {
		tb.Fatal("the server of USHER_TEST_POSTGRES is not ours to end: use StartOwn")
	}
	if err := syscall.Kill(s.cluster.pid, syscall.SIGQUIT); err != nil {
		tb.Fatalf("end the PostgreSQL server: %v", err)
	}
	<-s.cluster.exited
}

// Recover starts a crashed server again, on its port, and returns when it lets
// somebody in.
func (s *Server) Recover(tb testing.TB) {
	tb.Helper()
	programs, err := findPrograms()
	if err != nil {
		tb.Fatal(err)
	}
	account, err := unprivileged()
	if err != nil {
		tb.Fatal(err)
	}
	up, err := s.cluster.launch(programs, account, s.Port)
	if err != nil || !up {
		tb.Fatalf("start the PostgreSQL server again: %v", err)
	}
	if err := s.ready(); err != nil {
		tb.Fatal(err)
	}
}
