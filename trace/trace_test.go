package trace_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"usher/stage"
	"usher/trace"
)

const (
	id      = "4bf92f3577b34da6a3ce929d0e0e4736"
	parent  = "00-" + id + "-00f067aa0ba902b7-01"
	unasked = "00-" + id + "-00f067aa0ba902b7-00"
)

func asked(headers ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	return r
}

// Where nobody traces, nothing is allocated for it.
func TestNobodyTraces(t *testing.T) {
	ctx, began, h := t.Context(), time.Now(), make(http.Header)
	histogram := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x"})
	times := stage.New()
	times.Traced = true
	if n := testing.AllocsPerRun(100, func() {
		ctx, span := trace.Ask(ctx, "source", trace.Source{Name: "main", System: "postgres"})
		span.Statement("SELECT 1")
		span.Rows(1)
		span.Kept()
		span.Shared()
		span.Failed("x")
		span.Tenant("acme")
		span.End()
		_, span = trace.Call(ctx, http.MethodGet)
		span.Status(200)
		span.End()
		_, span = trace.Start(ctx, "x")
		span.End()
		trace.Current(ctx).Rows(1)
		trace.Inject(ctx, h)
		trace.Note(ctx, "plan", began)
		trace.Observe(ctx, histogram, 1)
		times.Took(ctx, stage.Plan, began)
		if trace.Comment(ctx) != "" {
			t.Error("a comment")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if len(h) > 0 {
		t.Errorf("%v", h)
	}
}

// Traces of requests are gone on with if they are what they should be.
func TestTracesComeIn(t *testing.T) {
	t.Parallel()
	tracer := trace.New(sdk.NewTracerProvider(sdk.WithSampler(sdk.ParentBased(sdk.NeverSample()))), true)
	for _, c := range []struct {
		headers []string
		joins   bool
		sampled bool
	}{
		{nil, false, false},
		{[]string{"Traceparent", parent}, true, true},
		{[]string{"Traceparent", unasked}, true, false},
		{[]string{"Traceparent", parent, "Tracestate", "a=1,b=2"}, true, true},
		{[]string{"Traceparent", parent, "Tracestate", ""}, true, true},
		{[]string{"Traceparent", parent, "Tracestate", "a=" + strings.Repeat("x", 600)}, true, true},
		{[]string{"Traceparent", parent, "Tracestate", "no state"}, true, true},
		{[]string{"Traceparent", parent, "Traceparent", parent}, false, false},
		{[]string{"Traceparent", ""}, false, false},
		{[]string{"Traceparent", parent + "-x"}, false, false},
		{[]string{"Traceparent", parent + strings.Repeat("-x", 1000)}, false, false},
		{[]string{"Traceparent", "cc" + parent[2:] + "-" + strings.Repeat("x", 1000)}, false, false},
		{[]string{"Traceparent", strings.ToUpper(parent)}, false, false},
		{[]string{"Traceparent", "00-" + strings.Repeat("0", 32) + "-00f067aa0ba902b7-01"}, false, false},
		{[]string{"Tracestate", "a=1", "Baggage", "a=1"}, false, false},
	} {
		ctx, span := tracer.Request(t.Context(), asked(c.headers...), "/graphql")
		out := make(http.Header)
		trace.Inject(ctx, out)
		got, _ := trace.IDs(ctx)
		if (got == id) != c.joins || out.Get("Tracestate") != "" || span.Recorded() != c.sampled || (trace.Comment(ctx) != "") != c.sampled || out.Get("Baggage") != "" {
			t.Errorf("%v: %s, %v, %v", c.headers, got, out, span.Recorded())
		}
		span.End()
		alone := trace.New(sdk.NewTracerProvider(), false)
		if ctx, _ = alone.Request(t.Context(), asked(c.headers...), "/graphql"); strings.Contains(trace.Comment(ctx), id) {
			t.Errorf("%v: one that joins no trace has joined it", c.headers)
		}
	}
}

func TestComment(t *testing.T) {
	t.Parallel()
	ctx, _ := trace.New(sdk.NewTracerProvider(), true).Request(t.Context(), asked("Traceparent", parent, "Tracestate", "a='*/DROP"), "/graphql")
	_, span := trace.IDs(ctx)
	if got, want := trace.Comment(ctx), "/*traceparent='00-"+id+"-"+span+"-01'*/ "; got != want {
		t.Errorf("%s, not %s", got, want)
	}
}

func TestTenants(t *testing.T) {
	t.Parallel()
	if got := trace.Tenants(trace.Plain, nil)("acme\xff"); got != "acme" {
		t.Errorf("%q", got)
	}
	hashed := trace.Tenants(trace.Hashed, []byte("secret"))
	if got := hashed("acme"); len(got) != 16 || got != trace.Tenants(trace.Hashed, []byte("secret"))("acme") || got == hashed("acmf") || got == trace.Tenants(trace.Hashed, []byte("other"))("acme") {
		t.Errorf("%q", got)
	}
	for _, mode := range []string{trace.Off, "", "else"} {
		if got := trace.Tenants(mode, nil)("acme"); got != "" {
			t.Errorf("%s: %q", mode, got)
		}
	}
	if hashed("") != "" {
		t.Error("nobody has a name")
	}
}

// What stands in a span can be sent: it is text, and short.
func TestSpansAreBounded(t *testing.T) {
	t.Parallel()
	to := tracetest.NewInMemoryExporter()
	r := asked()
	r.Method = "BREW\xff" + strings.Repeat("x", 1000)
	ctx, span := trace.New(sdk.NewTracerProvider(sdk.WithSyncer(to)), true).Request(t.Context(), r, "/graphql")
	span.Tenant(trace.Tenants(trace.Plain, nil)(strings.Repeat("é", 1000)))
	span.Operation("query", strings.Repeat("é", 1000))
	_, of := trace.Ask(ctx, "source", trace.Source{Name: strings.Repeat("x", 127) + "é"})
	of.Statement(strings.Repeat("x", 4095) + "é")
	of.End()
	span.Answered("id", 200, "", false)
	size := 0
	for _, s := range to.GetSpans() {
		for _, a := range s.Attributes {
			size += len(a.Value.String())
			if strings.ToValidUTF8(a.Value.String(), "?") != a.Value.String() {
				t.Errorf("%s is no text", a.Key)
			}
		}
	}
	if size > 5000 || size < 4000 || to.GetSpans()[1].Name != "HTTP /graphql" {
		t.Errorf("%d bytes, %s", size, to.GetSpans()[1].Name)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(trace.Lines(slog.NewTextHandler(&out, nil))).With("with", 1)
	ctx, _ := trace.New(sdk.NewTracerProvider(), true).Request(t.Context(), asked("Traceparent", parent), "/graphql")
	_, span := trace.IDs(ctx)
	log.InfoContext(ctx, "traced")
	log.InfoContext(context.Background(), "not")
	lines := strings.Split(out.String(), "\n")
	if !strings.HasSuffix(lines[0], "msg=traced with=1 trace_id="+id+" span_id="+span) || !strings.HasSuffix(lines[1], "msg=not with=1") {
		t.Errorf("%s", out.String())
	}
}
