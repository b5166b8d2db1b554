package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"usher/principal"
)

var (
	now    = time.Unix(1_800_000_000, 0)
	secret = []byte("0123456789abcdef0123456789abcdef")
)

// call sends a body signed so, and returns the status, the text and what was
// told.
func call(t *testing.T, method, path, body string, change func(http.Header)) (int, string, []Change) {
	t.Helper()
	var told []Change
	h := New(map[string]Source{"partner": {Secret: secret, Datasets: []string{"orders"}}, "silent": {Datasets: []string{"orders"}}},
		func(_ context.Context, c Change) error { told = append(told, c); return nil },
		Options{Now: func() time.Time { return now }, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	timestamp, signature := Sign(secret, now, []byte(body))
	r.Header.Set(TimestampHeader, timestamp)
	r.Header.Set(SignatureHeader, signature)
	if change != nil {
		change(r.Header)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String(), told
}

func TestChanges(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Change{
		`{"dataset":"orders","tenants":null}`:                                         {Source: "partner", Dataset: "orders"},
		` { "tenants" : ["acme", "b-2"], "dataset": "orders" } `:                      {Source: "partner", Dataset: "orders", Tenants: []string{"acme", "b-2"}},
		`{"dataset":"orders","tenants":["acme"],"keys":[17,"a b",-1,"\u0061"]}`:       {Source: "partner", Dataset: "orders", Tenants: []string{"acme"}, Keys: []string{"17", "a b", "-1", "a"}},
		`{"dataset":"orders","tenants":null,"keys":null}`:                             {Source: "partner", Dataset: "orders"},
		`{"dataset":"orders","tenants":null,"keys":[]}`:                               {Source: "partner", Dataset: "orders", Keys: []string{}},
		`{"dataset":"orders","tenants":null,"keys":[123456789012345678901234567890]}`: {Source: "partner", Dataset: "orders", Keys: []string{"123456789012345678901234567890"}},
	} {
		status, text, told := call(t, "POST", "/hooks/partner", body, nil)
		if diff := cmp.Diff([]Change{want}, told); diff != "" || status != http.StatusNoContent || text != "" {
			t.Errorf("%s: %d %s -want +got:\n%s", body, status, text, diff)
		}
	}
}

func TestRefusedBodies(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		``, `null`, `[]`, `{`, `{}`, `{"dataset":"orders"}`, `{"tenants":null}`, `{"dataset":"","tenants":null}`,
		`{"dataset":"orders","tenants":[]}`, `{"dataset":"orders","tenants":"acme"}`, `{"dataset":"orders","tenants":[null]}`,
		`{"dataset":"orders","tenants":[1]}`, `{"dataset":"orders","tenants":["ACME"]}`, `{"dataset":"orders","tenants":[".."]}`,
		`{"dataset":"orders","tenants":null,"keys":"1"}`, `{"dataset":"orders","tenants":null,"keys":[1.5]}`, `{"dataset":"orders","tenants":null,"keys":[null]}`,
		`{"dataset":"orders","tenants":null,"keys":[{"id":1}]}`, `{"dataset":"orders","tenants":null,"more":1}`, `{"Dataset":"orders","tenants":null}`,
		`{"dataset":"orders","tenants":["acme"],"tenants":null}`, `{"dataset":"orders","tenants":null}{}`, `{"dataset":"other","tenants":null}`,
		`{"dataset":["orders"],"tenants":null}`, `{"dataset":"orders","tenants":null,}`,
		`{"dataset":"orders","tenants":null,"keys":[` + strings.Repeat("1,", maxList) + `1]}`,
	} {
		if status, text, told := call(t, "POST", "/hooks/partner", body, nil); status != http.StatusBadRequest || len(told) != 0 || text == "" {
			t.Errorf("%.60s: %d %s %v", body, status, text, told)
		}
	}
	if status, _, _ := call(t, "POST", "/hooks/partner", strings.Repeat(" ", maxBody+1), nil); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body: %d", status)
	}
}

func TestRefusedSignatures(t *testing.T) {
	t.Parallel()
	const body = `{"dataset":"orders","tenants":null}`
	signedAt := func(at time.Time, key, text string) func(http.Header) {
		return func(h http.Header) {
			timestamp, signature := Sign([]byte(key), at, []byte(text))
			h.Set(TimestampHeader, timestamp)
			h.Set(SignatureHeader, signature)
		}
	}
	good := string(secret)
	for name, c := range map[string]struct {
		path   string
		change func(http.Header)
		status int
	}{
		"just in time":           {"/hooks/partner", signedAt(now.Add(-window), good, body), 204},
		"a clock ahead":          {"/hooks/partner", signedAt(now.Add(window), good, body), 204},
		"too old":                {"/hooks/partner", signedAt(now.Add(-window-time.Second), good, body), 401},
		"too early":              {"/hooks/partner", signedAt(now.Add(window+time.Second), good, body), 401},
		"another key":            {"/hooks/partner", signedAt(now, good+"x", body), 401},
		"another body":           {"/hooks/partner", signedAt(now, good, body+" "), 401},
		"a newer timestamp":      {"/hooks/partner", func(h http.Header) { h.Set(TimestampHeader, "1800000001") }, 401},
		"no timestamp":           {"/hooks/partner", func(h http.Header) { h.Del(TimestampHeader) }, 401},
		"no number":              {"/hooks/partner", func(h http.Header) { h.Set(TimestampHeader, "now") }, 401},
		"two timestamps":         {"/hooks/partner", func(h http.Header) { h.Add(TimestampHeader, h.Get(TimestampHeader)) }, 401},
		"no signature":           {"/hooks/partner", func(h http.Header) { h.Del(SignatureHeader) }, 401},
		"no algorithm":           {"/hooks/partner", func(h http.Header) { h.Set(SignatureHeader, h.Get(SignatureHeader)[7:]) }, 401},
		"no hex":                 {"/hooks/partner", func(h http.Header) { h.Set(SignatureHeader, "sha256=zz") }, 401},
		"an empty one":           {"/hooks/partner", func(h http.Header) { h.Set(SignatureHeader, "sha256=") }, 401},
		"an unknown source":      {"/hooks/nobody", nil, 401},
		"a source without any":   {"/hooks/silent", signedAt(now, "", body), 401},
		"another place":          {"/hooks/partner/x", nil, 404},
		"another place entirely": {"/hooks/", nil, 404},
	} {
		status, _, told := call(t, "POST", c.path, body, c.change)
		if status != c.status || (len(told) == 1) != (status == 204) {
			t.Errorf("%s: %d, %v", name, status, told)
		}
	}
	if status, _, told := call(t, "GET", "/hooks/partner", body, nil); status != http.StatusMethodNotAllowed || len(told) != 0 {
		t.Errorf("GET: %d", status)
	}
}

// TestTenantIDs: what the gateway takes for a tenant's id, a call may name, and
// nothing else.
func TestTenantIDs(t *testing.T) {
	t.Parallel()
	ids := []string{"", "acme", "acme\n", "ä", strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("0", 63)}
	for r := range rune(256) {
		ids = append(ids, string(r), "a"+string(r), "a"+string(r)+"a")
	}
	for _, id := range ids {
		if tenantID.MatchString(id) != principal.IsTenantID(id) {
			t.Errorf("%q is an id to one of them only", id)
		}
	}
}

// What the one who is told says of a change is the answer, to who has signed; to
// a stranger it is not even asked.
func TestChangeIsNotTaken(t *testing.T) {
	t.Parallel()
	many := make(UnknownTenantsError, 12)
	for i := range many {
		many[i] = fmt.Sprint("t", i)
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{nil, "204 "},
		{UnknownTenantsError{"acne"}, "400 tenants names what is no tenant here: acne; the change was taken for the others\n"},
		{fmt.Errorf("of the store: %w", many), "400 tenants names what is no tenant here: t0, t1, t2, t3, t4, t5, t6, t7, t8, t9 and 2 more; the change was taken for the others\n"},
		{errors.New("dial tcp 10.0.0.1"), "503 not every gateway could be told of the change; make the call again\n"},
	} {
		h := New(map[string]Source{"partner": {Secret: secret, Datasets: []string{"orders"}}}, func(context.Context, Change) error { return c.err },
			Options{Now: func() time.Time { return now }, Logger: slog.New(slog.DiscardHandler)})
		ask := func(signature string) string {
			body := `{"dataset":"orders","tenants":["acne"]}`
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/hooks/partner", strings.NewReader(body))
			timestamp, right := Sign(secret, now, []byte(body))
			if signature == "" {
				signature = right
			}
			r.Header.Set(TimestampHeader, timestamp)
			r.Header.Set(SignatureHeader, signature)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return fmt.Sprint(w.Code, " ", w.Body.String())
		}
		if got := ask(""); got != c.want {
			t.Errorf("%v: %s", c.err, got)
		}
		if got := ask("sha256=00"); !strings.HasPrefix(got, "401 ") || strings.Contains(got, "acne") {
			t.Errorf("a stranger is told %s", got)
		}
	}
}
