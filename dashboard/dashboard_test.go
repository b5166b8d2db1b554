package dashboard_test

import (
	"strings"
	"testing"

	"usher/dashboard"
	"usher/query"
)

const sales = `{"title":"Sales","description":"Of the month.","refresh":60,
	"parameters":[{"name":"from","label":"From","type":"Timestamp","control":"date","default":"2026-01-01T00:00:00Z"},
		{"name":"region","type":"[String!]","control":"select","options":[{"value":"EU","label":"Europe"},{"value":12345678901234567890.1}]}],
	"tiles":[
		{"id":"revenue","title":"Revenue","at":{"x":0,"y":0,"w":3,"h":2},"query":"query($from: Timestamp, $limit: Int) { orders { id } }","variables":{"limit":10,"from":"never"},
			"chart":{"kind":"number","rows":"orders.0","y":["total"],"compare":"previous.total","compareLabel":"than last month","format":{"key.month":{"style":"date","unit":"month"},"total":{"style":"currency","currency":"USD","digits":2}}}},
		{"id":"words","at":{"x":3,"y":0,"w":9,"h":50},"chart":{"kind":"text","text":"Hello *you*"}}]}`

func parse(t *testing.T, text string) (dashboard.Document, error) {
	t.Helper()
	v, err := query.ReadJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return dashboard.Parse(v)
}

func TestRead(t *testing.T) {
	t.Parallel()
	d, err := parse(t, sales)
	if err != nil {
		t.Fatal(err)
	}
	again, err := parse(t, string(d.JSON()))
	if err != nil || string(again.JSON()) != string(d.JSON()) || !strings.Contains(string(d.JSON()), "12345678901234567890.1") {
		t.Errorf("%s, %v", again.JSON(), err)
	}
	written := func(_ dashboard.Parameter, v query.Value) string { return string(query.AppendJSON(nil, v)) }
	values, err := d.Values(nil, written)
	if err != nil || string(query.AppendJSON(nil, d.Defaults())) != `{"from":"2026-01-01T00:00:00Z"}` || string(query.AppendJSON(nil, values)) != `{"from":"2026-01-01T00:00:00Z"}` {
		t.Errorf("%v, %v", values, err)
	}
	given := query.Object{{Name: "region", Value: query.Text("EU")}, {Name: "from", Value: query.Text("now")}}
	values, err = d.Values(given, written)
	if err != nil || string(query.AppendJSON(nil, d.Tiles[0].With(values))) != `{"from":"now","region":"EU","limit":10}` {
		t.Errorf("%v, %v", values, err)
	}
	if got := string(query.AppendJSON(nil, d.Tiles[0].With(nil))); got != `{"limit":10,"from":"never"}` {
		t.Error(got)
	}
	// The option that is meant is taken as the document has it.
	given[0].Value = query.Number("12345678901234567890.10")
	values, err = d.Values(given, func(_ dashboard.Parameter, v query.Value) string {
		return strings.TrimRight(string(query.AppendJSON(nil, v)), "0")
	})
	if err != nil || string(query.AppendJSON(nil, values)) != `{"from":"now","region":12345678901234567890.1}` {
		t.Errorf("%v, %v", values, err)
	}
	for _, wrong := range []query.Object{{{Name: "from", Value: query.Null{}}}, {{Name: "to", Value: query.Text("x")}}, {{Name: "region", Value: query.Text("US")}}, {{Name: "region", Value: query.List{query.Text("EU")}}}} {
		if values, err := d.Values(wrong, written); err == nil {
			t.Errorf("%v gave %v", wrong, values)
		}
	}
	for text, ids := range map[string][]string{"revenue words": nil, "": {}, "words": {"words"}, "revenue words.": {"words", "revenue"}} {
		some, err := d.Some(ids)
		var got []string
		for _, tile := range some {
			got = append(got, tile.ID)
		}
		if err != nil || strings.Join(got, " ") != strings.TrimSuffix(text, ".") {
			t.Errorf("%v are %v, %v", ids, got, err)
		}
	}
	for _, ids := range [][]string{{"gone"}, {"words", "words"}, {""}} {
		if some, err := d.Some(ids); err == nil {
			t.Errorf("%v are %v", ids, some)
		}
	}
	page := string(d.Page("America/Chicago", dashboard.View{
		Tile:      func(t dashboard.Tile) bool { return t.ID != "revenue" },
		Parameter: func(p dashboard.Parameter) bool { return p.Name != "from" },
		Value:     func(_ dashboard.Parameter, v query.Value) bool { return v == query.Text("EU") },
	}))
	for _, hidden := range []string{"orders", "limit", "previous", "compareLabel", "query", "from", "12345678901234567890.1"} {
		if strings.Contains(page, hidden) {
			t.Errorf("the page tells of %s: %s", hidden, page)
		}
	}
	for _, shown := range []string{`"refresh":60`, `"timezone":"America/Chicago"`, `"parameters":[{"name":"region","type":"[String!]","control":"select","options":[{"value":"EU","label":"Europe"}]}]`, `"chart":{"kind":"number"}`, `"text":"Hello *you*"`, `"at":{"x":0,"y":0,"w":3,"h":2}`} {
		if !strings.Contains(page, shown) {
			t.Errorf("the page lacks %s: %s", shown, page)
		}
	}
	if whole := string(d.Page("", dashboard.View{
		Tile:      func(dashboard.Tile) bool { return true },
		Parameter: func(dashboard.Parameter) bool { return true },
		Value:     func(dashboard.Parameter, query.Value) bool { return true },
	})); !strings.Contains(whole, "previous.total") || strings.Contains(whole, "timezone") || strings.Contains(whole, "query") {
		t.Error(whole)
	}
}

// Whatever is no dashboard is refused with its place.
func TestRefused(t *testing.T) {
	t.Parallel()
	change := func(old, with string) string {
		t.Helper()
		if !strings.Contains(sales, old) {
			t.Fatalf("the document has no %s", old)
		}
		return strings.Replace(sales, old, with, 1)
	}
	for text, want := range map[string]string{
		`[]`: "must be an object", `null`: "must be an object", `{}`: "tiles is missing; title is missing",
		change(`"title":"Sales"`, `"title":null`):                           "title: is null",
		change(`"title":"Sales"`, `"title":" "`):                            "title: is empty",
		change(`"title":"Sales"`, `"title":"a\nb"`):                         "title: holds a control character",
		change(`"title":"Sales"`, `"title":1`):                              "title: must be a text",
		change(`"refresh":60`, `"refresh":1`):                               "refresh: must be a whole number from 5",
		change(`"refresh":60`, `"refresh":1.5`):                             "refresh: must be a whole number",
		change(`"refresh":60`, `"refresh":null`):                            "refresh: is null",
		change(`"refresh":60`, `"owner":"x"`):                               "owner: unknown key",
		change(`"name":"from"`, `"name":"a b"`):                             "parameters.0.name: must be the name",
		change(`"name":"region"`, `"name":"from"`):                          "parameters.1: the parameter from is there twice",
		change(`"type":"Timestamp"`, `"type":"[[A]]"`):                      "parameters.0.type: must be the type",
		change(`"control":"date"`, `"control":"slider"`):                    "parameters.0.control: must be one of",
		change(`"default":"2026`, `"dflt":"2026`):                           "parameters.0.dflt: unknown key",
		change(`"default":"2026-01-01T00:00:00Z"`, `"default":null`):        "parameters.0.default: is null",
		change(`{"value":"EU","label":"Europe"}`, `"EU"`):                   "parameters.1.options.0: must be an object",
		change(`"value":"EU"`, `"value":null`):                              "options.0.value: is null",
		change(`"value":"EU"`, `"value":"\u0000"`):                          "options.0.value: holds a text with NUL",
		change(`"id":"words"`, `"id":"revenue"`):                            "tiles.1: the id revenue is there twice",
		change(`"id":"words"`, `"id":"Words"`):                              "tiles.1.id: must be of a-z",
		change(`"id":"words",`, ``):                                         "tiles.1: id is missing",
		change(`"w":3`, `"w":0`):                                            "tiles.0.at.w: must be a whole number from 1 to 12",
		change(`"x":3`, `"x":4`):                                            "tiles.1.at: the grid has 12 columns",
		change(`"x":3,`, ``):                                                "tiles.1.at: x is missing",
		change(`"limit":10`, `"limit":"\u0000"`):                            "tiles.0.variables: holds a text with NUL",
		change(`"variables":{"limit":10,"from":"never"}`, `"variables":[]`): "tiles.0.variables: must be an object",
		change(`"kind":"number"`, `"kind":"map"`):                           "tiles.0.chart.kind: must be one of",
		change(`"kind":"number"`, `"kind":"text"`):                          "a text asks nothing",
		change(`"kind":"text",`, ``):                                        "tiles.1.chart: kind is missing",
		change(`"kind":"text"`, `"kind":"bar"`):                             "query is missing",
		change(`,"text":"Hello *you*"`, ``):                                 "a chart of the kind text has a text",
		change(`"rows":"orders.0",`, ``):                                    "tiles.0.chart: rows is missing",
		change(`"rows":"orders.0"`, `"rows":"__proto__[x]"`):                "tiles.0.chart.rows: must be a path",
		change(`"y":["total"]`, `"y":"total"`):                              "tiles.0.chart.y: must be a list",
		change(`"digits":2`, `"digits":21`):                                 "format.total.digits: must be a whole number",
		change(`"currency":"USD"`, `"currency":"usd"`):                      "format.total.currency: must be three capitals",
		change(`"style":"date"`, `"style":"script"`):                        "format.key.month.style: must be one of",
		change(`"query":"`, `"query":"`+strings.Repeat("x", 1<<16)):         "tiles.0.query: has more than",
	} {
		if d, err := parse(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v (%s)", want, err, d.Title)
		}
	}
	for _, name := range []string{"", "-a", "a-", "A", "a b", "a.yml", "../a", "a\n", strings.Repeat("a", 64)} {
		if dashboard.IsName(name) {
			t.Errorf("%q is a name", name)
		}
	}
}
