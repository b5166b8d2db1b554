package graph_test

import (
	"context"
	"testing"
	"time"

	"usher/answer"
	"usher/fault"
	"usher/graph"
	"usher/query"
)

// A request of which nothing is answered for the moment is refused as a whole;
// one of which anything is answered, or fails for another reason, is not.
func TestRefusedForNow(t *testing.T) {
	t.Parallel()
	later := func(code fault.Code) error {
		f := fault.New(code, "later")
		f.RetryAfter = 1500 * time.Millisecond
		return f
	}
	s := serve(t, shop(t, nil), func(_ context.Context, r query.Request) (graph.Outcome, error) {
		switch r.Field.Key {
		case "full":
			return graph.Outcome{}, later(fault.TooManyRequests)
		case "busy":
			return graph.Outcome{}, later(fault.Unavailable)
		case "slow":
			return graph.Outcome{}, later(fault.Timeout)
		case "down":
			return graph.Outcome{}, fault.New(fault.Unavailable, "down")
		}
		return graph.Outcome{Answer: answer.Of([]byte("[]"))}, nil
	}, graph.Options{})
	full := `{"message":"later","path":["full"],"locations":[{"line":1,"column":3}],"extensions":{"code":"TOO_MANY_REQUESTS","requestId":"r-1","retryAfter":2}}`
	check(t, s.ask(t, tenant(), `{ full: orders { id } }`), `{"errors":[`+full+`],"data":null}`)
	check(t, s.ask(t, tenant(), `{ full: orders { id } busy: orders { id } }`), `{"errors":[`+full+
		`,{"message":"later","path":["busy"],"locations":[{"line":1,"column":23}],"extensions":{"code":"UNAVAILABLE","requestId":"r-1","retryAfter":2}}],"data":null}`)
	check(t, s.ask(t, tenant(), `{ full: orders { id } fine: orders { id } }`), `{"errors":[`+full+`],"data":{"full":null,"fine":[]}}`)
	check(t, s.ask(t, tenant(), `{ full: orders { id } slow: orders { id } }`), `{"errors":[`+full+
		`,{"message":"later","path":["slow"],"locations":[{"line":1,"column":23}],"extensions":{"code":"TIMEOUT","requestId":"r-1","retryAfter":2}}],"data":{"full":null,"slow":null}}`)
	check(t, s.ask(t, tenant(), `{ down: orders { id } }`),
		`{"errors":[{"message":"down","path":["down"],"locations":[{"line":1,"column":3}],"extensions":{"code":"UNAVAILABLE","requestId":"r-1"}}],"data":{"down":null}}`)
}
