package receipt_test

import (
	"testing"

	"usher/datasource/receipt"
)

func TestNotes(t *testing.T) {
	t.Parallel()
	if receipt.From(t.Context()) != nil {
		t.Error("somebody takes notes")
	}
	ctx, notes := receipt.With(t.Context())
	for range 103 {
		receipt.From(ctx).Add(receipt.Step{Source: "a"})
	}
	if steps, more := notes.Steps(); len(steps) != 100 || more != 3 {
		t.Errorf("%d steps and %d more", len(steps), more)
	}
}
