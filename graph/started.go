package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// Started is the instant of the operation: one "now" for all its fields.
func Started(ctx context.Context) time.Time {
	return graphql.GetOperationContext(ctx).Stats.OperationStart
}
