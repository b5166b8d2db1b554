package duckdb

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"usher/value"
)

var quoted = regexp.MustCompile("`([^`]+)`")

// TestTypesAreDescribed: the table of types that people read is the one that is used.
func TestTypesAreDescribed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/types.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "\n## DuckDB\n")
	section, _, _ = strings.Cut(section, "\n## ")
	words := map[string]string{"an enum of labels that GraphQL can spell": "ENUM('sad', 'happy')", "any other enum": "ENUM('B-plus')"}
	names := make(map[string]bool)
	for line := range strings.Lines(section) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || !strings.ContainsAny(cells[2], "`m") {
			continue
		}
		types := []string{words[strings.TrimSpace(cells[1])]}
		if types[0] == "" {
			types = nil
			for _, found := range quoted.FindAllStringSubmatch(cells[1], -1) {
				types = append(types, found[1])
			}
		}
		for _, native := range types {
			how := typeOf(native, nil, "mood")
			got := "`" + how.GraphQL() + "`"
			if how.Scalar == value.Enum {
				got = "an enum"
			}
			if want, note := strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]); got != want || how.Form.Note() != note {
				t.Errorf("%s is served as %s, %q; docs/types.md says %s, %q", native, got, how.Form.Note(), want, note)
			}
			names[native] = true
		}
	}
	for name := range named {
		if !names[name] {
			t.Errorf("docs/types.md does not say what becomes of %s", name)
		}
	}
	if len(names) < 30 {
		t.Errorf("%d types only", len(names))
	}
}
