package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"usher/audit"
)

// Entries are written before their callers go on, many at once; while nothing can be
// written they wait, and at the end the program's log has what the audit log has not.
func TestJournalLosesNothing(t *testing.T) {
	t.Parallel()
	var (
		log     bytes.Buffer
		mu      sync.Mutex
		written = make(map[string]int)
		away    atomic.Bool
		tried   = make(chan struct{}, 1000)
	)
	j := audit.NewJournal(time.Now, slog.New(slog.NewTextHandler(&log, nil)), func(_ context.Context, batch []audit.Entry) error {
		select {
		case tried <- struct{}{}:
		default:
		}
		if away.Load() {
			return errors.New("the store is gone")
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range batch {
			written[e.Operation]++
		}
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { j.Run(ctx) })
	var callers sync.WaitGroup
	for i := range 2000 {
		callers.Go(func() {
			name := fmt.Sprint("op", i)
			j.Add(audit.Entry{Operation: name})
			mu.Lock()
			defer mu.Unlock()
			if written[name] != 1 {
				t.Errorf("%s went on, written %d times", name, written[name])
			}
		})
	}
	callers.Wait()

	away.Store(true)
	j.Add(audit.Entry{Operation: "late"}) // its first try is awaited, and fails
	away.Store(false)
	for len(tried) > 0 {
		<-tried
	}
	<-tried // the next one, a moment later
	stop()
	running.Wait()
	j.Close(t.Context())
	if written["late"] != 1 || j.Lost() != 0 {
		t.Errorf("written %d times, %d lost", written["late"], j.Lost())
	}

	away.Store(true)
	ended := audit.NewJournal(time.Now, slog.New(slog.NewTextHandler(&log, nil)), func(context.Context, []audit.Entry) error { return errors.New("the disk is full") })
	callers.Go(func() { ended.Add(audit.Entry{Operation: "last", Subject: "ann"}) }) // nobody writes: it waits its moment
	callers.Wait()
	ended.Close(t.Context())
	if ended.Lost() != 1 || !strings.Contains(log.String(), "operation=last subject=ann") {
		t.Errorf("%d lost: %s", ended.Lost(), &log)
	}
}
