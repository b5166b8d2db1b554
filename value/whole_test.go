package value_test

import (
	"strings"
	"testing"

	"usher/value"
)

// Whole numbers are read exactly, however JSON writes them, and what is none or too long stays what it was.
func TestPlainBigInt(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"2.0": "2", "2e0": "2", "2E+1": "20", "-2.50e1": "-25", "0.0": "0", "-0e9": "0", "0e99999999999999999999": "0", "120e-1": "12",
		"9223372036854775807.0": "9223372036854775807", "9.223372036854775807e18": "9223372036854775807", "-9223372036854775808e0": "-9223372036854775808",
		"9007199254740993.0": "9007199254740993", "7": "7", "2.5": "2.5", "1e-1": "1e-1", "9007199254740993.00000000000000000001": "9007199254740993.00000000000000000001",
		"1e400": "1e400", "1e999999999": "1e999999999", "1e99999999999999999999": "1e99999999999999999999", "007.0e1x": "007.0e1x", "1" + strings.Repeat("0", 99) + ".0": "1" + strings.Repeat("0", 99) + ".0",
	} {
		if got := value.PlainBigInt(number); got != want {
			t.Errorf("%s is %s, want %s", number, got, want)
		}
	}
}
