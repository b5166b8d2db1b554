package intake

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"usher/query"
)

func reading(columns ...string) *objects {
	return &objects{lines: &lines{}, columns: columns, row: make([]query.Value, len(columns)), sparse: true}
}

// plainLine is what the quick reader is for.
const plainLine = ` {"a":1,"b" : "äx","c":null , "d":true,"e":-0.50e+7,"f":""} `

// What the quick reader of lines reads, the reader of all JSON reads alike; whatever else it leaves to that.
func TestFlatLines(t *testing.T) {
	t.Parallel()
	o := reading("a", "b", "c", "d", "e", "f")
	for line, ok := range map[string]bool{
		plainLine: true, `{}`: true, `{ }`: true, `{"f":0}`: true, `{"a":false}`: true,
		`{"a":01}`: false, `{"a":1.}`: false, `{"a":.5}`: false, `{"a":-}`: false, `{"a":1e}`: false, `{"a":+1}`: false, `{"a":nul}`: false, `{"a":nulls}`: false, `{"a":True}`: false,
		`{"a":1,}`: false, `{,}`: false, `{"a"1}`: false, `{"a":1 "b":2}`: false, `{"a":1}{}`: false, `{"a":1}x`: false, `{"a":1`: false, `{"a":"x}`: false, `{"a":}`: false, `{`: false, ``: false, `[]`: false, `1`: false,
		`{"a":"\u0041"}`: false, `{"a":[1]}`: false, `{"a":{}}`: false, `{"a":1,"a":1}`: false, `{"x":1}`: false, "{\"a\":\"\xff\"}": false, "{\"a\":\"\ufffd\"}": true, "{\"a\":\"\t\"}": false, "{\"a\":\"\x00\"}": false,
	} {
		clear(o.row)
		if o.read([]byte(line)) != ok {
			t.Errorf("%q is read by the quick reader: %v", line, !ok)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		line := []byte(plainLine)
		for range rapid.IntRange(0, 4).Draw(t, "changes") {
			at := rapid.IntRange(0, len(line)-1).Draw(t, "at")
			line = append(line[:at:at], append([]byte(rapid.StringOfN(rapid.RuneFrom([]rune(`{}[]":,0123456789.eE+-abcdf tn\ä`)), 0, 2, -1).Draw(t, "text")), line[at+rapid.IntRange(0, 1).Draw(t, "less"):]...)...)
		}
		clear(o.row)
		if !o.read(line) {
			return
		}
		quick := make(map[string]string)
		for i, v := range o.row {
			if v != nil {
				quick[o.columns[i]] = fmt.Sprintf("%T %v", v, v)
			}
		}
		object, err := o.object(line)
		all := make(map[string]string)
		for _, m := range object {
			all[m.Name] = fmt.Sprintf("%T %v", m.Value, m.Value)
		}
		if err != nil || fmt.Sprint(all) != fmt.Sprint(quick) {
			t.Fatalf("%q is %v, %v to all JSON, and %v to the quick reader", line, all, err, quick)
		}
	})
}

func BenchmarkRows(b *testing.B) {
	for format, line := range map[string]string{
		CSV: "12345,2024-05-17T10:00:00Z,open,19.99,some words of a note\n", NDJSON: `{"id":12345,"at":"2024-05-17T10:00:00Z","status":"open","amount":19.99,"note":"some words of a note"}` + "\n",
	} {
		b.Run(format, func(b *testing.B) {
			text := strings.Repeat(line, 1000)
			for b.Loop() {
				rows, err := Open(format, bufio.NewReader(strings.NewReader(text)), nil)
				for err == nil {
					_, _, err = rows.Next()
				}
			}
		})
	}
}
