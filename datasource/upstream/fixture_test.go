package upstream

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// columns are those of the dataset things, one for each scalar, and two that
// lie deeper in a row.
var columns = catalog.Ordered[catalog.ColumnSpec]{
	{Name: "tenant", Value: catalog.ColumnSpec{Type: "String", Column: "tenant_id", Expose: true}},
	{Name: "id", Value: catalog.ColumnSpec{Type: "Int!"}},
	{Name: "big", Value: catalog.ColumnSpec{Type: "BigInt"}},
	{Name: "price", Value: catalog.ColumnSpec{Type: "Decimal", Precision: new(6), Scale: ptr(2)}},
	{Name: "exact", Value: catalog.ColumnSpec{Type: "Decimal"}},
	{Name: "ratio", Value: catalog.ColumnSpec{Type: "Float"}},
	{Name: "flag", Value: catalog.ColumnSpec{Type: "Boolean"}},
	{Name: "name", Value: catalog.ColumnSpec{Type: "String"}},
	{Name: "code", Value: catalog.ColumnSpec{Type: "ID"}},
	{Name: "uid", Value: catalog.ColumnSpec{Type: "UUID"}},
	{Name: "day", Value: catalog.ColumnSpec{Type: "Date"}},
	{Name: "clock", Value: catalog.ColumnSpec{Type: "Time"}},
	{Name: "at", Value: catalog.ColumnSpec{Type: "Timestamp", Column: "created_at"}},
	{Name: "local", Value: catalog.ColumnSpec{Type: "LocalTimestamp"}},
	{Name: "span", Value: catalog.ColumnSpec{Type: "Interval"}},
	{Name: "doc", Value: catalog.ColumnSpec{Type: "JSON"}},
	{Name: "raw", Value: catalog.ColumnSpec{Type: "Bytes"}},
	{Name: "color", Value: catalog.ColumnSpec{Type: "Enum", Name: "Color", Labels: []string{"red", "blue"}}},
	{Name: "tags", Value: catalog.ColumnSpec{Type: "[String]"}},
	{Name: "sizes", Value: catalog.ColumnSpec{Type: "[Int]"}},
	{Name: "city", Value: catalog.ColumnSpec{Type: "String", Column: "/address/city~1town"}},
	{Name: "second", Value: catalog.ColumnSpec{Type: "Int", Column: "/sizes/1"}},
}

func ptr[T any](v T) *T { return &v }

// api is a source with its catalog, ready to be asked.
type api struct {
	*Source
	catalog *catalog.Catalog
}

// open compiles a catalog with one API and opens it. Change edits the source
// before that, binding how it keeps things.
func open(t testing.TB, url string, binding catalog.BindingSpec, change func(*catalog.SourceSpec)) *api {
	t.Helper()
	spec := catalog.SourceSpec{
		Kind: "api", BaseURL: url, AllowPrivate: true, Isolation: "gateway", Rows: "/data", Timeout: new(10 * time.Second),
		Query: map[string]catalog.Template{},
	}
	if change != nil {
		change(&spec)
	}
	c, problems := catalog.Compile(catalog.Spec{
		Sources:         map[string]catalog.SourceSpec{"partner": spec},
		Strategies:      map[string]catalog.StrategySpec{"api": {Kind: "api", Source: "partner"}},
		DefaultStrategy: "api",
		Datasets: map[string]catalog.DatasetSpec{"things": {
			Tenant: catalog.TenancySpec{Column: "tenant"}, Key: catalog.Names{"id"}, Columns: columns,
			Bind: map[string]catalog.BindingSpec{"partner": binding},
		}},
	}, nil)
	if catalog.Refused(problems) {
		t.Fatal(problems)
	}
	s, err := Open(c.Sources["partner"], Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &api{s, c}
}

// serve runs an API that answers every request so.
func serve(t testing.TB, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// says is an API that always sends this text.
func says(text string) http.HandlerFunc {
	body := []byte(text)
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(body)
	}
}

var now = time.Unix(1_800_000_000, 0)

var acme = principal.Principal{
	Subject: "ann", Tenant: "acme", TenantKey: "acme",
	Grant: principal.Grant{Metadata: map[string]query.Value{"api_token": query.Text("s3cr3t"), "empty": query.Text("")}},
}

// things is the fetch for a question about things.
func (a *api) things(t testing.TB, p principal.Principal, args query.Object, fields ...string) plan.Query {
	t.Helper()
	request := query.Request{Dataset: "things", Shape: query.Many, Field: query.Field{Key: "things", Name: "things", Args: args}}
	for _, name := range fields {
		request.Field.Fields = append(request.Field.Fields, query.Field{Key: name, Name: name})
	}
	q, err := plan.Build(request, a.catalog, p, now)
	if err != nil {
		t.Fatal(err)
	}
	return q.Fetches(q.Root(), 0)[0].Query()
}

// fetch returns rows as lines of name=text, without the tenant and key that
// come along when they were not asked for.
func (a *api) fetch(ctx context.Context, q plan.Query) ([]string, error) {
	var lines []string
	ref := q.Root().Ref(0)
	err := a.Fetch(ctx, q, func(rows value.Rows) error {
		for rows.Next() {
			var cells []string
			for i := range ref.Fields() {
				text := "null"
				if c := rows.Cell(i); !c.Null() {
					text = value.WireText(c)
				}
				cells = append(cells, ref.Field(i).Name+"="+text)
			}
			lines = append(lines, strings.Join(cells, " "))
		}
		return rows.Err()
	})
	return lines, err
}

func asked(t testing.TB, a *api, q plan.Query) []string {
	t.Helper()
	lines, err := a.fetch(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// refused checks a failure's code and message, and that no text of the API
// named poison is in the message.
func refused(t testing.TB, err error, code fault.Code, message string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want %s: %s", code, message)
	}
	f := fault.From(err)
	if f.Code != code || !strings.Contains(f.Message, message) {
		t.Errorf("got %s: %s (%v)\nwant %s: %s", f.Code, f.Message, f.Unwrap(), code, message)
	}
	if strings.Contains(f.Message+f.Hint, "poison") {
		t.Errorf("the message repeats what the API sent: %s", f.Message)
	}
}

// where is the argument of that name, {column: {operator: value}}.
func where(column, operator string, v query.Value) query.Member {
	return query.Member{Name: "where", Value: query.Object{{Name: column, Value: query.Object{{Name: operator, Value: v}}}}}
}
