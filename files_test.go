package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/test/program"
)

// filesAt is how many files a process may have open.
const filesAt = "USHER_TEST_FILES"

// TestMoreClientsThanFiles: more clients come than the process may have files open. Some have asked and keep their
// connections, others stand there and say nothing. Who comes after them is answered, also what a source and the embedded
// engine have to open files for, and nothing ends the process.
func TestMoreClientsThanFiles(t *testing.T) {
	t.Parallel()
	const files, clients = 160, 100
	p := launchIn(t, append(os.Environ(), filesAt+"="+strconv.Itoa(files)), prepare(t, "0s"), "127.0.0.1:0", t.Output())
	for i := range 2 * clients {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if i < clients {
			if _, err := io.WriteString(conn, "GET /health/live HTTP/1.1\r\nHost: usher\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: program.Patience}
	defer client.CloseIdleConnections()
	began := time.Now()
	if why := got(client, p.question(t)); why != "" {
		t.Fatalf("after %s: %s", time.Since(began), why)
	}
	t.Logf("who came last was answered after %s", time.Since(began))
	if open := p.metric(t, "process_open_fds"); open >= files {
		t.Errorf("%d of %d files are open", open, files)
	}
	p.tell(t, syscall.SIGTERM)
	p.wait(t)
}
