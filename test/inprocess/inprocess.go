// Package inprocess asks a gateway inside a test: all of usher between the
// token and the sources, without HTTP. It owns the instant that is now; it
// refuses configurations with problems by ending the test.
package inprocess

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"usher/config"
	"usher/gateway"
	"usher/graph"
	"usher/principal"
)

// Gateway answers documents at one fixed instant.
type Gateway struct {
	engine *graph.Engine
	now    time.Time
}

// seal is what cursors are sealed under: equal data have equal ones in every run.
const seal = "cursors of tests are alike in every run"

// deadline bounds one document, far above what any takes.
const deadline = time.Minute

// Setup is what a gateway is made of.
type Setup struct {
	File string            // where the configuration would lie; its relative paths start there
	Text string            // the configuration
	Env  map[string]string // what {env: NAME} refers to
	Now  time.Time         // the instant of every document
}

// New wires a gateway.
func New(tb testing.TB, s Setup) *Gateway {
	tb.Helper()
	cfg, err := config.Parse(s.File, []byte(s.Text), func(name string) (string, bool) {
		v, ok := s.Env[name]
		return v, ok
	})
	if err != nil {
		tb.Fatal(err)
	}
	cfg.Server.Secret = seal
	g, err := gateway.New(tb.Context(), cfg, gateway.Options{Log: slog.New(slog.NewTextHandler(tb.Output(), nil))})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := g.Close(); err != nil {
			tb.Errorf("close the gateway: %v", err)
		}
	})
	return &Gateway{engine: g.Engine(), now: s.Now}
}

// Ask answers a document as one line of JSON: the whole response. Variables
// are JSON or empty.
func (g *Gateway) Ask(tb testing.TB, who principal.Principal, document, variables string) []byte {
	tb.Helper()
	params := &graphql.RawParams{Query: document}
	if variables != "" {
		d := json.NewDecoder(bytes.NewReader([]byte(variables)))
		d.UseNumber()
		if err := d.Decode(&params.Variables); err != nil {
			tb.Fatalf("the variables are no JSON: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(principal.With(tb.Context(), who), deadline)
	defer cancel()
	ctx = graphql.StartOperationTrace(ctx)
	op, errs := g.engine.CreateOperationContext(ctx, params)
	var response *graphql.Response
	if errs != nil {
		response = g.engine.DispatchError(graphql.WithOperationContext(ctx, op), errs)
	} else {
		op.Stats.OperationStart = g.now
		next, ctx := g.engine.DispatchOperation(ctx, op)
		response = next(ctx)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(response); err != nil {
		tb.Fatal(err)
	}
	return bytes.TrimSpace(out.Bytes())
}
