package cursor_test

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"usher/cursor"
	"usher/fault"
)

func sealer(t *testing.T, secret string) *cursor.Sealer {
	t.Helper()
	s, err := cursor.New([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var (
	secret   = strings.Repeat("s", 32)
	binding  = []byte("orders\x00acme\x00{}\x00[]\x00")
	position = []byte(`["2026-01-01","7"]`)
)

func TestACursorOpensUnderItsBinding(t *testing.T) {
	t.Parallel()
	f := func(binding, position string) {
		t.Helper()
		text := sealer(t, secret).Seal([]byte(binding), []byte(position))
		got, err := sealer(t, secret).Open([]byte(binding), text)
		if err != nil || string(got) != position {
			t.Errorf("%q under %q opened as %q, %v", position, binding, got, err)
		}
		if strings.ContainsAny(text, "+/=") {
			t.Errorf("%s needs escaping in a URL", text)
		}
	}
	f(string(binding), string(position))
	f("", "")
	f("a", "")
	f("", "\x00\xff")
	f(strings.Repeat("b", 10_000), strings.Repeat("p", 10_000))
}

func TestCursorsAreDeterministic(t *testing.T) {
	t.Parallel()
	one, other := sealer(t, secret), sealer(t, secret)
	if one.Seal(binding, position) != other.Seal(binding, position) {
		t.Error("the same position of the same list is two cursors")
	}
	seen := make(map[string]bool)
	for _, b := range []string{"a", "a\x00", "ab", "", "\x00a"} {
		for _, p := range []string{"", "b", "\x00", "a\x00b", "\x00b"} {
			seen[one.Seal([]byte(b), []byte(p))] = true
		}
	}
	if len(seen) != 25 {
		t.Errorf("25 positions are %d cursors", len(seen))
	}
}

func refused(t *testing.T, s *cursor.Sealer, binding []byte, text string) {
	t.Helper()
	got, err := s.Open(binding, text)
	if err == nil {
		t.Errorf("%q was opened as %q", text, got)
		return
	}
	if f := fault.From(err); f.Code != fault.BadUserInput || f.Message != "the cursor does not belong to this list" || f.Hint == "" {
		t.Errorf("%q was refused with %v", text, err)
	}
}

func TestAChangedCursorIsRefused(t *testing.T) {
	t.Parallel()
	s := sealer(t, secret)
	raw, err := base64.RawURLEncoding.DecodeString(s.Seal(binding, position))
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for _, bit := range []byte{1, 0x80} {
			changed := bytes.Clone(raw)
			changed[i] ^= bit
			refused(t, s, binding, base64.RawURLEncoding.EncodeToString(changed))
		}
		refused(t, s, binding, base64.RawURLEncoding.EncodeToString(raw[:i]))
	}
	refused(t, s, binding, base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw), 0)))
	for _, text := range []string{"", "x", "not base64!", strings.Repeat("A", 64), base64.RawURLEncoding.EncodeToString(position)} {
		refused(t, s, binding, text)
	}
}

func TestACursorOfAnotherListIsRefused(t *testing.T) {
	t.Parallel()
	s := sealer(t, secret)
	text := s.Seal(binding, position)
	for _, other := range []string{
		"", "items\x00acme\x00{}\x00[]\x00", "orders\x00rival\x00{}\x00[]\x00", "orders\x00acme\x00{}\x00[{}]\x00", string(binding) + "\x00",
	} {
		refused(t, s, []byte(other), text)
	}
}

func TestACursorOfAnotherSecretIsRefused(t *testing.T) {
	t.Parallel()
	text := sealer(t, secret).Seal(binding, position)
	refused(t, sealer(t, secret+"s"), binding, text)
	refused(t, sealer(t, strings.Repeat("S", 32)), binding, text)
}

// Without a secret each sealer makes one of its own.
func TestNoSecret(t *testing.T) {
	t.Parallel()
	one, other := sealer(t, ""), sealer(t, "")
	text := one.Seal(binding, position)
	if got, err := one.Open(binding, text); err != nil || !bytes.Equal(got, position) {
		t.Errorf("opened as %q, %v", got, err)
	}
	refused(t, other, binding, text)
	// Nor is it the secret that nothing, or only zeros, would derive.
	refused(t, sealer(t, string(make([]byte, 32))), binding, text)
	refused(t, one, binding, sealer(t, string(make([]byte, 32))).Seal(binding, position))
}

// What is sealed cannot be read off the cursor.
func TestACursorHidesThePosition(t *testing.T) {
	t.Parallel()
	raw, err := base64.RawURLEncoding.DecodeString(sealer(t, secret).Seal(binding, position))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, position[:5]) || bytes.Contains(raw, []byte("acme")) {
		t.Error("the cursor shows what it holds")
	}
}

// A secret is replaced in three steps, and no page is lost in any of them: all open
// the next one's, all seal with it and open the one before, the one before is gone.
func TestASecretIsReplaced(t *testing.T) {
	t.Parallel()
	before, next := []byte(secret), []byte(strings.Repeat("n", 32))
	of := func(secret []byte, others ...[]byte) *cursor.Sealer {
		t.Helper()
		s, err := cursor.New(secret, others...)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	steps := []*cursor.Sealer{of(before), of(before, next), of(next, before), of(next)}
	for i, from := range steps {
		text := from.Seal(binding, position)
		for j, to := range steps {
			got, err := to.Open(binding, text)
			if beside := i-j <= 1 && j-i <= 1; beside && (err != nil || !bytes.Equal(got, position)) {
				t.Errorf("sealed in step %d, opened in step %d: %q, %v", i, j, got, err)
			}
			if _, err := to.Open([]byte("another list"), text); fault.From(err).Code != fault.BadUserInput {
				t.Errorf("sealed in step %d, opened in step %d for another list: %v", i, j, err)
			}
		}
	}
	if _, err := of(next).Open(binding, of(before).Seal(binding, position)); fault.From(err).Code != fault.BadUserInput {
		t.Errorf("a secret that is gone still opens: %v", err)
	}
}
