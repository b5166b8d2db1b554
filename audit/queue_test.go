package audit_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"usher/audit"
)

func TestQueueNeverWaits(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var (
		log     bytes.Buffer
		written []audit.Entry
		failing error
	)
	q := audit.NewQueue(1000, func() time.Time { return at }, slog.New(slog.NewTextHandler(&log, nil)), func(_ context.Context, batch []audit.Entry) error {
		if len(batch) > 500 {
			t.Errorf("%d entries at once", len(batch))
		}
		written = append(written, batch...)
		return failing
	})
	for range 1007 {
		q.Add(audit.Entry{Kind: audit.DataAccess})
	}
	q.Flush(t.Context())
	if len(written) != 1000 || q.Dropped() != 7 || !written[0].At.Equal(at) {
		t.Errorf("%d written, %d dropped, the first of %s", len(written), q.Dropped(), written[0].At)
	}
	if !strings.Contains(log.String(), "dropped") || !strings.Contains(log.String(), "entries=7") {
		t.Errorf("nobody is told: %s", &log)
	}
	failing = errors.New("the disk is full")
	q.Add(audit.Entry{})
	q.Flush(t.Context())
	if q.Dropped() != 7 || !strings.Contains(log.String(), "the disk is full") {
		t.Errorf("%d dropped: %s", q.Dropped(), &log)
	}
	failing, written = nil, nil
	q.Add(audit.Entry{})
	q.Flush(t.Context())
	if len(written) != 2 || q.Dropped() != 7 {
		t.Errorf("after a failure %d entries are written of two, %d dropped", len(written), q.Dropped())
	}
	failing = errors.New("the store is gone")
	q.Add(audit.Entry{})
	q.Add(audit.Entry{})
	q.Close(t.Context())
	if q.Dropped() != 9 {
		t.Errorf("%d dropped at the end", q.Dropped())
	}
}
