package admin_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"usher/test/program"
)

// TestImportCommand: the file is sent as it is, and what became of it is told.
func TestImportCommand(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer key" {
			t.Errorf("%s %v %v", r.Method, r.Header, err)
		}
		if strings.Contains(string(body), "bad") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"errors":[{"message":"id: it is never null","extensions":{"code":"BAD_USER_INPUT","line":7,"rows":4}}]}`)
			return
		}
		if strings.Contains(string(body), "unsure") {
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, `{"errors":[{"message":"the API failed","extensions":{"code":"UNAVAILABLE","unknown":true,"line":6,"rows":4,"beyond":[6,8],"unsure":[5,7]}}]}`)
			return
		}
		if got := r.URL.String() + " " + r.Header.Get("Content-Encoding") + r.Header.Get("Idempotency-Key") + " " + string(body); got != "/import/orders?batch=2&format=csv&from=2 gzip id" && got != "/import/orders?format=csv&tenant=a%26b gzipk1 id" && got != "/import/orders?columns=id%2Cnote&format=ndjson  {}" {
			t.Errorf("sent %s", got)
		}
		_, _ = io.WriteString(w, `{"rows":3}`)
	}))
	defer server.Close()
	dir := t.TempDir()
	env := func(name string) (string, bool) { return "key", name == "USHER_KEY" }
	run := func(file string, args ...string) (told string, err error) {
		_, told, err = program.CommandIn(t, env, "{}", append([]string{"import", "orders", file, "--server", server.URL}, args...)...)
		return told, err
	}
	good, bad, lost := filepath.Join(dir, "orders.csv.gz"), filepath.Join(dir, "bad.csv"), filepath.Join(dir, "unsure.csv")
	program.WriteFile(t, lost, "unsure")
	program.WriteFile(t, good, "id")
	program.WriteFile(t, bad, "bad")
	if told, err := run(good, "--batch", "2", "--from", "2"); err != nil || !strings.Contains(told, "3 rows are in") {
		t.Errorf("%q %v", told, err)
	}
	if told, err := run(good, "--tenant", "a&b", "--idempotency-key", "k1"); err != nil || !strings.Contains(told, "3 rows are in") {
		t.Errorf("%q %v", told, err)
	}
	if told, err := run(bad, "--batch", "2", "--idempotency-key", "k1"); err == nil || !strings.Contains(told, "4 rows are in; the same command goes on") {
		t.Errorf("%q %v", told, err)
	}
	if told, err := run("-", "--format", "ndjson", "--columns", "id,note"); err != nil || !strings.Contains(told, "3 rows are in") {
		t.Errorf("%q %v", told, err)
	}
	// Of rows that are perhaps in it depends on the key who looks for them.
	if told, err := run(lost, "--batch", "2", "--idempotency-key", "k1"); err == nil || !strings.Contains(told, "perhaps in, perhaps not: the same command writes those that are not, by the same key: 5,7") || strings.Contains(told, "beyond") || !strings.Contains(told, "4 rows are in; the same command goes on") {
		t.Errorf("%q %v", told, err)
	}
	if told, err := run(lost, "--batch", "2"); err == nil || !strings.Contains(told, "look for them, and add those that are in to --beyond: 5,7") || !strings.Contains(told, "continue with --batch 2 --from 4 --beyond 6,8") {
		t.Errorf("%q %v", told, err)
	}
	if told, err := run(bad, "--batch", "2"); err == nil || !strings.Contains(err.Error(), "never null") || !strings.Contains(told, "line 7") || !strings.Contains(told, "--batch 2 --from 4") {
		t.Errorf("%q %v", told, err)
	}
	if told, err := run(bad); err == nil || !strings.Contains(told, "no row is in") {
		t.Errorf("%q %v", told, err)
	}
	if _, err := run("-"); err == nil || !strings.Contains(err.Error(), "--format") {
		t.Error(err)
	}
	if _, err := run(filepath.Join(dir, "none.csv")); err == nil {
		t.Error("there is no such file")
	}
}
