package term

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

func TestTypedPassword(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"one\none\n": "one", "one\ntwo\n": "not the same", "\n": "empty", "one\n": "cannot read"} {
		lines := strings.SplitAfter(text, "\n")
		s := &IO{Stderr: io.Discard}
		got, err := s.twice(func() (string, error) {
			line := lines[0]
			if line == "" {
				return "", errors.New("nothing more is typed")
			}
			lines = lines[1:]
			return strings.TrimSuffix(line, "\n"), nil
		})
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestPasswordNeedsSomebody(t *testing.T) {
	t.Parallel()
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for name, in := range map[string]io.Reader{"a device that is no terminal": file, "a text": strings.NewReader("one\none\n")} {
		s := &IO{Stdin: in, Stderr: io.Discard}
		if got, err := s.NewPassword(t.Context(), false); err == nil || !strings.Contains(err.Error(), "--password-stdin") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for text, want := range map[string]string{"one\r\n": "one", "one": "one", "one\ntwo": "one"} {
		s := &IO{Stdin: strings.NewReader(text)}
		if got, err := s.NewPassword(t.Context(), true); got != want || err != nil {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := (&IO{Stdin: strings.NewReader("")}).NewPassword(t.Context(), true); err == nil {
		t.Error("nothing was taken for a password")
	}
}
