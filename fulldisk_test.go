package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"usher/test/program"
)

// fullAt is how large a file of a process may get: one that it writes beyond that fails as on a
// full disk.
const fullAt = "USHER_TEST_FULL_AT"

// TestFullDisk: the disk below a database file and the control store is full. What is written
// fails and says so, what is read is answered, and when there is room again, everything is there
// that was acknowledged.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	config := prepare(t, "0s", "strategies:", "control: {path: control.duckdb}\nstrategies:", "claims: {tenant: /tenant}", "claims: {tenant: /tenant}\n    may_grant: {write: true}", "key: id", "key: id\n    writable: true\n    global_keys: true")
	p := launchIn(t, append(os.Environ(), fullAt+"="+fmt.Sprint(6<<20)), config, "127.0.0.1:0", t.Output())
	const room = 100_000
	write := func(id int) string {
		t.Helper()
		text := make([]byte, room/2) // which does not compress
		for i := range text {
			text[i] = 'a' + byte((i*i*id+i*id*id/7+i/3)%26)
		}
		return p.asked(t, fmt.Sprintf(`mutation { insertNotesOne(row: {id: %d, text: %q}) { id } }`, id, text))
	}
	made, refused := 0, ""
	for id := 1000; id < 1400 && refused == ""; id++ {
		if got := write(id); strings.Contains(got, `"id":`+strconv.Itoa(id)) {
			made++
		} else {
			refused = got
		}
	}
	t.Logf("%d rows were written, and then: %s", made, refused)
	if made == 0 || !strings.Contains(refused, "file cannot be written") || !strings.Contains(refused, `"UNAVAILABLE"`) || strings.Contains(refused, filepath.Dir(config)) {
		t.Fatalf("%d rows were written, and then %s", made, refused)
	}
	whole := fmt.Sprintf(`"count":%d`, made)
	const count = `{ notesAggregate(where: {id: {gte: 1000}}) { count } }`
	for range 10 {
		if got := p.asked(t, count); !strings.Contains(got, whole) {
			t.Errorf("on a full disk %d rows are read as %s", made, got)
		}
		if got := write(5000); !strings.Contains(got, `"UNAVAILABLE"`) {
			t.Errorf("on a full disk: %s", got)
		}
	}
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.ended
	p = launch(t, config, "127.0.0.1:0", t.Output())
	if got := p.asked(t, count); !strings.Contains(got, whole) {
		t.Errorf("of %d rows there are %s", made, got)
	}
	if got := write(5001); !strings.Contains(got, `"id":5001`) {
		t.Errorf("when there is room again: %s", got)
	}
}

// TestFullDiskBelowTheStore: the disk below a control store in a file is full. What would change it is refused, and whoever
// asks and whoever reads the log are told that the disk is full.
func TestFullDiskBelowTheStore(t *testing.T) {
	t.Parallel()
	config := prepare(t, "0s", "strategies:", "control: {path: control.duckdb}\nstrategies:")
	out, err := program.Command(t, "key", "bootstrap", "-c", config, "--json")
	if err != nil {
		t.Fatal(err)
	}
	key, stderr := program.IssuedBy(t, out).Token, program.NewOutput()
	p := launchIn(t, append(os.Environ(), fullAt+"="+fmt.Sprint(20<<20)), config, "127.0.0.1:0", stderr)
	refused := ""
	for id := 0; id < 400 && refused == ""; id++ {
		text := make([]byte, 60_000) // which does not compress
		for i := range text {
			text[i] = 'a' + byte((i*i*id+i*id*id/7+i/3)%26)
		}
		got := p.askedBy(t, key, `mutation ($name: String!, $text: String!) { createSavedQuery(input: {name: $name, document: $text, shared: true}) { name } }`,
			map[string]any{"name": fmt.Sprintf("q%d", id), "text": "{ notes { id } } # " + string(text)})
		if !strings.Contains(got, fmt.Sprintf(`"name":"q%d"`, id)) {
			refused = got
		}
	}
	if !strings.Contains(refused, "the control store cannot be written: its disk is full") || !strings.Contains(refused, `"UNAVAILABLE"`) || strings.Contains(refused, filepath.Dir(config)) {
		t.Errorf("what is said: %s", refused)
	}
	// The log is another pipe than the answer: it may be read a moment later.
	program.Soon(t, program.Patience, "the log says that the disk is full", func() bool { return strings.Contains(stderr.String(), "there is no room on the disk") })
	if said := stderr.String(); strings.Contains(said, "the control store is busy") {
		t.Errorf("the log: %s", said)
	}
	if got := p.askedBy(t, key, `{ savedQueries(limit: 500) { items { name } } }`, nil); !strings.Contains(got, `"q0"`) {
		t.Errorf("what is there is not read: %.500s", got)
	}
}
