package otlp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"usher/trace"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe") // that nobody writes to
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	on := settings{on: true, joins: true}
	for _, c := range []struct {
		env  string
		want settings
		err  string
	}{
		{"", settings{}, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=", settings{}, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT= ", settings{}, ""},
		{"OTEL_SERVICE_NAME=x OTEL_TRACES_SAMPLER=always_on", settings{}, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4318", on, ""},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/x", on, ""},
		{"OTEL_TRACES_EXPORTER=otlp", on, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_TRACES_EXPORTER=none", settings{}, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_SDK_DISABLED=True", settings{}, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_SDK_DISABLED=no", on, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_EXPORTER_OTLP_PROTOCOL=grpc", settings{on: true, grpc: true, joins: true}, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_EXPORTER_OTLP_PROTOCOL=grpc OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf", on, ""},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_EXPORTER_OTLP_PROTOCOL=http/json", settings{}, `OTEL_EXPORTER_OTLP_PROTOCOL is "http/json"`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=nonsense", settings{}, `OTEL_EXPORTER_OTLP_ENDPOINT is "nonsense"`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://c OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=htp://x", settings{}, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is "htp://x"`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http://[::1", settings{}, `OTEL_EXPORTER_OTLP_ENDPOINT is "http://[::1"`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=http:// OTEL_EXPORTER_OTLP_PROTOCOL=grpc", settings{}, `OTEL_EXPORTER_OTLP_ENDPOINT is "http://"`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT=nonsense OTEL_TRACES_EXPORTER=none", settings{}, ""},
		{"OTEL_TRACES_EXPORTER=zipkin", settings{}, `OTEL_TRACES_EXPORTER is "zipkin"`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_PROPAGATORS=none", settings{on: true}, ""},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_PROPAGATORS=baggage,tracecontext", on, ""},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_PROPAGATORS=b3", settings{}, `OTEL_PROPAGATORS has "b3"`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_TRACES_SAMPLER=parentbased_traceidratio OTEL_TRACES_SAMPLER_ARG=0.1", on, ""},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_TRACES_SAMPLER=some", settings{}, `OTEL_TRACES_SAMPLER is "some"`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=10", settings{}, `OTEL_TRACES_SAMPLER_ARG is "10"`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer%20x,b=", on, ""},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_HEADERS=x", settings{}, `OTEL_EXPORTER_OTLP_HEADERS is no list`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_TRACES_HEADERS=a=%2", settings{}, `OTEL_EXPORTER_OTLP_TRACES_HEADERS is no list`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_TRACES_HEADERS=a:b=c", settings{}, `OTEL_EXPORTER_OTLP_TRACES_HEADERS is no list`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_TIMEOUT=500 OTEL_EXPORTER_OTLP_COMPRESSION=gzip", on, ""},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_TIMEOUT=5s", settings{}, `OTEL_EXPORTER_OTLP_TIMEOUT is "5s"`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_TRACES_COMPRESSION=zstd", settings{}, `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION is "zstd"`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_CERTIFICATE=gone.pem", settings{}, `OTEL_EXPORTER_OTLP_CERTIFICATE: open gone.pem`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_CERTIFICATE=otlp.go", settings{}, `OTEL_EXPORTER_OTLP_CERTIFICATE: otlp.go holds no certificate`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_CLIENT_KEY=gone.pem", settings{}, `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY are named together`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_CLIENT_KEY=gone.pem OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE=gone.pem", settings{}, `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: open gone.pem`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_CERTIFICATE=/dev/zero", settings{}, `OTEL_EXPORTER_OTLP_CERTIFICATE: /dev/zero is no regular file`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_CERTIFICATE=" + pipe, settings{}, `OTEL_EXPORTER_OTLP_CERTIFICATE: ` + pipe + ` is no regular file`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY=" + pipe + " OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE=otlp.go", settings{}, `OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: ` + pipe + ` is no regular file`},
		{"OTEL_TRACES_EXPORTER=otlp OTEL_TRACES_SAMPLER=traceidratio OTEL_TRACES_SAMPLER_ARG=nan", settings{}, `OTEL_TRACES_SAMPLER_ARG is "nan"`},
	} {
		env := map[string]string{}
		for _, pair := range strings.SplitAfter(c.env, " ") {
			name, value, _ := strings.Cut(pair, "=")
			env[name] = value
		}
		got, err := read(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v", c.env, err)
			}
		} else if err != nil || got != c.want {
			t.Errorf("%s: %+v, %v", c.env, got, err)
		}
	}
}

// off is an environment that says nothing.
func off(string) (string, bool) { return "", false }

func TestOff(t *testing.T) {
	t.Parallel()
	e, err := Open(t.Context(), off, "v1", slog.Default())
	if e != nil || err != nil || e.Tracer() != nil {
		t.Errorf("%v, %v", e, err)
	}
	e.Close()
}

// failing takes spans, or does not.
type failing struct{ err error }

func (f *failing) ExportSpans(context.Context, []sdk.ReadOnlySpan) error { return f.err }
func (f *failing) Shutdown(context.Context) error                        { return nil }

// That spans are lost is said at once and then once a minute, and when it is over.
func TestLossesAreSaidNowAndThen(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	at, to := time.Unix(1e9, 0), &failing{}
	s := &sending{SpanExporter: to, log: slog.New(slog.NewTextHandler(&lines, nil)), sent: prometheus.NewCounter(prometheus.CounterOpts{Name: "sent"}), now: func() time.Time { return at }}
	export := func(err error) {
		to.err = err
		if err := s.ExportSpans(t.Context(), make([]sdk.ReadOnlySpan, 2)); err != nil {
			t.Error(err)
		}
	}
	export(nil)
	for range 130 { // seconds
		export(errors.New("away"))
		at = at.Add(time.Second)
	}
	export(nil)
	export(nil)
	if got := lines.String(); strings.Count(got, "could not be sent") != 3 || !strings.Contains(got, "lost=2 ") || strings.Count(got, "lost=120 ") != 2 || strings.Count(got, "again\" lost=18") != 1 {
		t.Error(got)
	}
	if n := testutil.ToFloat64(s.sent); n != 6 {
		t.Errorf("%v were sent", n)
	}
	c := &complaints{log: s.log, now: s.now}
	for range 130 {
		c.Handle(errors.New("odd"))
		at = at.Add(time.Second)
	}
	if n := strings.Count(lines.String(), "amiss"); n != 3 {
		t.Errorf("%d complaints", n)
	}
}

// Whatever a collector does, requests do not wait for it, what waits is bounded, and so is the
// end.
func TestCollectorsThatTakeNothing(t *testing.T) {
	t.Parallel()
	silent, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		for { // as long as it is read
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(endless.Close)
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "100000")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(busy.Close)
	for name, url := range map[string]string{"away": "http://127.0.0.1:1", "silent": "http://" + silent.Addr().String(), "endless": endless.URL, "busy": busy.URL} {
		t.Run(name, func(t *testing.T) {
			to, err := otlptracehttp.New(t.Context(), otlptracehttp.WithEndpointURL(url+"/v1/traces"))
			if err != nil {
				t.Fatal(err)
			}
			e := open(to, true, slog.New(slog.DiscardHandler)) // a sending that the end did not wait for logs after this test
			r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
			statement := strings.Repeat("SELECT é", 10_000)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := time.Now()
			const many = 20_000
			for range many {
				ctx, span := e.Tracer().Request(t.Context(), r, "/graphql")
				_, of := trace.Ask(ctx, "source", trace.Source{Name: "main", System: "postgres"})
				of.Statement(statement)
				of.End()
				span.End()
			}
			took := time.Since(began)
			runtime.GC()
			runtime.ReadMemStats(&after)
			if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 64<<20 {
				t.Errorf("%d bytes are held", grown)
			}
			if took > time.Minute {
				t.Errorf("%d requests took %s", many, took)
			}
			if n := testutil.ToFloat64(e.ended); n != 2*many {
				t.Errorf("%v spans", n)
			}
			if n := testutil.ToFloat64(e.sent); n != 0 && name != "endless" {
				t.Errorf("%v were taken", n)
			}
			began = time.Now()
			e.Close()
			if took := time.Since(began); took > atTheEnd+5*time.Second {
				t.Errorf("the end took %s", took)
			}
		})
	}
}
