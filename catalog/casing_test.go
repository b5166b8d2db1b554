package catalog

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"usher/query"
)

func TestCamel(t *testing.T) {
	t.Parallel()
	for from, want := range map[string]string{
		"order_items": "orderItems", "OrderItems": "orderItems", "ORDER_ITEMS": "orderItems", "ID": "id", "CustomerID": "customerID", "URLPath": "urlPath",
		"orderItems": "orderItems", "line_2": "line2", "_id": "id", "2nd": "_2nd", "count": "count_", "count_": "count_", "Running Count": "runningCount_",
		"größe": "grE", "名前": "column", "a-b c": "aBC", "ISO2Code": "iso2Code", "x": "x", "": "column",
	} {
		if got := Camel(from); got != want {
			t.Errorf("%q is %q, want %q", from, got, want)
		}
	}
}

// Whatever a name is, it becomes a field's, and one that stays as it is.
func TestCamelStays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[A-Za-z0-9_ é名]{0,12}`).Draw(t, "name")
		once := Camel(name)
		if bad := badField(once); bad != "" {
			t.Fatalf("%q becomes %q: %s", name, once, bad)
		}
		if again := Camel(once); again != once {
			t.Fatalf("%q becomes %q, and that %q", name, once, again)
		}
	})
}

// notNames are the texts of a configuration that name no dataset, column,
// relation or measure: other names, and what is at sources. Whoever adds a member
// to a spec decides here, or in inCamel, which of them it is.
var notNames = []string{
	".DefaultStrategy", ".Naming", ".Parameters.*", ".Parameters.*.Default.*", ".Parameters.*.Type", ".Roles.*", ".Sources.*", ".Strategies.*", ".Strategies.*.Datasets.*=",
	".Strategies.*.Kind", ".Strategies.*.Source", ".Tenants.*", ".Tenants.*.AllowHosts", ".Tenants.*.Bind.*.Columns.*=", ".Tenants.*.Bind.*.Dataset",
	".Tenants.*.Bind.*.Path", ".Tenants.*.Bind.*.Rows", ".Tenants.*.Bind.*.Schema", ".Tenants.*.Bind.*.Source", ".Tenants.*.Bind.*.Table",
	".Tenants.*.Bindings.*=", ".Tenants.*.Cell", ".Tenants.*.ExternalIDs", ".Tenants.*.Key", ".Tenants.*.Name", ".Tenants.*.Strategies.*=", ".Tenants.*.Strategy",
	".Datasets.*.Bind.*", ".Datasets.*.Bind.*.Columns.*=", ".Datasets.*.Bind.*.Dataset", ".Datasets.*.Bind.*.Path", ".Datasets.*.Bind.*.Rows", ".Datasets.*.Bind.*.Schema", ".Datasets.*.Bind.*.Source",
	".Datasets.*.Bind.*.Table", ".Datasets.*.Bound", ".Datasets.*.Description", ".Datasets.*.Label", ".Datasets.*.Measures.*.Description",
	".Datasets.*.Measures.*.Label", ".Datasets.*.Measures.*.OnlyTenants", ".Datasets.*.Relations.*.Description", ".Datasets.*.Source", ".Datasets.*.Stored", ".Datasets.*.Type",
	".Datasets.*.Presets.Insert.*=.*", ".Datasets.*.Presets.Update.*=.*", ".Datasets.*.Relations.*.OnDelete", ".Datasets.*.Writable",
	".Roles.*.Datasets.*.Insert.Presets.*=.*",
}

// inside are places of which everything is no name, or is a column's. Calls name columns within their texts: testdata/writes_api.txtar.
var inside = []string{".Sources.*.", ".Datasets.*.Bind.*.Writes.", ".Tenants.*.Accounts", ".Datasets.*.Columns.*.", ".Tenants.*.Bind.*.Extra.*."}

// Each text of a configuration is in camel case afterwards, or is no name.
func TestEveryNameIsRenamed(t *testing.T) {
	t.Parallel()
	var spec Spec
	fill(reflect.ValueOf(&spec).Elem())
	c := &compiler{}
	left := make(map[string]bool)
	kept(reflect.ValueOf(c.inCamel(spec)), "", left)
	var got []string
	for place := range left {
		if !slices.ContainsFunc(inside, func(within string) bool { return strings.HasPrefix(place, within) && place != within }) {
			got = append(got, place)
		}
	}
	if diff := cmp.Diff(sorted(notNames), sorted(got)); diff != "" || len(c.problems) > 0 {
		t.Errorf("-no name +kept:\n%s%v", diff, c.problems)
	}
	if before := spec.Datasets["a_b"]; before.Tenant.Column != "a_b" || spec.Roles["a_b"].Datasets["a_b"].Columns[0] != "a_b" {
		t.Error("the configuration itself was changed")
	}
	if left[".Sources.*.Pushdown.Filters.*"] || !left[".Datasets.*.Columns.*.Name"] {
		t.Errorf("columns: %v", left)
	}
}

func sorted(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return list
}

var whereType = reflect.TypeFor[query.Value]()

// fill puts the text a_b everywhere.
func fill(v reflect.Value) {
	switch {
	case v.Type() == whereType:
		v.Set(reflect.ValueOf(query.Object{{Name: "a_b", Value: query.Object{{Name: "eq", Value: query.Text("x_y")}}}}))
	case v.Kind() == reflect.String:
		v.SetString("a_b")
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		elem := reflect.New(v.Type().Elem()).Elem()
		fill(elem)
		v.SetMapIndex(reflect.ValueOf("a_b"), elem)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	}
}

// kept notes where the text is still a_b: of maps the key, and behind = the
// value.
func kept(v reflect.Value, at string, left map[string]bool) {
	switch v.Kind() {
	case reflect.String:
		if v.String() == "a_b" {
			left[at] = true
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			kept(v.Elem(), at, left)
		}
	case reflect.Slice:
		for i := range v.Len() {
			item, place := v.Index(i), at
			if item.Kind() == reflect.Struct && item.FieldByName("Name").IsValid() && item.FieldByName("Value").IsValid() {
				place += ".*"
				if item.FieldByName("Name").String() == "a_b" {
					left[place] = true
				}
				item = item.FieldByName("Value")
			}
			kept(item, place, left)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if key.String() == "a_b" {
				left[at+".*"] = true
			}
			value := v.MapIndex(key)
			if value.Kind() == reflect.Struct {
				kept(value, at+".*", left)
			} else {
				kept(value, at+".*=", left)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			kept(v.Field(i), at+"."+v.Type().Field(i).Name, left)
		}
	}
}
