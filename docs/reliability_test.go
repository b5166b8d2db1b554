package docs

import (
	"os"
	"strings"
	"testing"
)

// TestReliabilityNamesTests: every test that reliability.md calls a proof exists.
func TestReliabilityNamesTests(t *testing.T) {
	t.Parallel()
	namesTests(t, "reliability.md", 80)
}

// TestReliabilityProvesItsRows: each property has a proof or says that there is
// none, and says what its proofs leave open.
func TestReliabilityProvesItsRows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("reliability.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| property") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 5 || strings.TrimSpace(cells[4]) == "" {
			t.Errorf("%d cells, or nothing is left open: %s", len(cells), line)
		}
		if !proof.MatchString(line) && !strings.Contains(line, "not shown") {
			t.Errorf("without a proof: %s", line)
		}
	}
	if rows != 22 {
		t.Errorf("the table has %d rows", rows)
	}
}
