package graph

import (
	"encoding/json"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"usher/fault"
	"usher/value"
)

// MarshalBigInt writes a whole number of 64 bits.
func MarshalBigInt(n int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.FormatInt(n, 10)) })
}

// UnmarshalBigInt reads a number or a text of digits. Anything else is the caller's mistake.
func UnmarshalBigInt(v any) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case int:
		return int64(v), nil
	case string:
		if whole, err := value.Parse(value.Of(value.BigInt), v); err == nil {
			return strconv.ParseInt(whole.Text(), 10, 64)
		}
	case json.Number:
		if n, err := strconv.ParseInt(value.PlainBigInt(v.String()), 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, fault.New(fault.BadUserInput, "a BigInt is a whole number of 64 bits")
}
