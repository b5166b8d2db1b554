package transport_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/graph/transport"
	"usher/principal"
)

// answering is an executor with one answer.
type answering struct {
	graphql.GraphExecutor
	response graphql.Response
}

func (answering) CreateOperationContext(context.Context, *graphql.RawParams) (*graphql.OperationContext, gqlerror.List) {
	return nil, gqlerror.List{gqlerror.Errorf("see DispatchError")}
}

func (a answering) DispatchError(context.Context, gqlerror.List) *graphql.Response {
	return &a.response
}

// What was refused for the moment says so in its status, whatever was asked for,
// and when to try again.
func TestRefusedForNow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code       fault.Code
		data       string
		status     int
		retryAfter string
	}{
		{fault.TooManyRequests, ``, http.StatusTooManyRequests, "3"},
		{fault.Unavailable, ``, http.StatusServiceUnavailable, "3"},
		{fault.TooManyRequests, `{"a":null,"b":1}`, http.StatusOK, ""},
	} {
		for _, media := range []string{"application/json", "application/graphql-response+json"} {
			list := gqlerror.List{}
			for _, seconds := range []int{1, 3, 2} {
				list = append(list, &gqlerror.Error{Message: "later", Extensions: map[string]any{"code": string(c.code), "retryAfter": seconds}})
			}
			exec := answering{response: graphql.Response{Errors: list}}
			if c.data != "" {
				exec.response.Data = json.RawMessage(c.data)
			}
			h := transport.New(exec, func(context.Context, *http.Request) (principal.Principal, error) {
				return principal.Principal{Tenant: "acme", TenantKey: "acme"}, nil
			}, transport.Options{})
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(`{"query":"{ a b }"}`, header("Accept", media)))
			if w.Code != c.status || w.Header().Get("Retry-After") != c.retryAfter {
				t.Errorf("%s as %s: %d, Retry-After %q: %s", c.code, media, w.Code, w.Header().Get("Retry-After"), w.Body)
			}
		}
	}
}
