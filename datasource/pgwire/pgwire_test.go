package pgwire

import (
	"net"
	"strings"
	"testing"

	"usher/pglink"
)

// TestAnnounced: what is only announced takes no memory.
func TestAnnounced(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	go func() {
		_, _ = far.Write([]byte("D\x00\x0f\x00\x00" + strings.Repeat("x", 1000)))
		_ = far.Close()
	}()
	w := New(pglink.Over(near, 1<<20))
	typ, body, err := w.Message()
	if room := cap(w.frame); err == nil || room > 4*readAhead {
		t.Errorf("a message %q of %d bytes, %v, and room for %d bytes where 1000 came", typ, len(body), err, room)
	}
}
