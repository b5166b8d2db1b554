package transport

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/fault"
	"usher/graph/requestid"
)

// writeResponse writes what the executor answered and returns the status. Data
// is written as it is, neither validated nor copied; without data the key is
// left out, which is how a request that was never executed is told from one
// whose answer is null.
func (x *exchange) writeResponse(media mediaType, response *graphql.Response) (int, error) {
	var tail []byte
	if len(response.Errors) > 0 {
		errs, err := json.Marshal(identified(response.Errors, requestid.From(x.ctx)))
		if err != nil {
			return 0, err
		}
		tail = append(append(tail, `"errors":`...), errs...)
	}
	if len(response.Extensions) > 0 {
		extensions, err := json.Marshal(response.Extensions)
		if err != nil {
			return 0, err
		}
		if len(tail) > 0 {
			tail = append(tail, ',')
		}
		tail = append(append(tail, `"extensions":`...), extensions...)
	}
	head := `{`
	if response.Data != nil {
		head = `{"data":`
		if len(tail) > 0 {
			tail = append([]byte{','}, tail...)
		}
	}
	tail = append(tail, '}')

	status := responseStatus(media, response)
	challenge(x.w.Header(), x.r, status, "")
	if seconds := retryAfter(response); seconds > 0 {
		x.w.Header().Set("Retry-After", strconv.Itoa(seconds))
	}
	if x.revalidates(status, response) {
		tag := entityTag(response.Data)
		x.w.Header()["Etag"], x.w.Header()["Cache-Control"] = []string{tag}, private
		if holds(x.r.Header["If-None-Match"], tag) {
			writeHead(x.w, media, http.StatusNotModified, unknownLength)
			return http.StatusNotModified, nil
		}
	}
	length := len(head) + len(response.Data) + len(tail)
	var body io.Writer = x.w
	if x.encodable {
		if encoded := x.encoders.begin(x.w, x.r, x.share, length); encoded != nil {
			defer encoded.end()
			body, length = encoded, unknownLength
		}
	}
	writeHead(x.w, media, status, length)
	// A failing write means the client left; there is nobody to tell.
	_, _ = io.WriteString(body, head)
	_, _ = body.Write(response.Data)
	_, _ = body.Write(tail)
	return status, nil
}

// responseStatus is the HTTP status of an executor's answer. An answer with
// data is 200 even when fields failed. Otherwise the first error decides: as
// a GraphQL response it is a failure, as plain JSON only a refusal of the
// caller (401, 403) or for the moment (429, 503) is, since clients of that media
// type read errors from the body of a 200.
func responseStatus(media mediaType, response *graphql.Response) int {
	if response.Data != nil || len(response.Errors) == 0 {
		return http.StatusOK
	}
	text, _ := response.Errors[0].Extensions["code"].(string)
	code := fault.Code(text)
	if media == graphqlResponse {
		if text == "" {
			return http.StatusBadRequest
		}
		return fault.Lookup(code).Status
	}
	switch code { //nolint:exhaustive // the others are read from the body
	case fault.Unauthenticated, fault.Forbidden, fault.TooManyRequests, fault.Unavailable:
		return fault.Lookup(code).Status
	}
	return http.StatusOK
}

// retryAfter is after how many seconds a request that was refused as a whole may
// be sent again, or 0.
func retryAfter(response *graphql.Response) int {
	if response.Data != nil {
		return 0
	}
	longest := 0
	for _, e := range response.Errors {
		seconds, _ := e.Extensions["retryAfter"].(int)
		longest = max(longest, seconds)
	}
	return longest
}

// identified returns the errors with the request id in each. They are copied, for
// an executor may send one error to several requests.
func identified(errs gqlerror.List, requestID string) gqlerror.List {
	list := make(gqlerror.List, len(errs))
	for i, err := range errs {
		c := *err
		c.Extensions = maps.Clone(err.Extensions)
		if c.Extensions == nil {
			c.Extensions = map[string]any{}
		}
		c.Extensions["requestId"] = requestID
		list[i] = &c
	}
	return list
}
