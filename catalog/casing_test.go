package catalog

import (
	"testing"

	"pgregory.net/rapid"
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
