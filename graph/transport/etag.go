package transport

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

// revalidates tells whether the client may keep the answer and ask later whether
// it still holds: those of queries that a GET names by an id or a hash. Who wrote
// the text into the address wants an answer, not a resource.
func (x *exchange) revalidates(status int, response *graphql.Response) bool {
	return x.r.Method == http.MethodGet && x.named && !x.anonymous && status == http.StatusOK &&
		len(response.Errors) == 0 && len(response.Extensions) == 0
}

// entityTag is an answer's. It is weak, for codings change bytes and not what they say.
func entityTag(data []byte) string {
	sum := sha256.Sum256(data)
	return `W/"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// holds tells whether a client's answer is still the one: it sent the tags of those it
// has (RFC 9110, 13.1.2; the comparison is weak).
func holds(ifNoneMatch []string, tag string) bool {
	for _, header := range ifNoneMatch {
		for given := range strings.SplitSeq(header, ",") {
			given = strings.TrimSpace(given)
			if given == "*" || strings.TrimPrefix(given, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}
