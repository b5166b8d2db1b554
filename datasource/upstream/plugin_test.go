package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/catalog"
	"usher/datasource/upstream/broker"
	"usher/fault"
	"usher/plan"
	"usher/plugin"
	"usher/principal"
	"usher/query"
	"usher/value"
)

const pluginSecret = "plugins-secret-0123"

// thingsOf is the dataset of a plugin that has the columns of things.
var thingsOf = plugin.Dataset{ID: "stock.things", Columns: []plugin.DatasetColumn{
	{ID: "other", Type: plugin.Hierarchy},
	{ID: "tenant_id", Type: plugin.Hierarchy},
	{ID: "id", Type: plugin.Numeric},
	{ID: "big", Type: plugin.Numeric},
	{ID: "price", Type: plugin.Numeric},
	{ID: "exact", Type: plugin.Numeric},
	{ID: "ratio", Type: plugin.Numeric},
	{ID: "flag", Type: plugin.Hierarchy},
	{ID: "name", Type: plugin.Hierarchy},
	{ID: "code", Type: plugin.Hierarchy},
	{ID: "uid", Type: plugin.Hierarchy},
	{ID: "day", Type: plugin.Datetime, Subtype: "date"},
	{ID: "clock", Type: plugin.Hierarchy},
	{ID: "created_at", Type: plugin.Datetime},
	{ID: "local", Type: plugin.Datetime},
	{ID: "span", Type: plugin.Hierarchy},
	{ID: "doc", Type: plugin.Hierarchy},
	{ID: "raw", Type: plugin.Hierarchy},
	{ID: "color", Type: plugin.Hierarchy},
	{ID: "tags", Type: plugin.Hierarchy},
	{ID: "sizes", Type: plugin.Hierarchy},
	{ID: "/address/city~1town", Type: plugin.Hierarchy},
	{ID: "/sizes/1", Type: plugin.Numeric},
}}

// fakePlugin is a plugin with rows by column.
type fakePlugin struct {
	rows []map[string]any

	mu     sync.Mutex
	listed int
	asked  []plugin.Query
	broken error
}

func (b *fakePlugin) Datasets(context.Context, plugin.Caller) ([]plugin.Dataset, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listed++
	return []plugin.Dataset{thingsOf}, b.broken
}

func (b *fakePlugin) Query(_ context.Context, q plugin.Query, rows *plugin.Rows) error {
	b.mu.Lock()
	b.asked = append(b.asked, q)
	b.mu.Unlock()
	columns, err := q.Of(thingsOf)
	if err != nil {
		return err
	}
	for _, row := range b.rows {
		if slices.ContainsFunc(q.Filters, func(f plugin.Filter) bool { return !f.Match(row[f.Column]) }) {
			continue
		}
		cells := make([]any, len(columns))
		for i, c := range columns {
			cells[i] = row[c.ID]
		}
		if err := rows.Write(cells...); err != nil {
			return err
		}
	}
	return nil
}

func (b *fakePlugin) last() plugin.Query {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked[len(b.asked)-1]
}

// plugged opens a source for a plugin at a URL.
func plugged(t testing.TB, url string, change func(*catalog.SourceSpec)) *api {
	t.Helper()
	return open(t, url, catalog.BindingSpec{Dataset: "stock.things"}, func(s *catalog.SourceSpec) {
		s.Rows, s.Query, s.Protocol, s.Secret = "", nil, "plugin", pluginSecret
		s.Plugin = catalog.PluginSpec{ProtocolVersion: "2.0.0", Pushdown: true}
		if change != nil {
			change(s)
		}
	})
}

// running serves a plugin.
func running(t testing.TB, p plugin.Plugin) string {
	t.Helper()
	h, err := plugin.Handler(p, plugin.Options{Secret: pluginSecret})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, h.ServeHTTP)
}

// TestPlugin: every type comes through, in both modes and every version.
func TestPlugin(t *testing.T) {
	t.Parallel()
	full := map[string]any{
		"tenant_id": "acme", "id": 1, "big": json.Number("9007199254740993"), "price": "12.30", "exact": json.Number("0.10"), "ratio": 2.5,
		"flag": true, "name": "Ann's", "code": "a-1", "uid": "123E4567-E89B-12D3-A456-426614174000", "day": "2026-11-21T00:00:00.000Z",
		"clock": "22:19:23", "created_at": time.Date(2026, 11, 21, 22, 19, 23, 500e6, time.UTC), "local": "2026-11-21T22:19:23.000Z", "span": "P1M",
		"doc": map[string]any{"a": 1}, "raw": "aGk=", "color": "red", "tags": []string{"x"}, "sizes": []int{1, 2}, "/address/city~1town": "Gent", "/sizes/1": 2,
	}
	b := &fakePlugin{rows: []map[string]any{full, {"tenant_id": "bistro", "id": 2, "big": "poison"}, {"tenant_id": "acme", "id": 3}, {"id": 4}}}
	url := running(t, b)
	fields := []string{
		"big", "price", "exact", "ratio", "flag", "name", "code", "uid", "day", "clock", "at", "local", "span", "doc", "raw", "color", "tags", "sizes", "city", "second",
	}
	want := []string{
		"tenant=acme id=1 big=9007199254740993 price=12.30 exact=0.10 ratio=2.5 flag=true name=Ann's code=a-1 uid=123e4567-e89b-12d3-a456-426614174000 day=2026-11-21 " +
			`clock=22:19:23 at=2026-11-21 22:19:23.5+00 local=2026-11-21 22:19:23 span=1 0 0 doc={"a":1} raw=aGk= color=red tags=["x"] sizes=["1","2"] city=Gent second=2`,
		"tenant=acme id=3" + strings.Repeat(" x=null", 0) + " big=null price=null exact=null ratio=null flag=null name=null code=null uid=null day=null clock=null at=null local=null " +
			"span=null doc=null raw=null color=null tags=null sizes=null city=null second=null",
	}
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0", "3.0.0"} {
		for _, pushdown := range []bool{false, true} {
			a := plugged(t, url, func(s *catalog.SourceSpec) {
				s.Plugin = catalog.PluginSpec{ProtocolVersion: version, Pushdown: pushdown}
			})
			got := asked(t, a, a.things(t, acme, nil, fields...))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %t: %s", version, pushdown, diff)
			}
			if q := b.last(); q.Pushdown || (len(q.Columns) > 0) != pushdown {
				t.Errorf("%s %t: %+v", version, pushdown, q)
			}
		}
	}
}

// TestPluginWire has what is sent, byte for byte.
func TestPluginWire(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sent []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		sent = append(sent, r.Method+" "+r.URL.Path+" "+strings.TrimSpace(string(body)))
		if r.Header.Get("X-Secret") != pluginSecret || r.Header.Get("X-Property-Region") != "eu-acme" || r.Header.Get("X-Key") != "k" {
			t.Error(r.Header)
		}
		if r.URL.Path == "/v1/datasets" {
			says(`[{"id":"stock.things","name":{"en":"x"},"columns":[{"id":"id","type":"numeric"},{"id":"tenant_id","type":"hierarchy"},{"id":"name","type":"hierarchy"}]}]`)(w, r)
			return
		}
		says(`[[1,"acme","a"]]`)(w, r)
	})
	ask := func(spec catalog.PluginSpec) []string {
		sent = nil
		a := plugged(t, url+"/v1/", func(s *catalog.SourceSpec) {
			s.Plugin, s.Isolation = spec, "upstream"
			s.Properties = map[string]catalog.Template{"Region": "eu-{tenant}"}
			s.Headers = map[string]catalog.Template{"X-Key": "k"}
			s.Metadata = []string{"api_token"}
		})
		if _, err := a.fetch(t.Context(), a.things(t, acme, query.Object{where("name", "eq", query.Text("a"))}, "name")); err != nil && spec.ProtocolVersion == "1.0.0" {
			t.Fatal(err)
		}
		return sent
	}
	const user = `"user":{"id":"ann","metadata":{"api_token":"s3cr3t","tenant":"acme","tenant_key":"acme"}}`
	const filters = `[{"column_id":"tenant_id",%[1]s"expression":"%[3]s","value":["acme"]},{"column_id":"name",%[2]s"expression":"%[3]s","value":["a"]}]`
	basic := fmt.Sprintf(filters, `"id":"tenant_id",`, `"id":"name",`, "? in ?")
	if diff := cmp.Diff([]string{
		"GET /v1/datasets ",
		`POST /v1/query {"id":"stock.things","filters":` + basic + `,"options":{"pushdown":false},` + user + `}`,
	}, ask(catalog.PluginSpec{ProtocolVersion: "1.0.0"})); diff != "" {
		t.Error(diff)
	}
	pushed := fmt.Sprintf(filters, "", "", "in")
	if diff := cmp.Diff([]string{
		"POST /v1/datasets {}",
		`POST /v1/query {"id":"stock.things","columns":[{"column_id":"tenant_id"},{"column_id":"name"},{"column_id":"id"}],"filters":` + pushed +
			`,"filters_all":` + pushed + `,"options":{"pushdown":false},` + user + `}`,
	}, ask(catalog.PluginSpec{ProtocolVersion: "2.0.0", Pushdown: true})); diff != "" {
		t.Error(diff)
	}
}

// TestPluginFilters: a filter is never narrower than its condition, whatever
// the plugin's numbers and texts are.
func TestPluginFilters(t *testing.T) {
	t.Parallel()
	b := &fakePlugin{}
	a := plugged(t, running(t, b), nil)
	filter := func(column string, op plugin.Operator, values ...any) plugin.Filter {
		return plugin.Filter{Column: column, Operator: op, Values: values}
	}
	n := func(text string) any { return json.Number(text) }
	list := func(texts ...string) query.List {
		var out query.List
		for _, text := range texts {
			out = append(out, query.Text(text))
		}
		return out
	}
	for i, c := range []struct {
		column, operator string
		value            query.Value
		want             []plugin.Filter
	}{
		{"name", "eq", query.Text("a"), []plugin.Filter{filter("name", plugin.In, "a")}},
		{"name", "in", list("a", "b"), []plugin.Filter{filter("name", plugin.In, "a", "b")}},
		{"name", "eq", query.Text(""), nil},
		{"name", "eq", query.Text("' OR 1=1 --"), nil},
		{"name", "in", list("a", `b\`), nil},
		{"name", "eq", query.Text("a\nb"), nil},
		{"name", "gt", query.Text("a"), nil},
		{"name", "neq", query.Text("a"), nil},
		{"code", "eq", query.Text("a-1"), []plugin.Filter{filter("code", plugin.In, "a-1")}},
		{"color", "eq", query.Text("red"), []plugin.Filter{filter("color", plugin.In, "red")}},
		{"uid", "eq", query.Text("123e4567-e89b-12d3-a456-426614174000"), nil}, // one plugin writes capitals, another does not
		{"flag", "eq", query.Bool(true), nil},
		{"id", "eq", query.Number("7"), []plugin.Filter{filter("id", plugin.In, n("7"))}},
		{"id", "gte", query.Number("7"), []plugin.Filter{filter("id", plugin.GreaterOrEqual, n("7"))}},
		{"big", "eq", query.Text("9007199254740993"), nil}, // a double is another number
		{"big", "lt", query.Text("-42"), []plugin.Filter{filter("big", plugin.Less, n("-42"))}},
		{"price", "lte", query.Text("12.3"), []plugin.Filter{filter("price", plugin.LessOrEqual, n("12.3"))}},
		{"exact", "lte", query.Text("12.3"), nil},
		{"ratio", "eq", query.Number("0.1"), []plugin.Filter{filter("ratio", plugin.GreaterOrEqual, n("0.09999999999999999")), filter("ratio", plugin.LessOrEqual, n("0.10000000000000002"))}},
		{"ratio", "lt", query.Number("2"), []plugin.Filter{filter("ratio", plugin.LessOrEqual, n("2.0000000000000004"))}},
		{"day", "gte", query.Text("2026-11-21"), []plugin.Filter{filter("day", plugin.GreaterOrEqual, "2026-11-20T23:59:59.999Z")}},
		{"day", "lt", query.Text("0001-01-01"), nil},
		{"day", "in", list("2026-11-21", "2026-01-02"), []plugin.Filter{filter("day", plugin.GreaterOrEqual, "2026-01-01T23:59:59.999Z"), filter("day", plugin.LessOrEqual, "2026-11-21T00:00:00.001Z")}},
		{"at", "gt", query.Text("2026-11-21T10:00:00.0005Z"), []plugin.Filter{filter("created_at", plugin.GreaterOrEqual, "2026-11-21T09:59:59.999Z")}},
		{"local", "gt", query.Text("2026-11-21T10:00:00"), nil},
		{"clock", "eq", query.Text("10:00:00"), nil},
		{"second", "eq", query.Number("1"), nil}, // its id looks like a path, which no API filters by
	} {
		if _, err := a.fetch(t.Context(), a.things(t, acme, query.Object{where(c.column, c.operator, c.value)}, "name")); err != nil {
			t.Errorf("%d %s %s: %v", i, c.column, c.operator, err)
			continue
		}
		want := append([]plugin.Filter{filter("tenant_id", plugin.In, "acme")}, c.want...)
		if diff := cmp.Diff(want, b.last().Filters); diff != "" {
			t.Errorf("%s %s %v: %s", c.column, c.operator, c.value, diff)
		}
	}
}

// TestPluginFilterSize: a body takes more than a URL, and not everything.
func TestPluginFilterSize(t *testing.T) {
	t.Parallel()
	b := &fakePlugin{}
	a := plugged(t, running(t, b), nil)
	const n = 500
	for width, want := range map[int]int{10: 2, 100: 1} {
		var names query.List
		for i := range n {
			names = append(names, query.Text(fmt.Sprintf("%0*d", width, i)))
		}
		if _, err := a.fetch(t.Context(), a.things(t, acme, query.Object{where("name", "in", names)}, "name")); err != nil {
			t.Fatal(err)
		}
		got := b.last().Filters
		if len(got) != want || want == 2 && len(got[1].Values) != n {
			t.Errorf("names of %d letters: %d filters, want %d", width, len(got), want)
		}
	}
}

// TestPluginLimit: a limit is handed over only where a plugin that ignores a
// filter cannot make it cut off the wrong rows.
func TestPluginLimit(t *testing.T) {
	t.Parallel()
	b := &fakePlugin{rows: []map[string]any{{"tenant_id": "acme", "id": 1}}}
	url := running(t, b)
	limit := query.Member{Name: "limit", Value: query.Number("3")}
	order := func(column, direction string) query.Member {
		return query.Member{Name: "orderBy", Value: query.List{query.Object{{Name: column, Value: query.Text(direction)}}}}
	}
	for name, c := range map[string]struct {
		isolation string
		flag      bool
		args      query.Object
		limit     int
		order     []plugin.Order
	}{
		"told":             {"upstream", true, query.Object{limit, order("id", "DESC")}, 4, []plugin.Order{{Column: "id", Descending: true}}},
		"not told that":    {"upstream", false, query.Object{limit, order("id", "DESC")}, 0, nil},
		"everybody's rows": {"gateway", true, query.Object{limit, order("id", "ASC")}, 0, nil},
		"a filter":         {"upstream", true, query.Object{limit, order("id", "ASC"), where("name", "eq", query.Text("a"))}, 0, nil},
		"nulls":            {"upstream", true, query.Object{limit, order("ratio", "ASC")}, 0, nil},
	} {
		a := plugged(t, url, func(s *catalog.SourceSpec) {
			s.Isolation, s.Plugin.SupportsOrderLimit = c.isolation, c.flag
		})
		if _, err := a.fetch(t.Context(), a.things(t, acme, c.args, "name")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if q := b.last(); q.Limit != c.limit || cmp.Diff(c.order, q.Order) != "" {
			t.Errorf("%s: limit %d order %v", name, q.Limit, q.Order)
		}
	}
}

// TestPluginMetadata: a plugin is always told the tenant, and never asked
// without what it needs to know.
func TestPluginMetadata(t *testing.T) {
	t.Parallel()
	b := &fakePlugin{rows: []map[string]any{{"tenant_id": "acme", "id": 1}}}
	url := running(t, b)
	declared := func(names ...string) *api {
		return plugged(t, url, func(s *catalog.SourceSpec) { s.Metadata = names })
	}
	a := declared("api_token")
	asked(t, a, a.things(t, acme, nil, "name"))
	if diff := cmp.Diff(plugin.User{ID: "ann", Metadata: map[string]any{"tenant": "acme", "tenant_key": "acme", "api_token": "s3cr3t"}}, b.last().Caller.User); diff != "" {
		t.Error(diff)
	}
	rich := acme
	rich.Name, rich.Email = "Ann", "ann@example.com"
	rich.Grant.Metadata = map[string]query.Value{
		"client": query.Number("1234"), "regions": query.List{query.Text("eu"), query.Text("us")}, "flags": query.Object{{Name: "beta", Value: query.Bool(true)}},
		"none": query.List{}, "nothing": query.Object{},
	}
	b2 := plugged(t, url, func(s *catalog.SourceSpec) {
		s.Metadata, s.Plugin.User = []string{"client", "regions", "flags"}, []string{"name", "email"}
	})
	asked(t, b2, b2.things(t, rich, nil, "name"))
	if diff := cmp.Diff(plugin.User{ID: "ann", Name: "Ann", Email: "ann@example.com", Metadata: map[string]any{
		"tenant": "acme", "tenant_key": "acme", "client": json.Number("1234"), "regions": []any{"eu", "us"}, "flags": map[string]any{"beta": true},
	}}, b.last().Caller.User); diff != "" {
		t.Error(diff)
	}
	before := len(b.asked)
	for _, name := range []string{"empty", "absent"} {
		a := declared(name)
		_, err := a.fetch(t.Context(), a.things(t, acme, nil, "name"))
		refused(t, err, fault.Forbidden, `no metadata "`+name+`"`)
	}
	for _, name := range []string{"none", "nothing"} {
		a := declared(name)
		_, err := a.fetch(t.Context(), a.things(t, rich, nil, "name"))
		refused(t, err, fault.Forbidden, `no metadata "`+name+`"`)
	}
	for what, want := range map[string]string{"name": "no name", "email": "no email address"} {
		a := plugged(t, url, func(s *catalog.SourceSpec) { s.Plugin.User = []string{what} })
		_, err := a.fetch(t.Context(), a.things(t, acme, nil, "name"))
		refused(t, err, fault.Forbidden, want)
	}
	if len(b.asked) != before {
		t.Error("the plugin was asked without metadata it needs")
	}
	everybody := principal.Principal{Subject: "root", AllTenants: true}
	a = declared()
	asked(t, a, a.things(t, everybody, nil, "name"))
	if tenant, there := b.last().Caller.User.Metadata["tenant"]; tenant != nil || !there {
		t.Errorf("nobody's question was asked for tenant %v", tenant)
	}
}

// TestPluginOverrides: an account's properties and headers stand over the
// source's; the secret is nobody's to replace.
func TestPluginOverrides(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	got := make(http.Header)
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		got = r.Header.Clone()
		mu.Unlock()
		if r.URL.Path == "/datasets" {
			says(`[{"id":"stock.things","columns":[{"id":"id","type":"numeric"},{"id":"tenant_id","type":"hierarchy"},{"id":"name","type":"hierarchy"}]}]`)(w, r)
			return
		}
		says(`[]`)(w, r)
	})
	a := plugged(t, url, func(s *catalog.SourceSpec) {
		s.Properties = map[string]catalog.Template{"Region": "eu", "Token": "{metadata.absent}"}
	})
	own := func(properties map[string]string, headers map[string]string) principal.Principal {
		p := acme
		p.Grant.Accounts = map[string]principal.Account{"partner": {Properties: properties, Headers: headers}}
		return p
	}
	_, err := a.fetch(t.Context(), a.things(t, acme, nil, "name"))
	refused(t, err, fault.Forbidden, "metadata.absent")
	asked(t, a, a.things(t, own(map[string]string{"token": "mine", "Extra": "x"}, map[string]string{"X-Secret": "another"}), nil, "name"))
	if got.Get("X-Property-Token") != "mine" || got.Get("X-Property-Region") != "eu" || got.Get("X-Property-Extra") != "x" || got.Get("X-Secret") != pluginSecret {
		t.Error(got)
	}
	for name, properties := range map[string]map[string]string{
		"a header inside": {"Token": "a", "X: y": "b"}, "a line break": {"Token": "a\r\nX: y"},
	} {
		q, err := build(a, own(properties, nil))
		if err == nil {
			_, err = a.fetch(t.Context(), q)
		}
		if f := fault.From(err); f == nil || f.Code != fault.Forbidden {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// build is the plan of a question for names.
func build(a *api, p principal.Principal) (plan.Query, error) {
	q, err := plan.Build(query.Request{Dataset: "things", Shape: query.Many, Field: query.Field{
		Key: "things", Name: "things", Fields: []query.Field{{Key: "name", Name: "name"}},
	}}, a.catalog, p, now)
	if err != nil {
		return q, err
	}
	return q.Fetches(q.Root(), 0)[0].Query(), nil
}

// TestPluginSchema: the list of datasets is remembered for each account, and
// read again when a column is missing from it.
func TestPluginSchema(t *testing.T) {
	t.Parallel()
	b := &fakePlugin{}
	url := running(t, b)
	a := plugged(t, url, func(s *catalog.SourceSpec) {
		s.Properties = map[string]catalog.Template{"Tenant": "{tenant}"}
	})
	bistro := principal.Principal{Subject: "bob", Tenant: "bistro", TenantKey: "bistro"}
	for i, p := range []principal.Principal{acme, acme, bistro, acme, bistro} {
		asked(t, a, a.things(t, p, nil, "name"))
		if want := min(i/2+1, 2); i != 1 && b.listed != want && i < 4 {
			t.Errorf("question %d: the datasets were listed %d times", i, b.listed)
		}
	}
	if b.listed != 2 {
		t.Errorf("the datasets were listed %d times for two accounts", b.listed)
	}
	p := a.plugin
	old := remembered{broker.Schema{"stock.things": {}}, time.Now()}
	for e := p.schemas.order.Front(); e != nil; e = e.Next() {
		p.schemas.put(e.Value.(entry[string, remembered]).key, old, 1)
		break
	}
	asked(t, a, a.things(t, acme, nil, "name"))
	asked(t, a, a.things(t, bistro, nil, "name"))
	if b.listed != 3 {
		t.Errorf("a list without the columns that are asked for stays: %d", b.listed)
	}
}

// TestIntrospectPlugin lists datasets as tables.
func TestIntrospectPlugin(t *testing.T) {
	t.Parallel()
	b := &fakePlugin{}
	a := plugged(t, running(t, b), nil)
	got, err := Introspect(t.Context(), a.spec)
	if err != nil {
		t.Fatal(err)
	}
	table := got["stock.things"]
	if len(got) != 1 || !table.Plugin || len(table.Columns) != len(thingsOf.Columns) {
		t.Fatalf("%+v", got)
	}
	for name, want := range map[string]value.Scalar{"name": value.String, "id": value.Float, "day": value.Date, "created_at": value.Timestamp} {
		i := slices.IndexFunc(table.Columns, func(c catalog.TableColumn) bool { return c.Name == name })
		if c := table.Columns[i]; c.Type.Scalar != want || !c.Supported || !c.Nullable {
			t.Errorf("%+v", c)
		}
	}
	personal := *a.spec
	personal.API.Headers = map[string]string{"X-Tenant": "{tenant}"}
	if got, err := Introspect(t.Context(), &personal); got != nil || err != nil {
		t.Error("asked for nobody:", got, err)
	}
	b.broken = errors.New("no")
	if _, err := Introspect(t.Context(), a.spec); err == nil {
		t.Error("a failure was not told")
	}
}
