package gateway

import (
	"context"

	"usher/answer/sheet"
	"usher/graph/transport"
	"usher/query"
)

// export writes what the engine has read of an operation.
func (s *snapshot) export(ctx context.Context, asked query.Request, format string) (transport.Export, error) {
	x, err := s.data.Export(ctx, asked, sheet.Format(format))
	if err != nil {
		return nil, err
	}
	return x, nil
}
