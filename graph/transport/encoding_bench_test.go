package transport

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"usher/held"
)

// rows is an answer as lists of rows are: what repeats, and what does not.
func rows(n int) []byte {
	var out bytes.Buffer
	out.WriteString(`{"data":{"orders":[`)
	for i := range n {
		fmt.Fprintf(&out, `{"id":%d,"placedAt":"2026-%02d-%02dT%02d:%02d:00Z","customer":{"name":"Customer %d","region":"%s"},"total":%d.%02d,"note":null},`,
			100_000+i, 1+i%12, 1+i*7%28, i*11%24, i*13%60, i*7919%5000, []string{"EMEA", "APAC", "NA"}[i*31%3], i*104_729%2000, i*37%100)
	}
	out.Truncate(out.Len() - 1)
	out.WriteString(`]}}`)
	return out.Bytes()
}

type nowhere struct {
	header http.Header
	length int
}

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) WriteHeader(int)             {}
func (n *nowhere) Write(p []byte) (int, error) { n.length += len(p); return len(p), nil }

// BenchmarkEncoding is what compressing an answer costs, and how many times
// shorter it gets.
func BenchmarkEncoding(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		data := rows(n)
		for _, coding := range []string{"gzip", "zstd"} {
			b.Run(fmt.Sprintf("%s/%dKB", coding, len(data)>>10), func(b *testing.B) {
				all := newEncoders()
				r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
				r.Header.Set("Accept-Encoding", coding)
				_, share := held.New(64 << 20).Begin(b.Context())
				w := &nowhere{header: http.Header{}}
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					w.length = 0
					encoded := all.begin(w, r, share, len(data))
					if _, err := encoded.Write(data); err != nil {
						b.Fatal(err)
					}
					encoded.end()
				}
				b.ReportMetric(float64(len(data))/float64(w.length), "times")
			})
		}
	}
}
