package equivalence

import (
	"cmp"
	"encoding/json"
	"math"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/catalog"
	"usher/value"
)

// pushed are the columns that the API filters by and in which ways.
var pushed = map[string][]string{
	"id": {"eq", "in", "gt", "gte", "lt", "lte"}, "order_id": {"in"}, "status": {"eq", "in"}, "amount": {"gt", "lte"},
	"region": {"eq"}, "product_id": {"eq", "in"}, tenantColumn: {"eq"}, "day": {"gte", "lt"}, "gift": {"eq"},
}

// api serves the world's rows over HTTP. One that keeps tenants apart answers
// with the rows of the tenant in a header; the other with everybody's.
type api struct {
	world *world
	apart bool
	sane  string // a tenant; not empty: the rows of all others hold nonsense
	shown map[*cell]json.RawMessage
}

// newAPI writes the rows once, each by the address of its first cell.
func newAPI(w *world, apart bool, sane string) *api {
	a := &api{world: w, apart: apart, sane: sane, shown: make(map[*cell]json.RawMessage)}
	for _, t := range w.tables {
		for n, row := range t.rows {
			a.shown[&row[0]] = a.write(t, row, n)
		}
	}
	return a
}

// write is a row as the API shows it.
func (a *api) write(t *table, row []cell, n int) json.RawMessage {
	members := make(map[string]any, len(row))
	for j, c := range t.columns {
		if c.name != tenantColumn || t.through == "" && (!a.apart || !slices.Contains(withoutTenant, t.name)) {
			members[c.name] = sent(literalOf(c.typ, row[j]))
		}
	}
	if a.sane != "" && !t.common {
		spoil(members, a.sane, n)
	}
	text, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	return text
}

// apiTenant is the header that names the tenant.
const apiTenant = "X-Tenant"

func startAPI(t *testing.T, w *world, apart bool) (*api, string) {
	t.Helper()
	a := newAPI(w, apart, "")
	return a, serve(t, a)
}

// serve listens on loopback for the length of the test.
func serve(t *testing.T, h http.Handler) (url string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// source is how the API is described to usher.
func (a *api) source(base string) catalog.SourceSpec {
	s := catalog.SourceSpec{
		Kind: "api", BaseURL: base, AllowPrivate: true, Rows: "/data", Isolation: "gateway",
		Pushdown: catalog.PushdownSpec{Filters: pushed, Limit: "max", Order: "sort"},
		Pages:    catalog.PagesSpec{Kind: "offset", Param: "skip", Size: "size", Limit: new(250)},
	}
	if a.apart {
		s.Isolation, s.Headers = "upstream", map[string]catalog.Template{apiTenant: "{tenant}"}
		s.Pages = catalog.PagesSpec{Kind: "cursor", Param: "after", Next: "/next", Size: "size", Limit: new(90)}
		s.Pushdown = catalog.PushdownSpec{Filters: map[string][]string{"order_id": {"in"}}}
	}
	return s
}

// withoutTenant are the datasets that the API which keeps tenants apart
// returns without the tenant column.
var withoutTenant = []string{"orders", "events"}

// ServeHTTP answers one page of a dataset.
func (a *api) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	tenant := r.Header.Get(apiTenant)
	t := a.world.table(strings.Trim(r.URL.Path, "/"))
	rows := slices.Clone(t.rows)
	if a.apart {
		rows = t.of(tenant)
	}
	query := r.URL.Query()
	rows = slices.DeleteFunc(slices.Clone(rows), func(row []cell) bool { return !t.passes(row, query) })
	if order := query.Get("sort"); order != "" {
		t.sort(rows, order)
	}
	if most, err := strconv.Atoi(query.Get("max")); err == nil {
		rows = rows[:min(most, len(rows))]
	}
	skip, _ := strconv.Atoi(cmp.Or(query.Get("skip"), query.Get("after")))
	size, err := strconv.Atoi(query.Get("size"))
	if err != nil {
		http.Error(out, "no size", http.StatusBadRequest)
		return
	}
	end := min(skip+size, len(rows))
	shown := []json.RawMessage{}
	for _, row := range rows[min(skip, end):end] {
		shown = append(shown, a.shown[&row[0]])
	}
	page := map[string]any{"data": shown}
	if end < len(rows) {
		page["next"] = strconv.Itoa(end)
	}
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(page)
}

// spoil puts values of no type into a row that is not the tenant's.
func spoil(row map[string]any, tenant string, n int) {
	if row[tenantColumn] == tenant {
		return
	}
	nonsense := []any{map[string]any{"a": []any{1}}, []any{nil}, true, "nonsense", json.Number("1e400"), "2026-13-45", nil}
	for name := range row {
		if name != tenantColumn {
			row[name] = nonsense[(n+len(name))%len(nonsense)]
		}
	}
}

// passes tells whether a row meets the conditions of a request.
func (t *table) passes(row []cell, query url.Values) bool {
	for name, texts := range query {
		name, operator, _ := strings.Cut(strings.TrimSuffix(name, "]"), "[")
		i := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
		if i < 0 {
			continue
		}
		if row[i].null || !slices.ContainsFunc(texts, func(text string) bool { return meets(compared(t.columns[i].typ, row[i].text, text), operator) }) {
			return false
		}
	}
	return true
}

func meets(order int, operator string) bool {
	switch operator {
	case "gt":
		return order > 0
	case "gte":
		return order >= 0
	case "lt":
		return order < 0
	case "lte":
		return order <= 0
	}
	return order == 0
}

func compared(t value.Type, a, b string) int {
	if !t.Numeric() {
		return cmp.Compare(a, b)
	}
	if t.Scalar != value.Decimal {
		x, _ := strconv.ParseFloat(a, 64)
		if y, err := strconv.ParseFloat(b, 64); err == nil && math.Abs(x) < 1<<53 && math.Abs(y) < 1<<53 {
			return cmp.Compare(x, y)
		}
	}
	x, _ := new(big.Rat).SetString(a)
	y, ok := new(big.Rat).SetString(b)
	if x == nil || !ok {
		return -1
	}
	return x.Cmp(y)
}

// sort orders rows by a column, nulls last.
func (t *table) sort(rows [][]cell, order string) {
	name, descending := strings.CutPrefix(order, "-")
	i := t.index(name)
	slices.SortStableFunc(rows, func(a, b []cell) int {
		if a[i].null || b[i].null {
			return cmp.Compare(boolean(a[i].null), boolean(b[i].null))
		}
		if descending {
			return compared(t.columns[i].typ, b[i].text, a[i].text)
		}
		return compared(t.columns[i].typ, a[i].text, b[i].text)
	})
}

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}
