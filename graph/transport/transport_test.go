package transport_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/graph/transport"
	"usher/principal"
	"usher/test/noderun"
)

// TestSpecification runs the audits of the reference implementation.
func TestSpecification(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newFixture(transport.Options{}))
	defer server.Close()
	output := noderun.Run(t, "audit.mjs", server.URL+"/graphql", goodToken)
	if !strings.Contains(output, "61 of 61 audits passed") {
		t.Errorf("the audits say %q", output)
	}
}

// refusals: a request, the status, and the code of its one error.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const query = `{"query":"{ __typename }"}`
	canary := "canary-of-the-body"
	small := transport.Options{MaxBody: 1000}
	cases := map[string]struct {
		request *http.Request
		status  int
		code    fault.Code
	}{
		"empty body":                {request(``), 400, fault.BadUserInput},
		"not JSON":                  {request(`{"query": ` + canary), 400, fault.BadUserInput},
		"trailing garbage":          {request(query + canary), 400, fault.BadUserInput},
		"second value":              {request(query + query), 400, fault.BadUserInput},
		"byte order mark":           {request("\ufeff" + query), 400, fault.BadUserInput},
		"not UTF-8":                 {request("{\"query\":\"{ __typename } # \xff\"}"), 400, fault.BadUserInput},
		"duplicate key":             {request(`{"query":"{ fail }","query":"{ __typename }"}`), 400, fault.BadUserInput},
		"duplicate variable":        {request(`{"query":"{ __typename }","variables":{"a":[{"b":1,"b":2}]}}`), 400, fault.BadUserInput},
		"duplicate escaped key":     {request(`{"query":"{ fail }","quer\u0079":"{ __typename }"}`), 400, fault.BadUserInput},
		"key in other case":         {request(`{"Query":"{ __typename }"}`), 400, fault.BadUserInput},
		"deep nesting":              {request(`{"query":"{ __typename }","variables":{"a":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}}`), 400, fault.BadUserInput},
		"batch":                     {request(`[` + query + `,` + query + `]`), 400, fault.BadUserInput},
		"a string":                  {request(`"` + canary + `"`), 400, fault.BadUserInput},
		"null":                      {request(`null`), 400, fault.BadUserInput},
		"query missing":             {request(`{"qeury":"` + canary + `"}`), 400, fault.BadUserInput},
		"query no string":           {request(`{"query":{"canary":"` + canary + `"}}`), 400, fault.BadUserInput},
		"name no string":            {request(`{"query":"{ __typename }","operationName":1}`), 400, fault.BadUserInput},
		"variables a list":          {request(`{"query":"{ __typename }","variables":[]}`), 400, fault.BadUserInput},
		"extensions a string":       {request(`{"query":"{ __typename }","extensions":"x"}`), 400, fault.BadUserInput},
		"too large":                 {request(`{"query":"{ __typename } #` + strings.Repeat("x", 1000) + `"}`), 413, fault.TooComplex},
		"form":                      {request(`query=%7B__typename%7D`, header("Content-Type", "application/x-www-form-urlencoded")), 415, fault.BadUserInput},
		"multipart":                 {request(canary, header("Content-Type", "multipart/form-data; boundary=x")), 415, fault.BadUserInput},
		"text":                      {request(query, header("Content-Type", "text/plain")), 415, fault.BadUserInput},
		"no content type":           {request(query, header("Content-Type")), 415, fault.BadUserInput},
		"two content types":         {request(query, header("Content-Type", "application/json", "text/plain")), 415, fault.BadUserInput},
		"another charset":           {request(query, header("Content-Type", "application/json; charset=latin1")), 415, fault.BadUserInput},
		"compressed":                {request(query, header("Content-Encoding", "gzip")), 415, fault.BadUserInput},
		"not acceptable":            {request(query, header("Accept", "text/html")), 406, fault.BadUserInput},
		"nothing acceptable":        {request(query, header("Accept", "application/json;q=0")), 406, fault.BadUserInput},
		"acceptable in latin1 only": {request(query, header("Accept", "application/json; charset=latin1")), 406, fault.BadUserInput},
		"PUT":                       {request(query, method(http.MethodPut)), 405, fault.BadUserInput},
		"DELETE":                    {request(query, method(http.MethodDelete)), 405, fault.BadUserInput},
		"HEAD":                      {request(query, method(http.MethodHead)), 405, fault.BadUserInput},
		"subscription":              {request(`{"query":"subscription { ticks }"}`), 400, fault.BadUserInput},
		"GET mutation":              {get("query=mutation+%7Bcount%7D"), 405, fault.BadUserInput},
		"GET subscription":          {get("query=subscription+%7Bticks%7D"), 400, fault.BadUserInput},
		"GET without query":         {get(""), 400, fault.BadUserInput},
		"GET with two queries":      {get("query=%7Bfail%7D&query=%7B__typename%7D"), 400, fault.BadUserInput},
		"GET with bad variables":    {get("query=%7B__typename%7D&variables=" + canary), 400, fault.BadUserInput},
		"GET with duplicate keys":   {get("query=%7B__typename%7D&variables=" + url.QueryEscape(`{"a":1,"a":2}`)), 400, fault.BadUserInput},
		"GET with bad escapes":      {get("query=%7B__typename%7D&" + canary + "=%zz"), 400, fault.BadUserInput},
		"GET too long":              {get("query=%7B__typename%7D%23" + strings.Repeat("x", 1000)), 414, fault.TooComplex},
		"no token":                  {request(query, header("Authorization")), 401, fault.Unauthenticated},
		"bad token":                 {request(query, header("Authorization", "Bearer "+badToken)), 401, fault.Unauthenticated},
		"token before method":       {request(query, header("Authorization"), method(http.MethodPut)), 401, fault.Unauthenticated},
		"principal of no tenant":    {request(query, header("Authorization", "Bearer nobody")), 401, fault.Unauthenticated},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(small)
			response, body := f.do(c.request)
			if response.Code != c.status {
				t.Errorf("status %d, want %d: %s", response.Code, c.status, body)
			}
			a := decode(t, body)
			if len(a.Errors) != 1 || a.Errors[0].Extensions["code"] != string(c.code) || a.Data != nil {
				t.Fatalf("want one error %s and no data: %s", c.code, body)
			}
			if id := a.Errors[0].Extensions["requestId"]; id == "" || id != response.Header().Get("X-Request-Id") {
				t.Errorf("request id %q in the body, %q in the header", id, response.Header().Get("X-Request-Id"))
			}
			for _, secret := range []string{canary, goodToken, badToken} {
				if strings.Contains(body, secret) {
					t.Errorf("the answer repeats %q: %s", secret, body)
				}
				if strings.Contains(f.logs.String(), secret) {
					t.Errorf("the log repeats %q: %s", secret, f.logs)
				}
			}
			if f.schema.mutations != 0 {
				t.Error("the mutation ran")
			}
			checkHeaders(t, response)
		})
	}
}

func checkHeaders(t *testing.T, response *httptest.ResponseRecorder) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control":          "no-store",
		"Vary":                   "Authorization, Accept, Accept-Encoding",
		"X-Content-Type-Options": "nosniff",
	} {
		if got := response.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	_, offersBearer := response.Header()["Www-Authenticate"]
	if offersBearer != (response.Code == http.StatusUnauthorized || response.Code == http.StatusForbidden) {
		t.Errorf("status %d with WWW-Authenticate: %v", response.Code, offersBearer)
	}
	_, allows := response.Header()["Allow"]
	if allows != (response.Code == http.StatusMethodNotAllowed) {
		t.Errorf("status %d with Allow: %v", response.Code, allows)
	}
}

// Which check a token failed shows in no answer.
func TestRefusedTokensAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{})
	sameID := header("X-Request-Id", "same")
	_, none := f.do(request(``, sameID, header("Authorization")))
	_, bad := f.do(request(``, sameID, header("Authorization", "Bearer "+badToken)))
	_, nobody := f.do(request(``, sameID, header("Authorization", "Bearer nobody")))
	want := `{"errors":[{"message":"no valid token was shown","extensions":{"code":"UNAUTHENTICATED","requestId":"same"}}]}`
	for _, body := range []string{none, bad, nobody} {
		if body != want {
			t.Errorf("got  %s\nwant %s", body, want)
		}
	}
	if !strings.Contains(f.logs.String(), "kid 7") {
		t.Errorf("the log lacks the reason: %s", f.logs)
	}
}

// What a token lacks is said as RFC 6750 has it, and why it was refused only
// where tokens are explained.
func TestChallenges(t *testing.T) {
	t.Parallel()
	const plain = `{"errors":[{"message":"no valid token was shown","extensions":{"code":"UNAUTHENTICATED","requestId":"same"}}]}`
	expired := func(_ context.Context, r *http.Request) (principal.Principal, error) {
		switch {
		case r.Header.Get("Authorization") == "Bearer poor":
			return principal.Principal{}, fault.New(fault.Forbidden, "the token does not name a tenant").Because(errors.New("secret"))
		case r.Header.Get("Authorization") == "Bearer "+goodToken:
			return principal.Principal{Subject: "ann", Issuer: "test", Tenant: "acme"}, nil
		}
		return principal.Principal{}, fault.New(fault.Unauthenticated, "the token is missing or not accepted").Because(errors.New("token \"é\" has\nexpired"))
	}
	for _, c := range []struct {
		explain, anonymous bool
		authorization      []string
		status             int
		challenge, body    string
	}{
		{false, false, nil, 401, `Bearer`, plain},
		{false, true, nil, 401, `Bearer`, plain},
		{false, false, []string{"Bearer old"}, 401, `Bearer error="invalid_token"`, plain},
		{false, true, []string{"Bearer old"}, 401, `Bearer error="invalid_token"`, plain},
		{false, false, []string{""}, 401, `Bearer error="invalid_token"`, plain},
		{false, false, []string{"Bearer poor"}, 403, `Bearer error="insufficient_scope"`, `{"errors":[{"message":"the token does not name a tenant","extensions":{"code":"FORBIDDEN","requestId":"same"}}]}`},
		{true, true, nil, 401, `Bearer`, `{"errors":[{"message":"no valid token was shown: batches are not answered: send one operation in a request","extensions":{"code":"UNAUTHENTICATED","requestId":"same"}}]}`},
		{
			true, false,
			[]string{"Bearer old"},
			401, `Bearer error="invalid_token", error_description="token '?' has?expired"`,
			`{"errors":[{"message":"no valid token was shown: token \"é\" has\nexpired","extensions":{"code":"UNAUTHENTICATED","requestId":"same"}}]}`,
		},
		{true, false, []string{"Bearer poor"}, 403, `Bearer error="insufficient_scope"`, `{"errors":[{"message":"the token does not name a tenant","extensions":{"code":"FORBIDDEN","requestId":"same"}}]}`},
		{true, false, []string{"Bearer " + goodToken}, 200, ``, `{"data":{"principal":"acme"}}`},
	} {
		logs := &logs{}
		h := transport.New(newExecutor(newSchema()), expired, transport.Options{
			ExplainTokens: c.explain, Anonymous: c.anonymous, Logger: slog.New(slog.NewTextHandler(logs, nil)),
		})
		query := `{"query":"{ principal }"}`
		if c.anonymous && c.authorization == nil {
			query = `[]`
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(query, header("Authorization", c.authorization...), header("X-Request-Id", "same")))
		if w.Code != c.status || w.Header().Get("WWW-Authenticate") != c.challenge || w.Body.String() != c.body {
			t.Errorf("%+v:\n%d %s\n%s", c, w.Code, w.Header().Get("WWW-Authenticate"), w.Body)
		}
		if len(c.authorization) > 0 && c.authorization[0] == "Bearer old" && !strings.Contains(logs.String(), "expired") {
			t.Errorf("%+v: the log lacks the reason: %s", c, logs)
		}
	}
}

// unread fails the test when somebody reads it.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read before the token was accepted")
	return 0, io.EOF
}

func TestTheTokenComesBeforeTheBody(t *testing.T) {
	t.Parallel()
	r := request(``, header("Authorization"))
	r.Body = io.NopCloser(unread{t})
	if response, _ := newFixture(transport.Options{}).do(r); response.Code != 401 {
		t.Errorf("status %d, want 401", response.Code)
	}
}

// A question, how it is asked, and the whole answer.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const (
		plain    = "application/json; charset=utf-8"
		response = "application/graphql-response+json; charset=utf-8"
	)
	asResponse := header("Accept", "application/graphql-response+json")
	for name, c := range map[string]struct {
		request *http.Request
		status  int
		media   string
		body    string
	}{
		"exact digits": {
			request(`{"query":"{ exact }"}`), 200, plain,
			`{"data":{"exact":9007199254740993.10}}`,
		},
		"exact variable": {
			request(`{"query":"query($v: Decimal) { echo(value: $v) }","variables":{"v":9007199254740993.10}}`), 200, plain,
			`{"data":{"echo":"9007199254740993.10"}}`,
		},
		"the named operation": {
			request(`{"query":"query A { exact } query B { principal }","operationName":"B","variables":null,"unknown":true}`), 200, plain,
			`{"data":{"principal":"acme"}}`,
		},
		"GET": {
			get("query=query($v:Decimal)%7Becho(value:$v)%7D&variables="+url.QueryEscape(`{"v":1.50}`)+"&other=1", asResponse), 200, response,
			`{"data":{"echo":"1.50"}}`,
		},
		"identity encoding": {
			request(`{"query":"{ principal }"}`, header("Content-Encoding", "identity")), 200, plain,
			`{"data":{"principal":"acme"}}`,
		},
		"failing field": {
			request(`{"query":"{ fail }"}`, asResponse), 200, response,
			`{"data":{"fail":null},"errors":[{"message":"UNAVAILABLE: the source does not answer","extensions":{"requestId":"r-1"}}]}`,
		},
		"parse error as JSON": {
			request(`{"query":"{"}`), 200, plain,
			`{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_PARSE_FAILED","requestId":"r-1"}}]}`,
		},
		"parse error as response": {
			request(`{"query":"{"}`, asResponse), 400, response,
			`{"errors":[{"message":"Expected Name, found \u003cEOF\u003e","locations":[{"line":1,"column":2}],"extensions":{"code":"GRAPHQL_PARSE_FAILED","requestId":"r-1"}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c.request.Header.Set("X-Request-Id", "r-1")
			got, body := newFixture(transport.Options{}).do(c.request)
			if got.Code != c.status || body != c.body {
				t.Errorf("got  %d %s\nwant %d %s", got.Code, body, c.status, c.body)
			}
			if media := got.Header().Get("Content-Type"); media != c.media {
				t.Errorf("content type %q, want %q", media, c.media)
			}
			if length := got.Header().Get("Content-Length"); length != fmt.Sprint(len(body)) {
				t.Errorf("content length %s of %d bytes", length, len(body))
			}
			checkHeaders(t, got)
		})
	}
}

func TestAccept(t *testing.T) {
	t.Parallel()
	const plain, response, none = "application/json", "application/graphql-response+json", ""
	for accept, want := range map[string]string{
		"*/*":           plain,
		"application/*": plain,
		"application/json, application/graphql-response+json":             response,
		"application/graphql-response+json;q=0.5, application/json;q=0.9": plain,
		"application/graphql-response+json, application/json;q=0.9":       response,
		"application/graphql-response+json, */*":                          response,
		"application/json, */*;q=0.1":                                     plain,
		"application/json;q=0, */*":                                       response,
		"application/graphql-response+json;q=0, application/*":            plain,
		"text/html, application/*;q=0.1":                                  plain,
		"APPLICATION/JSON; Charset=UTF-8":                                 plain,
		"text/event-stream":                                               none,
		"application/json;q=2":                                            none,
		"application/json;q=x":                                            none,
		"*/*;q=0":                                                         none,
		"nonsense":                                                        none,
	} {
		got, body := newFixture(transport.Options{}).do(request(`{"query":"{ __typename }"}`, header("Accept", accept)))
		media, _, _ := strings.Cut(got.Header().Get("Content-Type"), ";")
		if want == none && got.Code != http.StatusNotAcceptable || want != none && (media != want || got.Code != 200) {
			t.Errorf("Accept %q: %d %s, want %q: %s", accept, got.Code, media, want, body)
		}
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{})
	for given, kept := range map[string]bool{"Trace_1.a-b": true, "with space": false, strings.Repeat("x", 65): false} {
		got, _ := f.do(request(`{"query":"{ __typename }"}`, header("X-Request-Id", given)))
		if id := got.Header().Get("X-Request-Id"); id == "" || (id == given) != kept {
			t.Errorf("X-Request-Id %q became %q", given, id)
		}
	}
}

// The answer to a panic tells nothing; the log tells all.
func TestPanic(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{})
	got, body := f.do(request(`{"query":"{ panic }"}`, header("X-Request-Id", "r-1")))
	want := `{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL","requestId":"r-1"}}]}`
	if got.Code != 500 || body != want {
		t.Errorf("got %d %s", got.Code, body)
	}
	for _, part := range []string{"secret of the panic", "server_test.go", `"request_id":"r-1"`} {
		if !strings.Contains(f.logs.String(), part) {
			t.Errorf("the log lacks %q: %s", part, f.logs)
		}
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{Timeout: 20 * time.Millisecond})
	f.do(request(`{"query":"{ wait }"}`))
	if err := <-f.schema.ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the field ended with %v", err)
	}
	f = newFixture(transport.Options{Timeout: -1})
	got, body := f.do(request(`{"query":"{ exact }"}`))
	if got.Code != http.StatusGatewayTimeout || decode(t, body).Errors[0].Extensions["code"] != "TIMEOUT" {
		t.Errorf("after the deadline: %d %s", got.Code, body)
	}
}

// A body that stops arriving ends with the deadline, though nothing closes it.
func TestTricklingBody(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newFixture(transport.Options{Timeout: 50 * time.Millisecond}))
	defer server.Close()
	body, feed := io.Pipe()
	defer func() { _ = feed.Close() }()
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
	r.Header = request(``).Header
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusRequestTimeout {
		t.Errorf("status %d, want 408", response.StatusCode)
	}
}

func TestClientLeaves(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{})
	server := httptest.NewServer(f)
	ctx, leave := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader(`{"query":"query Slow { wait }"}`))
	r.Header = request(``).Header
	go func() {
		<-f.schema.waiting
		leave()
	}()
	if response, err := http.DefaultClient.Do(r); err == nil {
		_ = response.Body.Close()
		t.Error("the canceled request was answered")
	}
	if err := <-f.schema.ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the field ended with %v", err)
	}
	server.Close() // waits for the handler, and so for its line in the log
	if !strings.Contains(f.logs.String(), `"status":499`) {
		t.Errorf("the log lacks the client's leaving: %s", f.logs)
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	f := newFixture(transport.Options{})
	f.do(request(`{"query":"query Report($v: Decimal) { echo(value: $v) }","variables":{"v":7773141592653589}}`, header("X-Request-Id", "r-1")))
	line := f.logs.String()
	for _, part := range []string{
		`"request_id":"r-1"`, `"tenant":"acme"`, `"subject":"alice"`, `"operation":"Report"`, `"status":200`, `"duration":`, `"level":"INFO"`,
	} {
		if !strings.Contains(line, part) {
			t.Errorf("the log lacks %s: %s", part, line)
		}
	}
	for _, part := range []string{goodToken, "7773141592653589", "echo"} {
		if strings.Contains(line, part) {
			t.Errorf("the log has %s: %s", part, line)
		}
	}
	if strings.Count(line, "\n") != 1 {
		t.Errorf("want one line: %s", line)
	}
}

func TestAuthenticatingFails(t *testing.T) {
	t.Parallel()
	limited := fault.New(fault.TooManyRequests, "too many requests").WithHint("wait")
	limited.RetryAfter = 1500 * time.Millisecond
	for name, c := range map[string]struct {
		err        error
		status     int
		retryAfter string
		body       string
	}{
		"forbidden": {
			fault.New(fault.Forbidden, "the token does not name a tenant").Because(errors.New("secret")), 403, "",
			`{"errors":[{"message":"the token does not name a tenant","extensions":{"code":"FORBIDDEN","requestId":"r-1"}}]}`,
		},
		"limited": {
			fmt.Errorf("wrapped: %w", limited), 429, "2",
			`{"errors":[{"message":"too many requests","extensions":{"code":"TOO_MANY_REQUESTS","hint":"wait","requestId":"r-1","retryAfter":2}}]}`,
		},
		"unavailable": {
			fault.New(fault.Unavailable, "the key server does not answer"), 503, "",
			`{"errors":[{"message":"the key server does not answer","extensions":{"code":"UNAVAILABLE","requestId":"r-1"}}]}`,
		},
		"unknown": {
			errors.New("pq: secret"), 500, "",
			`{"errors":[{"message":"internal error","extensions":{"code":"INTERNAL","requestId":"r-1"}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			transport.New(nil, func(context.Context, *http.Request) (principal.Principal, error) {
				return principal.Principal{}, c.err
			}, transport.Options{Logger: slog.New(slog.DiscardHandler)}).ServeHTTP(w, request(``, header("X-Request-Id", "r-1")))
			if w.Code != c.status || w.Body.String() != c.body || w.Header().Get("Retry-After") != c.retryAfter {
				t.Errorf("got %d %q %s", w.Code, w.Header().Get("Retry-After"), w.Body)
			}
			checkHeaders(t, w)
		})
	}
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	const friend, stranger = "https://app.example", "https://app.example.evil.example"
	preflight := func(origin string) *http.Request {
		return request(``, method(http.MethodOptions), header("Authorization"),
			header("Origin", origin), header("Access-Control-Request-Method", "POST"))
	}
	for _, c := range []struct {
		allowed []string
		origin  string
		granted bool
	}{
		{nil, friend, false},
		{[]string{friend}, friend, true},
		{[]string{friend}, stranger, false},
		{[]string{friend}, "null", false},
		{[]string{"*"}, stranger, true},
	} {
		f := newFixture(transport.Options{AllowedOrigins: c.allowed})
		asked, _ := f.do(preflight(c.origin))
		if asked.Code != http.StatusNoContent {
			t.Errorf("preflight of %s: status %d", c.origin, asked.Code)
		}
		answered, _ := f.do(request(`{"query":"{ __typename }"}`, header("Origin", c.origin)))
		refused, _ := f.do(request(``, header("Origin", c.origin), header("Authorization")))
		for _, response := range []*httptest.ResponseRecorder{asked, answered, refused} {
			got := response.Header().Get("Access-Control-Allow-Origin")
			if (got == c.origin) != c.granted || !c.granted && got != "" {
				t.Errorf("allowed %v, origin %s: granted %q", c.allowed, c.origin, got)
			}
			if response.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Error("credentials are allowed")
			}
		}
		for name, values := range map[string][]string{
			"Access-Control-Allow-Methods": {"GET", "POST"},
			"Access-Control-Allow-Headers": {
				"authorization", "content-type", "x-request-id", "idempotency-key", "traceparent", "tracestate", "baggage", "sentry-trace",
				"apollo-require-preflight", "x-apollo-operation-name", "apollographql-client-name", "apollographql-client-version",
			},
			"Access-Control-Max-Age": {"7200"},
		} {
			got := strings.Split(strings.ToLower(asked.Header().Get(name)), ", ")
			for _, value := range values {
				if slices.Contains(got, strings.ToLower(value)) != c.granted {
					t.Errorf("allowed %v, origin %s: %s is %q", c.allowed, c.origin, name, got)
				}
			}
		}
		exposed := answered.Header().Get("Access-Control-Expose-Headers")
		for _, name := range []string{"X-Request-Id", "Retry-After", "WWW-Authenticate"} {
			if strings.Contains(exposed, name) != c.granted {
				t.Errorf("allowed %v, origin %s: exposed %q", c.allowed, c.origin, exposed)
			}
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var down error
	health := transport.Health(func(context.Context) error { return down })
	check := func(path string, status int, body string) {
		t.Helper()
		w := httptest.NewRecorder()
		health.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != status || w.Body.String() != body {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	check("/health/live", 200, `{"status":"live"}`)
	check("/health/ready", 200, `{"status":"ready"}`)
	down = errors.New("secret host is down")
	check("/health/live", 200, `{"status":"live"}`)
	check("/health/ready", 503, `{"status":"not ready"}`)
}
