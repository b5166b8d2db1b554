package term

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever waits for long is told what for, and nobody who does not.
func TestWaiting(t *testing.T) {
	t.Parallel()
	for span, want := range map[time.Duration]string{
		time.Second:      "",
		3 * time.Second:  "usher: still asking (2s)\n",
		25 * time.Second: "usher: still asking (2s)\nusher: still asking (12s)\nusher: still asking (22s)\n",
	} {
		synctest.Test(t, func(t *testing.T) {
			var said bytes.Buffer
			s := &IO{Stderr: &said}
			over := s.Waiting("still asking")
			<-time.After(span)
			over()
			if said.String() != want {
				t.Errorf("after %s: %q", span, said.String())
			}
		})
	}
}
