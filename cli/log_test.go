package cli

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), "\n")
}

func TestLogLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out lines
		w := newLogWriter(&out)
		log := slog.New(slog.NewJSONHandler(w, nil))
		log.Info("one")
		log.Info("two")
		if n := out.count(); n != 0 {
			t.Errorf("%d lines were written one by one", n)
		}
		<-time.After(2 * logDelay)
		if n := out.count(); n != 2 {
			t.Errorf("%d lines of 2 after the delay", n)
		}
		log.Info("three")
		log.Error("four")
		if n := out.count(); n != 4 {
			t.Errorf("%d lines of 4 with an error among them", n)
		}
		log.Info("five")
		w.flush()
		if n := out.count(); n != 5 {
			t.Errorf("%d lines of 5 at the end", n)
		}
		<-time.After(2 * logDelay)
	})
}
