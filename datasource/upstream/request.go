package upstream

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	base, err := url.Parse(spec.BaseURL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" ||
		base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return requests{}, errors.New("base_url must be an http or https URL of scheme, host and path")
	}
	r := requests{base: base}
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

// pages is the way from one page's request to the next one's.
type pages struct {
	kind   catalog.PageKind
	param  string
	url    *url.URL
	query  url.Values
	header http.Header
	size   int // rows to a full page
	number int // pages asked for
	offset int // rows received
	seen   map[string]bool
	cursor string
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
func (r requests) first(path string, id plan.Identity, pushed plan.Pushed, spec catalog.APISpec) (*pages, error) {
	to, err := r.at(path, id)
	if err != nil {
		return nil, err
	}
	p := &pages{
		kind: spec.Pages.Kind, param: spec.Pages.Param, size: spec.Pages.Limit,
		url: to, query: make(url.Values), seen: make(map[string]bool),
	}
	if pushed.Limit > 0 {
		p.size = min(p.size, pushed.Limit)
		if spec.Pushdown.Limit != "" {
			p.query.Set(spec.Pushdown.Limit, strconv.Itoa(pushed.Limit))
		}
	}
	if spec.Pages.Size != "" { // may be the parameter of the limit too
		p.query.Set(spec.Pages.Size, strconv.Itoa(p.size))
	}
	if pushed.OrderBy != "" {
		order := pushed.OrderBy
		if pushed.Descending {
			order = "-" + order
		}
		p.query.Set(spec.Pushdown.Order, order)
	}
	for _, c := range pushed.Conditions {
		for _, v := range c.Values {
			p.query.Add(parameter(c), literal(v))
		}
	}
	for _, n := range r.query {
		text, err := n.value.fill(id, inQuery)
		if err != nil {
			return nil, err
		}
		p.query.Set(n.name, text)
	}
	p.header = http.Header{"Accept": {"application/json"}, "User-Agent": {"usher"}}
	for _, n := range r.headers {
		text, err := n.value.fill(id, inHeader)
		if err != nil {
			return nil, err
		}
		p.header.Set(n.name, text)
	}
	return p, nil
}

// at is the URL of a path below the base. The path cannot leave the base: it
// has neither query nor host, and no value adds a segment to it.
func (r requests) at(path string, id plan.Identity) (*url.URL, error) {
	broken := func(err error) error {
		return fault.New(fault.Internal, "internal error").Because(fmt.Errorf("a binding's path: %w", err))
	}
	t, err := parseTemplate(path)
	if err != nil {
		return nil, broken(err)
	}
	filled, err := t.fill(id, inPath)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(strings.Split(filled, "/"), func(s string) bool { return s == "." || s == ".." }) {
		return nil, fault.New(fault.Forbidden, "the token's values make a path with a dot segment")
	}
	raw := strings.TrimSuffix(r.base.EscapedPath(), "/") + filled
	plain, err := url.PathUnescape(raw)
	if err != nil || !strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#") {
		return nil, broken(errors.New("it must start with / and hold neither ? nor #"))
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

// next is the URL of the next page to ask for.
func (p *pages) next() *url.URL {
	switch {
	case p.kind == catalog.PageNumber:
		p.query.Set(p.param, strconv.Itoa(p.number+1))
	case p.kind == catalog.PageOffset:
		p.query.Set(p.param, strconv.Itoa(p.offset))
	case p.kind == catalog.PageCursor && p.cursor != "":
		p.query.Set(p.param, p.cursor)
	}
	p.number++
	to := *p.url
	to.RawQuery = p.query.Encode()
	return &to
}

// more takes note of a page that was read to its end, and tells whether there
// is another one.
func (p *pages) more(rows int, cursor string) (bool, error) {
	p.offset += rows
	switch p.kind {
	case catalog.PageNumber, catalog.PageOffset:
		return rows >= p.size, nil
	case catalog.PageCursor:
		if cursor == "" {
			return false, nil
		}
		if p.seen[cursor] {
			return false, errors.New("a cursor came for the second time, so the pages have no end")
		}
		p.seen[cursor], p.cursor = true, cursor
		return true, nil
	case catalog.NoPages:
	}
	return false, nil
}
