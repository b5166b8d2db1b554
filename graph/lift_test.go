package graph_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"usher/fault"
	"usher/graph"
	"usher/query"
)

// Texts that differ in literals are one operation to whoever plans it, and are
// answered, and refused, as if each were alone.
func TestTextsOfOneForm(t *testing.T) {
	t.Parallel()
	failing := func(_ context.Context, r query.Request) (graph.Outcome, error) {
		if r.Field.Key == "bad" {
			return graph.Outcome{}, fault.New(fault.BadUserInput, "no")
		}
		return empty(t.Context(), r)
	}
	cat := shop(t, nil)
	limits := graph.Limits{Bytes: 60}
	for name, c := range map[string]struct {
		text   string // @ is a literal
		values []string
		shared bool
	}{
		"a number and texts": {`{ orders(where: {region: {eq: @}}, limit: 5) { id } }`, []string{`"a"`, `"b c"`, `"é{"`, `""`, `"#"`}, true},
		"numbers":            {`{ orders(limit: @) { id } }`, []string{"1", "2", "-3", "0"}, true},
		"decimals":           {`{ orders(where: {amount: {gt: @}}) { id } }`, []string{"1.5", "2e3", "-0.25E-1"}, true},
		"a list":             {`{ orders(where: {id: {in: [1 @,"7"]}}) { id } }`, []string{"1", "2", "3"}, true},
		"one for a list":     {`{ orders(where: {id: {in: @}}) { id } }`, []string{"1", "2", "3"}, true},
		"a fragment":         {`{ orders { ...F } } fragment F on Orders { items(limit: @) { price } }`, []string{"1", "2", "3"}, true},
		"a failure": {
			"{ orders(where: {region: {eq: @}}) { id }\n\t a: orders(where: {region: {in: [@,@]}}) { id } bad: orders(limit: @) { id } }",
			[]string{`"a"`, `"é and more"`, `""`, `"b"`},
			false,
		},
		"the same failure": {
			"query { a: orders(where: {region: {in: [@,@]}}) { id } # @\r\n b: orders(where: {region: {eq: @}}) { id } bad: orders(where: {region: {eq: @}}) { id } }",
			[]string{`"a"`, `"é and more"`, `""`, `"b"`},
			false,
		},
		"too long":            {`{ orders(where: {region: {in: ["x", @]}}) { id } }`, []string{`"a"`, `"b"`, `"` + strings.Repeat("c", 61) + `"`, `"d"`}, true},
		"too long with more":  {`query Q($r: String = "12345678901234567890") { orders(where: {region: {in: [@, @, $r]}}) { id } }`, []string{`"a"`, `"` + strings.Repeat("c", 25) + `"`}, false},
		"no number of a type": {`{ orders(limit: @) { id } }`, []string{"1", "2", "99999999999", "3", "1.5", "01", "4"}, true},
		"no literal":          {`{ orders(where: {region: {eq: @}}) { id } }`, []string{`"a"`, `"b"`, `"c`, `"\u0041"`, `"""d"""`, "\"\x01\"", `"e"`}, false},
		"merged fields":       {`{ orders(limit: @) { id } orders(limit: 2) { region } }`, []string{"2", "3", "2"}, false},
		"merged inside":       {`{ orders { items(limit: @) { price } } ... { orders { items(limit: 1) { price } } } }`, []string{"1", "2", "1"}, false},
		"like named, apart":   {`{ a: orders { items(limit: @) { price } } b: orders { items(limit: 1) { price } } }`, []string{"1", "2", "3"}, true},
		"another root":        {`{ orders(limit: @) { id } dataset(name: "orders") { name } }`, []string{"1", "2", "3"}, false},
		"a type":              {`{ orders(limit: 1) { id } __type(name: @) { name } }`, []string{`"Orders"`, `"Items"`, `"Orders"`}, false},
		"a default":           {`query Q($n: Int = @) { orders(limit: $n) { id } }`, []string{"1", "2", "3"}, false},
		"several operations":  {`query A { orders(limit: @) { id } } query B { orders { id } }`, []string{"1", "2"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, cat, failing, graph.Options{Limits: limits})
			var keys []graph.AskedKey
			for i, v := range c.values {
				text := strings.ReplaceAll(c.text, "@", v)
				alone := serve(t, cat, failing, graph.Options{Limits: limits})
				s.resolver.asked, s.resolver.keys = nil, nil
				check(t, s.ask(t, tenant(), text), alone.ask(t, tenant(), text))
				if diff := cmp.Diff(alone.resolver.asked, s.resolver.asked, cmpopts.SortSlices(func(a, b query.Request) bool { return a.Field.Key < b.Field.Key })); diff != "" {
					t.Errorf("%s is asked differently (-alone +after others):\n%s", text, diff)
				}
				if i > 0 {
					keys = append(keys, s.resolver.keys...)
				}
			}
			if !c.shared {
				return
			}
			if len(keys) == 0 {
				t.Fatal("nothing was asked")
			}
			for _, key := range keys[1:] {
				if fmt.Sprint(key) != fmt.Sprint(keys[0]) {
					t.Errorf("%s is planned again", c.text)
				}
			}
		})
	}
}

// The second of two texts of a form does not take the place of what only their own
// texts may be used for.
func TestNothingElseShares(t *testing.T) {
	t.Parallel()
	s := serve(t, shop(t, nil), empty, graph.Options{})
	for _, name := range []string{"orders", "items", "nothing", "orders"} {
		got := s.ask(t, tenant(), fmt.Sprintf(`{ orders(limit: 1) { id } dataset(name: %q) { name } }`, name))
		want := fmt.Sprintf(`{"data":{"orders":[],"dataset":{"name":%q}}}`, name)
		if name == "nothing" {
			want = `{"data":{"orders":[],"dataset":null}}`
		}
		check(t, got, want)
	}
}
