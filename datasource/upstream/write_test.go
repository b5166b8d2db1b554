package upstream

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/principal"
	"usher/query"
)

// TestWriterTakesPlans hands a writer what nobody has planned.
func TestWriterTakesPlans(t *testing.T) {
	t.Parallel()
	a := open(t, serve(t, says(`{"data": []}`)), catalog.BindingSpec{}, nil)
	_, err := a.Writer(plan.Change{})
	if w := (*fault.Error)(nil); !errors.As(err, &w) || w.Code != fault.Internal {
		t.Errorf("the zero change is made: %v", err)
	}
}

// TestWrittenValues writes a value of each type, as the API is to send it back, and reads what
// it sends.
func TestWrittenValues(t *testing.T) {
	t.Parallel()
	var bodies []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.URL.String()+" "+string(body))
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(body)
	})
	spec := catalog.Spec{
		Sources: map[string]catalog.SourceSpec{"partner": {
			Kind: "api", BaseURL: url + "/v1", AllowPrivate: true, Isolation: "gateway", Query: map[string]catalog.Template{"who": "{tenant}"},
		}},
		Strategies:      map[string]catalog.StrategySpec{"api": {Kind: "api", Source: "partner"}},
		DefaultStrategy: "api",
		Datasets: map[string]catalog.DatasetSpec{"things": {
			Tenant: catalog.TenancySpec{Column: "tenant"}, Key: catalog.Names{"id"}, Columns: columns, Writable: catalog.Operations{catalog.InsertRows},
			Bind: map[string]catalog.BindingSpec{"partner": {Writes: catalog.APIWritesSpec{Insert: &catalog.CallSpec{Path: "/t/{metadata.api_token}/things"}}}},
		}},
	}
	c, problems := catalog.Compile(spec, nil)
	if catalog.Refused(problems) {
		t.Fatal(problems)
	}
	s, err := Open(c.Sources["partner"], Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	row := query.Object{}
	for name, v := range map[string]query.Value{
		"id": query.Number("1"), "big": query.Text("9007199254740993"), "price": query.Number("12.5"), "exact": query.Text("0.10000000000000000001"), "ratio": query.Number("0.1"),
		"flag": query.Bool(true), "name": query.Text("</a>é\"\\"), "code": query.Text("0"), "uid": query.Text("6F9619FF-8B86-D011-B42D-00CF4FC964FF"), "day": query.Text("2026-02-28"),
		"clock": query.Text("13:14:15"), "at": query.Text("2026-02-28T01:02:03.5+01:00"), "local": query.Text("2026-02-28T01:02:03"), "span": query.Text("P1M2DT3S"),
		"doc": query.Object{{Name: "a", Value: query.List{query.Null{}, query.Text("<")}}}, "raw": query.Text("AAH/"), "color": query.Enum("red"),
		"tags": query.List{query.Text("a,b"), query.Null{}}, "city": query.Text(""),
	} {
		row = append(row, query.Member{Name: name, Value: v})
	}
	who := principal.Principal{Subject: "ann", Tenant: "acme", TenantKey: "acme", Scopes: []principal.Scope{principal.ReadData, principal.WriteData}, Grant: acme.Grant}
	who.Grant.Metadata = map[string]query.Value{"api_token": query.Text("a/b?c#d")}
	change, err := plan.BuildChange(query.Change{Dataset: "things", Kind: query.InsertOne, Field: query.Field{
		Key: "x", Name: "insertThingsOne", Args: query.Object{{Name: "row", Value: row}}, Fields: []query.Field{{Key: "id", Name: "id"}},
	}}, c, who, now)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.Writer(change)
	if err != nil {
		t.Fatal(err)
	}
	key, err := w.Insert(t.Context(), 0)
	if err != nil || len(key) != 1 || key[0].Text() != "1" {
		t.Fatalf("the key is %v, %v", key, err)
	}
	want := `POST /v1/t/a%2Fb%3Fc%23d/things?who=acme {"address":{"city/town":""},"big":9007199254740993,"clock":"13:14:15","code":"0","color":"red",` +
		`"created_at":"2026-02-28T00:02:03.5Z","day":"2026-02-28","doc":{"a":[null,"<"]},"exact":0.10000000000000000001,"flag":true,"id":1,"local":"2026-02-28T01:02:03",` +
		`"name":"</a>é\"\\","price":12.5,"ratio":0.1,"raw":"AAH/","span":"P1M2DT3S","tags":["a,b",null],"tenant_id":"acme","uid":"6f9619ff-8b86-d011-b42d-00cf4fc964ff"}`
	if got := strings.Join(bodies, "\n"); got != want {
		t.Errorf("sent\n%s\nwant\n%s", got, want)
	}
}
