package broker

import (
	"testing"

	"usher/jsonscan"
	"usher/value"
)

// TestValuesOfConnectors: what drivers hand over for the protocol's three
// types is read where it can mean one thing only.
func TestValuesOfConnectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ  value.Type
		json string
		want string // empty: refused
	}{
		{value.Of(value.Float), `"1234.50"`, "1234.5"},
		{value.Of(value.Float), `1234.5`, "1234.5"},
		{value.Of(value.Float), `"NaN"`, "NaN"},
		{value.Of(value.Float), `"nan"`, ""},
		{value.Of(value.Float), `"0x10"`, ""},
		{value.Of(value.Float), `"1_000"`, ""},
		{value.Of(value.Float), `"1,5"`, ""},
		{value.Of(value.Float), `""`, ""},
		{value.Of(value.Float), `" 1"`, ""},
		{value.Of(value.Float), `true`, ""},
		{value.Of(value.Int), `"7"`, "7"},
		{value.Of(value.Int), `7.00`, "7"},
		{value.Of(value.Int), `"7.50"`, ""},
		{value.Of(value.Int), `"2147483648"`, ""},
		{value.Of(value.BigInt), `"9007199254740993"`, "9007199254740993"},
		{value.Of(value.BigInt), `"+7"`, ""},
		{value.Type{Scalar: value.Decimal, Precision: 12, Scale: 2}, `"6.00"`, "6.00"},
		{value.Type{Scalar: value.Decimal, Precision: 12, Scale: 2}, `"6.001"`, ""},
		{value.Of(value.String), `true`, "true"},
		{value.Of(value.String), `12.50`, "12.50"},
		{value.Of(value.String), `"12"`, "12"},
		{value.Of(value.String), `{"a":1}`, ""},
		{value.Of(value.String), `["a"]`, ""},
		{value.Of(value.ID), `12`, "12"},
		{value.Of(value.Boolean), `"t"`, "true"},
		{value.Of(value.Boolean), `"false"`, "false"},
		{value.Of(value.Boolean), `1`, "true"},
		{value.Of(value.Boolean), `"yes"`, ""},
		{value.Of(value.Boolean), `2`, ""},
		{value.Of(value.Date), `"2026-02-28T00:00:00.000Z"`, "2026-02-28"},
		{value.Of(value.Date), `"2026-02-28T01:00:00.000Z"`, ""},
	} {
		s := jsonscan.Over([]byte(c.json))
		cell, _, err := ReaderOf(c.typ)(s, c.typ, nil)
		if err == nil {
			err = s.End()
		}
		switch {
		case err != nil && c.want != "":
			t.Errorf("%s as %s: %v", c.json, c.typ.GraphQL(), err)
		case err == nil && value.WireText(cell) != c.want:
			t.Errorf("%s as %s: %q, want %q", c.json, c.typ.GraphQL(), value.WireText(cell), c.want)
		}
	}
}
