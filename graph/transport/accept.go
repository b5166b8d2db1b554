package transport

import (
	"mime"
	"strconv"
	"strings"
)

// A mediaType is one of the two forms an answer may take. They hold the same
// JSON and differ in what the HTTP status says: in plain JSON a GraphQL error
// is a fine answer (200), in a GraphQL response a failed request is an error.
type mediaType string

const (
	plainJSON       mediaType = "application/json"
	graphqlResponse mediaType = "application/graphql-response+json"
)

// negotiate picks the media type that the Accept headers prefer. False means
// that neither is acceptable. Without a preference it is plain JSON, for
// clients that know no other.
func negotiate(accept []string) (mediaType, bool) {
	if len(accept) == 0 || len(accept) == 1 && (accept[0] == string(plainJSON) || accept[0] == "*/*") { // what most clients say
		return plainJSON, true
	}
	ranges := parseAccept(strings.Join(accept, ","))
	plain, _ := preference(ranges, plainJSON)
	response, named := preference(ranges, graphqlResponse)
	switch {
	case response > plain, response == plain && response > 0 && named:
		return graphqlResponse, true
	case plain > 0:
		return plainJSON, true
	default:
		return "", false
	}
}

// acceptRange is one element of an Accept header, such as application/*;q=0.5.
type acceptRange struct {
	pattern string
	quality float64
}

// parseAccept reads an Accept header. Elements that are malformed or ask for
// another charset than UTF-8 are left out.
func parseAccept(header string) []acceptRange {
	var ranges []acceptRange
	for _, element := range strings.Split(header, ",") {
		pattern, parameters, err := mime.ParseMediaType(element)
		if err != nil || !isUTF8(parameters["charset"]) {
			continue
		}
		quality := 1.0
		if q, given := parameters["q"]; given {
			quality, err = strconv.ParseFloat(q, 64)
			if err != nil || !(quality >= 0 && quality <= 1) {
				continue
			}
		}
		ranges = append(ranges, acceptRange{pattern, quality})
	}
	return ranges
}

// preference returns the quality that the most specific matching range gives a
// media type, 0 without one, and whether that range names the type in full.
func preference(ranges []acceptRange, media mediaType) (quality float64, named bool) {
	for _, pattern := range []string{string(media), "application/*", "*/*"} {
		for _, r := range ranges {
			if r.pattern == pattern {
				return r.quality, pattern == string(media)
			}
		}
	}
	return 0, false
}

// isUTF8 says whether a charset parameter names the one encoding of JSON.
func isUTF8(charset string) bool {
	return charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}
