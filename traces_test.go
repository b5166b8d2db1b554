package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	traces "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"usher/pgtest"
	"usher/test/program"
)

// spans is a collector.
type spans struct {
	collector.UnimplementedTraceServiceServer
	mu       sync.Mutex
	requests []*collector.ExportTraceServiceRequest
}

// Export implements collector.TraceServiceServer.
func (s *spans) Export(_ context.Context, r *collector.ExportTraceServiceRequest) (*collector.ExportTraceServiceResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	return &collector.ExportTraceServiceResponse{}, nil
}

// ServeHTTP takes spans as protobuf.
func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	asked := &collector.ExportTraceServiceRequest{}
	if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, asked) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = s.Export(r.Context(), asked)
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// of are the spans of a trace.
func (s *spans) of(trace string) []*traces.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*traces.Span
	for _, r := range s.requests {
		for _, resource := range r.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					if hex.EncodeToString(span.TraceId) == trace {
						out = append(out, span)
					}
				}
			}
		}
	}
	return out
}

// text is all that was sent.
func (s *spans) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	for _, r := range s.requests {
		out.WriteString(r.String())
		raw, _ := proto.Marshal(r)
		out.Write(raw)
	}
	return out.String()
}

// attributes are those of a span or a resource, as texts.
func attributes(all []*common.KeyValue) map[string]string {
	out := make(map[string]string)
	for _, a := range all {
		switch v := a.Value.Value.(type) {
		case *common.AnyValue_StringValue:
			out[a.Key] = v.StringValue
		case *common.AnyValue_IntValue:
			out[a.Key] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_BoolValue:
			out[a.Key] = fmt.Sprint(v.BoolValue)
		default:
			out[a.Key] = "?"
		}
	}
	return out
}

// collecting starts a collector that is asked by a protocol, and sets the environment for it.
func collecting(t *testing.T, protocol string) *spans {
	t.Helper()
	s := &spans{}
	where := ""
	if protocol == "grpc" {
		listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		server := grpc.NewServer()
		collector.RegisterTraceServiceServer(server, s)
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		t.Cleanup(func() {
			server.Stop()
			if err := <-served; err != nil {
				t.Error(err)
			}
		})
		where = "http://" + listener.Addr().String()
	} else {
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		where = server.URL
	}
	for name, value := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT": where, "OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=tests",
		"OTEL_SERVICE_NAME": "usher-of-tests", "OTEL_TRACES_SAMPLER": "parentbased_always_off",
	} {
		t.Setenv(name, value)
	}
	return s
}

// A whole trace: it comes with a request, goes on to an API, a plugin and a database, and
// arrives at a collector without anything that is nobody else's business.
func TestTraces(t *testing.T) {
	for _, protocol := range []string{"http/protobuf", "grpc"} {
		t.Run(protocol, func(t *testing.T) { checkTraces(t, protocol) })
	}
}

func checkTraces(t *testing.T, protocol string) {
	const (
		trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
		sampled       = "00-" + trace + "-" + parent + "-01"
	)
	told := collecting(t, protocol)
	db := pgtest.Start(t).Database(t)
	text := strings.Replace(officeConfig, "server: {", "server: {trace_tenants: hashed, secret: {file: secret}, ", 1)
	text = strings.Replace(text, "sslmode: disable, webhook", "sslmode: disable, trace_sql: true, webhook", 1)
	o := openOfficeIn(t, os.LookupEnv, db, text)
	ask := func(strategy, query, traceparent string) {
		t.Helper()
		r := o.Running.Ask(t, program.Sign(t, claims(strategy)), query)
		r.Header.Set("Traceparent", traceparent)
		r.Header.Set("Tracestate", "vendor=1")
		r.Header.Set("Baggage", "who=CANARY-baggage")
		status, body := program.Fetch(t, r)
		if status != http.StatusOK || !bytes.Contains(body, []byte(`"data":{"`)) {
			t.Fatalf("%d %s", status, body)
		}
	}
	const list = `query Named($r: String = "CANARY-variable") { orders(where: {region: {notIn: [$r, "CANARY-where"]}}, limit: 5) { id } }`
	for _, strategy := range []string{"shared", "own", "rest", "broker"} {
		ask(strategy, list, sampled)
	}
	asked := o.asked.Load().(string)
	sent := regexp.MustCompile(`Traceparent:\[00-` + trace + `-([0-9a-f]{16})-01\]`).FindStringSubmatch(asked)
	if sent == nil || strings.Contains(asked, "Tracestate") || strings.Contains(asked, "baggage") {
		t.Errorf("the API was sent %s", asked)
	}
	seen := 0
	if err := db.Open(t).QueryRowContext(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE query LIKE $1", "/*traceparent='00-"+trace+"-%-01'*/ %orders%").Scan(&seen); err != nil || seen != 1 {
		t.Errorf("%d statements say their trace, %v", seen, err)
	}
	// What is not sampled is sent on, and no span. What is no trace is none.
	const quiet = "0af7651916cd43dd8448eb211c80319c"
	ask("rest", `{ orders(limit: 3) { id } }`, "00-"+quiet+"-"+parent+"-00")
	if asked := o.asked.Load().(string); !regexp.MustCompile(`Traceparent:\[00-` + quiet + `-[0-9a-f]{16}-00\]`).MatchString(asked) {
		t.Errorf("the API was sent %s", asked)
	}
	for _, hostile := range []string{"", "x", sampled + sampled, strings.Repeat("0", 5000), "00-" + strings.Repeat("0", 32) + "-" + parent + "-01", "ff-" + trace + "-" + parent + "-01", "00-" + trace + "-" + parent + "-zz"} {
		ask("rest", `{ orders(limit: 2) { id } }`, hostile)
		if asked := o.asked.Load().(string); strings.Contains(asked, trace) {
			t.Errorf("%q: the API was sent %s", hostile, asked)
		}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, o.admin+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/openmetrics-text; version=1.0.0")
	_, metrics := program.Fetch(t, request)
	for _, name := range []string{"usher_stage_seconds", "usher_request_duration_seconds", "usher_statement_duration_seconds"} {
		if !regexp.MustCompile(name + `_bucket\{[^}]*\} \d+ # \{trace_id="` + trace + `"\}`).Match(metrics) {
			t.Errorf("%s has no exemplar", name)
		}
	}
	if !bytes.Contains(metrics, []byte(`usher_tenant_cost_seconds_total{tenant="acme"} `)) {
		t.Errorf("%s", metrics)
	}
	o.Stop(t) // and what waits is sent

	if lines := o.Stderr.String(); strings.Count(lines, `"trace_id":"`+trace+`","span_id":"`) != 4 {
		t.Errorf("the log: %s", lines)
	}
	all := told.of(trace)
	byID, roots, names := map[string]*traces.Span{}, 0, []string{}
	for _, s := range all {
		byID[hex.EncodeToString(s.SpanId)] = s
	}
	for _, s := range all {
		names = append(names, s.Name)
		if hex.EncodeToString(s.ParentSpanId) == parent {
			roots++
			a := attributes(s.Attributes)
			if s.Name != "POST /graphql" || s.Kind != traces.Span_SPAN_KIND_SERVER || a["http.request.method"] != "POST" || a["http.route"] != "/graphql" || a["http.response.status_code"] != "200" ||
				a["graphql.operation.name"] != "Named" || a["graphql.operation.type"] != "query" || !regexp.MustCompile("^[0-9a-f]{16}$").MatchString(a["usher.tenant"]) || a["usher.request_id"] == "" {
				t.Errorf("%s", s)
			}
		} else if byID[hex.EncodeToString(s.ParentSpanId)] == nil {
			t.Errorf("%s hangs nowhere", s)
		}
	}
	slices.Sort(names)
	counts := map[string]int{}
	for _, n := range names {
		counts[n]++
	}
	for name, n := range map[string]int{"POST /graphql": 4, "authenticate": 4, "validate": 4, "encode": 4, "source main": 1, "source own": 1, "source rest": 1, "source broker": 1, "engine": 2, "GET": 1} {
		if counts[name] != n {
			t.Errorf("%d spans are named %q: %v", counts[name], name, counts)
		}
	}
	if roots != 4 || counts["plan"] < 4 || counts["POST"] < 1 {
		t.Errorf("%d roots, %v", roots, counts)
	}
	for _, s := range all {
		a := attributes(s.Attributes)
		switch s.Name {
		case "source main":
			if a["db.system.name"] != "postgresql" || !strings.Contains(a["db.query.text"], "orders") || !strings.Contains(a["db.query.text"], "$1") ||
				a["db.response.returned_rows"] != "2" || a["usher.target"] != "shared" || a["usher.source"] != "main" {
				t.Errorf("%v", a)
			}
		case "source own":
			if a["usher.target"] != "own" || a["db.query.text"] != "" {
				t.Errorf("%v", a)
			}
		case "GET":
			if sent != nil && hex.EncodeToString(s.SpanId) != sent[1] || a["http.response.status_code"] != "200" {
				t.Errorf("%v, and %v was sent", s, sent)
			}
		}
	}
	if len(told.of(quiet)) > 0 {
		t.Error("what is not sampled was sent")
	}
	out := strings.ToLower(told.text())
	for _, word := range []string{"canary", "acme", strings.ToLower(program.Secret), "eyj", "localhost", "postgres://", "http:", db.Name, db.User + "@", "127.0.0.1", "nobody"} {
		if strings.Contains(out, word) {
			t.Errorf("%q is told", word)
		}
	}
	about := attributes(told.requests[0].ResourceSpans[0].Resource.Attributes)
	if about["service.name"] != "usher-of-tests" || about["deployment.environment.name"] != "tests" || about["service.version"] == "" {
		t.Errorf("%v", about)
	}
	if !bytes.Contains(metrics, []byte("usher_trace_spans_total ")) {
		t.Error("spans are not counted")
	}
}
