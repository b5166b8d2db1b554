package noderun

import (
	_ "embed"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

//go:embed testdata/introspection.json
var introspection string

// answering serves one body to whoever shows the token.
func answering(t *testing.T, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer good" {
			body = `{"errors":[{"message":"no valid token was shown"}]}`
		}
		w.Header().Set("Content-Type", "application/graphql-response+json")
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestIntrospectPassesAValidSchema(t *testing.T) {
	t.Parallel()
	output := Run(t, "introspect.mjs", answering(t, introspection), "good")
	if !strings.Contains(output, "introspections are valid") {
		t.Errorf("it says %q", output)
	}
}

// The programs are worth running only if they can fail.
func TestProgramsFail(t *testing.T) {
	t.Parallel()
	dangling := strings.Replace(introspection, `"name": "OrdersWhere"`, `"name": "Missing"`, 1)
	if dangling == introspection {
		t.Fatal("the broken schema is the good one")
	}
	for name, c := range map[string]struct {
		script string
		args   []string
		says   string
	}{
		"dangling type":      {"introspect.mjs", []string{answering(t, dangling), "good"}, "Missing"},
		"refused token":      {"introspect.mjs", []string{answering(t, introspection), "bad"}, "no valid token was shown"},
		"wrong statuses":     {"audit.mjs", []string{answering(t, `{"data":{"__typename":"Query"}}`), "good"}, "of 61 audits passed"},
		"nobody listens":     {"audit.mjs", []string{"http://127.0.0.1:1", "good"}, "fetch failed"},
		"arguments missing":  {"audit.mjs", nil, "usage"},
		"no such program":    {"missing.mjs", nil, "missing.mjs"},
		"page is not served": {"query.mjs", []string{answering(t, `{}`) + "/console"}, "is not the console"},
		"client sees others": {"clients.mjs", []string{wrongClient(t), "ask"}, "ask: regions:"},
		"no client":          {"clients.mjs", []string{t.TempDir()}, "usage"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			output, err := run(t.Context(), c.script, c.args...)
			if err == nil || !strings.Contains(output, c.says) {
				t.Errorf("error %v, output %s, want %q in it", err, output, c.says)
			}
		})
	}
}

// wrongClient is the setup of a client to which there are no groups.
func wrongClient(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	const module = `export const options = () => ({ queryKey: [], queryFn: async () => ({ ordersAggregate: [] }) });`
	if err := os.WriteFile(filepath.Join(folder, "ask.js"), []byte(module), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}
