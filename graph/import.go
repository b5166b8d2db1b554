package graph

import "context"

// Importing is the context in which rows are imported that no operation brings: with the
// catalog that is served now, and its view of whoever asks.
func (e *Engine) Importing(ctx context.Context) (context.Context, error) {
	s, err := e.views.scopeOf(ctx)
	if err != nil {
		return ctx, err
	}
	return withScope(ctx, s), nil
}
