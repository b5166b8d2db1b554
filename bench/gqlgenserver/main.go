// Command gqlgenserver is what people write today: a GraphQL server with
// gqlgen, sqlx and dataloaders, and a resolver for each question of the
// benchmark's workloads.
package main

//go:generate go tool gqlgen generate

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/jmoiron/sqlx"
	_ "github.com/lib/pq" // registers the driver
	"github.com/vektah/gqlparser/v2/ast"

	"usher/bench/gqlgenserver/graph"
	"usher/bench/gqlgenserver/resolvers"
	"usher/bench/server"
)

func main() { server.Main(newAPI) }

func newAPI(s server.Settings) (http.Handler, error) {
	db, err := sqlx.Connect("postgres", s.DSN)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(s.MaxConns)
	db.SetMaxIdleConns(s.MaxConns)
	api := handler.New(graph.NewExecutableSchema(graph.Config{Resolvers: &resolvers.Resolver{DB: db}}))
	api.AddTransport(transport.POST{})
	api.SetQueryCache(lru.New[*ast.QueryDocument](1000))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, err := s.Verifier.Verify(r)
		if err != nil {
			http.Error(w, "the token is not accepted", http.StatusUnauthorized)
			return
		}
		ctx := resolvers.WithLoaders(resolvers.WithTenant(r.Context(), claims.Tenant), db)
		api.ServeHTTP(w, r.WithContext(ctx))
	}), nil
}
