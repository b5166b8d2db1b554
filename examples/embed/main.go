// Embed is an example of a backend whose pages show a distributor's dashboard: it
// knows who is signed in, asks usher for a token for them, and hands that to
// their browser. The browser asks usher by itself.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"time"
)

//go:embed page.html page.css page.js
var files embed.FS

func main() {
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt)
	defer end()
	if err := run(ctx); err != nil {
		slog.Error("the backend ended", "error", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	listen := flag.String("listen", "127.0.0.1:8090", "address to listen on")
	flag.Parse()
	b := &backend{usher: os.Getenv("USHER_SERVER"), key: os.Getenv("USHER_KEY"), sessions: make(map[string]string)}
	if b.usher == "" {
		b.usher = "http://127.0.0.1:8080"
	}
	if b.key == "" {
		return errors.New("put the service key into USHER_KEY; the README makes one")
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", *listen)
	if err != nil {
		return err
	}
	slog.Info("the backend listens", "url", "http://"+listener.Addr().String())
	server := &http.Server{Handler: b.routes(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}

// person is what this application knows of who is signed in. Whose data they
// see, and which part of it, is decided here and nowhere in the browser.
type person struct {
	tenant  string
	regions []string // nil: all
}

var people = map[string]person{
	"ann": {tenant: "burrito-bros", regions: []string{"South", "West"}},
	"bob": {tenant: "luna-y-sol"},
}

type backend struct {
	usher, key string

	mu       sync.Mutex
	sessions map[string]string // by the cookie's value: who
}

func (b *backend) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.page)
	mux.Handle("GET /page.css", http.FileServerFS(files))
	mux.Handle("GET /page.js", http.FileServerFS(files))
	mux.HandleFunc("POST /signin", b.signIn)
	mux.HandleFunc("POST /token", b.token)
	return mux
}

// page may run this server's scripts and usher's, and ask both: nothing else.
func (b *backend) page(w http.ResponseWriter, _ *http.Request) {
	text, err := files.ReadFile("page.html")
	if err != nil {
		http.Error(w, "there is no page", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", fmt.Sprintf(
		"default-src 'none'; script-src 'self' %[1]s; connect-src 'self' %[1]s; style-src 'self'; img-src 'self' data:", b.usher))
	_, _ = w.Write(bytes.ReplaceAll(text, []byte("{{usher}}"), []byte(b.usher)))
}

// signIn stands for however an application knows its users.
func (b *backend) signIn(w http.ResponseWriter, r *http.Request) {
	name := r.PostFormValue("name")
	if _, known := people[name]; !known {
		http.Error(w, "nobody of that name", http.StatusForbidden)
		return
	}
	session := rand.Text()
	b.mu.Lock()
	b.sessions[session] = name
	b.mu.Unlock()
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Without TLS, as here on one machine, a browser would not send a secure one.
		Name: "session", Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil,
	})
	w.WriteHeader(http.StatusNoContent)
}

func (b *backend) signedIn(r *http.Request) (name string, _ person, _ bool) {
	cookie, err := r.Cookie("session")
	if err != nil {
		return "", person{}, false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name, ok := b.sessions[cookie.Value]
	return name, people[name], ok
}

// token answers with a token for who is signed in.
func (b *backend) token(w http.ResponseWriter, r *http.Request) {
	name, who, ok := b.signedIn(r)
	if !ok {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	issued, err := b.mint(r.Context(), name, who)
	if err != nil {
		slog.Error("usher made no token", "error", err)
		if errors.Is(err, errRefused) {
			http.Error(w, "there is nothing for you any more", http.StatusForbidden)
			return
		}
		http.Error(w, "the data cannot be reached", http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(issued)
}

const createToken = `mutation($input: NewToken!) { createToken(input: $input) { token expiresAt } }`

// issued is what the page's element needs: it asks for another one before the end.
type issued struct {
	Token     string `json:"token"`
	ExpiresAt string `json:"expiresAt"`
}

// errRefused is the error of somebody who may have no token any more: the page shows them nothing then. All
// other errors pass.
var errRefused = errors.New("nobody gets a token for this")

// mint asks usher for a token: for a quarter of an hour, for the tenant, for
// one dashboard and for the regions that this person may see.
func (b *backend) mint(ctx context.Context, name string, who person) (issued, error) {
	input := map[string]any{
		"tenant":     who.tenant,
		"subject":    name,
		"dashboards": []string{"portal"},
		"expiresAt":  time.Now().Add(15 * time.Minute).UTC().Format(time.RFC3339),
	}
	if who.regions != nil {
		input["filters"] = []any{map[string]any{
			"dataset": "sales",
			"where":   map[string]any{"region": map[string]any{"in": who.regions}},
		}}
	}
	body, err := json.Marshal(map[string]any{"query": createToken, "variables": map[string]any{"input": input}})
	if err != nil {
		return issued{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, b.usher+"/graphql", bytes.NewReader(body))
	if err != nil {
		return issued{}, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+b.key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return issued{}, err
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Data   struct{ CreateToken issued }
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return issued{}, err
	}
	if len(answer.Errors) > 0 {
		err := fmt.Errorf("usher: %s", answer.Errors[0].Message)
		switch answer.Errors[0].Extensions.Code {
		case "FORBIDDEN", "CONFLICT", "NOT_FOUND":
			err = fmt.Errorf("%w: %w", errRefused, err)
		}
		return issued{}, err
	}
	return answer.Data.CreateToken, nil
}
