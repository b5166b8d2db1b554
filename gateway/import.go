package gateway

import (
	"context"
	"io"

	"usher/graph/transport"
	"usher/resolvers"
)

// load joins what an import is asked for with who writes its rows.
func (s *snapshot) load(ctx context.Context, asked transport.ImportRequest, body io.Reader) (transport.Imported, error) {
	ctx, err := s.engine.Importing(ctx)
	if err != nil {
		return transport.Imported{Rows: asked.From, Beyond: asked.Beyond}, err
	}
	in, err := s.data.Import(ctx, resolvers.ImportRequest(asked), body)
	return transport.Imported(in), err
}
