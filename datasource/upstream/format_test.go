package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/upstream/decode"
	"usher/fault"
)

// sends is an API that always sends this text of that type.
func sends(media, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		fmt.Fprint(w, text)
	}
}

func formatted(format string, csv catalog.CSVSpec) func(*catalog.SourceSpec) {
	return func(s *catalog.SourceSpec) {
		s.Rows, s.Format, s.CSV = "", format, csv
		s.MaxRows, s.MaxBytes = new(1000), new(int64(4_000_000))
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	const media = "application/x-ndjson"
	row := `{"tenant_id":"acme","id":1,"address":{"city/town":"Bonn"}}`
	other := `{"tenant_id":"poison","id":"poison"}`
	cases := map[string]struct {
		media, text string
		rows        int
		code        fault.Code
		message     string
	}{
		"lines":                   {media, row + "\n" + row + "\n", 2, "", ""},
		"no break at the end":     {media, row + "\r\n" + row, 2, "", ""},
		"blank lines":             {media, "\n" + row + "\n\n \n" + row + "\n\n", 2, "", ""},
		"nothing":                 {media, "", 0, "", ""},
		"another name":            {"application/jsonl; charset=utf-8", row, 1, "", ""},
		"rows of others":          {media, other + "\n" + row + "\n" + other, 1, "", ""},
		"two on a line":           {media, row + " " + row, 1, fault.Unavailable, "did not send rows"},
		"a comma":                 {media, row + "\n," + row, 1, fault.Unavailable, "did not send rows"},
		"an array":                {media, "[" + row + "]", 0, fault.Unavailable, "did not send rows"},
		"half a row":              {media, row + "\n" + row[:9], 1, fault.Unavailable, "did not send rows"},
		"a wrong value":           {media, row + "\n" + `{"tenant_id":"acme","id":"poison"}`, 1, fault.Unavailable, "row 2 with a wrong value: id"},
		"HTML":                    {"text/html", row, 0, fault.Unavailable, "did not send rows"},
		"JSON":                    {"application/json", row, 0, fault.Unavailable, "did not send rows"},
		"too many":                {media, strings.Repeat(row+"\n", 1001), 1000, fault.TooComplex, "more than the 1000 rows"},
		"deep":                    {media, `{"x":` + strings.Repeat("[", 1_000_000), 0, fault.Unavailable, "did not send rows"},
		"a line without an end":   {media, `{"name":"` + strings.Repeat("x", 5_000_000), 0, fault.TooComplex, "4000000 bytes"},
		"more bytes than allowed": {media, strings.Repeat(`{"x":"`+strings.Repeat("x", 10_000)+"\"}\n", 500), 0, fault.TooComplex, "4000000 bytes"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, serve(t, sends(c.media, c.text)), catalog.BindingSpec{}, formatted("ndjson", catalog.CSVSpec{}))
			rows, err := a.fetch(t.Context(), a.things(t, acme, nil, "id", "city"))
			expect(t, rows, err, c.rows, c.code, c.message)
			if c.code == "" && len(rows) > 0 && rows[0] != "tenant=acme id=1 city=Bonn" {
				t.Errorf("got %q", rows[0])
			}
		})
	}
}

func expect(t *testing.T, rows []string, err error, n int, code fault.Code, message string) {
	t.Helper()
	switch {
	case code != "":
		refused(t, err, code, message)
	case err != nil:
		t.Error(err)
	}
	if len(rows) != n {
		t.Errorf("%d rows, want %d", len(rows), n)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	const media = "text/csv; charset=utf-8"
	const head = "tenant_id,id,name,price,flag,tags,created_at\n"
	const good = "acme,1,\"a \"\"b\"\",\nc\",1.50,true,\"[\"\"x\"\",null]\",2026-01-02T03:04:05Z\n"
	semicolon, empty := catalog.CSVSpec{Delimiter: ";"}, catalog.CSVSpec{Null: ptr("NULL")}
	cases := map[string]struct {
		spec        catalog.CSVSpec
		media, text string
		want        []string
		code        fault.Code
		message     string
	}{
		"values":                 {catalog.CSVSpec{}, media, head + good, []string{"tenant=acme id=1 name=a \"b\",\nc price=1.50 flag=true tags=[\"x\",null] at=2026-01-02 03:04:05+00"}, "", ""},
		"order and a mark":       {catalog.CSVSpec{}, media, "\ufeffid,x,name,price,flag,tags,created_at,tenant_id\r\n2,?,n,1,false,[],,acme\r\n", []string{"tenant=acme id=2 name=n price=1 flag=false tags=[] at=null"}, "", ""},
		"empty is null":          {catalog.CSVSpec{}, media, head + "acme,1,,,,,\n", []string{"tenant=acme id=1 name=null price=null flag=null tags=null at=null"}, "", ""},
		"a null of its own":      {empty, media, head + "acme,1,,NULL,NULL,NULL,NULL\n", []string{"tenant=acme id=1 name= price=null flag=null tags=null at=null"}, "", ""},
		"another delimiter":      {semicolon, media, strings.ReplaceAll(head, ",", ";") + "acme;1;a,b;;;;\n", []string{"tenant=acme id=1 name=a,b price=null flag=null tags=null at=null"}, "", ""},
		"no rows":                {catalog.CSVSpec{}, media, head, nil, "", ""},
		"rows of others":         {catalog.CSVSpec{}, media, head + "poison,poison,,,,,\nacme,1,,,,,\n,1,,,,,\n", []string{"tenant=acme id=1 name=null price=null flag=null tags=null at=null"}, "", ""},
		"nothing":                {catalog.CSVSpec{}, media, "", nil, fault.Unavailable, "did not send rows"},
		"a column is missing":    {catalog.CSVSpec{}, media, "tenant_id,id\nacme,1\n", nil, fault.Unavailable, "wrong value: name: the CSV has no such column"},
		"one name twice":         {catalog.CSVSpec{}, media, "id," + head, nil, fault.Unavailable, "did not send rows"},
		"a short row":            {catalog.CSVSpec{}, media, head + "acme,1\n", nil, fault.Unavailable, "did not send rows"},
		"a quote in the middle":  {catalog.CSVSpec{}, media, head + "acme,1,poi\"son,,,,\n", nil, fault.Unavailable, "did not send rows"},
		"no number":              {catalog.CSVSpec{}, media, head + "acme,poison,,,,,\n", nil, fault.Unavailable, "row 1 with a wrong value: id"},
		"a number and more":      {catalog.CSVSpec{}, media, head + "acme,1 2,,,,,\n", nil, fault.Unavailable, "row 1 with a wrong value: id"},
		"null where none is":     {empty, media, head + "acme,1,,NULL,NULL,NULL,NULL\nacme,NULL,,NULL,NULL,NULL,NULL\n", []string{"tenant=acme id=1 name= price=null flag=null tags=null at=null"}, fault.Unavailable, "row 2 with a wrong value: id: it is null or missing"},
		"no boolean":             {catalog.CSVSpec{}, media, head + "acme,1,,,yes,,\n", nil, fault.Unavailable, "row 1 with a wrong value: flag"},
		"no list":                {catalog.CSVSpec{}, media, head + "acme,1,,,,poison,\n", nil, fault.Unavailable, "row 1 with a wrong value: tags"},
		"no UTF-8":               {catalog.CSVSpec{}, media, head + "acme,1,\xff,,,,\n", nil, fault.Unavailable, "did not send rows"},
		"a quote without an end": {catalog.CSVSpec{}, media, head + "acme,1,\"" + strings.Repeat("x", 5_000_000), nil, fault.TooComplex, "4000000 bytes"},
		"HTML":                   {catalog.CSVSpec{}, "text/html", "<html>poison", nil, fault.Unavailable, "did not send rows"},
		"HTML that says CSV":     {catalog.CSVSpec{}, media, "<html>poison\n<p>", nil, fault.Unavailable, "no such column"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, serve(t, sends(c.media, c.text)), catalog.BindingSpec{}, formatted("csv", c.spec))
			rows, err := a.fetch(t.Context(), a.things(t, acme, nil, "id", "name", "price", "flag", "tags", "at"))
			expect(t, rows, err, len(c.want), c.code, c.message)
			if diff := cmp.Diff(c.want, rows); c.code == "" && diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestForeignRecords: an API that keeps tenants apart is not believed in CSV
// either.
func TestForeignRecords(t *testing.T) {
	t.Parallel()
	a := open(t, serve(t, sends("text/csv", "tenant_id,id\nacme,1\npoison,2\n")), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		formatted("csv", catalog.CSVSpec{})(s)
		s.Isolation, s.Headers = "upstream", map[string]catalog.Template{"X-Tenant": "{tenant}"}
	})
	_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
	refused(t, err, fault.Unavailable, "rows that were not asked for")
}

// TestUnframed: a reply that ends with its connection may be half of one; what
// has no end of its own is not believed then.
func TestUnframed(t *testing.T) {
	t.Parallel()
	for media, format := range map[string]string{"text/csv": "csv", "application/x-ndjson": "ndjson"} {
		a := open(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, text, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(text, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nConnection: close\r\n\r\ntenant_id,id\nacme,1\n", media)
			_ = text.Flush()
			_ = conn.Close()
		}), catalog.BindingSpec{}, formatted(format, catalog.CSVSpec{}))
		_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
		refused(t, err, fault.Unavailable, "did not send rows")
	}
}

// TestCSVPages: pages of CSV follow each other by offset, each with its names.
func TestCSVPages(t *testing.T) {
	t.Parallel()
	a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		text := map[string]string{"0": "tenant_id,id\nacme,1\nacme,2\n", "2": "id,tenant_id\n3,acme\n"}[r.URL.Query().Get("offset")]
		sends("text/csv", text)(w, r)
	}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		formatted("csv", catalog.CSVSpec{})(s)
		s.Pages = catalog.PagesSpec{Kind: "offset", Param: "offset", Limit: new(2)}
	})
	want := []string{"tenant=acme id=1", "tenant=acme id=2", "tenant=acme id=3"}
	if diff := cmp.Diff(want, asked(t, a, a.things(t, acme, nil, "id"))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	row := `{"tenant_id":"acme","id":1}`
	cases := map[string]struct {
		link  func(self string) []string // of the first page
		asked []string                   // paths and queries of further pages
		code  fault.Code
	}{
		"none":             {func(string) []string { return nil }, nil, ""},
		"another relation": {func(string) []string { return []string{`</x>; rel="prev"`} }, nil, ""},
		"relative":         {func(string) []string { return []string{`</things?p=2>; rel="next"`} }, []string{"/things?as=ann&p=2"}, ""},
		"absolute":         {func(self string) []string { return []string{"<" + self + `/things?p=2>; rel=next`} }, []string{"/things?as=ann&p=2"}, ""},
		"among others": {func(string) []string {
			return []string{`<?p=1>; title="a, <b>; \""; rel=first, <?p=2&as=ann>;rel="last next"`}
		}, []string{"/things?p=2&as=ann"}, ""},
		"in a second header": {func(string) []string { return []string{`<?p=1>; rel=first`, `<?p=2>; rel=next`} }, []string{"/things?as=ann&p=2"}, ""},
		"as somebody else":   {func(string) []string { return []string{`<?as=bob>; rel=next`} }, []string{"/things?as=ann"}, ""},
		"the same again":     {func(string) []string { return []string{`<?again=1>; rel=next`} }, []string{"/things?again=1&as=ann"}, fault.Unavailable},
		"another host":       {func(string) []string { return []string{`<http://evil.example/things>; rel=next`} }, nil, fault.Unavailable},
		"no scheme":          {func(string) []string { return []string{`<//evil.example/things>; rel=next`} }, nil, fault.Unavailable},
		"another port":       {func(string) []string { return []string{`<http://127.0.0.1:1/things>; rel=next`} }, nil, fault.Unavailable},
		"another scheme": {func(self string) []string {
			return []string{"<" + strings.Replace(self, "http", "https", 1) + `>; rel=next`}
		}, nil, fault.Unavailable},
		"a password": {func(self string) []string {
			return []string{"<" + strings.Replace(self, "//", "//u:p@", 1) + `>; rel=next`}
		}, nil, fault.Unavailable},
		"a file":        {func(string) []string { return []string{`<file:///etc/passwd>; rel=next`} }, nil, fault.Unavailable},
		"no link":       {func(string) []string { return []string{`poison; rel=next`} }, nil, fault.Unavailable},
		"an open quote": {func(string) []string { return []string{`<?p=2>; rel="next`} }, nil, fault.Unavailable},
		"too long":      {func(string) []string { return []string{`<?p=` + strings.Repeat("x", decode.MaxCursor) + `>; rel=next`} }, nil, fault.Unavailable},
	}
	for name, c := range cases {
		for _, inBody := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %t", name, inBody), func(t *testing.T) {
				t.Parallel()
				var got []string
				a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
					got = append(got, r.URL.RequestURI())
					links := c.link("http://" + r.Host)
					if len(got) > 1 && !r.URL.Query().Has("again") {
						links = nil
					}
					next := "null"
					if inBody {
						if len(links) > 0 {
							link, _ := nextLink(http.Header{"Link": links})
							next = fmt.Sprintf("%q", link)
						}
					} else if links != nil {
						w.Header()["Link"] = links
					}
					says(`{"data":[`+row+`],"meta":{"next":`+next+`}}`)(w, r)
				}), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
					s.Query = map[string]catalog.Template{"as": "{subject}"}
					s.Pages = catalog.PagesSpec{Kind: "link"}
					if inBody {
						s.Pages.Next = "/meta/next"
					}
				})
				_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
				if unreadable := name == "no link" || name == "an open quote"; inBody && unreadable {
					return // a body's link is text, not a header's syntax
				}
				expect(t, nil, err, 0, c.code, "did not send rows")
				if diff := cmp.Diff(append([]string{"/things?as=ann"}, c.asked...), got); diff != "" {
					t.Errorf("-want +got:\n%s", diff)
				}
			})
		}
	}
}

// TestTooManyPages: pages have an end, whatever the API says.
func TestTooManyPages(t *testing.T) {
	t.Parallel()
	p := &pager{n: 1000}
	a := open(t, serve(t, p.ServeHTTP), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Pages = catalog.PagesSpec{Kind: "page", Param: "page", Size: "size", Limit: new(2), Max: new(5)}
	})
	_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
	refused(t, err, fault.TooComplex, "more than the 5 pages")
	if len(p.asked) != 5 {
		t.Errorf("%d calls", len(p.asked))
	}
}
