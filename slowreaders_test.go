package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"usher/test/program"
)

// TestSlowReaders: 200 clients of one tenant take a byte a second of answers of a megabyte, or of
// six, which are more than the system takes from usher. Others are answered as before, what is
// held for the slow ones is what their answers are, and goes back when they leave.
// With USHER_TEST_SLOW=1 they do not leave, and are cut off after two minutes.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	const slow, small, large = 200, 10, 60 // rows of 100,000 bytes
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), notesData+fmt.Sprintf("; INSERT INTO notes SELECT i, 'slow', repeat('x', 100000) FROM range(1000, %d) r(i)", 1000+large))
	config := filepath.Join(dir, "usher.yml")
	program.WriteFile(t, config, strings.Replace(fmt.Sprintf(processConfig, "0s"), "server: {", "server: {max_held: 1073741824, ", 1))
	p := launch(t, config, "127.0.0.1:0", io.Discard)

	quick := func(n int) []time.Duration {
		t.Helper()
		client := &http.Client{Transport: &http.Transport{}, Timeout: program.Patience}
		defer client.CloseIdleConnections()
		var took []time.Duration
		for range n {
			began := time.Now()
			if why := got(client, p.question(t)); why != "" {
				t.Fatal(why)
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took
	}
	quick(50)
	goroutines, files, resident := p.metric(t, "go_goroutines"), p.metric(t, "process_open_fds"), p.metric(t, "process_resident_memory_bytes")
	alone := quick(500)

	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		return errors.Join(c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) }), err)
	}}
	token := program.Sign(t, `{"tenant": "slow"}`)
	readers := make([]net.Conn, slow)
	for i := range readers {
		var err error
		if readers[i], err = dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(p.base, "http://")); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = readers[i].Close() }()
		rows := small
		if i%10 == 0 {
			rows = large
		}
		body := fmt.Sprintf(`{"query": "{ notes(where: {id: {gt: %d, lt: %d}}) { id text } }"}`, i, 1000+rows)
		if _, err := fmt.Fprintf(readers[i], "POST /graphql HTTP/1.1\r\nHost: usher\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", token, len(body), body); err != nil {
			t.Fatal(err)
		}
	}
	read := func() {
		one := make([]byte, 1)
		for i, r := range readers {
			_ = r.SetReadDeadline(time.Now().Add(program.Patience))
			if _, err := io.ReadFull(r, one); err != nil {
				t.Fatalf("reader %d: %v", i, err)
			}
		}
	}
	read() // all answers have begun
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var beside []time.Duration
	held := 0
	for range 5 {
		<-second.C
		read()
		beside = append(beside, quick(100)...)
		held = max(held, p.metric(t, "usher_rows_held_bytes"))
	}
	slices.Sort(beside)
	p99 := func(of []time.Duration) time.Duration { return of[len(of)*99/100] }
	grown := p.metric(t, "process_resident_memory_bytes") - resident
	// The system's buffers hold up to 4 MiB of an answer, too.
	t.Logf("%d readers: %d MiB are held, usher has grown by %d MiB; others' p99 is %s, alone %s", slow, held>>20, grown>>20, p99(beside), p99(alone))
	if held < slow/10*large*100_000/6 || held > slow/10*large*100_000*2 || grown > 1<<30 {
		t.Errorf("%d MiB are held, and usher has grown by %d MiB", held>>20, grown>>20)
	}
	if p99(beside) > 3*p99(alone)+500*time.Millisecond { // a busy machine is late itself; who waits for a slow reader waits for seconds
		t.Errorf("others' p99 is %s, alone %s", p99(beside), p99(alone))
	}
	if os.Getenv("USHER_TEST_SLOW") != "" { // as long as an answer may be written
		lasts := time.NewTimer(150 * time.Second)
		defer lasts.Stop()
		for open := true; open; {
			select {
			case <-second.C:
				open = p.metric(t, "usher_rows_held_bytes") > 0
			case <-lasts.C:
				t.Fatal("answers are held that nobody takes")
			}
		}
		t.Log("cut off after their time")
	}
	for _, r := range readers {
		_ = r.Close()
	}
	program.Soon(t, program.Patience, "what slow readers held is given back", func() bool {
		return p.metric(t, "usher_rows_held_bytes") == 0 && p.metric(t, "go_goroutines") <= goroutines+20 && p.metric(t, "process_open_fds") <= files+20
	})
}
