package upstream

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"usher/catalog"
	"usher/fault"
	"usher/plan"
	"usher/value"
)

// requests is what all requests to a source have in common.
type requests struct {
	base    *url.URL
	headers []named
	query   []named
}

// named is a header or query parameter whose value is a template.
type named struct {
	name  string
	value template
}

func newRequests(spec catalog.APISpec) (requests, error) {
	base, err := parseBase(spec.BaseURL)
	if err != nil {
		return requests{}, err
	}
	r := requests{base: base}
	if err := checkBody(spec.Body); err != nil {
		return r, fmt.Errorf("body: %w", err)
	}
	if r.headers, err = parseTemplates("headers", spec.Headers); err != nil {
		return r, err
	}
	for name, text := range spec.Headers {
		if hasControl(text) {
			return r, fmt.Errorf("headers: %s: it holds a control character", name)
		}
	}
	r.query, err = parseTemplates("query", spec.Query)
	return r, err
}

func parseTemplates(key string, texts map[string]string) ([]named, error) {
	var out []named
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		t, err := parseTemplate(texts[name])
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", key, name, err)
		}
		out = append(out, named{name, t})
	}
	return out, nil
}

func parseBase(text string) (*url.URL, error) {
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("base_url must be an http or https URL of scheme, host and path")
	}
	return base, nil
}

// over is the requests with an override's base URL.
func (r requests) over(o plan.Override) (requests, error) {
	if o.BaseURL() == "" {
		return r, nil
	}
	base, err := parseBase(o.BaseURL())
	if err != nil {
		return r, fault.Broken("%w", err)
	}
	r.base = base
	return r, nil
}

// withoutReserved leaves out the conditions whose parameters mean something
// else to the API: they are the source's own. Without all its conditions a
// query has no limit either.
func withoutReserved(pushed plan.Pushed, spec catalog.APISpec) plan.Pushed {
	reserved := []string{spec.Pages.Param, spec.Pages.Size, spec.Pushdown.Limit, spec.Pushdown.Order}
	reserved = slices.AppendSeq(reserved, maps.Keys(spec.Query))
	free := slices.DeleteFunc(slices.Clone(pushed.Conditions), func(c plan.Condition) bool {
		return slices.Contains(reserved, parameter(c))
	})
	if len(free) < len(pushed.Conditions) {
		return plan.Pushed{Never: pushed.Never, Conditions: free}
	}
	return pushed
}

// parameter is the query parameter of a condition: name=value (eq), once for
// each value (in), name[gt]=value and so on.
func parameter(c plan.Condition) string {
	if c.Operator == "eq" || c.Operator == "in" {
		return c.Column
	}
	return c.Column + "[" + c.Operator + "]"
}

// first makes the request for the first page.
func (r requests) first(path string, id plan.Identity, o plan.Override, pushed plan.Pushed, spec catalog.APISpec) (*pages, error) {
	to, err := r.at(path, id)
	if err != nil {
		return nil, err
	}
	p := &pages{spec: spec.Pages, size: spec.Pages.Limit, url: to, query: make(url.Values), own: make(url.Values), seen: make(map[string]bool)}
	p.call = call{method: cmp.Or(spec.Method, http.MethodGet), format: cmp.Or(spec.Format, catalog.JSON)}
	p.call.idempotent = spec.Idempotent || p.call.method == http.MethodGet
	if p.body, err = fillBody(spec.Body, id); err != nil {
		return nil, err
	}
	p.narrow(pushed, spec)
	for _, n := range r.query {
		text, err := n.value.fill(id, inQuery)
		if err != nil {
			return nil, err
		}
		p.query.Set(n.name, text)
		p.own.Set(n.name, text)
	}
	p.call.header, err = r.header(id, o)
	p.call.header.Set("Accept", accepted[p.call.format])
	return p, err
}

var accepted = map[catalog.Format]string{
	catalog.JSON: "application/json", catalog.NDJSON: "application/x-ndjson", catalog.CSVs: "text/csv",
}

// header is the source's headers, and over them those of the override.
func (r requests) header(id plan.Identity, o plan.Override) (http.Header, error) {
	h := http.Header{"User-Agent": {"usher"}}
	for _, n := range r.headers {
		if _, replaced := o.Header(n.name); replaced {
			continue
		}
		text, err := n.value.fill(id, inHeader)
		if err != nil {
			return h, err
		}
		h.Set(n.name, text)
	}
	for name, text := range o.Headers() {
		if _, err := inHeader(text); err != nil {
			return h, fault.New(fault.Forbidden, "the account's header %s cannot be sent to the API: %v", name, err)
		}
		h.Set(name, text)
	}
	return h, nil
}

// at is the URL of a path below the base. The path cannot leave the base: it
// has neither query nor host, and no value adds a segment to it.
func (r requests) at(path string, id plan.Identity) (*url.URL, error) {
	t, err := parseTemplate(path)
	if err != nil {
		return nil, brokenPath(err)
	}
	filled, err := t.fill(id, inPath)
	if err != nil {
		return nil, err
	}
	return r.below(filled)
}

func brokenPath(err error) error {
	return fault.Broken("a binding's path: %w", err)
}

// below is the URL of a path whose values are filled in.
func (r requests) below(filled string) (*url.URL, error) {
	if slices.ContainsFunc(strings.Split(filled, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return nil, fault.New(fault.Forbidden, "the token's values make a path with a dot segment")
	}
	raw := strings.TrimSuffix(r.base.EscapedPath(), "/") + filled
	plain, err := url.PathUnescape(raw)
	if err != nil || !strings.HasPrefix(filled, "/") || strings.ContainsAny(filled, "?#") {
		return nil, brokenPath(errors.New("it must start with / and hold neither ? nor #"))
	}
	to := *r.base
	to.Path, to.RawPath = plain, raw
	return &to, nil
}

// literal is a value as APIs write it.
func literal(v value.Value) string {
	switch v.Type().Scalar { //nolint:exhaustive // all others have one text
	case value.Timestamp, value.LocalTimestamp:
		cell := value.Cell{Kind: value.KindText, Text: []byte(v.Text())}
		if text, err := value.AppendText(nil, v.Type(), cell, value.Style{}); err == nil {
			return string(text)
		}
	}
	return v.Text()
}
