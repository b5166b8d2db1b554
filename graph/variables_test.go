package graph

import (
	"testing"

	"usher/query"
)

// A whole number is one by its digits, not by what a float makes of them.
func TestWholeNumbers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1": "1", "1.0": "1", "1e0": "1", "10E-1": "1", "-12.50e1": "-125", "0": "0", "-0.0e9": "0", "0e99999999999999999999": "0", "2147483647": "2147483647",
		"2.147483648e9": "", "1e-400": "", "1.00000000000000000000001": "", "0.5": "", "-1e-400": "", "1e99999999999999999999": "", "1e400": "", "0.0001e4": "1", "-2147483648.0": "-2147483648",
	} {
		got, ok := int32Of(text)
		if ok != (want != "") || ok && got != query.Number(want) {
			t.Errorf("%s is %v, %t; want %q", text, got, ok, want)
		}
	}
}
