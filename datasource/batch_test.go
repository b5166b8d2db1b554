package datasource_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// shop is an API of orders and products, 450 of each, which can be asked for
// products by their ids.
type shop struct {
	deaf bool // it ignores what it is asked for

	mu      sync.Mutex
	calls   []int // by call for products, how many ids it named
	longest int
	down    bool
}

const shopSize = 450

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var rows []string
	if r.URL.Path == "/orders" {
		for i := range shopSize {
			rows = append(rows, fmt.Sprintf(`{"tenant":"acme","id":%d,"product_id":"a product with a name that takes room %d"}`, i, i))
		}
	} else {
		ids := r.URL.Query()["id"]
		s.calls = append(s.calls, len(ids))
		s.longest = max(s.longest, len(r.URL.RequestURI()))
		for i := range shopSize {
			id := fmt.Sprintf("a product with a name that takes room %d", i)
			if s.deaf || contains(ids, id) || len(ids) == 0 {
				rows = append(rows, fmt.Sprintf(`{"id":%q,"name":"%d"}`, id, i))
			}
		}
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprint(w, "["+strings.Join(rows, ",")+"]")
}

func contains(list []string, text string) bool {
	for _, t := range list {
		if t == text {
			return true
		}
	}
	return false
}

func (s *shop) open(t *testing.T, opts datasource.Options, operators ...string) (*datasource.Sources, *catalog.Catalog) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	cat, problems := catalog.Compile(catalog.Spec{
		Sources: map[string]catalog.SourceSpec{
			"orders": {Kind: "api", BaseURL: server.URL, AllowPrivate: true, Isolation: "gateway", StaleIfError: time.Minute},
			"products": {
				Kind: "api", BaseURL: server.URL, AllowPrivate: true, Isolation: "gateway", StaleIfError: time.Minute,
				Pushdown: catalog.PushdownSpec{Filters: map[string][]string{"id": operators}},
			},
		},
		Strategies:      map[string]catalog.StrategySpec{"api": {Kind: "api", Source: "orders"}},
		DefaultStrategy: "api",
		Limits:          catalog.LimitsSpec{Rows: new(1000), MaxRows: new(1000)},
		Datasets: map[string]catalog.DatasetSpec{
			"orders": {
				Tenant: catalog.TenancySpec{Column: "tenant"}, Key: catalog.Names{"id"},
				Columns: catalog.Ordered[catalog.ColumnSpec]{
					{Name: "tenant", Value: catalog.ColumnSpec{Type: "String!"}},
					{Name: "id", Value: catalog.ColumnSpec{Type: "Int!"}},
					{Name: "product_id", Value: catalog.ColumnSpec{Type: "String"}},
				},
				Relations: catalog.Ordered[catalog.RelationSpec]{
					{Name: "product", Value: catalog.RelationSpec{To: "products", On: map[string]string{"product_id": "id"}}},
				},
			},
			"products": {
				Common: true, Source: "products", Key: catalog.Names{"id"},
				Columns: catalog.Ordered[catalog.ColumnSpec]{
					{Name: "id", Value: catalog.ColumnSpec{Type: "String!"}},
					{Name: "name", Value: catalog.ColumnSpec{Type: "String"}},
				},
			},
		},
	}, nil)
	if catalog.Refused(problems) {
		t.Fatal(problems)
	}
	sources, err := datasource.New(cat, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sources.Close() })
	return sources, cat
}

// names asks for all orders, each with its product's name.
func names(t *testing.T, sources *datasource.Sources, cat *catalog.Catalog) ([]string, *value.Result, error) {
	t.Helper()
	field := func(name string, inner ...query.Field) query.Field {
		return query.Field{Key: name, Name: name, Fields: inner}
	}
	q, err := plan.Build(query.Request{Dataset: "orders", Shape: query.Many, Field: query.Field{
		Key: "orders", Name: "orders",
		Args:   query.Object{{Name: "limit", Value: query.Number("1000")}},
		Fields: []query.Field{field("id"), field("product", field("name"))},
	}}, cat, principal.Principal{Tenant: "acme", TenantKey: "acme"}, time.Unix(1_800_000_000, 0))
	if err != nil {
		t.Fatal(err)
	}
	result, err := sources.Answer(t.Context(), q)
	if err != nil {
		return nil, nil, err
	}
	var out []string
	for i := range result.Rows.Len() {
		var cells []string
		for j := range result.Rows.Width() {
			cells = append(cells, value.WireText(result.Rows.Row(i).Cell(j)))
		}
		out = append(out, strings.Join(cells, " "))
	}
	return out, result, nil
}

// TestBatches: rows are asked for by their keys, so many at a time as a URL
// holds, and come once, whatever the API makes of it.
func TestBatches(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]*shop{"heeds": {}, "ignores": {deaf: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sources, cat := s.open(t, datasource.Options{}, "in")
			rows, _, err := names(t, sources, cat)
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range rows {
				if n := strconv.Itoa(i); !strings.HasPrefix(row, n+" ") || !strings.Contains(row+" ", " "+n+" ") {
					t.Errorf("row %d is %q", i, row)
				}
			}
			total := 0
			for _, n := range s.calls {
				total += n
			}
			if len(rows) != shopSize || total != shopSize || len(s.calls) < 5 || s.longest > 2500 {
				t.Errorf("%d rows; %d keys in %d calls, the longest URL has %d bytes", len(rows), total, len(s.calls), s.longest)
			}
		})
	}
}

// TestNoBatches: an API that cannot be asked by key is asked once.
func TestNoBatches(t *testing.T) {
	t.Parallel()
	s := &shop{}
	sources, cat := s.open(t, datasource.Options{}, "gt")
	if rows, _, err := names(t, sources, cat); err != nil || len(rows) != shopSize || len(s.calls) != 1 {
		t.Errorf("%d rows in %d calls, %v", len(rows), len(s.calls), err)
	}
}

// TestHeld: what all requests hold together is bounded, and given back.
func TestHeld(t *testing.T) {
	t.Parallel()
	s := &shop{}
	small, cat := s.open(t, datasource.Options{Held: held.New(20_000)}, "in")
	for range 3 {
		_, _, err := names(t, small, cat)
		if err == nil || fault.From(err).Code != fault.TooComplex || !strings.Contains(fault.From(err).Hint, "filter") {
			t.Fatalf("got %v", err)
		}
	}
	budget := held.New(400_000)
	large, cat := s.open(t, datasource.Options{Held: budget}, "in")
	for range 10 {
		if _, _, err := names(t, large, cat); err != nil {
			t.Fatal(err)
		}
	}
	if n := budget.Used(); n != 0 {
		t.Errorf("%d bytes are held by nobody", n)
	}
}

// TestAsOf: an answer that is older than it looks says so.
func TestAsOf(t *testing.T) {
	t.Parallel()
	s := &shop{}
	sources, cat := s.open(t, datasource.Options{}, "in")
	_, fresh, err := names(t, sources, cat)
	if err != nil || !fresh.AsOf.IsZero() {
		t.Fatal(fresh, err)
	}
	s.mu.Lock()
	s.down = true
	s.mu.Unlock()
	rows, old, err := names(t, sources, cat)
	if err != nil || len(rows) != shopSize || old.AsOf.IsZero() {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	sources.Changed("products", "products", nil)
	if _, old, err = names(t, sources, cat); fault.From(err).Code != fault.Unavailable {
		t.Fatalf("replies from before a change stood in: %v %v", old, err)
	}
	s.mu.Lock()
	s.down = false
	s.mu.Unlock()
	if _, fresh, err = names(t, sources, cat); err != nil || !fresh.AsOf.IsZero() {
		t.Fatal(fresh, err)
	}
}
