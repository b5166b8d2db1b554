// Package admin owns the commands that administer a running server, asked by
// GraphQL with a service key, and the one that makes the first key. It refuses
// keys and passwords as arguments, which other users of the machine could see.
package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"usher/cli/term"
)

// remote is the running server that a command asks, and how it prints what
// that says. The key is never an argument, which other users of the machine
// could see.
type remote struct {
	server
	JSON bool `help:"Print JSON." group:"The running server:"`
}

// server is where it is, and the key to it.
type server struct {
	Server  string `default:"http://127.0.0.1:8080" env:"USHER_SERVER" help:"Where usher serves (${default})." placeholder:"URL" group:"The running server:"`
	KeyFile string `env:"USHER_KEY_FILE" help:"File that holds the service key; else it is in the environment as USHER_KEY." placeholder:"FILE" group:"The running server:"`
}

// remoteTimeout bounds one question.
const remoteTimeout = 30 * time.Second

// maxRemoteAnswer bounds what is read of an answer.
const maxRemoteAnswer = 16 << 20

// administer asks for fields below admin, and reads those. The definitions are
// those of the variables.
func (r remote) administer(ctx context.Context, s *term.IO, operation, definitions, fields string, variables map[string]any, out any) error {
	return r.operate(ctx, s, operation, definitions, "admin { "+fields+" }", variables, &struct{ Admin any }{out})
}

// operate asks for root fields.
func (r remote) operate(ctx context.Context, s *term.IO, operation, definitions, fields string, variables map[string]any, out any) error {
	if definitions != "" {
		definitions = "(" + definitions + ")"
	}
	return r.ask(ctx, s, operation+definitions+" { "+fields+" }", variables, out)
}

// The operations of GraphQL.
const (
	query    = "query"
	mutation = "mutation"
)

// ask sends a document with its variables and reads the data into out.
func (r remote) ask(ctx context.Context, s *term.IO, document string, variables map[string]any, out any) error {
	endpoint, err := r.endpoint()
	if err != nil {
		return err
	}
	key, err := r.key(s)
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	defer s.Waiting(r.Server + " has not answered yet")()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/graphql-response+json")
	response, err := r.send(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxRemoteAnswer))
	if err != nil {
		return fmt.Errorf("the answer of %s breaks off: %w", r.Server, err)
	}
	return ofOwn(readAnswer(response.StatusCode, text, out))
}

func (r server) send(request *http.Request) (*http.Response, error) {
	// A redirect would carry the key elsewhere.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request) //nolint:gosec // where the operator says that usher is
	if err != nil {
		if failed := (*url.Error)(nil); errors.As(err, &failed) {
			err = failed.Err
		}
		return nil, fmt.Errorf("usher does not answer at %s: %w; start it with usher serve, or name another address with --server", r.Server, err)
	}
	return response, nil
}

func (r server) endpoint() (string, error) {
	u, err := url.Parse(r.Server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "", fmt.Errorf("--server %q is no address: write it as https://usher.example or http://127.0.0.1:8080", r.Server)
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return "", fmt.Errorf("--server %s: the key would travel unencrypted; use https", r.Server)
	}
	return u.JoinPath("graphql").String(), nil
}

func loopback(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

func (r server) key(s *term.IO) (string, error) {
	key, where := "", "USHER_KEY"
	if r.KeyFile != "" {
		text, err := os.ReadFile(r.KeyFile)
		if err != nil {
			return "", fmt.Errorf("cannot read the key: %w", err)
		}
		key, where = string(text), r.KeyFile
	} else {
		key, _ = s.Env("USHER_KEY")
	}
	key = strings.TrimSpace(key)
	if _, behind, printed := strings.Cut("\n"+key, "\ntoken "); printed && strings.HasPrefix(key, "id ") { // as usher key create and bootstrap print it
		key, _, _ = strings.Cut(strings.TrimSpace(behind), "\n")
	}
	switch {
	case key == "":
		return "", errors.New("there is no key: put a service key into USHER_KEY, or its file into --key-file; usher key bootstrap makes the first one")
	case strings.ContainsAny(key, " \t\r\n"):
		return "", fmt.Errorf("%s holds more than a key", where)
	}
	return key, nil
}

// readAnswer tells what the server refused, and what to do about it.
func readAnswer(status int, text []byte, out any) error {
	var answer struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code, Hint string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("what answers there with status %d is not usher: check --server", status)
	}
	if len(answer.Errors) == 0 {
		return json.Unmarshal(answer.Data, out)
	}
	first := answer.Errors[0]
	problem := errors.New(first.Message)
	switch {
	case first.Extensions.Hint != "":
		return fmt.Errorf("%w: %s", problem, first.Extensions.Hint)
	case first.Extensions.Code == "UNAUTHENTICATED":
		return fmt.Errorf("%w: the key is wrong, expired or revoked; an administrator makes another with usher key create, "+
			"and who has the configuration with usher key bootstrap --recover", problem)
	case first.Extensions.Code == "GRAPHQL_VALIDATION_FAILED":
		return invalid{problem}
	}
	return problem
}

// invalid is that a document does not fit the schema which the key sees.
type invalid struct{ error }

// ofOwn is the error of a document that usher's own programs wrote, which is right where all is.
func ofOwn(err error) error {
	if problem := (invalid{}); errors.As(err, &problem) {
		return fmt.Errorf("%w: the key may not do this, or the server has no control store or is of another version", problem)
	}
	return err
}

// show writes an answer: as JSON, or else as text.
func (r remote) show(s *term.IO, answer any, text func(w io.Writer)) error {
	if r.JSON {
		e := json.NewEncoder(s.Stdout)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(answer)
	}
	w := tabwriter.NewWriter(s.Stdout, 0, 0, 2, ' ', 0)
	text(w)
	return w.Flush()
}

// row writes cells, with a dash for what is empty.
func row(w io.Writer, cells ...string) {
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "-"
		}
	}
	fmt.Fprintln(w, strings.Join(cells, "\t"))
}

// more says where the next page begins.
func more(s *term.IO, next *string) {
	if next != nil {
		fmt.Fprintf(s.Stderr, "there are more: --after %s\n", *next)
	}
}

// paging asks for a part of a list.
type paging struct {
	After string `help:"Where a list that was too long went on." placeholder:"NEXT"`
	Limit int    `default:"50" help:"How many to list, 500 at most (${default})."`
}

// variables are the variables of a question without those that are empty: what
// is left out has a meaning of its own.
type variables map[string]any

func (v variables) set(name, text string) {
	if text != "" {
		v[name] = text
	}
}

func (v variables) list(name string, list []string) {
	if len(list) > 0 {
		v[name] = list
	}
}

func (p paging) variables() variables {
	v := variables{"limit": p.Limit}
	v.set("after", p.After)
	return v
}

// issuedAnswer is a token or key that was just made.
type issuedAnswer struct {
	ID        string   `json:"id"`
	Token     string   `json:"token"`
	ExpiresAt *string  `json:"expiresAt"`
	Findings  []string `json:"findings,omitempty"`
}

// issuedFields ask for it.
const issuedFields = "{ id token expiresAt findings }"

// issued prints what was made, and what is worth knowing of it beside it, where a
// program that reads the token does not take it for a part of that.
func (r remote) issued(s *term.IO, made issuedAnswer) error {
	if err := r.show(s, made, made.text); err != nil {
		return err
	}
	for _, finding := range made.Findings {
		fmt.Fprintln(s.Stderr, finding)
	}
	return nil
}

func (i issuedAnswer) text(w io.Writer) {
	expires := "never"
	if i.ExpiresAt != nil {
		expires = *i.ExpiresAt
	}
	row(w, "id", i.ID)
	row(w, "token", i.Token)
	row(w, "expires", expires)
}

func dash(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
