package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"usher/catalog"
	"usher/value"
)

// BenchmarkFetch reads 200,000 rows of ten columns in pages of 10,000.
func BenchmarkFetch(b *testing.B) {
	const size, pages = 10_000, 20
	var page strings.Builder
	page.WriteString(`{"data":[`)
	for i := range size {
		if i > 0 {
			page.WriteByte(',')
		}
		fmt.Fprintf(&page, `{"id":%d,"tenant_id":"acme","name":"delivered","code":"app","created_at":"2026-03-%02dT12:%02d:00Z","big":%d,"price":"%d.50","exact":"%d.25","flag":true,"ratio":0.5}`,
			i, i%28+1, i%60, i, i%1000, i%1000)
	}
	page.WriteString(`],"meta":{"next":2}}`)
	text := []byte(page.String())
	url := serve(b, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("page") == fmt.Sprint(pages+1) {
			fmt.Fprint(w, `{"data":[]}`)
			return
		}
		_, _ = w.Write(text)
	})
	a := open(b, url, catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Pages = catalog.PagesSpec{Kind: "page", Param: "page", Size: "size", Limit: new(size)}
	})
	q := a.things(b, acme, nil, "id", "name", "code", "at", "big", "price", "exact", "flag", "ratio")
	b.SetBytes(int64(len(text) * pages))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		err := a.Fetch(b.Context(), q, func(rows value.Rows) error {
			for rows.Next() {
				n++
			}
			return rows.Err()
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	if n != b.N*size*pages {
		b.Errorf("%d rows", n)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
