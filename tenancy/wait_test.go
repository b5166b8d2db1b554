package tenancy_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/tenancy"
	"usher/tenancy/database"
)

// firstLine is a log that tells of its first line.
type firstLine struct {
	once  sync.Once
	first chan struct{}
}

func (h *firstLine) Write(line []byte) (int, error) {
	h.once.Do(func() { close(h.first) })
	return len(line), nil
}

// TestStoreIsWaitedFor: a store that does not answer at the start is opened when it does,
// for as long as it may be waited for, and until whoever opens it is told to end.
func TestStoreIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := pgtest.StartOwn(t)
	spec := postgresOf(server.Database(t))
	server.Crash(t)
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))

	_, err := tenancy.Open(t.Context(), spec, tenancy.Options{Password: cheap, Log: quiet})
	wantCode(t, err, fault.Unavailable) // a person at a terminal does not wait

	ctx, end := context.WithCancel(t.Context())
	waiting := &firstLine{first: make(chan struct{})}
	go func() {
		<-waiting.first
		end()
	}()
	_, err = tenancy.Open(ctx, spec, tenancy.Options{Password: cheap, Wait: time.Hour, Log: slog.New(slog.NewTextHandler(waiting, nil))})
	wantCode(t, err, fault.Unavailable)

	waiting = &firstLine{first: make(chan struct{})}
	opened := make(chan *tenancy.Store, 1)
	go func() {
		s, err := tenancy.Open(t.Context(), spec, tenancy.Options{Password: cheap, Wait: time.Hour, Log: slog.New(slog.NewTextHandler(waiting, nil))})
		if err != nil {
			t.Error(err)
		}
		opened <- s
	}()
	<-waiting.first
	server.Recover(t)
	s := <-opened
	if s == nil {
		return
	}
	t.Cleanup(func() { _ = s.Close() })
	tenant(t, s, "acme")
}

// What waiting does not mend is told at once.
func TestStoreIsNotWaitedForInVain(t *testing.T) {
	t.Parallel()
	spec := postgresOf(pgtest.Start(t).Database(t))
	s := open(t, spec, tenancy.Options{})
	if err := s.Exec(t.Context(), "INSERT INTO store.migrations (id, version_id, is_applied) SELECT max(id) + 1, 999, true FROM store.migrations"); err != nil {
		t.Fatal(err)
	}
	_, err := tenancy.Open(t.Context(), spec, tenancy.Options{Password: cheap, Wait: time.Hour})
	if !errors.Is(err, database.ErrNewer) {
		t.Errorf("%v", err)
	}
}
