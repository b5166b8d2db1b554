package pgtest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// PIDs returns the ids of the server's processes: the postmaster first, then
// its children as they are now. A server that has ended has none.
func (s *Server) PIDs(tb testing.TB) []int {
	tb.Helper()
	if s.cluster == nil {
		tb.Fatal("the server of USHER_TEST_POSTGRES is not ours to signal: use StartOwn")
	}
	select {
	case <-s.cluster.exited:
		return nil
	default:
	}
	postmaster := s.cluster.pid
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", postmaster, postmaster))
	if err != nil {
		tb.Fatalf("list the processes of the PostgreSQL server: %v", err)
	}
	pids := []int{postmaster}
	for text := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(text)
		if err != nil {
			tb.Fatalf("list the processes of the PostgreSQL server: %v", err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// Freeze stops all processes of the server where they are: it accepts
// connections (the kernel does) and says nothing. It lasts until Thaw or the
// end of the test. The server should be the test's own (StartOwn): others
// that share it would hang.
func (s *Server) Freeze(tb testing.TB) {
	tb.Helper()
	tb.Cleanup(func() { s.Thaw(tb) })
	// Twice: children made while the first list was read are in the second,
	// and a postmaster that has stopped makes no more.
	s.signal(tb, s.PIDs(tb), syscall.SIGSTOP)
	s.signal(tb, s.PIDs(tb), syscall.SIGSTOP)
}

// Thaw lets a frozen server go on; for one that is not frozen it does nothing.
func (s *Server) Thaw(tb testing.TB) {
	tb.Helper()
	s.signal(tb, s.PIDs(tb), syscall.SIGCONT)
}

func (s *Server) signal(tb testing.TB, pids []int, signal syscall.Signal) {
	tb.Helper()
	for _, pid := range pids {
		// A backend may end between the list and the signal.
		if err := syscall.Kill(pid, signal); err != nil && err != syscall.ESRCH {
			tb.Fatalf("signal process %d of the PostgreSQL server: %v", pid, err)
		}
	}
}
