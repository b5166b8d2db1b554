package graph

import (
	"context"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

const truncatedKey = "truncated"

func setTruncatedExtension(ctx context.Context, paths []ast.Path) {
	if len(paths) > 0 {
		graphql.RegisterExtension(ctx, truncatedKey, paths)
	}
}

const cacheKey = "cache"

// setCacheExtension says how old answers are that may have been kept, in seconds.
func setCacheExtension(ctx context.Context, fields []graphql.CollectedField, answers []rootAnswer) {
	type freshness struct {
		Path   ast.Path `json:"path"`
		Age    int64    `json:"age"`
		MaxAge int64    `json:"maxAge"`
	}
	var kept []freshness
	for i, a := range answers {
		if a.MaxAge > 0 {
			kept = append(kept, freshness{ast.Path{ast.PathName(fields[i].Alias)}, int64(a.Age / time.Second), int64(a.MaxAge / time.Second)})
		}
	}
	if len(kept) > 0 {
		graphql.RegisterExtension(ctx, cacheKey, kept)
	}
}

const staleKey = "stale"

// setStaleExtension says of which moment answers are in which an older reply stood in
// for a source that failed.
func setStaleExtension(ctx context.Context, fields []graphql.CollectedField, answers []rootAnswer) {
	type moment struct {
		Path ast.Path  `json:"path"`
		AsOf time.Time `json:"asOf"`
	}
	var stale []moment
	for i, a := range answers {
		if !a.AsOf.IsZero() {
			stale = append(stale, moment{ast.Path{ast.PathName(fields[i].Alias)}, a.AsOf.UTC().Truncate(time.Millisecond)})
		}
	}
	if len(stale) > 0 {
		graphql.RegisterExtension(ctx, staleKey, stale)
	}
}

// Accompany says beside the value of a field of the control plane what a
// dataset's answer says beside its own.
func (o *Outcome) Accompany(ctx context.Context) {
	for _, e := range o.Errors {
		graphql.AddError(ctx, e)
	}
	setTruncatedExtension(ctx, o.Truncated)
	if !o.AsOf.IsZero() {
		graphql.RegisterExtension(ctx, staleKey, o.AsOf)
	}
	if o.Explanation != nil {
		graphql.RegisterExtension(ctx, explainKey, o.Explanation)
	}
}
