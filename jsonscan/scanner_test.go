package jsonscan

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"usher/value"
)

var texts = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `-12.50e+3`, `1E9`, `""`, `"a"`, `"\""`, `"\\"`, `"\u0041\u00e9\ud83d\ude00"`, `"é😀"`,
	`[]`, `[ ]`, `[1]`, `[1,2]`, `{}`, `{ }`, `{"a":1}`, `{"a" : [ { "b" : null } ] , "c" : "x"}`, " [\t1\r\n] ",
	``, ` `, `nul`, `nulll`, `tru`, `truefalse`, `01`, `-`, `1.`, `.5`, `1e`, `1e+`, `+1`, `--1`, `1 2`, `"`, `"a`, `"\`, `"\"`, `"\x"`, `"\u12"`, `"\u12g4"`,
	"\"\n\"", "\"\xff\"", `[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[1 2]`, `[}`, `{`, `}`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, `{1:2}`, `{"a":1 "b":2}`, `{"a":1]`,
	`[[[[[[[[]]]]]]]]`, `{"a":{"a":{"a":{}}}}`, "\ufeff1", "1\x00", "\"\x7f\"",
}

// TestScanner: exactly what the standard library takes for JSON is taken, in
// whatever pieces it arrives. Text that is not UTF-8 or not text at all is
// refused besides.
func TestScanner(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		checkScanner(t, text)
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(checkScanner)
}

func checkScanner(t *testing.T, text string) {
	t.Helper()
	want := json.Valid([]byte(text))
	if want && strings.Count(text, "[")+strings.Count(text, "{") > maxDepth {
		return
	}
	if !utf8.ValidString(text) || strings.Contains(strings.ToLower(text), `\ud`) {
		want = false
	}
	for name, from := range map[string]io.Reader{
		"whole":  strings.NewReader(text),
		"bytes":  iotest.OneByteReader(strings.NewReader(text)),
		"at EOF": iotest.DataErrReader(strings.NewReader(text)),
	} {
		s := &Scanner{buf: make([]byte, 0, 4)}
		s.Reset(from)
		raw, err := s.Raw()
		raw = bytes.Clone(raw)
		if err == nil {
			err = s.End()
		}
		if want && err != nil {
			t.Errorf("%s %q: %v", name, text, err)
		}
		if err == nil && !json.Valid([]byte(text)) {
			t.Errorf("%s %q is accepted", name, text)
		}
		if want && string(raw) != strings.Trim(text, " \t\r\n") {
			t.Errorf("%s %q: got %q", name, text, raw)
		}
		var expected string
		if want && json.Unmarshal([]byte(text), &expected) == nil && strings.HasPrefix(strings.TrimSpace(text), `"`) {
			s := Over([]byte(text))
			if got, err := s.Text(); err != nil || string(got) != expected {
				t.Errorf("%q is read as %q, %v", text, got, err)
			}
		}
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	for depth, ok := range map[int]bool{maxDepth: true, maxDepth + 1: false} {
		s := Over([]byte(strings.Repeat("[", depth) + strings.Repeat("]", depth)))
		if err := s.Skip(); (err == nil) != ok {
			t.Errorf("%d deep: %v", depth, err)
		}
	}
}

func TestLongToken(t *testing.T) {
	t.Parallel()
	for size, ok := range map[int]bool{1 << 20: true, 2 * MaxToken: false} {
		s := &Scanner{}
		s.Reset(strings.NewReader(`"` + strings.Repeat("x", size) + `"`))
		if _, err := s.Text(); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// FuzzTimestamps: the short way to a wire form and value.Parse agree.
func FuzzTimestamps(f *testing.F) {
	for _, text := range []string{
		"2026-11-21T22:19:23Z", "2026-11-21T22:19:23.5Z", "2026-11-21T22:19:23.1234567Z", "2026-11-21T22:19:23.Z", "2026-11-21T22:19:23,5Z",
		"2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-12-31T23:59:60Z", "2026-12-31T24:00:00Z", "0000-01-01T00:00:00Z",
		"0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "2026-11-21T22:19:23.000", "2026-11-21T22:19:23.0000000", "2026-00-01T00:00:00", "2026-01-00T00:00:00",
		"2026-1-01T00:00:00", "2026-11-21t22:19:23z", "", "Z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, scalar := range []value.Scalar{value.Timestamp, value.LocalTimestamp} {
			got, ok := appendPlain(nil, []byte(text), scalar)
			if !ok {
				continue
			}
			want, err := value.Parse(value.Of(scalar), text)
			if err != nil || want.Text() != string(got) {
				t.Errorf("%s %q: got %q, want %q, %v", scalar, text, got, want.Text(), err)
			}
		}
	})
}
