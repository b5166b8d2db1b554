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
	hears := func(t *testing.T) string {
		t.Helper()
		if err := listener.SetReadDeadline(time.Now().Add(program.Patience)); err != nil {
			t.Fatal(err)
		}
		said := make([]byte, 200)
		n, err := listener.Read(said)
		if err != nil {
			t.Fatal(err)
		}
		return string(said[:n])
	}
	heard := func(want string) {
		t.Helper()
		if got := hears(t); got != want {
			t.Fatalf("%q; want %q", got, want)
		}
	}
	listens := func(want string) { // besides that usher is alive
		t.Helper()
		for {
			said := hears(t)
			if said == want {
				return
			}
			if said != "WATCHDOG=1" {
				t.Fatalf("%q; want %q", said, want)
			}
		}
	}
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "2000000")
	config := prepare(t, "0s")
	p := launch(t, config, "127.0.0.1:0", os.Stderr)
	heard("STATUS=looks into the sources")
	heard("READY=1\nSTATUS=serves")
	heard("WATCHDOG=1")
	heard("WATCHDOG=1")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, config, "sources: 1")
	p.tell(t, syscall.SIGHUP)
	listens("STATUS=serves the configuration before the last one, which was refused: the log says why")
	program.WriteFile(t, config, string(text))
	p.tell(t, syscall.SIGHUP)
	listens("STATUS=serves")
	p.tell(t, syscall.SIGTERM)
	listens("STOPPING=1\nSTATUS=ends, with the requests that are under way")
	p.wait(t)
	t.Setenv("NOTIFY_SOCKET", filepath.Join(dir, "nobody"))
	p = launch(t, prepare(t, "0s"), "127.0.0.1:0", os.Stderr)
	p.tell(t, syscall.SIGTERM)
	p.wait(t)
}
