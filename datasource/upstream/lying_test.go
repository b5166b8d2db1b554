package upstream

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"usher/catalog"
	"usher/fault"
)

// TestLyingUpstreams: nothing an API sends but rows becomes rows, and no
// failure repeats what it sent.
func TestLyingUpstreams(t *testing.T) {
	t.Parallel()
	const unusable = "did not send rows that can be used"
	good := `{"tenant_id":"acme","id":1}`
	status := func(code int, header ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(code)
			fmt.Fprint(w, `{"data":[`+good+`],"error":"poison"}`)
		}
	}
	typed := func(media, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", media)
			fmt.Fprint(w, text)
		}
	}
	cases := map[string]struct {
		answer http.HandlerFunc
		code   fault.Code
		text   string
	}{
		"401":                       {status(401), fault.Unavailable, "does not accept the account"},
		"403":                       {status(403), fault.Unavailable, "does not accept the account"},
		"404":                       {status(404), fault.Unavailable, "has nothing where its rows should be"},
		"429":                       {status(429, "Retry-After", "1"), fault.Unavailable, "has too much to do"},
		"500":                       {status(500), fault.Unavailable, unusable},
		"206":                       {status(206), fault.Unavailable, unusable},
		"204":                       {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, fault.Unavailable, unusable},
		"HTML":                      {typed("text/html", "<html>poison"), fault.Unavailable, unusable},
		"HTML that says JSON":       {typed("application/json", "<html>poison"), fault.Unavailable, unusable},
		"no type":                   {typed("", good), fault.Unavailable, unusable},
		"a coding nobody asked for": {status(200, "Content-Encoding", "br"), fault.Unavailable, unusable},
		"nothing":                   {says(""), fault.Unavailable, unusable},
		"no rows":                   {says(`{"rows":[]}`), fault.Unavailable, unusable},
		"null for rows":             {says(`{"data":null}`), fault.Unavailable, unusable},
		"an object for rows":        {says(`{"data":{"poison":1}}`), fault.Unavailable, unusable},
		"rows twice":                {says(`{"data":[` + good + `],"data":[` + good + `]}`), fault.Unavailable, unusable},
		"a row that is no object":   {says(`{"data":[` + good + `,["poison"]]}`), fault.Unavailable, unusable},
		"a null row":                {says(`{"data":[null]}`), fault.Unavailable, unusable},
		"a value twice":             {says(`{"data":[{"tenant_id":"acme","tenant_id":"poison"}]}`), fault.Unavailable, "row 1 with a wrong value: tenant"},
		"trailing data":             {says(`{"data":[` + good + `]}{"poison":1}`), fault.Unavailable, unusable},
		"trailing comma":            {says(`{"data":[` + good + `,]}`), fault.Unavailable, unusable},
		"no comma":                  {says(`{"data":[` + good + good + `]}`), fault.Unavailable, unusable},
		"a comment":                 {says(`{"data":[/* */` + good + `]}`), fault.Unavailable, unusable},
		"single quotes":             {says(`{'data':[]}`), fault.Unavailable, unusable},
		"NaN":                       {says(`{"data":[{"tenant_id":"acme","id":NaN}]}`), fault.Unavailable, "row 1"},
		"a leading zero":            {says(`{"data":[{"tenant_id":"acme","id":01}]}`), fault.Unavailable, unusable},
		"a bare escape":             {says(`{"data":[{"tenant_id":"acme\x"}]}`), fault.Unavailable, unusable},
		"half a surrogate pair":     {says(`{"data":[{"tenant_id":"\ud800"}]}`), fault.Unavailable, unusable},
		"no UTF-8":                  {says("{\"data\":[{\"tenant_id\":\"\xff\"}]}"), fault.Unavailable, unusable},
		"a line break in text":      {says("{\"data\":[{\"tenant_id\":\"a\nb\"}]}"), fault.Unavailable, unusable},
		"cut in a row":              {says(`{"data":[` + good + `,{"ten`), fault.Unavailable, unusable},
		"cut after the rows":        {says(`{"data":[` + good + `]`), fault.Unavailable, unusable},
		"deep":                      {says(`{"data":[{"x":` + strings.Repeat("[", 1_000_000)), fault.Unavailable, unusable},
		"deep before the rows":      {says(`{"x":` + strings.Repeat(`{"a":`, 1_000_000)), fault.Unavailable, unusable},
		"wrong length": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			says(`{"data":[`+good+`]}`)(w, r)
		}, fault.Unavailable, unusable},
		"cut where it looks whole": {func(w http.ResponseWriter, r *http.Request) {
			says(`{"data":[`+good+`]}`)(w, r)
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, fault.Unavailable, unusable},
		"hang up":               {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, fault.Unavailable, unusable},
		"hang before the reply": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, fault.Timeout, "did not answer in time"},
		"hang in a row": {func(w http.ResponseWriter, r *http.Request) {
			says(`{"data":[`+good+`,{`)(w, r)
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}, fault.Timeout, "did not answer in time"},
		"slow drip": {func(w http.ResponseWriter, r *http.Request) {
			says(`{"data":[`)(w, r)
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-r.Context().Done():
					return
				case <-tick.C:
					fmt.Fprint(w, " ")
					_ = http.NewResponseController(w).Flush()
				}
			}
		}, fault.Timeout, "did not answer in time"},
		"a gigabyte of rows": {func(w http.ResponseWriter, r *http.Request) {
			says(`{"data":[`)(w, r)
			row := []byte(strings.Repeat(`{"x":"`+strings.Repeat("x", 10_000)+`"},`, 10))
			for range 10_000 {
				if _, err := w.Write(row); err != nil {
					return
				}
			}
		}, fault.TooComplex, "more than the 4000000 bytes"},
		"a gigabyte of one text": {func(w http.ResponseWriter, r *http.Request) {
			says(`{"data":[{"tenant_id":"`)(w, r)
			text := []byte(strings.Repeat("x", 100_000))
			for range 10_000 {
				if _, err := w.Write(text); err != nil {
					return
				}
			}
		}, fault.TooComplex, "more than the 4000000 bytes"},
		"too many rows": {says(`{"data":[` + strings.Repeat(good+",", 1000) + good + `]}`), fault.TooComplex, "more than the 1000 rows"},
		"a huge header": {status(200, "X-Big", strings.Repeat("x", 100_000)), fault.Unavailable, unusable},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := open(t, serve(t, c.answer), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
				s.Timeout, s.MaxRows, s.MaxBytes = new(10*time.Second), new(1000), new(int64(4_000_000))
				if c.code == fault.Timeout {
					s.Timeout = new(200 * time.Millisecond)
				}
			})
			_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
			refused(t, err, c.code, c.text)
		})
	}
}

// TestRedirect: no redirect is followed, and nothing goes where it leads.
func TestRedirect(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 303, 307, 308} {
		var elsewhere atomic.Int64
		other := serve(t, func(w http.ResponseWriter, r *http.Request) {
			elsewhere.Add(1)
			says(`{"data":[]}`)(w, r)
		})
		a := open(t, serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, code) }), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
			s.Headers = map[string]catalog.Template{"X-Api-Key": "{metadata.api_token}"}
		})
		_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
		refused(t, err, fault.Unavailable, "did not send rows that can be used")
		if elsewhere.Load() != 0 {
			t.Errorf("%d was followed", code)
		}
	}
}

// TestSecretsStay: no error, not even its cause, shows what was sent to the
// API.
func TestSecretsStay(t *testing.T) {
	t.Parallel()
	a := open(t, serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), catalog.BindingSpec{}, func(s *catalog.SourceSpec) {
		s.Headers = map[string]catalog.Template{"Authorization": "Bearer {metadata.api_token}"}
		s.Query = map[string]catalog.Template{"key": "{metadata.api_token}"}
	})
	_, err := a.fetch(t.Context(), a.things(t, acme, nil, "id"))
	refused(t, err, fault.Unavailable, "")
	if strings.Contains(err.Error(), "s3cr3t") {
		t.Error(err)
	}
}
