// Package transport owns GraphQL over HTTP: who may speak, what a request may
// look like, and how an answer leaves. It follows the GraphQL over HTTP
// specification for POST and GET and drives an executor that it knows by
// interface only.
//
// It refuses what the executor shall never see: requests without an accepted
// token (before a byte of their body is read), bodies that are too large,
// encoded, not JSON or ambiguous JSON, batches, forms, and mutations by GET.
// Nothing of a refused body is repeated in the answer. Where the anonymous may
// log in, the executor decides what a request without a token may ask; whatever
// else it is refused for, the answer is that of a missing token.
//
// Answers to queries are compressed where a client wants that. Answers to
// mutations never are: they alone show tokens, keys and sessions, and how well a
// text compresses tells whether it repeats something.
package transport

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/admit"
	"usher/graph/client"
	"usher/held"
	"usher/principal"
	"usher/stage"
	"usher/trace"
	"usher/traffic"
)

// Authenticate tells who is asking from the headers of a request. Its errors
// are answered with the status of their code.
type Authenticate func(context.Context, *http.Request) (principal.Principal, error)

// Options are the limits and manners of a handler. The zero value is usable.
type Options struct {
	// Timeout is the deadline of one request, reading its body included.
	// Zero means 30 seconds.
	Timeout time.Duration
	// MaxBody is the largest accepted body, or query string of a GET, in bytes.
	// Zero means 1 MiB.
	MaxBody int64
	// AllowedOrigins are the web origins (scheme://host[:port]) whose pages may
	// read answers, or "*" for all. Empty means the server's own pages only.
	AllowedOrigins []string
	// Proxies are whose word on the address of a client counts; nobody's
	// without any.
	Proxies client.Proxies
	// Anonymous lets the executor see requests without an Authorization header
	// (principal.WithAnonymous), so that one can log in.
	Anonymous bool
	// ExplainTokens says in answers why a token was refused. That is for
	// development: whoever makes tokens that are not accepted learns from it.
	ExplainTokens bool
	// Begin counts a request of somebody and gives its context what counts the rest of it, or
	// refuses it. Nil: nobody is limited.
	Begin func(context.Context, principal.Principal) (context.Context, error)
	// Turns are those at the processors, which a request takes when its body has been read.
	// Nil: nobody waits for them.
	Turns *admit.Turns
	// Held is what the requests' rows and answers are counted in. Nil means a
	// budget of its own.
	Held *held.Budget
	// Metrics count the requests. Nil means that nobody looks at them.
	Metrics *Metrics
	// Traffic counts them by the minute, for each tenant. Nil means that nobody looks.
	Traffic *traffic.Hour
	// Stages measure how long authenticating and validating take. Nil means that
	// nobody looks at them.
	Stages *stage.Times
	// Tracer makes requests traces, and TraceTenant is how a tenant is named there.
	// Nil means that nobody traces.
	Tracer      *trace.Tracer
	TraceTenant func(id string) string
	// Logger gets one line per request, the causes of refusals and panics.
	// Nil means slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.Held == nil {
		o.Held = held.New(0)
	}
	if o.Metrics == nil {
		o.Metrics = NewMetrics()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// New returns the handler of the GraphQL endpoint. The context it gives to the
// executor carries the principal, the request id and the deadline, and ends
// when the client leaves.
func New(exec graphql.GraphExecutor, authenticate Authenticate, options Options) http.Handler {
	options = options.withDefaults()
	h := &handler{exec: exec, authenticate: authenticate, options: options, encoders: newEncoders()}
	return Identify(crossOrigin(options.AllowedOrigins, h))
}
