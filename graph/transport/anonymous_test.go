package transport_test

import (
	"net/http"
	"strings"
	"testing"

	"usher/graph/transport"
)

const missingToken = `{"errors":[{"message":"no valid token was shown","extensions":{"code":"UNAUTHENTICATED","requestId":"same"}}]}`

// Without an Authorization header the executor decides; with one, whatever it
// holds, the token does.
func TestAnonymous(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{Anonymous: true})
	sameID, none := header("X-Request-Id", "same"), header("Authorization")
	response, body := f.do(request(`{"query":"{ client }"}`, none, header("X-Forwarded-For", "203.0.113.9"), header("Forwarded", "for=203.0.113.9")))
	if response.Code != http.StatusOK || body != `{"data":{"client":"192.0.2.1 true"}}` {
		t.Errorf("anonymous: %d %s", response.Code, body)
	}
	if _, body := f.do(request(`{"query":"{ client }"}`)); body != `{"data":{"client":"192.0.2.1 false"}}` {
		t.Errorf("a known caller: %s", body)
	}
	for _, values := range [][]string{{""}, {" "}, {"Bearer"}, {"Bearer " + badToken}, {"Basic YTpi"}, {"", ""}} {
		response, body := f.do(request(`{"query":"{ client }"}`, sameID, header("Authorization", values...)))
		if response.Code != http.StatusUnauthorized || body != missingToken {
			t.Errorf("%q: %d %s", values, response.Code, body)
		}
	}
	// Whatever is wrong with an anonymous request: a token is missing.
	for name, r := range map[string]*http.Request{
		"PUT":            request(``, sameID, none, method(http.MethodPut)),
		"no body":        request(``, sameID, none),
		"a batch":        request(`[]`, sameID, none),
		"a form":         request(`query=x`, sameID, none, header("Content-Type", "application/x-www-form-urlencoded")),
		"too large":      request(`{"query":"{ client } #`+strings.Repeat("x", 17<<10)+`"}`, sameID, none),
		"a GET mutation": get("query=mutation+%7Bcount%7D", sameID, none),
		"not acceptable": request(`{"query":"{ client }"}`, sameID, none, header("Accept", "text/html")),
	} {
		response, body := f.do(r)
		if response.Code != http.StatusUnauthorized || body != missingToken || response.Header().Get("Www-Authenticate") != "Bearer" {
			t.Errorf("%s: %d %s %v", name, response.Code, body, response.Header())
		}
		checkHeaders(t, response)
	}
	if f.schema.mutations != 0 {
		t.Error("a mutation was executed by GET")
	}
}

// A request may name a saved operation, or one by its hash, where its text would
// be; the executor reads the name.
func TestANameStandsForAQuery(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{})
	const missing = "the parameter query is missing or no string"
	for body, refused := range map[string]bool{
		`{"extensions":{"savedQuery":{"name":"x"}}}`:                false,
		`{"query":null,"extensions":{"savedQuery":{"name":"x"}}}`:   false,
		`{"query":7,"extensions":{"savedQuery":{"name":"x"}}}`:      true,
		`{"query":"","extensions":{"savedQuery":{"name":"x"}}}`:     false,
		`{"extensions":{"savedQuery":null}}`:                        true,
		`{"extensions":{"other":{"name":"x"}}}`:                     true,
		`{"extensions":{"persistedQuery":{"version":1}}}`:           false,
		`{"extensions":{"persistedQuery":null}}`:                    true,
		`{"extensions":{}}`:                                         true,
		`{"variables":{"savedQuery":{"name":"x"}}}`:                 true,
		`{"extensions":{"savedQuery":{"name":"x"}},"variables":{}}`: false,
	} {
		if _, got := f.do(request(body)); strings.Contains(got, missing) != refused {
			t.Errorf("%s: %s", body, got)
		}
	}
	if _, got := f.do(get("extensions=%7B%22savedQuery%22%3A%7B%22name%22%3A%22x%22%7D%7D")); strings.Contains(got, missing) {
		t.Errorf("GET: %s", got)
	}
}
