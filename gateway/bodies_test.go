package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/config"
	"usher/gateway"
	"usher/test/program"
)

// TestBodiesThatDoNotCome: whoever sends a part of a body and no more is answered, whatever else is wrong with the request, and
// the connection ends: it would be held for as long as the sender likes, and enough of them would keep everybody out.
func TestBodiesThatDoNotCome(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program.WriteFile(t, filepath.Join(dir, "secret"), program.Secret)
	program.MakeDuckDB(t, filepath.Join(dir, "shop.duckdb"), "CREATE TABLE notes AS SELECT 1 AS id, 'acme' AS tenant")
	cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(`
server: {timeout: 1s, import_timeout: 1s}
sources: {shop: {kind: duckdb, path: shop.duckdb}}
strategies: {shared: {kind: shared, source: shop}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}, may_grant: {write: true}}
datasets:
  notes: {tenant: tenant, key: id, columns: {id: Int, tenant: String}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	server := httptest.NewUnstartedServer(g.Handler())
	server.Config.ReadTimeout = 2 * time.Second
	server.Start()
	t.Cleanup(server.Close)
	token := program.Sign(t, `{"tenant": "acme"}`)
	for _, c := range []struct {
		name, line, head, body string
		status                 int
	}{
		{"a part", "POST /graphql", "Content-Type: application/json\r\nContent-Length: 100\r\n", `{"qu`, http.StatusRequestTimeout},
		{"nothing", "POST /graphql", "Content-Type: application/json\r\nContent-Length: 100\r\n", "", http.StatusRequestTimeout},
		{"a part of a chunk", "POST /graphql", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n", "20\r\n{\"qu", http.StatusRequestTimeout},
		{"of another type", "POST /graphql", "Content-Type: text/plain\r\nContent-Length: 100\r\n", `{"qu`, http.StatusUnsupportedMediaType},
		{"by GET", "GET /graphql?query=%7Bnotes%7Bid%7D%7D", "Content-Length: 100\r\n", `{"qu`, http.StatusBadRequest},
		{"an export", "POST /export/notes", "Content-Type: application/json\r\nContent-Length: 100\r\n", `{"qu`, http.StatusRequestTimeout},
		{"an export by GET", "GET /export/notes?query=%7Bnotes%7Bid%7D%7D", "Content-Length: 100\r\n", `{"qu`, http.StatusBadRequest},
		{"an import", "POST /import/notes", "Content-Type: text/csv\r\nContent-Length: 100\r\n", "id\n", http.StatusForbidden},
		{"an import of nothing", "POST /import/notes", "Content-Type: text/nothing\r\nContent-Length: 100\r\n", "id\n", 0},
		{"a dashboard", "POST /dashboards/none", "Content-Type: application/json\r\nContent-Length: 100\r\n", "{", 0},
		{"a page", "GET /console/", "Content-Length: 100\r\n", "x", http.StatusBadRequest},
		{"a hook", "POST /hooks/none", "Content-Length: 100\r\n", "x", http.StatusNotFound},
	} {
		for _, auth := range []string{"Authorization: Bearer " + token + "\r\n", "Authorization: Bearer nobody\r\n"} {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", server.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = conn.Close() }()
				_ = conn.SetReadDeadline(time.Now().Add(program.Patience))
				if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: usher\r\n%s%s\r\n%s", c.line, auth, c.head, c.body); err != nil {
					t.Fatal(err)
				}
				in := bufio.NewReader(conn)
				answer, err := http.ReadResponse(in, nil)
				if err != nil {
					t.Fatalf("no answer: %v", err)
				}
				_, _ = io.Copy(io.Discard, answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode < 400 || c.status != 0 && answer.StatusCode != c.status && !strings.Contains(auth, "nobody") {
					t.Errorf("the status is %d", answer.StatusCode)
				}
				if _, err := in.ReadByte(); err != io.EOF {
					t.Errorf("the connection goes on: %v", err)
				}
			})
		}
	}
}
