package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestClient(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("row,", 100_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/short":
			_, _ = w.Write([]byte("short"))
		case "/chunks":
			for part := range strings.SplitSeq(long, ",") {
				_, _ = w.Write([]byte(part + ","))
			}
		default:
			http.Error(w, "no", http.StatusTeapot)
		}
	}))
	defer server.Close()
	c, err := dial(t.Context(), server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.close() }()
	for range 2 { // the connection stays usable after each
		for path, want := range map[string]string{"/short": "short", "/chunks": long + ","} {
			got, err := c.ask(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path))
			if err != nil || string(got) != want {
				t.Errorf("%s: %d bytes, %v", path, len(got), err)
			}
		}
		if _, err := c.ask([]byte("GET /other HTTP/1.1\r\nHost: bench\r\n\r\n")); err == nil || !strings.Contains(err.Error(), "418") {
			t.Errorf("a refusal is reported as %v", err)
		}
	}
}
