package catalog_test

import (
	"strings"
	"testing"

	"usher/catalog"
	"usher/value"
)

// described is a plugin's dataset orders.
func described(t *testing.T) catalog.Table {
	t.Helper()
	table := catalog.Table{Name: "orders", Plugin: true}
	for _, c := range [][3]string{
		{"client", "hierarchy"},
		{"amount", "numeric"},
		{"placed", "datetime"},
		{"day", "datetime", "date"},
		{"place", "spatial"},
	} {
		typ, ok := catalog.PluginType(c[1], c[2])
		table.Columns = append(table.Columns, catalog.TableColumn{
			Name: c[0], Native: c[1], Type: typ, Supported: ok, Nullable: true,
		})
	}
	return table
}

// overPlugin compiles a dataset of a plugin, and of a database beside it.
func overPlugin(t *testing.T, d catalog.DatasetSpec, tables catalog.Introspected) (*catalog.Catalog, string) {
	t.Helper()
	d.Tenant.Column = "client"
	c, problems := catalog.Compile(catalog.Spec{
		Sources: map[string]catalog.SourceSpec{
			"plug": {
				Kind: "api", Protocol: "plugin", BaseURL: "https://x", Isolation: "upstream", Secret: "a secret of 16 bytes",
				Plugin: catalog.PluginSpec{ProtocolVersion: "2.0.0", Pushdown: true, SupportsOrderLimit: true, SupportsLike: true},
			},
			"duck": {Kind: "duckdb", Path: "a.db"},
		},
		Strategies: map[string]catalog.StrategySpec{
			"plug": {Kind: "api", Source: "plug"}, "duck": {Kind: "shared", Source: "duck"},
		},
		DefaultStrategy: "plug",
		Datasets:        map[string]catalog.DatasetSpec{"orders": d},
	}, tables)
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	return c, b.String()
}

// TestPluginDescribes: columns that are not declared are the plugin's, unless
// a database says more of them.
func TestPluginDescribes(t *testing.T) {
	t.Parallel()
	plug := map[string]catalog.Table{"orders": described(t)}
	c, problems := overPlugin(t, catalog.DatasetSpec{}, catalog.Introspected{"plug": plug, "duck": {}})
	if c == nil || !strings.Contains(problems, `"place" of orders is left out`) {
		t.Fatal(problems)
	}
	for name, want := range map[string]value.Scalar{"client": value.String, "amount": value.Float, "placed": value.Timestamp, "day": value.Date} {
		if col := c.Dataset("orders").Column(name); col == nil || col.Type.Scalar != want || !col.Nullable {
			t.Errorf("%s: %+v", name, col)
		}
	}
	if p := c.Sources["plug"].API.Plugin; p == nil || !p.Pushdown || !p.OrderLimit {
		t.Errorf("%+v", p)
	}
	duck := map[string]catalog.Table{"main.orders": {Schema: "main", Name: "orders", Columns: []catalog.TableColumn{
		{Name: "client", Native: "VARCHAR", Type: value.Of(value.String), Supported: true},
		{Name: "amount", Native: "DECIMAL(10,2)", Type: value.DecimalOf(10, 2), Supported: true},
	}}}
	c, problems = overPlugin(t, catalog.DatasetSpec{}, catalog.Introspected{"plug": plug, "duck": duck})
	if c == nil || c.Dataset("orders").Column("amount").Type.Scalar != value.Decimal || c.Dataset("orders").Column("placed") != nil {
		t.Errorf("a plugin's three types stand over a database's: %s", problems)
	}
}

// TestPluginContract: a declared column may say more than the plugin's type,
// and nothing else.
func TestPluginContract(t *testing.T) {
	t.Parallel()
	tables := catalog.Introspected{"plug": {"orders": described(t)}, "duck": {}}
	for text, want := range map[string]string{
		"client: String!":        "",
		"client: [String]":       "client is a list",
		"amount: Int!":           "",
		"amount: Decimal":        "",
		"amount: ID":             "",
		"amount: Date":           "it is numeric, not Date",
		"placed: LocalTimestamp": "",
		"placed: Date!":          "",
		"placed: String":         "it is datetime, not String",
		"day: [Date]":            "it is datetime, not [Date]",
		"absent: String":         `plug has no column "absent"`,
	} {
		name, typ, _ := strings.Cut(text, ": ")
		d := catalog.DatasetSpec{Columns: catalog.Ordered[catalog.ColumnSpec]{{Name: name, Value: catalog.ColumnSpec{Type: typ}}}}
		if name != "client" {
			d.Columns = append(d.Columns, catalog.Entry[catalog.ColumnSpec]{Name: "client", Value: catalog.ColumnSpec{Type: "String"}})
		}
		if _, problems := overPlugin(t, d, tables); (want == "") != !strings.Contains(problems, "orders.columns") && want != "client is a list" || !strings.Contains(problems, want) {
			t.Errorf("%s: %s", text, problems)
		}
	}
}

// TestPluginDatasets: a dataset that is bound must be there; one that only its
// name leads to may be missing.
func TestPluginDatasets(t *testing.T) {
	t.Parallel()
	columns := catalog.Ordered[catalog.ColumnSpec]{{Name: "client", Value: catalog.ColumnSpec{Type: "String"}}}
	for name, c := range map[string]struct {
		bind   map[string]catalog.BindingSpec
		tables catalog.Introspected
		path   string
		want   string
	}{
		"there":                {nil, catalog.Introspected{"plug": {"orders": described(t)}}, "orders", ""},
		"not asked":            {nil, nil, "orders", ""},
		"bound, not asked":     {map[string]catalog.BindingSpec{"plug": {Dataset: "sales.orders"}}, nil, "sales.orders", ""},
		"bound, not there":     {map[string]catalog.BindingSpec{"plug": {Dataset: "sales"}}, catalog.Introspected{"plug": {}}, "", `the plugin has no dataset "sales"`},
		"missing":              {nil, catalog.Introspected{"plug": {}}, "", `plug has no dataset "orders", so it does not serve this one`},
		"a database's binding": {map[string]catalog.BindingSpec{"duck": {Dataset: "x"}}, nil, "orders", "duck is no plugin"},
	} {
		cat, problems := overPlugin(t, catalog.DatasetSpec{Columns: columns, Bind: c.bind}, c.tables)
		if !strings.Contains(problems, c.want) {
			t.Errorf("%s: %s", name, problems)
		}
		if cat == nil {
			continue
		}
		path := ""
		if b := cat.Dataset("orders").Bindings["plug"]; b != nil {
			path = b.Path
		}
		if path != c.path {
			t.Errorf("%s: bound to %q", name, path)
		}
	}
}
