package outage

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestOutage: ten minutes of a failure that is found out four times a second are a line a minute
// and one for each other reason, and its end is one.
func TestOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		log := slog.New(slog.NewTextHandler(&lines, nil))
		var o Outage
		o.Over(t.Context(), log, "it works again")
		if lines.Len() > 0 {
			t.Errorf("of what has always worked: %s", &lines)
		}
		for n := range 10 * 60 * 4 {
			err := fmt.Errorf("read from port %d: refused", n)
			if n%2 == 1 && n > 100 {
				err = errors.New("silent")
			}
			o.Lasts(t.Context(), log, "it does not work", err, "entries", 3)
			<-time.After(time.Second / 4)
		}
		o.Over(t.Context(), log, "it works again")
		o.Over(t.Context(), log, "it works again")
		o.Lasts(t.Context(), log, "it does not work", errors.New("silent"))
		said := strings.Split(strings.TrimSpace(lines.String()), "\n")
		if n := len(said); n < 12 || n > 23 {
			t.Errorf("%d lines:\n%s", n, &lines)
		}
		over := 0
		for _, line := range said {
			if strings.Contains(line, "it works again") {
				over++
				if !strings.Contains(line, "after=10m0s") || !strings.Contains(line, "tried=2400") {
					t.Error(line)
				}
			}
		}
		if over != 1 || !strings.Contains(said[0], `entries=3 error="read from port 0: refused"`) || strings.Contains(said[len(said)-1], "tried=") {
			t.Errorf("its end was said %d times:\n%s", over, &lines)
		}
	})
}
