package datasource

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/fault"
)

// Who gets no turn for an export is told which setting says how many there are.
func TestNoTurnForAnExport(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(&catalog.Catalog{}, Options{Exports: 1, Waiting: admit.Limits{Waiting: 1, Wait: time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		slot, err := s.turn(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		defer slot.Leave()
		if _, err = s.turn(t.Context(), "a"); err == nil || fault.From(err).Code != fault.Unavailable || fault.From(err).RetryAfter == 0 || !strings.Contains(fault.From(err).Hint, "server.max_exports") {
			t.Errorf("who waits for too long: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err = s.turn(ctx, "a"); err == nil || strings.Contains(fault.From(err).Hint, "max_exports") {
			t.Errorf("who has gone: %v", err)
		}
	})
}
