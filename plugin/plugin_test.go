package plugin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/plugin"
)

const secret = "0123456789abcdef"

// fake is a plugin made of functions.
type fake struct {
	authorize func(plugin.Caller) error
	datasets  func(plugin.Caller) ([]plugin.Dataset, error)
	query     func(plugin.Query, *plugin.Rows) error
}

func (f fake) Authorize(_ context.Context, c plugin.Caller) error { return f.authorize(c) }

func (f fake) Datasets(_ context.Context, c plugin.Caller) ([]plugin.Dataset, error) {
	return f.datasets(c)
}

func (f fake) Query(_ context.Context, q plugin.Query, rows *plugin.Rows) error {
	return f.query(q, rows)
}

// serve runs a plugin.
func serve(t testing.TB, p plugin.Plugin) string {
	t.Helper()
	h, err := plugin.Handler(p, plugin.Options{Secret: secret, MaxBody: 64 << 10, Ignore: []string{"environment"}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// ask sends a request with the secret and more headers.
func ask(t testing.TB, method, url, body string, header ...string) (status int, text string, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Secret", secret)
	r.Header.Set("Content-Type", "application/json")
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	out, err := io.ReadAll(response.Body)
	return response.StatusCode, string(out), err
}

// TestQuery reads every part of a question, of each version of the protocol.
func TestQuery(t *testing.T) {
	t.Parallel()
	var got plugin.Query
	url := serve(t, fake{query: func(q plugin.Query, _ *plugin.Rows) error {
		got = q
		return nil
	}})
	for name, c := range map[string]struct {
		body string
		want plugin.Query
	}{
		"2.0.0": {
			`{"id":"orders",
			 "columns":[{"column_id":"region"},{"column_id":"at","level":"month"},{"column_id":"*","aggregation":"count"}],
			 "filters":[{"column_id":"region","expression":"in","value":["a",null]},{"column_id":"n","expression":">=","value":[1.50]},
			            {"column_id":"n","expression":"is not null","value":[]}],
			 "filters_all":[{"column_id":"x","expression":"=","value":[true]}],
			 "options":{"pushdown":true,"other":1},"environment":"x",
			 "user":{"id":"u","name":"Ann","email":"a@x","more":1,"metadata":{"tenant":"acme","n":7}},
			 "order":[{"column_id":"n","order":"desc"}],"limit":{"by":10}}`,
			plugin.Query{
				Dataset: "orders", Pushdown: true,
				Columns: []plugin.Column{{ID: "region"}, {ID: "at", Level: plugin.Month}, {ID: "*", Aggregation: plugin.Count}},
				Filters: []plugin.Filter{
					{Column: "region", Operator: plugin.In, Values: []any{"a", nil}},
					{Column: "n", Operator: plugin.GreaterOrEqual, Values: []any{json.Number("1.50")}},
					{Column: "n", Operator: plugin.IsNotNull},
				},
				FiltersAll: []plugin.Filter{{Column: "x", Operator: plugin.Equal, Values: []any{true}}},
				Caller:     plugin.Caller{User: plugin.User{ID: "u", Name: "Ann", Email: "a@x", Metadata: map[string]any{"tenant": "acme", "n": json.Number("7")}}},
				Order:      []plugin.Order{{Column: "n", Descending: true}}, Limit: 10,
			},
		},
		"1.0.0": {
			`{"id":"burritos","filters":[{"id":"day","expression":"? > ?","value":"2026-01-01"},{"id":"n","expression":"? between ? and ?","value":[1,2]},
			  {"id":"s","expression":"? IS  NULL"},{"id":"s","expression":"? not in ?","value":["x"]}],"user":{"id":"u"}}`,
			plugin.Query{
				Dataset: "burritos", Caller: plugin.Caller{User: plugin.User{ID: "u"}},
				Filters: []plugin.Filter{
					{Column: "day", Operator: plugin.Greater, Values: []any{"2026-01-01"}},
					{Column: "n", Operator: plugin.Between, Values: []any{json.Number("1"), json.Number("2")}},
					{Column: "s", Operator: plugin.IsNull},
					{Column: "s", Operator: plugin.NotIn, Values: []any{"x"}},
				},
			},
		},
	} {
		status, text, err := ask(t, "POST", url+"/query", c.body)
		if err != nil || status != 200 || text != "[]\n" {
			t.Fatalf("%s: %d %s %v", name, status, text, err)
		}
		if diff := cmp.Diff(c.want, got, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".properties" }, cmp.Ignore())); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestRefusals: what is not understood as a whole is refused as a whole.
func TestRefusals(t *testing.T) {
	t.Parallel()
	url := serve(t, fake{query: func(plugin.Query, *plugin.Rows) error {
		t.Error("the plugin was asked")
		return nil
	}})
	filter := func(text string) string { return `{"id":"x","filters":[` + text + `]}` }
	for name, c := range map[string]struct {
		body   string
		status int
		text   string
	}{
		"nothing":              {``, 400, "id"},
		"not JSON":             {`id`, 400, "JSON object"},
		"two documents":        {`{"id":"x"}{"id":"y"}`, 400, "JSON object"},
		"an array":             {`[]`, 400, "JSON object"},
		"no dataset":           {`{"filters":[]}`, 400, "id"},
		"a number for the id":  {`{"id":1}`, 400, "id"},
		"an unknown member":    {`{"id":"x","sql":"select 1"}`, 400, `"sql"`},
		"an unknown operator":  {filter(`{"column_id":"a","expression":"like","value":["%"]}`), 400, `"like"`},
		"no operator":          {filter(`{"column_id":"a","value":["x"]}`), 400, `""`},
		"SQL for an operator":  {filter(`{"column_id":"a","expression":"= 1 or 1 =","value":["x"]}`), 400, "expression"},
		"a nested filter":      {filter(`{"column_id":"a","expression":"=","value":["x"],"or":[]}`), 400, "unknown field"},
		"a column twice named": {filter(`{"column_id":"a","id":"b","expression":"=","value":["x"]}`), 400, "two"},
		"a filter of nothing":  {filter(`{"expression":"=","value":["x"]}`), 400, "no column"},
		"too few values":       {filter(`{"column_id":"a","expression":"=","value":[]}`), 400, "0 values"},
		"too many values":      {filter(`{"column_id":"a","expression":"<","value":[1,2]}`), 400, "2 values"},
		"one bound":            {filter(`{"column_id":"a","expression":"between","value":[1]}`), 400, "1 values"},
		"in nothing":           {filter(`{"column_id":"a","expression":"in","value":[]}`), 400, "0 values"},
		"an object for value":  {filter(`{"column_id":"a","expression":"=","value":[{"x":1}]}`), 400, "neither"},
		"filters no list":      {`{"id":"x","filters":{}}`, 400, "filters"},
		"a column of nothing":  {`{"id":"x","columns":[{}]}`, 400, "column_id"},
		"an unknown function":  {`{"id":"x","columns":[{"column_id":"a","aggregation":"median"}]}`, 400, `"median"`},
		"an unknown level":     {`{"id":"x","columns":[{"column_id":"a","level":"decade"}]}`, 400, `"decade"`},
		"an order of nothing":  {`{"id":"x","order":[{"order":"asc"}]}`, 400, "order"},
		"less than no rows":    {`{"id":"x","limit":{"by":-1}}`, 400, "limit"},
		"deep":                 {`{"id":"x","options":` + strings.Repeat("[", 30) + strings.Repeat("]", 30) + `}`, 400, "nested"},
		"large":                {`{"id":"` + strings.Repeat("x", 70<<10) + `"}`, 413, "bytes"},
	} {
		status, text, err := ask(t, "POST", url+"/query", c.body)
		var told struct {
			Type struct {
				Code        int
				Description string
			}
			Message string
		}
		if err != nil || json.Unmarshal([]byte(text), &told) != nil || status != c.status || told.Type.Code != status || !strings.Contains(told.Message, c.text) {
			t.Errorf("%s: %d %s %v; want %d and %s", name, status, text, err, c.status, c.text)
		}
	}
	if status, _, _ := ask(t, "POST", url+"/query", `{"id":"x"}`, "Content-Type", "text/plain"); status != 415 {
		t.Error("text was read:", status)
	}
}

// TestSecret: without the secret nothing is answered and nothing is asked.
func TestSecret(t *testing.T) {
	t.Parallel()
	url := serve(t, fake{})
	for _, shown := range []string{"", "0", secret + "0", strings.ToUpper(secret), secret[:15]} {
		for _, path := range []string{"/authorize", "/datasets", "/query"} {
			status, text, err := ask(t, "POST", url+path, `{"id":"x"}`, "X-Secret", shown)
			if err != nil || status != 403 || strings.Contains(text, secret) {
				t.Errorf("%q %s: %d %s %v", shown, path, status, text, err)
			}
		}
	}
	if _, err := plugin.Handler(fake{}, plugin.Options{Secret: "short"}); err == nil {
		t.Error("a service without a good secret was made")
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	var got plugin.Caller
	url := serve(t, fake{
		datasets: func(c plugin.Caller) ([]plugin.Dataset, error) {
			got = c
			return []plugin.Dataset{{ID: "o", Name: "Orders", Columns: []plugin.DatasetColumn{{ID: "at", Type: plugin.Datetime, Subtype: "date"}}}}, nil
		},
		authorize: func(c plugin.Caller) error {
			got = c
			if c.Token != "good" {
				return plugin.Errorf(http.StatusUnauthorized, "the token is not accepted")
			}
			return nil
		},
	})
	const listed = `[{"id":"o","name":{"en":"Orders"},"description":{"en":""},"columns":[{"id":"at","name":{"en":"at"},"type":"datetime","subtype":"date"}]}]`
	for _, method := range []string{"GET", "POST"} {
		status, text, err := ask(t, method, url+"/datasets", "", "X-Property-Region", "eu", "X-Host", "h", "X-Key", "k")
		if err != nil || status != 200 || text != listed {
			t.Errorf("%s: %d %s %v", method, status, text, err)
		}
		if got.Property("region") != "eu" || got.Property("other") != "" || got.Host != "h" || got.Key != "k" {
			t.Errorf("%s: %+v", method, got)
		}
	}
	if status, text, _ := ask(t, "POST", url+"/authorize", `{"id":"u","name":"Ann","email":"a@x"}`, "X-Token", "good"); status != 200 || got.User.Name != "Ann" {
		t.Error(status, text, got)
	}
	if status, _, _ := ask(t, "POST", url+"/authorize", `{"host":"h","key":"k","token":"good"}`); status != 200 || got.Host != "h" {
		t.Error(status, got)
	}
	if status, text, _ := ask(t, "POST", url+"/authorize", `{}`); status != 401 || !strings.Contains(text, "not accepted") {
		t.Error(status, text)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 23, 19, 23, 500_000_000, time.FixedZone("", 3600))
	for name, c := range map[string]struct {
		rows [][]any
		want string
	}{
		"none":           {nil, "[]\n"},
		"kinds":          {[][]any{{nil, "é\"", true, 1, int64(-2), 2.5, at, json.Number("1.50")}}, `[[null,"é\"",true,1,-2,2.5,"2026-11-21T22:19:23.500000Z",1.50]]` + "\n"},
		"several":        {[][]any{{1}, {2}}, "[[1],\n[2]]\n"},
		"too wide":       {[][]any{{1}, {2, 3}}, ""},
		"no cells":       {[][]any{{}}, ""},
		"no number":      {[][]any{{math.NaN()}}, ""},
		"nothing JSON":   {[][]any{{func() {}}}, ""},
		"long, then bad": {append(slicesOf(20000), []any{1, 2}), "broken"},
	} {
		url := serve(t, fake{query: func(_ plugin.Query, rows *plugin.Rows) error {
			for _, r := range c.rows {
				if err := rows.Write(r...); err != nil {
					return err
				}
			}
			return nil
		}})
		status, text, err := ask(t, "POST", url+"/query", `{"id":"x"}`)
		switch c.want {
		case "":
			if status != 500 || strings.Contains(text, "cells") {
				t.Errorf("%s: %d %s", name, status, text)
			}
		case "broken":
			if err == nil {
				t.Errorf("%s: a part passes for the whole", name)
			}
		default:
			if err != nil || status != 200 || text != c.want {
				t.Errorf("%s: %d %s %v", name, status, text, err)
			}
		}
	}
	url := serve(t, fake{query: func(_ plugin.Query, rows *plugin.Rows) error { return rows.Write(1) }})
	if status, _, _ := ask(t, "POST", url+"/query", `{"id":"x","columns":[{"column_id":"a"},{"column_id":"b"}]}`); status != 500 {
		t.Error("a row narrower than what was asked for was sent:", status)
	}
}

func slicesOf(n int) [][]any {
	out := make([][]any, n)
	for i := range out {
		out[i] = []any{"0123456789"}
	}
	return out
}

// TestFailures: a caller learns what the plugin says to it, and no more.
func TestFailures(t *testing.T) {
	t.Parallel()
	for want, failure := range map[string]error{
		`{"type":{"code":404,"description":"Not Found"},"message":"no such dataset"}`:                      fmt.Errorf("wrapped: %w", plugin.Errorf(404, "no such dataset")),
		`{"type":{"code":500,"description":"Internal Server Error"},"message":"the plugin failed"}`:        errors.New("password=hunter2"),
		`{"type":{"code":500,"description":"Internal Server Error"},"message":"a failure that is none"}`:   plugin.Errorf(200, "a failure that is none"),
		`{"type":{"code":504,"description":"Gateway Timeout"},"message":"the database is too slow today"}`: plugin.Errorf(504, "the database is too slow today"),
	} {
		url := serve(t, fake{query: func(plugin.Query, *plugin.Rows) error { return failure }})
		if _, text, _ := ask(t, "POST", url+"/query", `{"id":"x"}`); strings.TrimSpace(text) != want {
			t.Errorf("got %s want %s", text, want)
		}
	}
}

func TestOf(t *testing.T) {
	t.Parallel()
	d := plugin.Dataset{ID: "d", Columns: []plugin.DatasetColumn{{ID: "a"}, {ID: "b"}}}
	if got, err := (plugin.Query{}).Of(d); err != nil || cmp.Diff([]plugin.Column{{ID: "a"}, {ID: "b"}}, got) != "" {
		t.Error(got, err)
	}
	for _, q := range []plugin.Query{
		{Columns: []plugin.Column{{ID: "c"}}},
		{Columns: []plugin.Column{{ID: "*"}}},
		{Filters: []plugin.Filter{{Column: "c"}}},
		{Order: []plugin.Order{{Column: "c"}}},
	} {
		if _, err := q.Of(d); err == nil {
			t.Errorf("%+v was accepted", q)
		}
	}
	if got, err := (plugin.Query{Columns: []plugin.Column{{ID: "*", Aggregation: plugin.Count}}}).Of(d); err != nil || len(got) != 1 {
		t.Error(got, err)
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		cell   any
		op     plugin.Operator
		values []any
		want   bool
	}{
		{nil, plugin.IsNull, nil, true},
		{"", plugin.IsNull, nil, false},
		{"", plugin.IsNotNull, nil, true},
		{nil, plugin.Equal, []any{nil}, true},
		{nil, plugin.Equal, []any{"x"}, false},
		{nil, plugin.NotEqual, []any{"x"}, true},
		{nil, plugin.In, []any{"x", nil}, true},
		{nil, plugin.NotIn, []any{"x"}, true},
		{nil, plugin.Less, []any{json.Number("1")}, false},
		{nil, plugin.Between, []any{json.Number("1"), json.Number("2")}, false},
		{"a", plugin.Equal, []any{"a"}, true},
		{"a", plugin.Equal, []any{"A"}, false},
		{"1", plugin.Equal, []any{json.Number("1")}, false},
		{"a", plugin.NotIn, []any{"a"}, false},
		{int64(9007199254740993), plugin.Equal, []any{json.Number("9007199254740992")}, false},
		{0.1, plugin.Less, []any{json.Number("0.2")}, true},
		{2, plugin.Between, []any{json.Number("1"), json.Number("2")}, true},
		{3, plugin.Between, []any{json.Number("1"), json.Number("2")}, false},
		{json.Number("2"), plugin.GreaterOrEqual, []any{json.Number("2.0")}, true},
		{int32(2), plugin.Greater, []any{json.Number("2.0")}, false},
		{2.0, plugin.LessOrEqual, []any{json.Number("2")}, true},
		{true, plugin.Equal, []any{true}, true},
		{false, plugin.Equal, []any{true}, false},
		{at, plugin.Equal, []any{"2026-01-01T01:00:00.000+01:00"}, true},
		{at, plugin.Less, []any{"2026-01-02T00:00:00Z"}, true},
		{at, plugin.Less, []any{"tomorrow"}, false},
		{struct{}{}, plugin.Equal, []any{"x"}, false},
	} {
		if got := (plugin.Filter{Operator: c.op, Values: c.values}).Match(c.cell); got != c.want {
			t.Errorf("%v %s %v: %t", c.cell, c.op, c.values, got)
		}
	}
}

// FuzzQuery: whatever is sent is answered, refused or understood.
func FuzzQuery(f *testing.F) {
	f.Add(`{"id":"x","columns":[{"column_id":"a"}],"filters":[{"column_id":"a","expression":"? in ?","value":["x",1,null]}],"limit":{"by":1}}`)
	f.Add(`{"id":"x","filters":[{"id":"a","expression":"? between ? and ?","value":[1,2]}],"user":{"metadata":{"a":{"b":[1]}}}}`)
	f.Add(`{"id":"x","order":[{"column_id":"a","order":"desc"}],"options":{"pushdown":true}}`)
	h, err := plugin.Handler(fake{query: func(q plugin.Query, rows *plugin.Rows) error {
		for _, filter := range append(q.Filters, q.FiltersAll...) {
			for _, cell := range []any{nil, "x", 1, 2.5, true, time.Unix(0, 0)} {
				filter.Match(cell)
			}
		}
		return rows.Write(make([]any, max(len(q.Columns), 1))...)
	}}, plugin.Options{Secret: secret})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/query", strings.NewReader(body))
		r.Header.Set("X-Secret", secret)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 && w.Code != 400 || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	})
}

// TestServe: a service answers until its context ends, and then no more.
func TestServe(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	p := fake{query: func(_ plugin.Query, rows *plugin.Rows) error { return rows.Write(1) }}
	go func() { ended <- plugin.Serve(ctx, listener, p, plugin.Options{Secret: secret}) }()
	url := "http://" + listener.Addr().String()
	if status, text, err := ask(t, "POST", url+"/query", `{"id":"x"}`); err != nil || status != 200 {
		t.Error(status, text, err)
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if _, _, err := ask(t, "POST", url+"/query", `{"id":"x"}`); err == nil {
		t.Error("it answers after its end")
	}
	unused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := plugin.Serve(t.Context(), unused, p, plugin.Options{}); err == nil {
		t.Error("it serves without a secret")
	}
}
