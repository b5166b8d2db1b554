package cli

import (
	"strings"
	"testing"
)

// What the Go runtime would pass over, or do at any cost, is told by a check.
func TestNotesOfTheHeap(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, value string
		memory      int64
		want        string // empty: nothing is said
	}{
		{"GOGC", "100", 0, ""},
		{"GOGC", "off", 0, ""},
		{"GOGC", "", 0, ""},
		{"GOGC", "abc", 0, "GOGC=abc is neither a number"},
		{"GOGC", "99999999999", 0, "GOGC=99999999999 is neither a number"},
		{"GOGC", "0", 0, "GOGC=0 has nearly all time"},
		{"GOMEMLIMIT", "1", 1, "GOMEMLIMIT=1 is less than the 64 MiB"},
		{"GOMEMLIMIT", "1GiB", 1 << 30, ""},
		{"GOMEMLIMIT", "", 1, ""},
	} {
		env := map[string]string{c.name: c.value}
		notes := heapNotes(func(name string) (string, bool) { value, set := env[name]; return value, set }, c.memory)
		if said := strings.Join(notes, "\n"); (said == "") != (c.want == "") || !strings.HasPrefix(said, c.want) {
			t.Errorf("%s=%s: %q", c.name, c.value, said)
		}
	}
}
