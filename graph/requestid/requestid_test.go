package requestid_test

import (
	"strings"
	"testing"

	"usher/graph/requestid"
)

func TestContextCarriesTheID(t *testing.T) {
	t.Parallel()
	if got := requestid.From(t.Context()); got != "" {
		t.Errorf("a context without an id has %q", got)
	}
	if got := requestid.From(requestid.With(t.Context(), "r-1")); got != "r-1" {
		t.Errorf("got %q, want r-1", got)
	}
}

func TestMadeIDsAreAcceptedAndDiffer(t *testing.T) {
	t.Parallel()
	a, b := requestid.Make(), requestid.Make()
	if a == b {
		t.Errorf("two made ids are both %q", a)
	}
	if !requestid.Accepts(a) {
		t.Errorf("the made id %q is not accepted", a)
	}
}

func TestAccepts(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"a":                     true,
		"Az09._-":               true,
		strings.Repeat("x", 64): true,
		strings.Repeat("x", 65): false,
		"":                      false,
		"a b":                   false,
		"a\nb":                  false,
		"a\"b":                  false,
		"é":                     false,
		"a/b":                   false,
	} {
		if got := requestid.Accepts(id); got != want {
			t.Errorf("Accepts(%q) = %v, want %v", id, got, want)
		}
	}
}
