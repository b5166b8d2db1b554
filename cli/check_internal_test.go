package cli

import (
	"math"
	"strings"
	"testing"
)

// What the Go runtime would pass over, or do at any cost, is told by a check.
func TestNotesOfTheHeap(t *testing.T) {
	t.Parallel()
	const none = math.MaxInt64
	for _, c := range []struct {
		name, value string
		memory      int64  // that GOMEMLIMIT came to, of the gigabyte that there is
		want        string // empty: nothing is said
	}{
		{"GOGC", "100", none, ""},
		{"GOGC", "off", none, ""},
		{"GOGC", "", none, ""},
		{"GOGC", "abc", none, "GOGC=abc is neither a number"},
		{"GOGC", "99999999999", none, "GOGC=99999999999 is neither a number"},
		{"GOGC", "0", none, "GOGC=0 has nearly all time"},
		{"GOMEMLIMIT", "1", 1, "GOMEMLIMIT=1 is less than the 64 MiB"},
		{"GOMEMLIMIT", "1GiB", 1 << 30, ""},
		{"GOMEMLIMIT", "255MiB", 255 << 20, "usher may use 255 MiB of memory"},
		{"GOMEMLIMIT", "2GiB", 2 << 30, "GOMEMLIMIT=2GiB is more than the 1024 MiB that the machine or the control group has"},
		{"GOMEMLIMIT", "", none, ""},
	} {
		env := map[string]string{c.name: c.value}
		notes := heapNotes(func(name string) (string, bool) { value, set := env[name]; return value, set }, c.memory, 1<<30)
		if said := strings.Join(notes, "\n"); (said == "") != (c.want == "") || !strings.HasPrefix(said, c.want) {
			t.Errorf("%s=%s: %q", c.name, c.value, said)
		}
	}
	unset := func(string) (string, bool) { return "", false }
	if said := heapNotes(unset, none, 128<<20); len(said) != 1 || !strings.HasPrefix(said[0], "usher may use 128 MiB of memory") {
		t.Errorf("in a small container: %q", said)
	}
}

// The heap is collected before the kernel ends the process, with room for the embedded engine's quarter.
func TestTheLimitOfTheHeap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ memory, held, want int64 }{
		{256 << 20, 64 << 20, 160 << 20},
		{1 << 30, 256 << 20, 640 << 20},
		{8 << 30, 1 << 30, 2<<30 + 512<<20},
	} {
		if got := heapLimit(c.held, c.memory); got != c.want {
			t.Errorf("of %d MiB: %d MiB, want %d", c.memory>>20, got>>20, c.want>>20)
		}
	}
}
