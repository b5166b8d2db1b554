package transport

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeStrict(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for text, want := range map[string]any{
		`null`:                                  nil,
		` {"a": [true, false, "b\u00e9\n"]} `:   map[string]any{"a": []any{true, false, "bé\n"}},
		`{"n": 123456789012345678901234567.50}`: map[string]any{"n": json.Number("123456789012345678901234567.50")},
		`{"a": {}, "A": []}`:                    map[string]any{"a": map[string]any{}, "A": []any{}},
		`"\ud83d\ude00"`:                        "😀",

		``:                      errNotJSON,
		`{`:                     errNotJSON,
		`[1,]`:                  errNotJSON,
		`{"a": 1} {}`:           errNotJSON,
		`{"a": 1} x`:            errNotJSON,
		`{1: 2}`:                errNotJSON,
		`01`:                    errNotJSON,
		`"\ud83d"`:              errNotJSON, // half a character, for which two readers could put different ones
		"\"\xff\"":              errNotUTF8,
		`{"a": 1, "a": 2}`:      errDuplicate,
		`{"a": 1, "\u0061": 2}`: errDuplicate,
		nested(maxNesting + 1):  errNesting,
	} {
		got, err := decodeStrict([]byte(text))
		if refused, ok := want.(error); ok {
			if !errors.Is(err, refused) || got != nil {
				t.Errorf("%s: %v, %v; want %v", text, got, err, refused)
			}
			continue
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", text, err, diff)
		}
	}
	if _, err := decodeStrict([]byte(nested(maxNesting))); err != nil {
		t.Errorf("as deep as allowed: %v", err)
	}
}
