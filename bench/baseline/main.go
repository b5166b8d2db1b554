// Command baseline is the practical limit: a server written by hand for the
// benchmark's workloads and nothing else. The body's operationName chooses
// among fixed, prepared statements, and rows are appended to a buffer as JSON.
package main

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	_ "github.com/lib/pq" // registers the driver

	"usher/bench/server"
	"usher/bench/token"
)

func main() { server.Main(newAPI) }

// api answers the workloads.
type api struct {
	log       *slog.Logger // nil: there is none
	tokens    *token.Verifier
	workloads map[string][]field
	pages     pages
	writes    func() (*writes, error) // prepared by the first that writes: without writing there are no such tables
	buffers   sync.Pool
}

// field is a prepared root field of an answer.
type field struct {
	key       string
	statement *sql.Stmt
	write     writeRows
	children  *field // items of orders, by the orders' ids
	args      func(asked) []any
}

// asked is what a request brings.
type asked struct {
	claims    token.Claims
	variables map[string]json.RawMessage
}

// variable is the value of the only variable.
func (q asked) variable() string {
	for _, text := range q.variables {
		return strings.Trim(string(text), `"`)
	}
	return ""
}

func newAPI(s server.Settings) (http.Handler, error) {
	db, err := sql.Open("postgres", s.DSN)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(s.MaxConns)
	db.SetMaxIdleConns(s.MaxConns)
	a := &api{
		tokens: s.Verifier, workloads: make(map[string][]field), buffers: sync.Pool{New: func() any { return new([]byte) }},
	}
	if os.Getenv("BENCH_LOG") != "" {
		a.log = slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	for name, parts := range workloads() {
		for _, p := range parts {
			f, err := prepare(db, p)
			if err != nil {
				return nil, err
			}
			a.workloads[name] = append(a.workloads[name], f)
		}
	}
	a.writes = sync.OnceValues(func() (*writes, error) { return prepareWrites(db) })
	a.pages, err = preparePages(db)
	return a, err
}

func prepare(db *sql.DB, p part) (field, error) {
	statement, err := db.PrepareContext(context.Background(), p.sql)
	if err != nil {
		return field{}, errors.Join(errors.New(p.sql), err)
	}
	f := field{key: p.key, statement: statement, write: p.write, args: p.args}
	if p.children != nil {
		child, err := prepare(db, *p.children)
		if err != nil {
			return field{}, err
		}
		f.children = &child
	}
	return f, nil
}

// body is what GraphQL clients send; the text of the query is not looked at.
type body struct {
	Query         string `json:"query"`
	OperationName string `json:"operationName"`

	Variables map[string]json.RawMessage `json:"variables"`
}

const maxBody = 1 << 20

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if a.log == nil {
		a.serve(w, r)
		return
	}
	began := time.Now()
	claims, operation, status := a.serve(w, r)
	a.log.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("request_id", rand.Text()),
		slog.String("tenant", claims.Tenant),
		slog.String("subject", claims.Subject),
		slog.String("operation", operation),
		slog.Int("status", status),
		slog.Duration("duration", time.Since(began)))
}

// serve answers a request and returns what a log says of it.
func (a *api) serve(w http.ResponseWriter, r *http.Request) (_ token.Claims, operation string, status int) {
	claims, err := a.tokens.Verify(r)
	refuse := func(status int, message string) (token.Claims, string, int) {
		http.Error(w, message, status)
		return claims, operation, status
	}
	if err != nil {
		return refuse(http.StatusUnauthorized, "the token is not accepted")
	}
	if r.URL.Path == importPath {
		if err := a.serveImport(w, r, asked{claims: claims}); err != nil {
			return refuse(http.StatusInternalServerError, "the database failed: "+err.Error())
		}
		return claims, operation, http.StatusOK
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return refuse(http.StatusBadRequest, "the body cannot be read")
	}
	var b body
	if err := json.Unmarshal(text, &b); err != nil {
		return refuse(http.StatusBadRequest, "the body is not JSON")
	}
	operation = b.OperationName
	fields, ok := a.workloads[operation]
	buffer := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	question := asked{claims: claims, variables: b.Variables}
	var out []byte
	switch {
	case ok:
		out, err = answer(r.Context(), (*buffer)[:0], fields, question)
	case operation == pagesName:
		out, err = a.pages.answer(r.Context(), (*buffer)[:0], question)
	default:
		out, err = a.write(r.Context(), (*buffer)[:0], operation, question)
	}
	*buffer = out
	if err != nil {
		return refuse(http.StatusInternalServerError, "the database failed: "+err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = w.Write(out)
	return claims, operation, http.StatusOK
}

func answer(ctx context.Context, out []byte, fields []field, q asked) ([]byte, error) {
	out = append(out, `{"data":{`...)
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, f.key...)
		out = append(out, '"', ':')
		var err error
		if out, err = f.answer(ctx, out, q); err != nil {
			return out, err
		}
	}
	return append(out, '}', '}'), nil
}

func (f *field) answer(ctx context.Context, out []byte, q asked) ([]byte, error) {
	args := []any{q.claims.Tenant}
	if f.args != nil {
		args = append(args, f.args(q)...)
	}
	rows, err := f.statement.QueryContext(ctx, args...)
	if err != nil {
		return out, err
	}
	defer func() { _ = rows.Close() }()
	if f.children != nil {
		return f.nested(ctx, out, rows, q.claims.Tenant)
	}
	if out, err = f.write(out, rows); err != nil {
		return out, err
	}
	return out, rows.Err()
}
