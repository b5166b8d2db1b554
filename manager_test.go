package main

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"usher/test/program"
)

// TestServiceManager: a unit of Type=notify learns when usher serves, and when
// it is about to end.
func TestServiceManager(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "notify")
	listener, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	heard := func(want string) {
		t.Helper()
		if err := listener.SetReadDeadline(time.Now().Add(program.Patience)); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 100)
		n, err := listener.Read(said)
		if got := string(said[:n]); err != nil || got != want {
			t.Fatalf("%q, %v; want %q", got, err, want)
		}
	}
	t.Setenv("NOTIFY_SOCKET", socket)
	p := launch(t, prepare(t, "0s"), "127.0.0.1:0", os.Stderr)
	heard("STATUS=looks into the sources")
	heard("READY=1\nSTATUS=serves")
	p.tell(t, syscall.SIGTERM)
	heard("STOPPING=1\nSTATUS=ends, with the requests that are under way")
	p.wait(t)
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "nobody"))
	p = launch(t, prepare(t, "0s"), "127.0.0.1:0", os.Stderr)
	p.tell(t, syscall.SIGTERM)
	p.wait(t)
}
