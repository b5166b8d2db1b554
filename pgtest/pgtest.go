// Package pgtest gives tests a throwaway PostgreSQL. It owns one server per
// test process, which listens on loopback only and ends with the process even
// if that is killed, and it gives each test a database of its own in it.
//
// The server is made from the programs of this machine, unless the environment
// variable USHER_TEST_POSTGRES holds the URL of a server to use (a superuser's;
// such a server is neither frozen nor stopped). A machine with neither fails
// the test: nothing is skipped. PgBouncer is started for the tests that ask for
// it, one for each.
package pgtest

import (
	"os"
	"sync"
	"testing"
)

// The server of this process. It is made by the first test that asks.
var shared = struct {
	sync.Mutex
	server *Server
	err    error
}{}

// Start returns the server of this test process, starting it on first use
// (about a second). Tests may use it at the same time.
func Start(tb testing.TB) *Server {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	// A failure is kept too: further tests fail at once with the same reason.
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.server
}

// StartOwn starts a server for this test alone, for tests that freeze, crash
// or stop it. It ends with the test. USHER_TEST_POSTGRES does not apply.
func StartOwn(tb testing.TB) *Server {
	tb.Helper()
	s, err := startCluster()
	if err != nil {
		tb.Fatal(err)
	}
	s.own = true
	tb.Cleanup(s.stop)
	return s
}

// Main runs the tests of a package and stops the server they have used before
// the process ends: func TestMain(m *testing.M) { pgtest.Main(m) }. Without it
// the server is stopped a moment after the process has ended.
func Main(m *testing.M) {
	code := m.Run()
	shared.Lock()
	if shared.server != nil {
		shared.server.stop()
	}
	os.Exit(code)
}

func start() (*Server, error) {
	if url := os.Getenv("USHER_TEST_POSTGRES"); url != "" {
		return existing(url)
	}
	return startCluster()
}
