package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"usher/auth"
	"usher/test/program"
)

// brokerExample is the folder of the example.
const brokerExample = "examples/broker"

// TestBroker is examples/broker as its README has it, over real HTTP: usher,
// the broker as a program of its own, and two clients whose stores hold orders
// of the same numbers.
func TestBroker(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	if err := files.Mkdir("data", 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		if err := files.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return filepath.Join(dir, name)
	}
	broker := startBroker(t, write("data/secret", "what usher and the broker know\n"))
	const signing = "what usher and whoever signs tokens know"
	write("data/token-secret", signing+"\n")
	text, err := os.ReadFile(filepath.Join(brokerExample, "usher.yml"))
	if err != nil {
		t.Fatal(err)
	}
	config := write("usher.yml", strings.Replace(string(text), "http://127.0.0.1:8091", broker, 1))
	if out, err := program.Command(t, "check", "--config", config); err != nil || !strings.HasPrefix(out, "ok: ") {
		t.Errorf("usher check: %v\n%s", err, out)
	}
	u := program.Start(t, "serve", "--config", config, "--listen", "127.0.0.1:0")
	token := func(tenant string) string {
		now := time.Now()
		signed, err := auth.SignHS256([]byte(signing), map[string]any{
			"iss": "broker-example", "aud": "usher", "sub": "test", "tenant": tenant, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
		})
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	readme, err := os.ReadFile(filepath.Join(brokerExample, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ tenant, query, want string }{
		{
			"north", "{ ordersAggregate(orderBy: [{count: DESC}]) { key { channel } count pieces } }",
			`{"data":{"ordersAggregate":[{"key":{"channel":"counter"},"count":60,"pieces":150},{"key":{"channel":"web"},"count":25,"pieces":61}]}}`,
		},
		{
			"south", "{ ordersAggregate(orderBy: [{count: DESC}]) { key { channel } count pieces } }",
			`{"data":{"ordersAggregate":[{"key":{"channel":"web"},"count":50,"pieces":123},{"key":{"channel":"counter"},"count":40,"pieces":100}]}}`,
		},
		{
			"north", `{ orders(where: {id: {eq: "1001"}}, orderBy: [{channel: ASC}]) { channel product quantity placed } }`,
			`{"data":{"orders":[{"channel":"counter","product":"Taco","quantity":2,"placed":"2026-03-02T10:30:00Z"},{"channel":"web","product":"Nachos","quantity":2,"placed":"2026-03-02T14:00:00Z"}]}}`,
		},
		{
			"south", `{ orders(where: {id: {eq: "1001"}}, orderBy: [{channel: ASC}]) { channel product quantity placed } }`,
			`{"data":{"orders":[{"channel":"counter","product":"Taco","quantity":2,"placed":"2026-03-02T11:00:00Z"},{"channel":"web","product":"Churros","quantity":2,"placed":"2026-03-02T12:00:00Z"}]}}`,
		},
		{
			"south", `{ ordersByPk(channel: web, id: "1000") { product } }`, `{"data":{"ordersByPk":{"product":"Taco"}}}`,
		},
	} {
		status, body := program.Fetch(t, u.Ask(t, token(c.tenant), c.query))
		if got := strings.TrimSpace(string(body)); status != http.StatusOK || got != c.want {
			t.Errorf("%s: %s: %d %s\nwant %s", c.tenant, c.query, status, got, c.want)
		}
		if strings.Contains(c.query, "Aggregate") && !strings.Contains(string(readme), c.want) {
			t.Errorf("the README does not have the answer %s", c.want)
		}
	}
	if status, body := program.Fetch(t, u.Ask(t, token("east"), "{ orders { id } }")); status != http.StatusUnauthorized && status != http.StatusForbidden {
		t.Errorf("a client that nobody registered is answered %d %s", status, body)
	}
}

// startBroker builds the example and runs it for the length of the test.
func startBroker(t *testing.T, secretFile string) (url string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "broker")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./"+brokerExample).CombinedOutput(); err != nil { //nolint:gosec // the test names the package
		t.Fatalf("build the broker: %v\n%s", err, out)
	}
	out := program.NewOutput()
	command := exec.CommandContext(t.Context(), binary, "-listen", "127.0.0.1:0", "-secret", secretFile) //nolint:gosec // what was just built
	command.Stderr = out
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = program.Patience
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the test's context has ended, and the broker with it
		if err := command.Wait(); err != nil && t.Context().Err() == nil {
			t.Errorf("the broker ended with %v\n%s", err, out)
		}
	})
	select {
	case url = <-out.Address:
	case <-time.After(program.Patience):
		t.Fatalf("the broker does not listen\n%s", out)
	}
	return url
}
