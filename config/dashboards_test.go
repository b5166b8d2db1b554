package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
)

const wholeBoard = `{"title": "Sales: all", "description": "Two\nlines", "refresh": 60,
	"parameters": [{"name": "from", "type": "Timestamp", "control": "select", "default": "2026-01-01T00:00:00Z", "options": [{"value": 12345678901234567890.10, "label": "yes"}, {"value": {"a": {"b": []}}}, {"value": [{}]}]},
		{"name": "y", "type": "String", "label": "1", "default": "null"}, {"name": "on", "type": "[String!]", "default": ["a: b", "#", "- c", "", " ", "~", "1.5", "y", "no"]}],
	"tiles": [{"id": "one", "title": "# no comment", "at": {"x": 0, "y": 1, "w": 3, "h": 2}, "query": "query($from: Timestamp) {\n  orders(where: {at: {gte: $from}}) {\n    id\n  }\n}\n",
		"variables": {"n": 1.50, "text": "a\n\n", "odd": "  x\ny", "tab": "\t", "nul": "\u2028 x", "y": true}, "chart": {"kind": "number", "rows": "orders.0", "y": ["total"], "format": {"total": {"digits": 2}, "key.month": {"unit": "month"}}}},
		{"id": "two", "at": {"x": 3, "y": 0, "w": 9, "h": 50}, "chart": {"kind": "text", "text": "# Hello\n\n**you** \nend"}}]}`

// A document that is written as YAML is read as the same, with all digits; what is wrong in a file has its line.
func TestDashboardsAsYAML(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "board.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(wholeBoard)
	d, err := config.ReadDashboard(file)
	if err != nil {
		t.Fatal(err)
	}
	yml := string(d.YAML())
	write(yml)
	again, err := config.ReadDashboard(file)
	if err != nil {
		t.Fatalf("%v\n%s", err, yml)
	}
	if string(again.YAML()) != yml || len(again.JSON()) != len(d.JSON()) {
		t.Errorf("%s\nbecame\n%s\nby way of\n%s", d.JSON(), again.JSON(), yml)
	}
	for _, line := range []string{"title: \"Sales: all\"\n", "    query: |\n      query($from: Timestamp) {\n", "value: 12345678901234567890.10"} {
		if !strings.Contains(yml, line) {
			t.Errorf("%q is not in\n%s", line, yml)
		}
	}
	for text, want := range map[string]string{
		"title: A\ntiles:\n  - id: a\n    at: {x: 0, y: 0, w: 99, h: 1}\n    chart: {kind: text, text: a}\n": "board.yml:4:22: tiles.0.at.w: must be a whole number from 1 to 12",
		"title: A\ntiles: 5\n":             "board.yml:2:1: tiles: must be a list",
		"title: A\n  tiles: []\n b: c\n":   "board.yml:",
		"":                                 "board.yml:1:1: the file is empty",
		"{\"title\": \"A\", \"tiles\": []": "board.yml:1:",
	} {
		write(text)
		if _, err := config.ReadDashboard(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is refused with %v, want %s", text, err, want)
		}
	}
}
