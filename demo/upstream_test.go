package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

func serve(t *testing.T, d *Data) *Upstream {
	t.Helper()
	u, err := ServeUpstream(t.Context(), d, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	})
	return u
}

// answer is a page as the API sends it, numbers as they are written.
type answer struct {
	Data []map[string]any `json:"data"`
	Meta struct {
		Page int  `json:"page"`
		Next *int `json:"next"`
	} `json:"meta"`
}

func get(t *testing.T, url, tenant string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tenant != "" {
		r.Header.Set("X-Tenant", tenant)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, body
}

// pages fetches a dataset page by page, as often as there is a next one.
func pages(t *testing.T, u *Upstream, path, parameters, tenant string) (rows []map[string]any, count int) {
	t.Helper()
	for page := 1; ; {
		status, body := get(t, fmt.Sprintf("%s%s?page=%d&%s", u.URL, path, page, parameters), tenant)
		var a answer
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.UseNumber()
		if err := d.Decode(&a); err != nil || status != http.StatusOK {
			t.Fatalf("%s, page %d: status %d, %v: %s", path, page, status, err, body)
		}
		if a.Meta.Page != page || a.Data == nil {
			t.Fatalf("%s, page %d: it says page %d, rows %v", path, page, a.Meta.Page, a.Data)
		}
		rows = append(rows, a.Data...)
		count++
		if a.Meta.Next == nil {
			return rows, count
		}
		if *a.Meta.Next != page+1 {
			t.Fatalf("%s: page %d comes after %d", path, *a.Meta.Next, page)
		}
		page = *a.Meta.Next
	}
}

// Each cell of the API is, as text, the cell of the database as text; only
// times are written differently, and the database is asked for them that way.
func TestUpstreamServesTheSharedRows(t *testing.T) {
	t.Parallel()
	d := small(t)
	conn, u := open(t, d.Shared()), serve(t, d)
	for _, name := range apiDatasets() {
		columns := `*`
		order := `distributor_id, id`
		switch name {
		case "orders":
			columns = `* EXCLUDE ordered_at, strftime(ordered_at, '%Y-%m-%dT%H:%M:%S.%fZ') AS ordered_at`
		case "reviews":
			columns = `* EXCLUDE written_at, strftime(written_at, '%Y-%m-%dT%H:%M:%S') AS written_at`
		case "distributors", "products", "promotions":
			order = `id`
		}
		got, asked := pages(t, u, "/v1/"+name, "per_page=700", "")
		if want := (len(got) + 699) / 700; asked != want {
			t.Errorf("%s: %d rows came in %d pages, want %d", name, len(got), asked, want)
		}
		names, want := table(t, conn, fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s`, columns, name, order))
		if len(got) != len(want) {
			t.Errorf("%s: %d rows, want %d", name, len(got), len(want))
			continue
		}
		for i, row := range got {
			if line := asLine(row, names); line != want[i] {
				t.Errorf("%s, row %d: %s\nwant %s", name, i, line, want[i])
				break
			}
		}
	}
}

func asLine(row map[string]any, names []string) string {
	var b strings.Builder
	for _, name := range names {
		if v, ok := row[name]; ok && v == nil {
			b.WriteString("null|")
		} else {
			fmt.Fprintf(&b, "%q|", fmt.Sprint(v))
		}
	}
	if len(row) != len(names) {
		fmt.Fprintf(&b, " and %d members more", len(row)-len(names))
	}
	return b.String()
}

func TestUpstreamNarrows(t *testing.T) {
	t.Parallel()
	d := small(t)
	u, conn := serve(t, d), open(t, d.Shared())
	all := count(t, conn, `SELECT count(*) FROM orders`)
	casa := count(t, conn, `SELECT count(*) FROM orders WHERE distributor_id = 'casa-verde'`)
	for name, test := range map[string]struct {
		parameters, tenant string
		rows, pages        int
	}{
		"everybody":              {"per_page=10000", "", all, 1},
		"default page":           {"", "", all, 2},
		"parameter":              {"per_page=100&distributor_id=casa-verde", "", casa, (casa + 99) / 100},
		"header":                 {"per_page=100", "casa-verde", casa, (casa + 99) / 100},
		"both":                   {"distributor_id=casa-verde", "casa-verde", casa, 1},
		"header of another":      {"distributor_id=casa-verde", "el-camino", 0, 1},
		"unknown tenant":         {"", "nobody", 0, 1},
		"unknown distributor":    {"distributor_id=nobody", "", 0, 1},
		"limit":                  {"limit=250&per_page=100", "", 250, 3},
		"limit on a page's edge": {"limit=200&per_page=100", "casa-verde", 200, 2},
		"limit beyond the rows":  {"limit=999999", "casa-verde", casa, 1},
		"limit of none":          {"limit=0", "", 0, 1},
	} {
		rows, got := pages(t, u, "/v1/orders", test.parameters, test.tenant)
		if len(rows) != test.rows || got != test.pages {
			t.Errorf("%s: %d rows on %d pages, want %d on %d", name, len(rows), got, test.rows, test.pages)
		}
		tenant := test.tenant
		if strings.Contains(test.parameters, "distributor_id=casa") {
			tenant = "casa-verde"
		}
		for _, row := range rows {
			if tenant != "" && row["distributor_id"] != tenant {
				t.Fatalf("%s: a row of %v", name, row["distributor_id"])
			}
		}
	}
	if rows, _ := pages(t, u, "/v1/products", "", "casa-verde"); len(rows) != 18 {
		t.Errorf("a tenant sees %d common products, want 18", len(rows))
	}
	if _, body := get(t, u.URL+"/v1/orders?page=1000000", ""); string(body) != `{"data":[],"meta":{"page":1000000,"next":null}}` {
		t.Errorf("beyond the last page: %s", body)
	}
}

func TestUpstreamRefuses(t *testing.T) {
	t.Parallel()
	u := serve(t, prepare(t, t.TempDir(), 100, noon()))
	for path, want := range map[string]int{
		"/v1/nothing":                        http.StatusNotFound,
		"/":                                  http.StatusNotFound,
		"/v1/orders?page=0":                  http.StatusBadRequest,
		"/v1/orders?page=x":                  http.StatusBadRequest,
		"/v1/orders?per_page=10001":          http.StatusBadRequest,
		"/v1/orders?limit=-1":                http.StatusBadRequest,
		"/v1/orders?region=South":            http.StatusBadRequest,
		"/v1/orders?distributor_id=":         http.StatusBadRequest,
		"/v1/orders?page=1&page=2":           http.StatusBadRequest,
		"/v1/products?distributor_id=a":      http.StatusBadRequest,
		"/v1/orders?distributor_id=x&page=1": http.StatusOK,
	} {
		if got, body := get(t, u.URL+path, ""); got != want {
			t.Errorf("%s: status %d, want %d: %s", path, got, want, body)
		}
	}
}

func TestUpstreamCountsAndCloses(t *testing.T) {
	t.Parallel()
	d := prepare(t, t.TempDir(), 100, noon())
	u := serve(t, d)
	for range 3 {
		get(t, u.URL+"/v1/orders", "")
	}
	if _, body := get(t, u.URL+"/stats", ""); strings.TrimSpace(string(body)) != `{"requests":3}` || u.Requests() != 3 {
		t.Errorf("stats %s, Requests %d, want 3", body, u.Requests())
	}
	if err := u.Close(); err != nil {
		t.Error(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.URL+"/stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(r); err == nil {
		_ = res.Body.Close()
		t.Error("a closed API answers")
	}
	if err := u.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := ServeUpstream(t.Context(), d, "0.0.0.0:0"); err == nil {
		t.Error("an API open to the network was started")
	}
	if _, err := ServeUpstream(t.Context(), &Data{Dir: t.TempDir()}, "127.0.0.1:0"); err == nil {
		t.Error("an API without data was started")
	}
}
