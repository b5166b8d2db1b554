package catalog

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"usher/query"
)

// call reads how an API is called: the method, the body and what may be done
// with a call that fails. It tells whether the body holds a placeholder.
func call(at place, spec SourceSpec, params map[string]ParameterSpec, out *APISpec) (named bool) {
	out.Method = cmp.Or(strings.ToUpper(spec.Method), http.MethodGet)
	out.Idempotent = spec.Idempotent || out.Method == http.MethodGet
	out.MaxConcurrent = said(spec.MaxConcurrent, defaultConcurrent)
	out.StaleIfError = spec.StaleIfError
	bodied := spec.Body.JSON != nil || spec.Body.Form != nil
	switch out.Method {
	case http.MethodGet:
		if bodied {
			at.in("body").problem("belongs to `method: post`")
		}
		if spec.Idempotent {
			at.in("idempotent").problem("belongs to `method: post`; reading by GET is idempotent anyway")
		}
	case http.MethodPost:
	default:
		at.in("method").problem("must be get or post")
	}
	if spec.Body.JSON != nil && spec.Body.Form != nil {
		at.in("body").problem("is either `json` or `form`, not both")
	}
	if spec.Body.JSON != nil {
		out.Body.JSON = spec.Body.JSON
		named = bodyTexts(at.in("body", "json"), spec.Body.JSON, params)
	}
	if spec.Body.Form != nil {
		out.Body.Form = make(map[string]string, len(spec.Body.Form))
		named = templates(at.in("body", "form"), spec.Body.Form, params, out.Body.Form) || named
	}
	if out.MaxConcurrent < 1 {
		at.in("max_concurrent").problem("must be at least 1")
	}
	if out.StaleIfError < 0 {
		at.in("stale_if_error").problem("must be longer than nothing")
	}
	if out.StaleIfError > 0 && !out.Idempotent {
		at.in("stale_if_error").problem("needs calls that may be repeated; write `idempotent: true` if these may")
	}
	return named
}

// bodyTexts checks the texts of a JSON body, which are templates. Names are
// taken as they are.
func bodyTexts(at place, v query.Value, params map[string]ParameterSpec) (named bool) {
	switch v := v.(type) {
	case query.Text:
		return placeholders(at, string(v), params)
	case query.List:
		for i, item := range v {
			named = bodyTexts(at.in(strconv.Itoa(i)), item, params) || named
		}
	case query.Object:
		for _, m := range v {
			named = bodyTexts(at.in(m.Name), m.Value, params) || named
		}
	}
	return named
}

// pathsName tells whether a path of the source's datasets holds a placeholder.
// Then those of all must, which is checked where each is bound.
func pathsName(source string, all Spec) bool {
	for _, d := range all.Datasets {
		if b := d.Bind[source]; b.Source == "" && placeholder.MatchString(b.Path) {
			return true
		}
	}
	return false
}

// Told tells whether every call for a path says whose rows are meant, although
// an account puts other headers in the place of some. Where the source says the
// tenant, a subject or metadata that is left does not stand for it.
func (a APISpec) Told(path string, replaced func(header string) bool) bool {
	rest := a
	rest.Headers = maps.Clone(a.Headers)
	maps.DeleteFunc(rest.Headers, func(name, _ string) bool { return replaced(name) })
	said := placeholder.MatchString
	if a.says(namesTenant) || namesTenant(path) {
		said = namesTenant
	}
	return a.Plugin != nil || rest.says(said) || said(path)
}

// says tells whether every call says what a template is matched for, whatever
// its path.
func (a APISpec) says(what func(template string) bool) bool {
	texts := slices.Concat(slices.Collect(maps.Values(a.Headers)), slices.Collect(maps.Values(a.Query)), slices.Collect(maps.Values(a.Body.Form)),
		slices.Collect(maps.Values(a.OAuth2.Params)), []string{a.OAuth2.ClientID, a.OAuth2.ClientSecret})
	var inside func(query.Value)
	inside = func(v query.Value) {
		switch v := v.(type) {
		case query.Text:
			texts = append(texts, string(v))
		case query.List:
			for _, item := range v {
				inside(item)
			}
		case query.Object:
			for _, m := range v {
				inside(m.Value)
			}
		}
	}
	inside(a.Body.JSON)
	return slices.ContainsFunc(texts, what)
}

// pointedAt checks parameters that are JSON pointers into the body.
func pointedAt(at place, out APISpec) {
	for _, p := range []struct {
		at   place
		name string
	}{
		{at.in("pages", "param"), out.Pages.Param},
		{at.in("pages", "size"), out.Pages.Size},
		{at.in("pushdown", "limit"), out.Pushdown.Limit},
		{at.in("pushdown", "order"), out.Pushdown.Order},
	} {
		steps := slices.Collect(jsontext.Pointer(p.name).Tokens())
		switch {
		case !strings.HasPrefix(p.name, "/"):
		case out.Body.JSON == nil && out.Body.Form == nil:
			p.at.problem("points into the body, and there is none")
		case out.Body.Form != nil && len(steps) > 1:
			p.at.problem("points deeper than the fields of a form")
		case out.Body.Form == nil && !reachable(out.Body.JSON, steps):
			p.at.problem("points into what is no object of the body")
		}
	}
}

// reachable tells whether steps lead through objects, or to where some can be
// added.
func reachable(v query.Value, steps []string) bool {
	o, ok := v.(query.Object)
	if !ok || len(steps) == 1 {
		return ok
	}
	inner, there := o.Get(steps[0])
	return !there || reachable(inner, steps[1:])
}

// oauth2 reads the client credentials and tells whether they hold a
// placeholder.
func oauth2(at place, spec SourceSpec, params map[string]ParameterSpec, out *APISpec) (named bool) {
	given := spec.OAuth2
	if given.TokenURL == "" && given.ClientID == "" && given.ClientSecret == "" {
		if len(given.Scopes)+len(given.Params) > 0 || given.Credentials != "" {
			at.in("token_url").problem("must be the URL tokens are fetched from")
		}
		return false
	}
	o := OAuth2{
		TokenURL: given.TokenURL, ClientID: string(given.ClientID), ClientSecret: string(given.ClientSecret),
		Scopes: given.Scopes, Params: make(map[string]string, len(given.Params)), InBody: given.Credentials == "body",
	}
	u, err := url.Parse(o.TokenURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || strings.ContainsAny(o.TokenURL, "{}") {
		at.in("token_url").problem("must be an http or https URL with a host, without placeholders")
	}
	if o.ClientID == "" {
		at.in("client_id").problem("is missing")
	}
	if o.ClientSecret == "" {
		at.in("client_secret").problem("is missing; write it by reference, {env: NAME}")
	}
	named = placeholders(at.in("client_id"), o.ClientID, params)
	named = placeholders(at.in("client_secret"), o.ClientSecret, params) || named
	named = templates(at.in("params"), given.Params, params, o.Params) || named
	if !slices.Contains([]string{"", "header", "body"}, given.Credentials) {
		at.in("credentials").problem("must be header or body")
	}
	for _, name := range slices.Sorted(maps.Keys(out.Headers)) {
		if http.CanonicalHeaderKey(name) == "Authorization" {
			at.problem("and the header %s would both say who calls; remove one", name)
		}
	}
	out.OAuth2 = o
	return named
}

// replies reads how an API writes its rows.
func replies(at place, spec SourceSpec, out *APISpec) {
	out.Format = Format(cmp.Or(spec.Format, string(JSON)))
	if out.Format != CSVs && spec.CSV != (CSVSpec{}) {
		at.in("csv").problem("belongs to `format: csv`")
	}
	switch out.Format {
	case JSON:
		return
	case NDJSON:
	case CSVs:
		comma, size := utf8.DecodeRuneInString(cmp.Or(spec.CSV.Delimiter, ","))
		if size != len(cmp.Or(spec.CSV.Delimiter, ",")) || strings.ContainsRune("\"\r\n\x00", comma) || comma == utf8.RuneError {
			at.in("csv", "delimiter").problem("must be one character, such as , or ; or a tab")
		}
		out.CSV = CSV{Delimiter: comma}
		if spec.CSV.Null != nil {
			out.CSV.Null = *spec.CSV.Null
		}
	default:
		at.in("format").problem("must be json, ndjson or csv")
		return
	}
	if spec.Rows != "" {
		at.in("rows").problem("points into JSON; %s is rows and nothing else", out.Format)
	}
	if spec.Pages.Next != "" {
		at.in("pages", "next").problem("points into JSON; %s is rows and nothing else", out.Format)
	}
}
