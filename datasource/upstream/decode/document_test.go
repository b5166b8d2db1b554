package decode

import (
	"slices"
	"testing"
)

func TestParsePointer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"": nil, "/": {""}, "/a": {"a"}, "/a/": {"a", ""}, "//a": {"", "a"}, "/a~1b/c~0d": {"a/b", "c~d"}, "/~01": {"~1"}, "/0/é": {"0", "é"},
	} {
		if got, err := ParsePointer(text); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	if _, err := ParsePointer("a/b"); err == nil {
		t.Error("what does not begin with / is taken")
	}
}
