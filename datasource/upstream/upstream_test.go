package upstream

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/upstream/decode"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/value"
)

// TestTypes reads each type in the forms it may have.
func TestTypes(t *testing.T) {
	t.Parallel()
	cases := []struct{ column, sent, want string }{
		{"id", `7`, "7"},
		{"id", `-2147483648`, "-2147483648"},
		{"big", `9223372036854775807`, "9223372036854775807"},
		{"big", `"-5"`, "-5"},
		{"price", `12.5`, "12.5"},
		{"price", `"1234.50000"`, "1234.50000"},
		{"price", `-0.1`, "-0.1"},
		{"price", `1.5e2`, "150"},
		{"exact", `"12345678901234567890123456789012345678"`, "12345678901234567890123456789012345678"},
		{"exact", `0.00000000000000000000000000000000000001`, "0.00000000000000000000000000000000000001"},
		{"ratio", `0.1`, "0.1"},
		{"ratio", `-0`, "0"},
		{"ratio", `1E3`, "1000"},
		{"flag", `true`, "true"},
		{"flag", `false`, "false"},
		{"name", `"a\"\\\/\b\f\n\r\té😀ñ"`, "a\"\\/\b\f\n\r\té😀ñ"},
		{"name", `""`, ""},
		{"code", `17`, "17"},
		{"code", `"x-17"`, "x-17"},
		{"uid", `"123E4567-E89B-12D3-A456-426614174000"`, "123e4567-e89b-12d3-a456-426614174000"},
		{"day", `"2024-02-29"`, "2024-02-29"},
		{"clock", `"22:19:23.50"`, "22:19:23.5"},
		{"at", `"2026-11-21T22:19:23Z"`, "2026-11-21 22:19:23+00"},
		{"at", `"2026-11-21T22:19:23.500Z"`, "2026-11-21 22:19:23.5+00"},
		{"at", `"2026-11-21T22:19:23.000000Z"`, "2026-11-21 22:19:23+00"},
		{"at", `"2026-11-21T23:19:23+02:00"`, "2026-11-21 21:19:23+00"},
		{"at", `"2024-02-29T00:00:00Z"`, "2024-02-29 00:00:00+00"},
		{"local", `"2026-12-31T22:19:23.123456"`, "2026-12-31 22:19:23.123456"},
		{"span", `"P1Y2DT0.5S"`, "12 2 500000"},
		{"doc", `{"b": [1, null, "x"], "a":1.10}`, `{"b": [1, null, "x"], "a":1.10}`},
		{"doc", `"text"`, `"text"`},
		{"raw", `"AAEC"`, "AAEC"},
		{"color", `"blue"`, "blue"},
		{"tags", `["a", null, "\"b"]`, `["a",null,"\"b"]`},
		{"tags", `[]`, `[]`},
		{"sizes", `[1, 22]`, `["1","22"]`},
		{"name", `null`, "null"},
		{"doc", `null`, "null"},
		{"tags", `null`, "null"},
	}
	for _, c := range cases {
		t.Run(c.column+" "+c.sent, func(t *testing.T) {
			t.Parallel()
			stored := map[string]string{"at": "created_at"}[c.column]
			if stored == "" {
				stored = c.column
			}
			id := `"id":1,`
			if c.column == "id" {
				id = ""
			}
			a := open(t, serve(t, says(`{"data":[{"tenant_id":"acme",`+id+`"`+stored+`": `+c.sent+` }]}`)), catalog.BindingSpec{}, nil)
			lines := asked(t, a, a.things(t, acme, nil, c.column))
			if len(lines) != 1 || !strings.Contains(" "+lines[0]+" ", " "+c.column+"="+c.want+" ") {
				t.Errorf("got %q, want %s=%s", lines, c.column, c.want)
			}
		})
	}
}

// TestWrongTypes: what is not of the column's type fails the request.
func TestWrongTypes(t *testing.T) {
	t.Parallel()
	cases := []struct{ column, sent string }{
		{"id", `"7"`},
		{"id", `7.0`},
		{"id", `1e2`},
		{"id", `2147483648`},
		{"id", `true`},
		{"id", `{}`},
		{"big", `9223372036854775808`},
		{"big", `"poison"`},
		{"big", `"+5"`},
		{"big", `1.5`},
		{"price", `1.005`},
		{"price", `12345`},
		{"price", `"poison"`},
		{"price", `"NaN"`},
		{"price", `" 1"`},
		{"exact", `1e99`},
		{"exact", `123456789012345678901234567890123456789`},
		{"ratio", `"1.5"`},
		{"ratio", `1e999`},
		{"flag", `1`},
		{"flag", `"true"`},
		{"name", `17`},
		{"name", `["poison"]`},
		{"name", `"poison\u0000"`},
		{"code", `1.5`},
		{"uid", `"poison"`},
		{"day", `"2023-02-29"`},
		{"day", `"2026-11-21T00:00:00Z"`},
		{"clock", `"25:00:00"`},
		{"at", `"2026-11-21 22:19:23"`},
		{"at", `"2026-11-21T22:19:23"`},
		{"at", `"2023-02-29T22:19:23Z"`},
		{"at", `"2026-11-21T22:19:23.Z"`},
		{"at", `"2026-11-21T22:19:23.1234567Z"`},
		{"at", `"2026-13-21T22:19:23Z"`},
		{"at", `"0000-01-01T00:00:00Z"`},
		{"at", `1800000000`},
		{"local", `"2026-11-21T22:19:23Z"`},
		{"span", `"poison"`},
		{"raw", `"AAE"`},
		{"color", `"poison"`},
		{"color", `0`},
		{"tags", `"poison"`},
		{"tags", `[1]`},
		{"sizes", `["poison"]`},
		{"sizes", `[[1]]`},
	}
	for _, c := range cases {
		t.Run(c.column+" "+c.sent, func(t *testing.T) {
			t.Parallel()
			stored := map[string]string{"at": "created_at"}[c.column]
			if stored == "" {
				stored = c.column
			}
			whole := `"id":2,`
			if c.column == "id" {
				whole = ""
			}
			a := open(t, serve(t, says(`{"data":[{"tenant_id":"acme","id":1},{"tenant_id":"acme",`+whole+`"`+stored+`":`+c.sent+`}]}`)), catalog.BindingSpec{}, nil)
			lines, err := a.fetch(t.Context(), a.things(t, acme, nil, c.column))
			refused(t, err, fault.Unavailable, "row 2 with a wrong value: "+c.column)
			if len(lines) != 1 {
				t.Errorf("got rows %q", lines)
			}
		})
	}
}

// TestShapes finds columns wherever they lie in a row, and rows wherever they
// lie in a reply.
func TestShapes(t *testing.T) {
	t.Parallel()
	row := `{"noise":[{"id":9},"]"],"address":{"city/town":"Bonn","x":{}},"sizes":[4,5,6],"id":1,"tenant_id":"acme"}`
	for pointer, reply := range map[string]string{
		"":          `[` + row + `]`,
		"/data":     "\n{\"meta\":{\"data\":[1]},\t\"data\" :\r\n[" + row + " ] , \"more\":null} ",
		"/a/1/b~0c": `{"a":[{"b~c":[{}]},{"b":0,"b~c":[` + row + `]}],"d":[]}`,
	} {
		a := open(t, serve(t, says(reply)), catalog.BindingSpec{Rows: pointer}, func(s *catalog.SourceSpec) { s.Rows = pointer })
		got := asked(t, a, a.things(t, acme, nil, "id", "city", "sizes", "second"))
		want := []string{`tenant=acme id=1 city=Bonn sizes=["4","5","6"] second=5`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", pointer, diff)
		}
	}
	a := open(t, serve(t, says(`{"data":[{"tenant_id":"acme","id":1,"address":"nowhere","sizes":[1]},{"tenant_id":"acme","id":2,"address":null}]}`)), catalog.BindingSpec{}, nil)
	got := asked(t, a, a.things(t, acme, nil, "city", "second"))
	want := []string{`tenant=acme id=1 city=null second=null`, `tenant=acme id=2 city=null second=null`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestForeignRows: an API that filters nothing has others' rows left out; one
// that says it keeps tenants apart and does not is not believed.
func TestForeignRows(t *testing.T) {
	t.Parallel()
	mixed := `{"data":[{"tenant_id":"acme","id":1},{"tenant_id":"poison","id":2},{"tenant_id":null,"id":3},{"id":4},{"tenant_id":"acme","id":5}]}`
	told := func(s *catalog.SourceSpec) {
		s.Isolation, s.Headers = "upstream", map[string]catalog.Template{"X-Tenant": "{tenant}"}
	}
	t.Run("gateway", func(t *testing.T) {
		t.Parallel()
		a := open(t, serve(t, says(mixed)), catalog.BindingSpec{}, nil)
		got := asked(t, a, a.things(t, acme, nil, "id"))
		if diff := cmp.Diff([]string{"tenant=acme id=1", "tenant=acme id=5"}, got); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		everybody := principal.Principal{Subject: "root", AllTenants: true}
		if got := asked(t, a, a.things(t, everybody, nil, "id", "tenant")); len(got) != 5 {
			t.Errorf("all tenants: %q", got)
		}
	})
	t.Run("upstream", func(t *testing.T) {
		t.Parallel()
		a := open(t, serve(t, says(mixed)), catalog.BindingSpec{}, told)
		lines, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
		refused(t, err, fault.Unavailable, "sent rows that were not asked for")
		if !errors.Is(err, decode.ErrForeignRow) || a.ForeignRows() != 1 || len(lines) != 1 {
			t.Errorf("%v, counted %d, rows %q", err, a.ForeignRows(), lines)
		}
	})
	t.Run("a row without a tenant", func(t *testing.T) {
		t.Parallel()
		a := open(t, serve(t, says(`{"data":[{"id":4}]}`)), catalog.BindingSpec{}, told)
		_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
		refused(t, err, fault.Unavailable, "sent rows that were not asked for")
	})
	t.Run("no tenant column", func(t *testing.T) {
		t.Parallel()
		var header string
		a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			header = r.Header.Get("X-Tenant")
			says(`{"data":[{"id":4}]}`)(w, r)
		}), catalog.BindingSpec{Columns: map[string]*string{"tenant": nil}}, told)
		got := asked(t, a, a.things(t, acme, nil, "id", "tenant"))
		if diff := cmp.Diff([]string{"id=4 tenant=acme"}, got); diff != "" || header != "acme" {
			t.Errorf("-want +got:\n%s(told %q)", diff, header)
		}
	})
}

// pager is an API with n rows in pages; it notes what it was asked.
type pager struct {
	n    int
	next func(page int) string // cursor pages

	mu    sync.Mutex
	asked []string
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked = append(p.asked, r.URL.RawQuery)
	call := len(p.asked)
	p.mu.Unlock()
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("size"))
	if size == 0 {
		size = 3
	}
	first := 0
	if page, _ := strconv.Atoi(q.Get("page")); page > 0 {
		first = (page - 1) * size
	}
	if offset, _ := strconv.Atoi(q.Get("offset")); offset > 0 {
		first = offset
	}
	if after, _ := strconv.Atoi(q.Get("after")); after > 0 {
		first = after
	}
	rows := []string{}
	for i := first; i < min(first+size, p.n); i++ {
		rows = append(rows, fmt.Sprintf(`{"tenant_id":"acme","id":%d}`, i+1))
	}
	next := "null"
	if p.next != nil {
		next = p.next(call)
	} else if first+size < p.n {
		next = strconv.Itoa(first + size)
	}
	says(`{"meta":{"next":`+next+`},"data":[`+strings.Join(rows, ",")+`]}`)(w, r)
}

func TestPages(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		pages catalog.PagesSpec
		n     int
		asked []string
	}{
		{"page", catalog.PagesSpec{Kind: "page", Param: "page", Size: "size", Limit: new(2)}, 5, []string{"page=1&size=2", "page=2&size=2", "page=3&size=2"}},
		{"page, last one full", catalog.PagesSpec{Kind: "page", Param: "page", Size: "size", Limit: new(2)}, 4, []string{"page=1&size=2", "page=2&size=2", "page=3&size=2"}},
		{"page without size", catalog.PagesSpec{Kind: "page", Param: "page", Limit: new(3)}, 4, []string{"page=1", "page=2"}},
		{"offset", catalog.PagesSpec{Kind: "offset", Param: "offset", Size: "size", Limit: new(2)}, 3, []string{"offset=0&size=2", "offset=2&size=2"}},
		{"cursor", catalog.PagesSpec{Kind: "cursor", Param: "after", Next: "/meta/next", Size: "size", Limit: new(2)}, 4, []string{"size=2", "after=2&size=2"}},
		{"none", catalog.PagesSpec{}, 3, []string{""}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &pager{n: c.n}
			a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, func(s *catalog.SourceSpec) { s.Pages = c.pages })
			got := asked(t, a, a.things(t, acme, nil, "id"))
			if len(got) != c.n {
				t.Errorf("%d rows, want %d", len(got), c.n)
			}
			if diff := cmp.Diff(c.asked, p.asked); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCursors(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		next  func(page int) string
		calls int
		code  fault.Code
		text  string
	}{
		{"the same again", func(int) string { return `"again"` }, 2, fault.Unavailable, "did not send rows that can be used"},
		{"a circle", func(page int) string { return strconv.Itoa(page%3 + 1) }, 4, fault.Unavailable, "did not send rows that can be used"},
		{"empty", func(int) string { return `""` }, 1, "", ""},
		{"no text", func(int) string { return `{"a":1}` }, 1, fault.Unavailable, "did not send rows that can be used"},
		{"too long", func(int) string { return `"` + strings.Repeat("x", decode.MaxCursor+1) + `"` }, 1, fault.Unavailable, "did not send rows that can be used"},
		{"no end", func(page int) string { return strconv.Itoa(1000 + page) }, 11, fault.TooComplex, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &pager{n: 1, next: c.next}
			a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
				s.Pages, s.MaxRows = catalog.PagesSpec{Kind: "cursor", Param: "after", Next: "/meta/next"}, new(10)
			})
			_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
			switch {
			case c.code != "":
				refused(t, err, c.code, c.text)
			case err != nil:
				t.Error(err)
			}
			if len(p.asked) != c.calls {
				t.Errorf("%d calls, want %d", len(p.asked), c.calls)
			}
		})
	}
}

// TestPushdown shows what the API is asked for what is asked.
func TestPushdown(t *testing.T) {
	t.Parallel()
	able := catalog.PushdownSpec{
		Filters: map[string][]string{"tenant": {"eq"}, "id": {"eq", "in", "gt"}, "at": {"gte"}, "name": {"gt", "eq"}, "city": {"eq"}},
		Limit:   "limit", Order: "sort",
	}
	numbers := func(texts ...string) query.Value {
		var list query.List
		for _, n := range texts {
			list = append(list, query.Number(n))
		}
		return list
	}
	limit := query.Member{Name: "limit", Value: query.Number("4")}
	cases := []struct {
		name string
		able catalog.PushdownSpec
		args query.Object
		want string
	}{
		{"nothing declared", catalog.PushdownSpec{}, query.Object{where("id", "eq", query.Number("1"))}, ""},
		{"the scope, and the key's order with the limit", able, query.Object{limit}, "limit=5&sort=id&tenant_id=acme"},
		{"limit without order", catalog.PushdownSpec{Filters: able.Filters, Limit: "limit"}, query.Object{limit}, "tenant_id=acme"},
		{"limit without the scope", catalog.PushdownSpec{Limit: "limit", Order: "sort"}, query.Object{limit}, ""},
		{"eq", able, query.Object{limit, where("id", "eq", query.Number("1"))}, "id=1&limit=5&sort=id&tenant_id=acme"},
		{"in", able, query.Object{limit, where("id", "in", numbers("1", "2"))}, "id=1&id=2&limit=5&sort=id&tenant_id=acme"},
		{"gt", able, query.Object{limit, where("id", "gt", query.Number("1"))}, "id%5Bgt%5D=1&limit=5&sort=id&tenant_id=acme"},
		{"a timestamp as RFC 3339", able, query.Object{limit, where("at", "gte", query.Text("2026-01-01T00:00:00+01:00"))}, "created_at%5Bgte%5D=2025-12-31T23%3A00%3A00Z&limit=5&sort=id&tenant_id=acme"},
		{"an operator that is not declared", able, query.Object{limit, where("id", "lt", query.Number("9"))}, "tenant_id=acme"},
		{"text has no order", able, query.Object{limit, where("name", "gt", query.Text("a"))}, "tenant_id=acme"},
		{"a pointer is no parameter", able, query.Object{limit, where("city", "eq", query.Text("a"))}, "tenant_id=acme"},
		{"a disjunction", able, query.Object{limit, {Name: "where", Value: query.Object{{Name: "or", Value: query.List{
			query.Object{{Name: "id", Value: query.Object{{Name: "eq", Value: query.Number("1")}}}},
			query.Object{{Name: "name", Value: query.Object{{Name: "eq", Value: query.Text("x")}}}},
		}}}}}, "tenant_id=acme"},
		{"one of two", able, query.Object{limit, {Name: "where", Value: query.Object{{Name: "id", Value: query.Object{
			{Name: "eq", Value: query.Number("1")}, {Name: "in", Value: numbers("1", "2")},
		}}}}}, "id=1&tenant_id=acme"},
		{"an order of two terms", able, query.Object{limit, {Name: "orderBy", Value: query.List{query.Object{{Name: "at", Value: query.Enum("DESC")}}}}}, "tenant_id=acme"},
		{"an order that goes down", able, query.Object{limit, {Name: "orderBy", Value: query.List{query.Object{{Name: "id", Value: query.Enum("DESC")}}}}}, "limit=5&sort=-id&tenant_id=acme"},
		{"too long for a URL", able, query.Object{limit, where("name", "eq", query.Text(strings.Repeat("x", 3000)))}, "tenant_id=acme"},
		{"no parameter of the caller's", able, query.Object{limit, where("name", "eq", query.Text("a&tenant_id=evil#?/"))}, "limit=5&name=a%26tenant_id%3Devil%23%3F%2F&sort=id&tenant_id=acme"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var got string
			a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
				got = r.URL.RawQuery
				says(`{"data":[]}`)(w, r)
			}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) { s.Pushdown = c.able })
			asked(t, a, a.things(t, acme, c.args, "id"))
			if got != c.want {
				t.Errorf("asked %q, want %q", got, c.want)
			}
		})
	}
}

// TestReserved: parameters of the source's own keep their values.
func TestReserved(t *testing.T) {
	t.Parallel()
	var got url.Values
	a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r.URL.Query()
		says(`{"data":[]}`)(w, r)
	}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Query = map[string]catalog.Template{"name": "{tenant}"}
		s.Pushdown = catalog.PushdownSpec{Filters: map[string][]string{"name": {"eq"}, "tenant": {"eq"}}, Limit: "limit", Order: "sort"}
	})
	asked(t, a, a.things(t, acme, query.Object{where("name", "eq", query.Text("evil"))}, "id"))
	if diff := cmp.Diff(url.Values{"name": {"acme"}, "tenant_id": {"acme"}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLimit: a limit that was pushed ends the reading, even when the API does
// not heed it.
func TestLimit(t *testing.T) {
	t.Parallel()
	p := &pager{n: 1000}
	a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Pages = catalog.PagesSpec{Kind: "page", Param: "page", Size: "size", Limit: new(10)}
		s.Pushdown = catalog.PushdownSpec{Filters: map[string][]string{"tenant": {"eq"}}, Limit: "size", Order: "sort"}
	})
	got := asked(t, a, a.things(t, acme, query.Object{{Name: "limit", Value: query.Number("14")}}, "id"))
	if len(got) != 15 || len(p.asked) != 2 || p.asked[0] != "page=1&size=10&sort=id&tenant_id=acme" {
		t.Errorf("%d rows in %q", len(got), p.asked)
	}
}

// TestNothingToAsk: conditions that no row satisfies need no call.
func TestNothingToAsk(t *testing.T) {
	t.Parallel()
	p := &pager{n: 3}
	a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, nil)
	got := asked(t, a, a.things(t, acme, query.Object{where("id", "in", query.List{})}, "id"))
	if len(got) != 0 || len(p.asked) != 0 {
		t.Errorf("%d rows in %d calls", len(got), len(p.asked))
	}
}

// TestNarrowed: the keys of a join become a condition.
func TestNarrowed(t *testing.T) {
	t.Parallel()
	p := &pager{n: 3}
	a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Pushdown = catalog.PushdownSpec{Filters: map[string][]string{"id": {"in"}}}
	})
	request := query.Request{Dataset: "things", Shape: query.Many, Field: query.Field{Name: "things", Fields: []query.Field{{Key: "id", Name: "id"}}}}
	q, err := plan.Build(request, a.catalog, acme, now)
	if err != nil {
		t.Fatal(err)
	}
	var keys []value.Value
	for _, n := range []string{"1", "3"} {
		v, err := value.Parse(value.Of(value.Int), n)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, v, value.Value{})
	}
	asked(t, a, q.Fetches(q.Root(), 0)[0].Narrowed("id", keys).Query())
	asked(t, a, q.Fetches(q.Root(), 0)[0].Narrowed("id", keys[:2]).Query())
	asked(t, a, q.Fetches(q.Root(), 0)[0].Narrowed("id", keys[1:2]).Query())
	if diff := cmp.Diff([]string{"id=1&id=3", "id=1"}, p.asked); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestCompressed: gzip is unpacked, and the cap is on what comes out.
func TestCompressed(t *testing.T) {
	t.Parallel()
	zipped := func(text func(*gzip.Writer)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			text(z)
			_ = z.Close()
		}
	}
	a := open(t, serve(t, zipped(func(z *gzip.Writer) { fmt.Fprint(z, `{"data":[{"tenant_id":"acme","id":1}]}`) })), catalog.BindingSpec{}, nil)
	if got := asked(t, a, a.things(t, acme, nil, "id")); len(got) != 1 {
		t.Errorf("got %q", got)
	}
	bomb := open(t, serve(t, zipped(func(z *gzip.Writer) {
		fmt.Fprint(z, `{"data":[{"name":"`)
		for range 100 {
			fmt.Fprint(z, strings.Repeat("0", 100_000))
		}
	})), catalog.BindingSpec{}, func(s *catalog.SourceSpec) { s.MaxBytes = new(int64(1 << 20)) })
	_, err := bomb.fetch(t.Context(), bomb.things(t, acme, nil, "id"))
	refused(t, err, fault.TooComplex, "more than the 1048576 bytes")
}

// TestExactBytes: the cap is what may be read, to the byte.
func TestExactBytes(t *testing.T) {
	t.Parallel()
	reply := `{"data":[{"tenant_id":"acme","id":1}]}`
	for _, c := range []struct {
		most int64
		ok   bool
	}{{int64(len(reply)), true}, {int64(len(reply)) - 1, false}} {
		a := open(t, serve(t, says(reply)), catalog.BindingSpec{}, func(s *catalog.SourceSpec) { s.MaxBytes = new(c.most) })
		if _, err := a.fetch(t.Context(), a.things(t, acme, nil, "id")); (err == nil) != c.ok {
			t.Errorf("%d bytes allowed: %v", c.most, err)
		}
	}
}

// TestConnectionReuse: a reply that was read to its end leaves its connection
// for the next one.
func TestConnectionReuse(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	from := map[string]bool{}
	p := &pager{n: 9}
	a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		from[r.RemoteAddr] = true
		mu.Unlock()
		p.ServeHTTP(w, r)
	}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Pages = catalog.PagesSpec{Kind: "page", Param: "page", Size: "size", Limit: new(2)}
	})
	for range 3 {
		asked(t, a, a.things(t, acme, nil, "id"))
	}
	if len(from) != 1 {
		t.Errorf("%d connections", len(from))
	}
}

// TestCalls: calls beyond the bound wait, and no longer than their request. The
// last slot is for another tenant.
func TestCalls(t *testing.T) {
	t.Parallel()
	arrived, release := make(chan struct{}, 100), make(chan struct{})
	a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
		says(`{"data":[]}`)(w, r)
	}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.MaxConcurrent, s.Query = new(4), map[string]catalog.Template{"as": "{subject}"}
	})
	by := func(subject string) plan.Query {
		p := acme
		p.Subject = subject
		return a.things(t, p, nil, "id")
	}
	var group sync.WaitGroup
	for i := range 3 {
		q := by(strconv.Itoa(i))
		group.Go(func() {
			if _, err := a.fetch(t.Context(), q); err != nil {
				t.Error(err)
			}
		})
	}
	for range 3 {
		<-arrived
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.fetch(ctx, by("late"))
	refused(t, err, fault.Timeout, "canceled")
	close(release)
	group.Wait()
	if len(arrived) != 0 {
		t.Error("a call more than allowed arrived")
	}
	asked(t, a, by("late"))
}

// TestRefusedQueries: only plans for rows of this source are accepted.
func TestRefusedQueries(t *testing.T) {
	t.Parallel()
	a := open(t, serve(t, says(`{"data":[]}`)), catalog.BindingSpec{}, nil)
	request := query.Request{Dataset: "things", Shape: query.Groups, Field: query.Field{Name: "thingsAggregate", Fields: []query.Field{{Key: "count", Name: "count"}}}}
	grouped, err := plan.Build(request, a.catalog, acme, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range map[string]plan.Query{"zero": {}, "grouped": grouped} {
		if err := a.fetchNothing(t.Context(), q); err == nil || fault.From(err).Code != fault.Internal {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := *a.catalog.Sources["partner"]
	other.Name = "other"
	s, err := Open(&other, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.fetchNothing(t.Context(), a.things(t, acme, nil, "id")); err == nil {
		t.Error("another source's query was accepted")
	}
}

func (s *Source) fetchNothing(ctx context.Context, q plan.Query) error {
	return s.Fetch(ctx, q, func(value.Rows) error { return nil })
}

// TestStops: what the reader returns ends the fetch.
func TestStops(t *testing.T) {
	t.Parallel()
	p := &pager{n: 100}
	a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Pages = catalog.PagesSpec{Kind: "page", Param: "page", Size: "size", Limit: new(2)}
	})
	enough := errors.New("enough")
	err := a.Fetch(t.Context(), a.things(t, acme, nil, "id"), func(rows value.Rows) error {
		if !rows.Next() {
			t.Error("no row")
		}
		_ = rows.Close()
		_ = rows.Close()
		if rows.Next() {
			t.Error("a row after Close")
		}
		return enough
	})
	if !errors.Is(err, enough) || len(p.asked) != 1 {
		t.Errorf("%v after %d calls", err, len(p.asked))
	}
}

// TestWireForms: what a decoder makes of a value is what AppendJSON takes.
func TestWireForms(t *testing.T) {
	t.Parallel()
	sent := `{"tenant_id":"acme","id":1,"big":"2","price":3.1,"exact":4.50,"ratio":5.5,"flag":true,"name":"n","code":6,` +
		`"uid":"123e4567-e89b-12d3-a456-426614174000","day":"2026-01-02","clock":"03:04:05","created_at":"2026-01-02T03:04:05Z",` +
		`"local":"2026-01-02T03:04:05.6","span":"P1D","doc":{"b":1,"a":2},"raw":"AAEC","color":"red","tags":["x",null],"sizes":[7,8],"address":{"city/town":"c"}}`
	want := `{"tenant":"acme","id":1,"big":2,"price":3.10,"exact":4.5,"ratio":5.5,"flag":true,"name":"n","code":"6",` +
		`"uid":"123e4567-e89b-12d3-a456-426614174000","day":"2026-01-02","clock":"03:04:05","at":"2026-01-02T03:04:05Z",` +
		`"local":"2026-01-02T03:04:05.6","span":"P1D","doc":{"a":2,"b":1},"raw":"AAEC","color":"red","tags":["x",null],"sizes":[7,8],"city":"c","second":8}`
	a := open(t, serve(t, says(`{"data":[`+sent+`]}`)), catalog.BindingSpec{}, nil)
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	q := a.things(t, acme, nil, names...)
	ref := q.Root().Ref(0)
	got := map[string]json.RawMessage{}
	err := a.Fetch(t.Context(), q, func(rows value.Rows) error {
		for rows.Next() {
			for i := range ref.Fields() {
				text, err := value.AppendJSON(nil, ref.Field(i).Type, rows.Cell(i), value.Style{})
				if err != nil {
					return err
				}
				got[ref.Field(i).Name] = text
			}
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]json.RawMessage
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expected, got, cmp.Transformer("text", func(m json.RawMessage) string { return string(m) })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
