package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	proof    = regexp.MustCompile("`([a-z/]+)\\.(Test[A-Za-z0-9]+)`")
	function = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
)

// TestSecurityNamesTests: every test that security.md calls a proof exists.
func TestSecurityNamesTests(t *testing.T) {
	t.Parallel()
	namesTests(t, "security.md", 50)
}

// namesTests: a document names so many tests at least, and each of them exists.
func namesTests(t *testing.T, document string, least int) {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	named := proof.FindAllStringSubmatch(string(text), -1)
	if len(named) < least {
		t.Fatalf("%s names %d tests", document, len(named))
	}
	known := make(map[string]map[string]bool)
	for _, m := range named {
		folder, test := m[1], m[2]
		if known[folder] == nil {
			if known[folder], err = testsIn(folder); err != nil {
				t.Fatal(err)
			}
		}
		if !known[folder][test] {
			t.Errorf("%s has no %s", folder, test)
		}
	}
}

// TestSecurityProvesItsRows: what usher does has a proof; only what it does not
// offer may go without.
func TestSecurityProvesItsRows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	_, checklist, _ := strings.Cut(string(text), "## Checklist")
	rows := 0
	for line := range strings.Lines(checklist) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| capability") {
			continue
		}
		rows++
		if !proof.MatchString(line) && !strings.Contains(line, "not offered") {
			t.Errorf("without a proof: %s", line)
		}
	}
	if rows < 50 {
		t.Errorf("the checklist has %d rows", rows)
	}
}

// testsIn are the tests of a package by its folder; package main is usher.
func testsIn(folder string) (map[string]bool, error) {
	if folder == "usher" {
		folder = "."
	}
	files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(folder), "*_test.go"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("there are no tests in %s: %w", folder, err)
	}
	tests := make(map[string]bool)
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // What security.md names, within the repository.
		if err != nil {
			return nil, err
		}
		for _, m := range function.FindAllSubmatch(text, -1) {
			tests[string(m[1])] = true
		}
	}
	return tests, nil
}
