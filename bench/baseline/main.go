// Command baseline is the practical limit: a server written by hand for the
// benchmark's workloads and nothing else. The body's operationName chooses
// among fixed, prepared statements, and rows are appended to a buffer as JSON.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"

	_ "github.com/lib/pq" // registers the driver

	"usher/bench/server"
	"usher/bench/token"
)

func main() { server.Main(newAPI) }

// api answers the workloads.
type api struct {
	tokens    *token.Verifier
	workloads map[string][]field
	buffers   sync.Pool
}

// field is a prepared root field of an answer.
type field struct {
	key       string
	statement *sql.Stmt
	write     writeRows
	children  *field // items of orders, by the orders' ids
}

func newAPI(s server.Settings) (http.Handler, error) {
	db, err := sql.Open("postgres", s.DSN)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(s.MaxConns)
	db.SetMaxIdleConns(s.MaxConns)
	a := &api{tokens: s.Verifier, workloads: make(map[string][]field), buffers: sync.Pool{New: func() any { return new([]byte) }}}
	for name, parts := range workloads() {
		for _, p := range parts {
			f, err := prepare(db, p)
			if err != nil {
				return nil, err
			}
			a.workloads[name] = append(a.workloads[name], f)
		}
	}
	return a, nil
}

func prepare(db *sql.DB, p part) (field, error) {
	statement, err := db.PrepareContext(context.Background(), p.sql)
	if err != nil {
		return field{}, errors.Join(errors.New(p.sql), err)
	}
	f := field{key: p.key, statement: statement, write: p.write}
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
}

const maxBody = 1 << 20

// ServeHTTP implements http.Handler.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant, err := a.tokens.Tenant(r)
	if err != nil {
		http.Error(w, "the token is not accepted", http.StatusUnauthorized)
		return
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	var asked body
	if err := json.Unmarshal(text, &asked); err != nil {
		http.Error(w, "the body is not JSON", http.StatusBadRequest)
		return
	}
	fields, ok := a.workloads[asked.OperationName]
	if !ok {
		http.Error(w, "there is no such workload", http.StatusBadRequest)
		return
	}
	buffer := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	out, err := answer(r.Context(), (*buffer)[:0], fields, tenant)
	*buffer = out
	if err != nil {
		http.Error(w, "the database failed: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	_, _ = w.Write(out) //nolint:gosec // JSON by its Content-Type
}

func answer(ctx context.Context, out []byte, fields []field, tenant string) ([]byte, error) {
	out = append(out, `{"data":{`...)
	for i, f := range fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, '"')
		out = append(out, f.key...)
		out = append(out, '"', ':')
		var err error
		if out, err = f.answer(ctx, out, tenant); err != nil {
			return out, err
		}
	}
	return append(out, '}', '}'), nil
}

func (f *field) answer(ctx context.Context, out []byte, tenant string) ([]byte, error) {
	rows, err := f.statement.QueryContext(ctx, tenant)
	if err != nil {
		return out, err
	}
	defer func() { _ = rows.Close() }()
	if f.children != nil {
		return f.nested(ctx, out, rows, tenant)
	}
	if out, err = f.write(out, rows); err != nil {
		return out, err
	}
	return out, rows.Err()
}
