package transport

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"usher/fault"
	"usher/graph/requestid"
)

// notAuthenticated is the one message of every 401: which check a token failed
// is for the log, not for whoever made the token.
const notAuthenticated = "no valid token was shown"

// refusal is the end of a request that no executor has seen.
type refusal struct {
	status int
	err    *fault.Error
}

// refuse makes the refusal of a malformed request.
func refuse(status int, message string) *refusal {
	return &refusal{status, fault.New(fault.BadUserInput, "%s", message)}
}

func (r *refusal) because(cause error) *refusal {
	return &refusal{r.status, r.err.Because(cause)}
}

// refusalOf translates an error that failed the whole request.
func refusalOf(err error) *refusal {
	e := fault.From(err)
	return &refusal{fault.Lookup(e.Code).Status, e}
}

// write answers a request that fails as a whole, with a GraphQL error as body.
// The cause is not sent.
func (r *refusal) write(w http.ResponseWriter, request *http.Request) {
	media, acceptable := negotiate(request.Header.Values("Accept"))
	if !acceptable {
		media = plainJSON
	}
	message := r.err.Message
	if r.err.Code == fault.Unauthenticated {
		message = notAuthenticated
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if r.err.RetryAfter > 0 {
		seconds := math.Ceil(r.err.RetryAfter.Seconds())
		w.Header().Set("Retry-After", strconv.FormatFloat(seconds, 'f', 0, 64))
	}
	extensions := map[string]string{"code": string(r.err.Code)}
	if id := requestid.From(request.Context()); id != "" {
		extensions["requestId"] = id
	}
	if r.err.Hint != "" && r.err.Code != fault.Unauthenticated {
		extensions["hint"] = r.err.Hint
	}
	type graphqlError struct {
		Message    string            `json:"message"`
		Extensions map[string]string `json:"extensions"`
	}
	// Strings always marshal.
	body, _ := json.Marshal(map[string][]graphqlError{"errors": {{message, extensions}}})
	writeHead(w, media, r.status, len(body))
	_, _ = w.Write(body)
}

// writeHead writes the headers that every answer has.
func writeHead(w http.ResponseWriter, media mediaType, status, length int) {
	header := w.Header()
	header.Set("Content-Type", string(media)+"; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(length))
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if header.Get("Vary") == "" {
		header.Set("Vary", "Authorization, Accept")
	}
	w.WriteHeader(status)
}
