package admin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"usher/test/program"
)

// TestExportCommand: a file has its name when it is whole, and never before.
func TestExportCommand(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer key" {
			t.Errorf("%s %v", r.Method, r.Header)
		}
		switch {
		case strings.Contains(string(body), "refused"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"errors":[{"message":"the token may not export","extensions":{"code":"FORBIDDEN","hint":"Ask for another."}}]}`)
			return
		case strings.Contains(string(body), "swallowed"):
			_, _ = io.WriteString(w, "id\n")
			return
		}
		w.Header().Set("Trailer", "X-Usher-Rows, X-Usher-Nulls")
		_, _ = io.WriteString(w, r.URL.String()+" "+string(body))
		if strings.Contains(string(body), "broken") {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("X-Usher-Rows", "7")
		w.Header().Set("X-Usher-Nulls", "2")
	}))
	defer server.Close()
	env := func(name string) (string, bool) { return "key", name == "USHER_KEY" }
	run := func(args ...string) (stdout, stderr string, err error) {
		return program.CommandIn(t, env, "", append([]string{"export", "orders", "--server", server.URL}, args...)...)
	}
	const sent = ` {"query":"{ orders { id } }","variables":{}}`

	out, told, err := run("--query", "{ orders { id } }")
	if err != nil || out != "/export/orders?format=csv"+sent || !strings.Contains(told, "7 rows") || !strings.Contains(told, "2 values are null") {
		t.Errorf("%q %q %v", out, told, err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "orders.parquet")
	_, _, err = run("--query", "{ orders { id } }", "--out", file)
	if text, reading := os.ReadFile(file); err != nil || reading != nil || string(text) != "/export/orders?format=parquet"+sent {
		t.Errorf("%q %v %v", text, err, reading)
	}
	_, _, err = run("--query", "{ orders { id } }", "--out", filepath.Join(dir, "x.txt"))
	if err == nil || !strings.Contains(err.Error(), ".csv, .ndjson and .parquet are known") {
		t.Errorf("an ending that says no format: %v", err)
	}
	query := filepath.Join(dir, "query.graphql")
	program.WriteFile(t, query, "query($n: Int) { orders }")
	out, _, err = run("--file", query, "--variables", `{"n": 1}`, "--format", "ndjson")
	if err != nil || out != `/export/orders?format=ndjson {"query":"query($n: Int) { orders }","variables":{"n":1}}` {
		t.Errorf("%q %v", out, err)
	}
	for query, want := range map[string]string{"broken": "has broken off", "swallowed": "does not say how many rows", "refused": "may not export: Ask for another.", "": "say what to export"} {
		lost := filepath.Join(dir, "lost.csv")
		args := []string{"--out", lost}
		if query != "" {
			args = append(args, "--query", query)
		}
		if _, _, err := run(args...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", query, err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*lost*")); err != nil || left != nil {
			t.Errorf("%s leaves %v %v", query, left, err)
		}
	}
}
