// Package plantest makes what tests of plans start from: catalogs, principals
// and requests, written as text. A request is a GraphQL field and a principal
// a list of GraphQL arguments. It owns no rule of its own: no schema checks
// the text, so that a test can ask what the schema would not let through.
package plantest

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"usher/catalog"
	"usher/config"
	"usher/principal"
	"usher/query"
	scalar "usher/value"
)

// Catalog compiles the text of a configuration, with what sources were found
// to hold, or nil.
func Catalog(tb testing.TB, text string, tables catalog.Introspected) *catalog.Catalog {
	tb.Helper()
	cfg, err := config.Parse("usher.yml", []byte(text), func(string) (string, bool) { return "a secret of the tests", true })
	if err != nil {
		tb.Fatal(err)
	}
	cat, problems := catalog.Compile(cfg.Spec, tables)
	if err := cfg.Locate(problems); err != nil {
		tb.Fatal(err)
	}
	return cat
}

// Request reads a root field: orders, ordersByPk, ordersAggregate or
// ordersConnection, with or without braces around it.
func Request(tb testing.TB, text string) query.Request {
	tb.Helper()
	text = strings.TrimSpace(text)
	if !strings.HasPrefix(text, "{") {
		text = "{" + text + "}"
	}
	f := root(tb, text)
	r := query.Request{Dataset: f.Name, Shape: query.Many, Field: f}
	for suffix, shape := range map[string]query.Shape{"ByPk": query.ByKey, "Aggregate": query.Groups, "Connection": query.Connection} {
		if name, ok := strings.CutSuffix(f.Name, suffix); ok {
			r.Dataset, r.Shape = name, shape
		}
	}
	return r
}

// Principal reads a principal: tenant, key, subject, allTenants, roles, roleSpecs,
// strategy, strategies, filters, having, parameters, metadata, accounts, datasets and
// timezone, and as home the strategy, strategies, accounts and allowHosts of the
// registry. A tenant's key is its id
// unless another is named; an empty text is nobody.
func Principal(tb testing.TB, text string) principal.Principal {
	tb.Helper()
	var p principal.Principal
	if strings.TrimSpace(text) == "" {
		return p
	}
	for _, m := range root(tb, "{p("+text+")}").Args {
		switch m.Name {
		case "tenant":
			p.Tenant = word(m.Value)
			if p.TenantKey == "" {
				p.TenantKey = p.Tenant
			}
		case "key":
			p.TenantKey = word(m.Value)
		case "subject":
			p.Subject = word(m.Value)
		case "allTenants":
			p.AllTenants = m.Value == query.Bool(true)
		case "roles":
			p.Roles = words(m.Value)
		case "roleSpecs":
			p.RoleSpecs = texts(m.Value)
		case "strategy":
			p.Grant.Strategy = word(m.Value)
		case "strategies":
			p.Grant.Strategies = texts(m.Value)
		case "datasets":
			p.Grant.Datasets = words(m.Value)
		case "timezone":
			p.Grant.Timezone = word(m.Value)
		case "parameters":
			p.Grant.Parameters = members(m.Value)
		case "metadata":
			p.Grant.Metadata = members(m.Value)
		case "accounts":
			p.Grant.Accounts = accounts(tb, m.Value)
		case "home":
			for name, v := range members(m.Value) {
				switch name {
				case "strategy":
					p.Routing.Strategy = word(v)
				case "strategies":
					p.Routing.Strategies = texts(v)
				case "allowHosts":
					p.Routing.AllowHosts = words(v)
				default:
					p.Routing.Accounts = accounts(tb, v)
				}
			}
		case "filters", "having":
			for name, condition := range members(m.Value) {
				f := principal.Filter{Dataset: name, Where: condition}
				if m.Name == "having" {
					f = principal.Filter{Dataset: name, Having: condition}
				}
				p.Grant.Filters = append(p.Grant.Filters, f)
			}
			slices.SortStableFunc(p.Grant.Filters, func(a, b principal.Filter) int { return strings.Compare(a.Dataset, b.Dataset) })
		default:
			tb.Fatalf("a principal has no %s", m.Name)
		}
	}
	return p
}

func accounts(tb testing.TB, v query.Value) map[string]principal.Account {
	tb.Helper()
	out := make(map[string]principal.Account)
	for source, v := range members(v) {
		var a principal.Account
		for name, v := range members(v) {
			switch name {
			case "host":
				a.Host = word(v)
			case "port":
				port, err := strconv.Atoi(word(v))
				if err != nil {
					tb.Fatal(err)
				}
				a.Port = port
			case "database":
				a.Database = word(v)
			case "schema":
				a.Schema = word(v)
			case "user":
				a.User = word(v)
			case "password":
				a.Password = word(v)
			case "base_url":
				a.BaseURL = word(v)
			case "headers":
				a.Headers = texts(v)
			case "properties":
				a.Properties = texts(v)
			default:
				tb.Fatalf("an account has no %s", name)
			}
		}
		out[source] = a
	}
	return out
}

func texts(v query.Value) map[string]string {
	out := make(map[string]string)
	for name, v := range members(v) {
		out[name] = word(v)
	}
	return out
}

func word(v query.Value) string { return fmt.Sprint(v) }

func words(v query.Value) []string {
	out := []string{}
	for _, item := range v.(query.List) {
		out = append(out, word(item))
	}
	return out
}

func members(v query.Value) map[string]query.Value {
	out := make(map[string]query.Value)
	for _, m := range v.(query.Object) {
		out[m.Name] = m.Value
	}
	return out
}

func root(tb testing.TB, text string) query.Field {
	tb.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return field(doc.Operations[0].SelectionSet[0].(*ast.Field))
}

func field(f *ast.Field) query.Field {
	out := query.Field{Key: f.Alias, Name: f.Name}
	for _, arg := range f.Arguments {
		out.Args = append(out.Args, query.Member{Name: arg.Name, Value: value(arg.Value)})
	}
	for _, s := range f.SelectionSet {
		out.Fields = append(out.Fields, field(s.(*ast.Field)))
	}
	return out
}

func value(v *ast.Value) query.Value {
	switch v.Kind {
	case ast.NullValue:
		return query.Null{}
	case ast.IntValue, ast.FloatValue:
		return query.Number(v.Raw)
	case ast.BooleanValue:
		return query.Bool(v.Raw == "true")
	case ast.EnumValue:
		return query.Enum(v.Raw)
	case ast.ListValue:
		list := make(query.List, len(v.Children))
		for i, child := range v.Children {
			list[i] = value(child.Value)
		}
		return list
	case ast.ObjectValue:
		object := make(query.Object, len(v.Children))
		for i, child := range v.Children {
			object[i] = query.Member{Name: child.Name, Value: value(child.Value)}
		}
		return object
	default:
		return query.Text(v.Raw)
	}
}

// Change reads a field of a mutation: insertOrders, insertOrdersOne, updateOrders,
// updateOrdersByPk, deleteOrders or deleteOrdersByPk.
func Change(tb testing.TB, text string) query.Change {
	tb.Helper()
	f := root(tb, "{"+text+"}")
	for _, kind := range []struct {
		prefix, suffix string
		kind           query.ChangeKind
	}{
		{"insert", "One", query.InsertOne},
		{"insert", "", query.Insert},
		{"update", "ByPk", query.UpdateByKey},
		{"update", "", query.Update},
		{"delete", "ByPk", query.DeleteByKey},
		{"delete", "", query.Delete},
	} {
		name, begins := strings.CutPrefix(f.Name, kind.prefix)
		if name, ends := strings.CutSuffix(name, kind.suffix); begins && ends && name != "" {
			return query.Change{Dataset: strings.ToLower(name[:1]) + name[1:], Kind: kind.kind, Field: f}
		}
	}
	tb.Fatalf("%s is no change", f.Name)
	return query.Change{}
}

// Tables are what a source was found to hold: each line has a table's name, its primary
// key and columns, as in "orders id: id bigint!, tenant text!, note text". What is behind a
// column's name is its native type; one with an exclamation mark holds no nulls.
func Tables(tb testing.TB, source string, lines ...string) catalog.Introspected {
	tb.Helper()
	types := map[string]scalar.Type{
		"bigint": scalar.Of(scalar.BigInt), "integer": scalar.Of(scalar.Int), "text": scalar.Of(scalar.String), "numeric(12,2)": scalar.DecimalOf(12, 2),
		"timestamp with time zone": scalar.Of(scalar.Timestamp), "jsonb": scalar.Of(scalar.JSON), "text[]": {Scalar: scalar.String, List: true},
	}
	tables := make(map[string]catalog.Table)
	for _, line := range lines {
		head, columns, _ := strings.Cut(line, ": ")
		words := strings.Fields(head)
		table := catalog.Table{Schema: "public", Name: words[0], PrimaryKey: words[1:], Colliding: []catalog.CollidingBy{{Name: words[0] + "_pkey", Columns: words[1:], Constraint: true}}}
		for column := range strings.SplitSeq(columns, "; ") {
			name, native, _ := strings.Cut(column, " ")
			native, filled := strings.CutSuffix(native, "!")
			typ, known := types[native]
			if !known {
				tb.Fatalf("%s: no type %q", line, native)
			}
			table.Columns = append(table.Columns, catalog.TableColumn{Name: name, Native: native, Type: typ, Supported: true, Nullable: !filled})
		}
		tables[catalog.TableKey("public", words[0])] = table
	}
	return catalog.Introspected{source: tables}
}

// Changes is the catalog of testdata/changes in package plan, with what its sources hold.
func Changes(tb testing.TB, file string) *catalog.Catalog {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	tables := Tables(tb, "shop",
		"orders id: id bigint!; tenant text!; customer_id bigint; product_id integer; status text; note text; amount numeric(12,2); version integer!; made_by text; made_at timestamp with time zone; doc jsonb; tags text[]",
		"items order_id line: order_id bigint!; line integer!; sku text",
		"customers tenant id: tenant text!; id bigint!; name text!; region_id integer",
		"regions tenant id: tenant text!; id integer!; name text",
		"products id: id integer!; name text",
		"notes tenant id: tenant text!; id integer!; text text; gone_at timestamp with time zone; gone_by text",
	)
	tables["books"] = Tables(tb, "books", "ledger tenant id: tenant text!; id bigint!; text text")["books"]
	return Catalog(tb, string(text), tables)
}
