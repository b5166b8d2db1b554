package upstream

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// nextLink is the target of the first link with rel=next in the Link headers
// (RFC 8288), or empty.
func nextLink(h http.Header) (string, error) {
	for _, text := range h.Values("Link") {
		for text != "" {
			target, params, rest, ok := cutLink(text)
			if !ok {
				return "", errors.New("the Link header cannot be read")
			}
			if isNext(params) {
				return target, nil
			}
			text = rest
		}
	}
	return "", nil
}

// cutLink cuts <target>; a=b; c="d", off a list of links.
func cutLink(text string) (target string, params []string, rest string, ok bool) {
	text = strings.TrimLeft(text, " \t,")
	if text == "" {
		return "", nil, "", true
	}
	text, ok = strings.CutPrefix(text, "<")
	if !ok {
		return "", nil, "", false
	}
	target, text, ok = strings.Cut(text, ">")
	quoted, start := false, 0
	for i := 0; ok && i <= len(text); i++ {
		end := i == len(text)
		switch {
		case !end && quoted && text[i] == '\\':
			i++
		case !end && text[i] == '"':
			quoted = !quoted
		case end || !quoted && (text[i] == ';' || text[i] == ','):
			params = append(params, strings.TrimSpace(text[start:i]))
			start = i + 1
			if end {
				return target, params, "", !quoted
			}
			if text[i] == ',' {
				return target, params, text[i+1:], true
			}
		}
	}
	return "", nil, "", false
}

// isNext looks for next among the relation types of a link.
func isNext(params []string) bool {
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") {
			for _, relation := range strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)) {
				if strings.EqualFold(relation, "next") {
					return true
				}
			}
			return false // only the first rel counts
		}
	}
	return false
}

// follow is the URL a link leads to from a page. It must be on the page's own
// server, since the credentials go along. What the source itself says in the
// query stays as it is, whatever the link says.
func follow(page *url.URL, link string, own url.Values) (*url.URL, error) {
	to, err := url.Parse(link)
	if err != nil {
		return nil, errors.New("the link to the next page is no URL")
	}
	to = page.ResolveReference(to)
	to.Fragment, to.RawFragment = "", ""
	if to.Scheme != page.Scheme || !sameHost(to, page) || to.User != nil || to.Opaque != "" {
		return nil, errors.New("the link to the next page leads to another server")
	}
	given, err := url.ParseQuery(to.RawQuery)
	if err != nil {
		return nil, errors.New("the link to the next page has a query that cannot be read")
	}
	changed := false
	for name, values := range own {
		if len(given[name]) != 1 || given[name][0] != values[0] {
			given[name], changed = values, true
		}
	}
	if changed {
		to.RawQuery = given.Encode()
	}
	to.Host = page.Host
	return to, nil
}

func sameHost(a, b *url.URL) bool {
	port := func(u *url.URL) string {
		switch p := u.Port(); {
		case p != "":
			return p
		case u.Scheme == "https":
			return "443"
		}
		return "80"
	}
	return strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b)
}
