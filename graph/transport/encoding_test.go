package transport_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"usher/graph/transport"
	"usher/held"
)

// long is a query whose answer has more than a kilobyte, whatever it answers.
func long() string {
	var query strings.Builder
	for i := range 200 {
		fmt.Fprintf(&query, " f%d: principal", i)
	}
	body, _ := json.Marshal(map[string]string{"query": "{" + query.String() + " }"})
	return string(body)
}

// decoded is a body as it was before it was compressed.
func decoded(t *testing.T, coding string, body io.Reader) string {
	t.Helper()
	plain := body
	switch coding {
	case "":
	case "gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		plain = r
	case "zstd":
		r, err := zstd.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		plain = r
	default:
		t.Fatalf("the answer is in %q", coding)
	}
	text, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEncodings(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{})
	_, want := f.do(request(long()))
	for accept, coding := range map[string]string{
		"gzip":                                 "gzip",
		"GZIP":                                 "gzip",
		"x-gzip":                               "gzip",
		"zstd":                                 "zstd",
		"gzip, deflate, br, zstd":              "zstd",
		"gzip;q=1.0, zstd;q=0.5":               "gzip",
		"zstd;q=0.2,gzip;q=0.8":                "gzip",
		"gzip; q=0.001":                        "gzip",
		"*":                                    "zstd",
		"*;q=0.1, gzip":                        "gzip",
		"zstd;q=0, *":                          "gzip",
		"identity;q=0":                         "",
		"identity;q=0, *;q=0":                  "",
		"identity;q=0.5, gzip;q=0.9":           "gzip",
		"identity, gzip;q=0.9":                 "",
		"identity;q=1, gzip;q=1":               "gzip",
		"gzip;q=0":                             "",
		"br, deflate":                          "",
		"":                                     "",
		"gzip;q=2":                             "",
		"gzip;level=1":                         "",
		"gzip;q=0, zstd;q=0, *;q=1":            "",
		", ,gzip,":                             "gzip",
		"compress;q=0.5, gzip;q=1.0, *;q=0.01": "gzip",
	} {
		got, _ := f.do(request(long(), header("Accept-Encoding", accept)))
		if encoded := got.Header().Get("Content-Encoding"); encoded != coding {
			t.Errorf("Accept-Encoding %q: %q, want %q", accept, encoded, coding)
			continue
		}
		if length := got.Header().Get("Content-Length"); (length == "") != (coding != "") {
			t.Errorf("Accept-Encoding %q: a length of %q", accept, length)
		}
		checkHeaders(t, got)
		if body := decoded(t, coding, got.Body); body != want {
			t.Errorf("Accept-Encoding %q: the answer differs: %.100s", accept, body)
		}
	}
	got, _ := f.do(request(long(), header("Accept-Encoding", "deflate", "gzip")))
	if got.Header().Get("Content-Encoding") != "gzip" {
		t.Error("the second header is not read")
	}
}

// What may hold a token, or was not asked with one, is sent as it is: how well
// it compresses would tell what repeats in it.
func TestWhatIsNotEncoded(t *testing.T) {
	t.Parallel()
	gzipped := header("Accept-Encoding", "gzip")
	mutation := strings.ReplaceAll(strings.Replace(long(), "{ ", "mutation { ", 1), "principal", "count")
	invalid := strings.ReplaceAll(long(), "principal", "unknown")
	for name, c := range map[string]struct {
		request *http.Request
		status  int
	}{
		"short":     {request(`{"query":"{ principal }"}`, gzipped), 200},
		"mutation":  {request(mutation, gzipped), 200},
		"anonymous": {request(long(), gzipped, header("Authorization")), 200},
		"refused":   {request(invalid, gzipped), 200},
		"bad token": {request(long(), gzipped, header("Authorization", "Bearer "+badToken)), 401},
	} {
		got, body := newFixture(transport.Options{Anonymous: true}).do(c.request)
		if got.Code != c.status || got.Header().Get("Content-Encoding") != "" || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d in %q: %.100s", name, got.Code, got.Header().Get("Content-Encoding"), body)
		}
		if name != "short" && name != "bad token" && len(body) < 1024 {
			t.Errorf("%s: the answer is short by itself: %s", name, body)
		}
	}
}

// A compressor is counted while it works, and not used where there is no memory
// for it.
func TestEncodingIsHeld(t *testing.T) {
	t.Parallel()
	for limit, coding := range map[int64]string{8 << 20: "gzip", 1 << 20: ""} {
		budget := held.New(limit)
		var most int64
		f := newFixture(transport.Options{Held: budget})
		w := &watched{ResponseRecorder: httptest.NewRecorder(), look: func() { most = max(most, budget.Used()) }}
		f.ServeHTTP(w, request(long(), header("Accept-Encoding", "gzip")))
		if got := w.Header().Get("Content-Encoding"); got != coding {
			t.Errorf("of %d bytes: in %q, want %q", limit, got, coding)
		}
		if (most >= 1<<20) != (coding != "") || budget.Used() != 0 {
			t.Errorf("of %d bytes: %d were held, and %d are after the end", limit, most, budget.Used())
		}
	}
}

// watched is looked at with each write.
type watched struct {
	*httptest.ResponseRecorder
	look func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.look()
	return w.ResponseRecorder.Write(p)
}

// Compressors are used again, by many at once, and mix up nothing.
func TestEncodingsAtOnce(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newFixture(transport.Options{}))
	defer server.Close()
	ended := make(chan string)
	ask := func(worker int) (string, error) {
		for round := range 20 {
			want := fmt.Sprintf("%d.%d", worker, round)
			var query strings.Builder
			for i := range 100 {
				fmt.Fprintf(&query, " f%d: echo(value: $v)", i)
			}
			body, _ := json.Marshal(map[string]any{"query": "query($v: Decimal) {" + query.String() + "}", "variables": map[string]json.Number{"v": json.Number(want)}})
			r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, bytes.NewReader(body))
			r.Header = request("").Header
			r.Header.Set("Accept-Encoding", []string{"gzip", "zstd"}[round%2])
			response, err := http.DefaultClient.Do(r)
			if err != nil {
				return "", err
			}
			coding := response.Header.Get("Content-Encoding")
			got := decoded(t, coding, response.Body)
			_ = response.Body.Close()
			if strings.Count(got, `"`+want+`"`) != 100 {
				return fmt.Sprintf("%s in %s: %.200s", want, coding, got), nil
			}
		}
		return "", nil
	}
	for worker := range 8 {
		go func() {
			wrong, err := ask(worker)
			if err != nil {
				wrong = err.Error()
			}
			ended <- wrong
		}()
	}
	for range 8 {
		if wrong := <-ended; wrong != "" {
			t.Error(wrong)
		}
	}
}
