package client_test

import (
	"testing"

	"usher/graph/client"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	if got := client.From(t.Context()); got != "" {
		t.Errorf("from nowhere: %q", got)
	}
	for remote, want := range map[string]string{"192.0.2.7:4711": "192.0.2.7", "[2001:db8::7]:4711": "2001:db8::7", "pipe": "pipe"} {
		if got := client.From(client.With(t.Context(), remote)); got != want {
			t.Errorf("%s: %q, want %q", remote, got, want)
		}
	}
}
