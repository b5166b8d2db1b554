package pglink

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever ends waits for requests to cancel until the server has taken them, and not for long.
func TestSettle(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	server, err := NewServer(Account{Host: "127.0.0.1", Port: 1, SSLMode: "disable"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []byte("a request to can")
	taken := make(chan []byte, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		got := make([]byte, len(want))
		_, _ = io.ReadFull(conn, got)
		taken <- got
	}()
	request := bytes.Clone(want)
	if _, err := (&canceler{server: server, to: listener.Addr().String()}).Write(request); err != nil {
		t.Fatal(err)
	}
	clear(request) // is the driver's again
	Settle()
	select {
	case got := <-taken:
		if !bytes.Equal(got, want) {
			t.Errorf("the server was sent %q", got)
		}
	default:
		t.Error("nobody waited")
	}
	Settle() // for nothing

	synctest.Test(t, func(*testing.T) {
		canceling.begin()
		began := time.Now()
		Settle()
		if took := time.Since(began); took != settling {
			t.Errorf("a request that nobody takes was waited for %s", took)
		}
		canceling.end()
	})
}
