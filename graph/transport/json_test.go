package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"usher/query"
)

func TestDecodeStrict(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for text, want := range map[string]any{
		`null`:                                  query.Null{},
		` {"a": [true, false, "b\u00e9\n"]} `:   query.Object{{Name: "a", Value: query.List{query.Bool(true), query.Bool(false), query.Text("bé\n")}}},
		`{"n": 123456789012345678901234567.50}`: query.Object{{Name: "n", Value: query.Number("123456789012345678901234567.50")}},
		`{"a": {}, "A": []}`:                    query.Object{{Name: "A", Value: query.List{}}, {Name: "a", Value: query.Object{}}},
		`"\ud83d\ude00"`:                        query.Text("😀"),
		`[{"b": 1, "a": "x\"\\"}, 2, {}]`:       query.List{query.Object{{Name: "a", Value: query.Text(`x"\`)}, {Name: "b", Value: query.Number("1")}}, query.Number("2"), query.Object{}},

		``:                                      errNotJSON,
		`{`:                                     errNotJSON,
		`[1,]`:                                  errNotJSON,
		`{"a": 1} {}`:                           errNotJSON,
		`{"a": 1} x`:                            errNotJSON,
		`{1: 2}`:                                errNotJSON,
		`01`:                                    errNotJSON,
		`"\ud83d"`:                              errNotJSON, // half a character, for which two readers could put different ones
		"\"\xff\"":                              errNotUTF8,
		`{"a": 1, "a": 2}`:                      errDuplicate,
		`{"a": 1, "\u0061": 2}`:                 errDuplicate,
		`[{"a": 1, "a": 2}]`:                    errDuplicate,
		`[{"a": "\ud83d"}]`:                     errNotJSON,
		`[{"a": 1,}]`:                           errNotJSON,
		`[{"a": 1} {}]`:                         errNotJSON,
		nested(maxNesting + 1):                  errNesting,
		`[{"a": ` + nested(maxNesting-1) + `}]`: errNesting,
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
	for _, text := range []string{nested(maxNesting), `[{"a": ` + nested(maxNesting-2) + `}]`} {
		if _, err := decodeStrict([]byte(text)); err != nil {
			t.Errorf("as deep as allowed: %v", err)
		}
	}
}

// What is accepted, and what it says, is what two other readers make of it, however a text is mangled.
func TestDecodeStrictAsOthersDo(t *testing.T) {
	t.Parallel()
	texts := []string{
		`null`, ` {"a": [true, false, "b\u00e9\n"]} `, `{"n": -1.50e+3, "": 0}`, `[{"k":[1,2,{"z":"\u2028é"}]},{"k":-1.0E-5},{"k":{}}]`,
		`"\ud83d\ude00"`, `{"a": 1, "\u0061": 2}`, `"\/\b\f"`, "{\"a\"\t:\r\n1}", `{"query":"{ a(b: \"c\") }","variables":{"v":[null,01]}}`,
	}
	const letters = "{}[]\",:\\u0123456789abcdefD8-+.E \t\n\x01\xc3\xa9\xfftnrl/"
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(rapid.SampledFrom(texts).Draw(t, "text"))
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			end := min(len(text), at+rapid.IntRange(0, 2).Draw(t, "less"))
			more := rapid.SliceOfN(rapid.SampledFrom([]byte(letters)), 0, 2).Draw(t, "more")
			text = slices.Replace(text, at, end, more...)
		}
		got, err := decodeStrict(text)
		if accepted := jsontext.Value(text).IsValid(); accepted != (err == nil) {
			t.Fatalf("%q: %v, and jsontext accepts it: %t", text, err, accepted)
		}
		if err != nil {
			return
		}
		var want any
		reader := json.NewDecoder(bytes.NewReader(text))
		reader.UseNumber()
		if err := reader.Decode(&want); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, query.Plain(got)); diff != "" {
			t.Fatalf("%q (-want +got)\n%s", text, diff)
		}
	})
}

func BenchmarkDecodeStrict(b *testing.B) {
	body := []byte(`{"operationName":"Orders","query":"query Orders($after: String!) { orders(where: {reference: {gt: $after}}, ` +
		`orderBy: [{reference: ASC}], limit: 20) { id reference customer amount status } }","variables":{"after":"QX7"}}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeStrict(body); err != nil {
			b.Fatal(err)
		}
	}
}

// A row in a list is read as encoding/json reads it.
func TestDecodeRows(t *testing.T) {
	t.Parallel()
	blank := rapid.SampledFrom([]string{"", "", " ", "\t\r\n"})
	var value func(t *rapid.T, depth int) string
	value = func(t *rapid.T, depth int) string {
		kinds := 2
		if depth > 0 {
			kinds = 4
		}
		text := func() string {
			return rapid.SampledFrom([]string{`""`, `"a"`, `"b c"`, `"ä,]}:"`, `"\u00e4\n"`, `"\""`, `"\\"`, `"\\\""`, `"😀"`, `"\ud83d\ude00"`}).Draw(t, "text")
		}
		parts := func(open, end string, part func(i int) string) string {
			out := open + blank.Draw(t, "blank")
			for i := range rapid.IntRange(0, 3).Draw(t, "parts") {
				if i > 0 {
					out += "," + blank.Draw(t, "blank")
				}
				out += part(i) + blank.Draw(t, "blank")
			}
			return out + end
		}
		switch rapid.IntRange(0, kinds).Draw(t, "kind") {
		case 0:
			return rapid.SampledFrom([]string{"null", "true", "false", "0", "-1.50e+7", "12"}).Draw(t, "word")
		case 1, 2:
			return text()
		case 3:
			return parts("[", "]", func(int) string { return value(t, depth-1) })
		default:
			return parts("{", "}", func(i int) string {
				return strings.Replace(text(), `"`, fmt.Sprintf(`"%d`, i), 1) + blank.Draw(t, "blank") + ":" + blank.Draw(t, "blank") + value(t, depth-1)
			})
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := `[1, {"r":` + value(t, 4) + `}]`
		var want any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		got, err := decodeStrict([]byte(text))
		if diff := cmp.Diff(want, query.Plain(got)); err != nil || diff != "" {
			t.Fatalf("%s: %v (-want +got)\n%s", text, err, diff)
		}
	})
}
