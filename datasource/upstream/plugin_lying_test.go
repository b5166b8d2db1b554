package upstream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/catalog"
	"usher/datasource/upstream/broker"
	"usher/datasource/upstream/decode"
	"usher/fault"
	"usher/plan"
	"usher/value"
)

const listing = `[{"id":"stock.things","columns":[{"id":"tenant_id","type":"hierarchy"},{"id":"id","type":"numeric"},{"id":"name","type":"hierarchy"}]}]`

// answering is a plugin that lists its datasets and answers questions so.
func answering(datasets, rows http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/datasets" {
			datasets(w, r)
			return
		}
		rows(w, r)
	}
}

// hang keeps a caller waiting until it leaves, which a server notices only once
// it has read the body.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// TestLyingPlugins: nothing a plugin sends but rows of what was asked for
// becomes rows, and no failure repeats what it sent.
func TestLyingPlugins(t *testing.T) {
	t.Parallel()
	const unusable = "did not send rows that can be used"
	const wrongRow = "row 1 with a wrong value"
	lists := says(listing)
	good := says(`[["acme",1,"a"]]`)
	for name, c := range map[string]struct {
		datasets, rows http.HandlerFunc
		code           fault.Code
		text           string
	}{
		"another tenant's row":    {lists, says(`[["acme",1,"a"],["bistro",2,"poison"]]`), fault.Unavailable, "rows that were not asked for"},
		"nobody's row":            {lists, says(`[[null,1,"poison"]]`), fault.Unavailable, "rows that were not asked for"},
		"the tenant in capitals":  {lists, says(`[["ACME",1,"poison"]]`), fault.Unavailable, "rows that were not asked for"},
		"a column more":           {lists, says(`[["acme",1,"a","poison"]]`), fault.Unavailable, wrongRow},
		"a column less":           {lists, says(`[["acme",1]]`), fault.Unavailable, wrongRow},
		"no columns":              {lists, says(`[[]]`), fault.Unavailable, wrongRow},
		"a wider second row":      {lists, says(`[["acme",1,"a"],["acme",1,"a",1]]`), fault.Unavailable, "row 2 with a wrong value"},
		"text for a number":       {lists, says(`[["acme","poison","a"]]`), fault.Unavailable, wrongRow + ": id"},
		"a fraction":              {lists, says(`[["acme",1.5,"a"]]`), fault.Unavailable, wrongRow + ": id"},
		"an object for text":      {lists, says(`[["acme",1,{"poison":1}]]`), fault.Unavailable, wrongRow + ": name"},
		"a boolean for a number":  {lists, says(`[["acme",true,"a"]]`), fault.Unavailable, wrongRow + ": id"},
		"a list for text":         {lists, says(`[["acme",1,["poison"]]]`), fault.Unavailable, wrongRow + ": name"},
		"columns in other places": {lists, says(`[[1,"acme","a"]]`), fault.Unavailable, wrongRow},
		"objects":                 {lists, says(`[{"tenant_id":"acme","id":1,"name":"poison"}]`), fault.Unavailable, unusable},
		"an object around":        {lists, says(`{"data":[["acme",1,"poison"]]}`), fault.Unavailable, unusable},
		"null":                    {lists, says(`null`), fault.Unavailable, unusable},
		"nothing":                 {lists, says(``), fault.Unavailable, unusable},
		"half of it":              {lists, says(`[["acme",1,"a"],["ac`), fault.Unavailable, unusable},
		"no end":                  {lists, says(`[["acme",1,"a"]`), fault.Unavailable, unusable},
		"something after it":      {lists, says(`[["acme",1,"a"]]["poison"]`), fault.Unavailable, unusable},
		"no comma":                {lists, says(`[["acme",1,"a"]["acme",1,"a"]]`), fault.Unavailable, unusable},
		"too deep":                {lists, says(`[["acme",1,` + strings.Repeat("[", 200) + `]]`), fault.Unavailable, ""},
		"an error":                {lists, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "poison", http.StatusInternalServerError) }, fault.Unavailable, unusable},
		"a refusal":               {lists, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "poison", http.StatusForbidden) }, fault.Unavailable, "does not accept the account"},
		"another place": {lists, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/query2", http.StatusTemporaryRedirect)
		}, fault.Unavailable, unusable},
		"a page":         {lists, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>poison") }, fault.Unavailable, unusable},
		"too many rows":  {lists, says("[" + strings.Repeat(`["acme",1,"a"],`, 60) + `["acme",1,"a"]]`), fault.TooComplex, "more than the 50 rows"},
		"too many bytes": {lists, says(`[["acme",1,"` + strings.Repeat("poison", 4000) + `"]]`), fault.TooComplex, "more than the 9000 bytes"},
		"hangs": {lists, func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `[["acme",1,"a"],`)
			_ = http.NewResponseController(w).Flush()
			hang(w, r)
		}, fault.Timeout, "in time"},
		"no such dataset":           {says(`[{"id":"poison","columns":[]}]`), good, fault.Unavailable, unusable},
		"no such column":            {says(strings.Replace(listing, `"name"`, `"poison"`, 1)), good, fault.Unavailable, unusable},
		"a column twice":            {says(strings.Replace(listing, `"name"`, `"id"`, 1)), good, fault.Unavailable, unusable},
		"a dataset twice":           {says(strings.Replace(listing, "[{", `[{"id":"stock.things","columns":[]},{`, 1)), good, fault.Unavailable, unusable},
		"a list of no datasets":     {says(`["poison"]`), good, fault.Unavailable, unusable},
		"two lists":                 {says(listing + listing), good, fault.Unavailable, unusable},
		"a list without end":        {says(`[` + strings.Repeat(" ", 8<<20) + `]`), good, fault.Unavailable, unusable},
		"a list nobody may read":    {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "poison", http.StatusForbidden) }, good, fault.Unavailable, "does not accept the account"},
		"a list nested without end": {says(strings.Repeat("[", 20000)), good, fault.Unavailable, unusable},
		"hangs over the list":       {hang, good, fault.Timeout, "in time"},
	} {
		for _, pushdown := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %t", name, pushdown), func(t *testing.T) {
				t.Parallel()
				a := plugged(t, serve(t, answering(c.datasets, c.rows)), func(s *catalog.SourceSpec) {
					s.Isolation, s.MaxRows, s.MaxBytes, s.Plugin.Pushdown = "upstream", new(50), new(int64(9000)), pushdown
					if c.code == fault.Timeout {
						s.Timeout = new(300 * time.Millisecond)
					} else {
						s.Timeout = new(time.Minute)
					}
				})
				_, err := a.fetch(t.Context(), a.things(t, acme, nil, "name"))
				refused(t, err, c.code, c.text)
				if strings.Contains(err.Error(), pluginSecret) || strings.Contains(err.Error(), "s3cr3t") {
					t.Error("a secret is in the failure:", err)
				}
				if strings.Contains(c.text, "not asked for") && a.ForeignRows() != 1 {
					t.Error("the row was not counted")
				}
			})
		}
	}
}

// TestPluginLeavesOut: where usher filters, a row of another tenant is left
// out, readable or not; what is no row at all still fails the request.
func TestPluginLeavesOut(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[["bistro",1,"b"],["acme",2,"a"],[null,3,"c"]]`: "tenant=acme id=2 name=a",
		`[["bistro",{"x":[1]},5],["acme",2,"a"]]`:        "tenant=acme id=2 name=a",
		`[["bistro","x"],["acme",2,"a"]]`:                "",
		`[["acme","x","a"]]`:                             "",
		`[[5,1,"b"],["acme",2,"a"]]`:                     "tenant=acme id=2 name=a",
		`[[["acme"],1,"a"]]`:                             "",
	} {
		a := plugged(t, serve(t, answering(says(listing), says(text))), nil)
		got, err := a.fetch(t.Context(), a.things(t, acme, nil, "name"))
		if (err != nil) != (want == "") || err == nil && strings.Join(got, ";") != want {
			t.Errorf("%s: %v %v", text, got, err)
		}
	}
}

// FuzzPluginReply: whatever arrives, what becomes of it are rows of the tenant
// with values of their types, or a failure.
func FuzzPluginReply(f *testing.F) {
	for _, seed := range []string{
		`[]`, `[["acme",1,"a"]]`, ` [ [ "acme" , 1 , null ] , ["bistro",2,"b"] ] `, `[["acme",1e3,"a"]]`, `[["acme",1,"\ud83c\udf2f"]]`,
		`[["acme",1]]`, `[[{}]]`, `[["acme",1,"a"]`, `{"a":1}`, `[["bistro",[],{}]]`,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	sources := map[bool]*api{}
	for _, refuse := range []bool{true, false} {
		sources[refuse] = plugged(f, "http://127.0.0.1:1", func(s *catalog.SourceSpec) {
			if refuse {
				s.Isolation = "upstream"
			}
		})
	}
	f.Fuzz(func(t *testing.T, text []byte, refuse bool) {
		q := sources[refuse].things(t, acme, nil, "name")
		ref := q.Root().Ref(0)
		d, err := decode.NewDecoder(ref, q.Identity())
		if err != nil {
			t.Fatal(err)
		}
		at := make([][]int, 3) // tenant_id, id, name
		for i := range ref.Fields() {
			if n := slices.Index([]string{"tenant_id", "id", "name"}, ref.Field(i).Stored); n >= 0 {
				at[n] = append(at[n], i)
			}
		}
		r := decode.NewArrays(ref, d, at, broker.ReaderOf)
		kept, all := 0, 0
		err = r.Open(bytes.NewReader(text))
		for err == nil {
			var more, keep bool
			if more, err = r.Row(); !more {
				break
			}
			if keep, err = r.Read(); err == nil && keep {
				kept++
				checkCells(t, ref, d)
			}
			all++
		}
		if err != nil {
			return
		}
		var want [][]any
		if json.Unmarshal(text, &want) != nil || len(want) != all {
			t.Fatalf("%q was read as %d rows", text, all)
		}
		for _, row := range want {
			if len(row) != 3 {
				t.Fatalf("%q has a row of %d columns", text, len(row))
			}
			if row[0] == "acme" {
				kept--
			}
		}
		if kept != 0 {
			t.Fatalf("%q: %d rows of the tenant are missing or too many", text, -kept)
		}
	})
}

func checkCells(t *testing.T, ref plan.Ref, d *decode.Decoder) {
	t.Helper()
	for i := range ref.Fields() {
		c, name := d.Cell(i), ref.Field(i).Name
		switch {
		case name == "tenant" && string(c.Text) != "acme",
			name == "id" && c.Kind != value.KindInt && !c.Null(),
			name == "name" && c.Kind != value.KindText && !c.Null():
			t.Fatalf("%s is %+v", name, c)
		}
	}
}
