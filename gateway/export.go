package gateway

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"usher/answer/sheet"
	"usher/graph/transport"
)

// export joins what an operation asks for, which the engine reads, with who writes
// the file.
func (s *snapshot) export(ctx context.Context, op *graphql.OperationContext, dataset, format string) (transport.Export, error) {
	ctx, asked, err := s.engine.Exporting(ctx, op, dataset)
	if err != nil {
		return nil, err
	}
	x, err := s.data.Export(ctx, asked, sheet.Format(format))
	if err != nil {
		return nil, err
	}
	return x, nil
}
