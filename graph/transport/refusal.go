package transport

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"

	"usher/fault"
	"usher/graph/requestid"
)

// notAuthenticated is the one message of every 401: which check a token failed
// is for the log, not for whoever made the token, unless tokens are explained.
const notAuthenticated = "no valid token was shown"

// refusal is the end of a request that no executor has seen.
type refusal struct {
	status int
	err    *fault.Error
	more   map[string]any // extensions beside those that every error has
}

// refuse makes the refusal of a malformed request.
func refuse(status int, message string) *refusal {
	return &refusal{status: status, err: fault.New(fault.BadUserInput, "%s", message)}
}

func (r *refusal) because(cause error) *refusal {
	return &refusal{status: r.status, err: r.err.Because(cause)}
}

// refusalOf translates an error that failed the whole request.
func refusalOf(err error) *refusal {
	e := fault.From(err)
	return &refusal{status: fault.Lookup(e.Code).Status, err: e}
}

// write answers a request that fails as a whole, with a GraphQL error as body.
// The cause is not sent.
func (r *refusal) write(w http.ResponseWriter, request *http.Request, explain bool) {
	media, acceptable := negotiate(request.Header.Values("Accept"))
	if !acceptable {
		media = plainJSON
	}
	message, reason := r.err.Message, ""
	if r.err.Code == fault.Unauthenticated {
		message = notAuthenticated
		if cause := r.err.Unwrap(); explain && cause != nil && reasonOf(cause) != message {
			reason = reasonOf(cause)
			message += ": " + reason
		}
	}
	challenge(w.Header(), request, r.status, reason)
	if r.err.RetryAfter > 0 {
		seconds := math.Ceil(r.err.RetryAfter.Seconds())
		w.Header().Set("Retry-After", strconv.FormatFloat(seconds, 'f', 0, 64))
	}
	extensions := map[string]any{"code": string(r.err.Code)}
	if r.err.RetryAfter > 0 {
		extensions["retryAfter"] = int(math.Ceil(r.err.RetryAfter.Seconds()))
	}
	maps.Copy(extensions, r.more)
	if r.err.Line > 0 {
		extensions["line"] = r.err.Line
	}
	if r.err.Unknown {
		extensions["unknown"] = true
	}
	if id := requestid.From(request.Context()); id != "" {
		extensions["requestId"] = id
	}
	if r.err.Hint != "" && r.err.Code != fault.Unauthenticated {
		extensions["hint"] = r.err.Hint
	}
	type graphqlError struct {
		Message    string         `json:"message"`
		Extensions map[string]any `json:"extensions"`
	}
	// Strings always marshal.
	body, _ := json.Marshal(map[string][]graphqlError{"errors": {{message, extensions}}})
	writeHead(w, media, r.status, len(body))
	_, _ = w.Write(body)
}

// reasonOf is the text of a cause, without the refusals that it came through.
func reasonOf(cause error) string {
	for inner := (*fault.Error)(nil); errors.As(cause, &inner); {
		if cause = inner.Unwrap(); cause == nil {
			return inner.Message
		}
	}
	return cause.Error()
}

// challenge says what is wrong with a request's token, as RFC 6750 has it: 401
// asks for one, and names no error where none was shown; 403 asks for one that
// grants more.
func challenge(header http.Header, request *http.Request, status int, reason string) {
	switch status {
	case http.StatusUnauthorized:
		with := "Bearer"
		if len(request.Header.Values("Authorization")) > 0 {
			with += ` error="invalid_token"`
			if reason != "" {
				with += `, error_description="` + strings.Map(described, reason) + `"`
			}
		}
		header.Set("WWW-Authenticate", with)
	case http.StatusForbidden:
		header.Set("WWW-Authenticate", `Bearer error="insufficient_scope"`)
	}
}

// described puts what an error_description may not have into what it may.
func described(r rune) rune {
	switch {
	case r == '"' || r == '\\':
		return '\''
	case r < ' ' || r > '~':
		return '?'
	}
	return r
}

// The headers of every answer, shared by all: nobody writes to a value of a header.
var (
	noStore   = []string{"no-store"}
	private   = []string{"private, no-cache"} // kept by its own client, and asked for each time whether it still holds
	noSniff   = []string{"nosniff"}
	plainUTF8 = []string{string(plainJSON) + "; charset=utf-8"}
	graphUTF8 = []string{string(graphqlResponse) + "; charset=utf-8"}
)

func utf8Of(media mediaType) []string {
	switch media { //nolint:exhaustive // only what is answered often is shared
	case graphqlResponse:
		return graphUTF8
	case plainJSON:
		return plainUTF8
	}
	return []string{string(media) + "; charset=utf-8"}
}

// unknownLength is that of an answer that is compressed while it is sent.
const unknownLength = -1

// writeHead writes the headers that every answer has.
func writeHead(w http.ResponseWriter, media mediaType, status, length int) {
	header := w.Header()
	header["Content-Type"] = utf8Of(media)
	if length != unknownLength {
		header["Content-Length"] = []string{strconv.Itoa(length)}
	}
	if len(header["Cache-Control"]) == 0 {
		header["Cache-Control"] = noStore
	}
	header["X-Content-Type-Options"] = noSniff
	if len(header["Vary"]) == 0 {
		header["Vary"] = varies
	}
	w.WriteHeader(status)
}
