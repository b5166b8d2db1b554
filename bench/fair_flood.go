package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// What the loud tenant sends.
const (
	fairQueries = "queries" // at a rate, whatever becomes of them
	fairImports = "imports" // likewise, a twentieth of them with twenty times the rows
	fairHog     = "hog"     // queries of as many clients as it has times its share, each as fast as it is answered
	fairMeek    = "meek"    // likewise, from a process that gives way to all others
	fairRests   = "rests"   // likewise, but for clients that come back a second after they were refused
)

// flood is what a process that floods is told.
type flood struct {
	Address string // empty: a server of its own, which does nothing
	Token   string
	Kind    string
	First   int // of the rows that are imported
}

// flooded is what it tells.
type flooded struct {
	Sent []sent
	CPU  time.Duration
}

// sent is what became of one request.
type sent struct {
	Took    time.Duration
	Status  int
	Err     error `json:"-"`
	ComesBy bool  // it was told when to come back
}

func send(ctx context.Context, client *http.Client, url, token, media string, body []byte) (s sent) {
	began := time.Now()
	defer func() { s.Took = time.Since(began) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return sent{Err: err}
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", media)
	response, err := client.Do(r)
	if err != nil {
		return sent{Err: err}
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode == http.StatusOK && bytes.Contains(text, []byte(`"errors"`)) {
		err = fmt.Errorf("answered with errors: %.300s", text)
	}
	return sent{Status: response.StatusCode, Err: err, ComesBy: response.Header.Get("Retry-After") != ""}
}

// arrive sends requests at a rate, whatever becomes of them, and waits for all.
func arrive(ctx context.Context, perSecond float64, window time.Duration, send func(n int) sent) []sent {
	var mu sync.Mutex
	var all []sent
	var group sync.WaitGroup
	began := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for n := 0; ; {
		select {
		case <-ctx.Done():
			group.Wait()
			return all
		case <-tick.C:
		}
		if time.Since(began) > window {
			group.Wait()
			return all
		}
		for ; float64(n) < perSecond*time.Since(began).Seconds(); n++ {
			at := n // n goes on
			group.Go(func() {
				s := send(at)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, s)
			})
		}
	}
}

// crowd has clients send one request after another.
func crowd(clients int, window time.Duration, send func(n int) sent) []sent {
	of := make([][]sent, clients)
	var group sync.WaitGroup
	began := time.Now()
	for c := range clients {
		group.Go(func() {
			for n := c; time.Since(began) < window; n += clients {
				of[c] = append(of[c], send(n))
			}
		})
	}
	group.Wait()
	var all []sent
	for _, some := range of {
		all = append(all, some...)
	}
	return all
}

// flood has a process of its own send what the loud tenant sends.
func (f *fair) flood(ctx context.Context, what flood) (told flooded, err error) {
	program, err := os.Executable()
	if err != nil {
		return told, err
	}
	spec, err := json.Marshal(what)
	if err != nil {
		return told, err
	}
	cmd := exec.CommandContext(ctx, program, "-flood") //nolint:gosec // this program
	if what.Kind == fairMeek {
		cmd = exec.CommandContext(ctx, "nice", "-n", "19", program, "-flood") //nolint:gosec // this program
		cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	}
	cmd.Stdin, cmd.Stderr = bytes.NewReader(spec), os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return told, err
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return told, err
	}
	told.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return told, nil
}

// sendFlood is that process.
func sendFlood(ctx context.Context, in io.Reader, out io.Writer) error {
	var f flood
	if err := json.NewDecoder(in).Decode(&f); err != nil {
		return err
	}
	if f.Address == "" {
		var refusing atomic.Int64
		standIn := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			n := refusing.Add(1) // as usher does, or those who never rest would send to nobody else so much
			defer refusing.Add(-1)
			<-time.After(min(max(10, time.Duration(n)), 30) * time.Millisecond)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		defer standIn.Close()
		f.Address = strings.TrimPrefix(standIn.URL, "http://")
	}
	client, rate := manyConnections(), float64(fairShare*fairFlood)
	query := func(n int) sent {
		return send(ctx, client, "http://"+f.Address+"/graphql", f.Token, "application/json", listOf(n))
	}
	var told flooded
	switch f.Kind {
	case fairQueries:
		told.Sent = arrive(ctx, rate, fairWindow, query)
	case fairHog, fairMeek:
		told.Sent = crowd(fairFlood, fairWindow, query)
	case fairRests:
		told.Sent = crowd(fairFlood, fairWindow, func(n int) sent {
			s := query(n)
			if s.Status == http.StatusTooManyRequests {
				<-time.After(time.Second)
			}
			return s
		})
	case fairImports:
		told.Sent = arrive(ctx, rate/20, fairWindow, func(n int) sent {
			var body strings.Builder
			body.WriteString("id,note\n")
			for i := range fairImport {
				fmt.Fprintf(&body, "%d,imported\n", 1_000_000+f.First+n*fairImport+i)
			}
			return send(ctx, client, "http://"+f.Address+"/import/orders", f.Token, "text/csv", []byte(body.String()))
		})
	default:
		return fmt.Errorf("nobody floods with %q", f.Kind)
	}
	return json.NewEncoder(out).Encode(told)
}
