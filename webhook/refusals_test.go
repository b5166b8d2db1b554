package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
)

// TestStrangersDoNotFillTheLog: who cannot sign cannot write a log of any size
// or content either.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	clock := now
	h := New(map[string]Source{"partner": {Secret: secret}}, func(context.Context, Change) error { t.Error("told of a change"); return nil },
		Options{Now: func() time.Time { return clock }, Logger: slog.New(slog.NewJSONHandler(&lines, nil))})
	call := func(name string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/"+url.PathEscape(name), strings.NewReader("{}"))
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
			t.Errorf("%.20q: %d", name, w.Code)
		}
	}
	long := "\u202e\x1b[2Jpartner" + strings.Repeat("é", 3000)
	for range 100 {
		call(long)
	}
	clock = clock.Add(time.Second)
	call("partner")
	written := strings.Split(strings.TrimSpace(lines.String()), "\n")
	if len(written) != 2 {
		t.Fatalf("%d lines for 101 calls in two seconds:\n%s", len(written), lines.String())
	}
	for i, want := range []struct {
		source string
		left   int
	}{{"??[2Jpartneré", 0}, {"partner", 99}} {
		var line struct {
			Source string `json:"source"`
			Left   int    `json:"left_out"`
		}
		if err := json.Unmarshal([]byte(written[i]), &line); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(line.Source, want.source) || line.Left != want.left || len(line.Source) > maxName {
			t.Errorf("line %d: %+v, want %+v", i, line, want)
		}
		if strings.ContainsFunc(line.Source, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("line %d: %q", i, line.Source)
		}
	}
}
