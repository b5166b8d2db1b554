package value_test

import (
	"strings"
	"testing"

	"usher/value"
)

// TestJSONWrittenOut: JSON is bounded by what it is with its numbers written out, and its text by itself.
func TestJSONWrittenOut(t *testing.T) {
	t.Parallel()
	of := value.Of(value.JSON)
	many := func(n int, number string) string { return "[" + strings.Repeat(number+",", n-1) + number + "]" }
	refused := func(text, want string) {
		t.Helper()
		if v, err := value.Parse(of, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %d bytes, %v; want %s", text, len(v.Text()), err, want)
		}
	}
	const number, long = "a number in JSON may have 1000 digits when it is written out", "is too long; at most 1048576 are allowed"
	refused("1e1000", number)
	refused("12e999", number)
	refused("[0.5e-999]", number)
	refused("-1E-1000", number)
	refused("1e-99999999999999999999", number)
	refused("1"+strings.Repeat("0", 1000), number)
	refused(`{"a":[{"b":1e131071}]}`, number)
	refused(many(1100, "1e999"), long)
	refused(many(1100, "1e-999"), long)
	refused(`{"\\":`+many(1100, "1e999")+`}`, long)

	const deep = "JSON may be nested 100 levels deep"
	refused(strings.Repeat("[", 101)+strings.Repeat("]", 101), deep)
	refused(strings.Repeat(`{"a":[`, 51)+strings.Repeat("]}", 51), deep)
	for _, taken := range []string{strings.Repeat("[", 100) + strings.Repeat("]", 100), `["[[["` + strings.Repeat(",[]", 200) + "]", "0." + strings.Repeat("0", 998) + "1", "1e-999", "1e999", "5e-324"} {
		if v, err := value.Parse(of, taken); err != nil || v.Text() != taken {
			t.Errorf("%.60s: %v", taken, err)
		}
	}

	whole := many(1000, "1e999")
	one, err := value.Parse(of, whole)
	if err != nil || one.Text() != whole {
		t.Fatalf("%v", err)
	}
	if err := value.CheckJSONList(of, []value.Value{one, {}}); err != nil {
		t.Errorf("a list of it and null: %v", err)
	}
	if err := value.CheckJSONList(of, []value.Value{one, one}); err == nil || !strings.Contains(err.Error(), long) {
		t.Errorf("a list of two: %v", err)
	}
	text, err := value.Parse(value.Of(value.String), strings.Repeat("1e999,", 1000))
	if err != nil || value.CheckJSONList(text.Type(), []value.Value{text, text}) != nil {
		t.Errorf("text is no JSON: %v", err)
	}
}
