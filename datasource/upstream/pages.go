package upstream

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"usher/catalog"
	"usher/datasource/upstream/decode"
	"usher/plan"
)

// pages is the way from one page's call to the next one's.
type pages struct {
	spec   catalog.Pages
	call   call // what the calls have in common
	url    *url.URL
	query  url.Values
	own    url.Values // of the query: what the source itself says
	body   *body
	size   int // rows to a full page
	number int // pages asked for
	offset int // rows received
	seen   map[string]bool
	cursor decode.Cursor
	linked *url.URL // of the next page, whole
}

// narrow asks for that part of the rows only which the API can pick itself.
func (p *pages) narrow(pushed plan.Pushed, spec catalog.APISpec) {
	if pushed.Limit > 0 {
		p.size = min(p.size, pushed.Limit)
		p.set(spec.Pushdown.Limit, number(pushed.Limit))
	}
	p.set(spec.Pages.Size, number(p.size)) // may be the parameter of the limit too
	if pushed.OrderBy != "" {
		order := pushed.OrderBy
		if pushed.Descending {
			order = "-" + order
		}
		p.set(spec.Pushdown.Order, order)
	}
	for _, c := range pushed.Conditions {
		for _, v := range c.Values {
			p.query.Add(parameter(c), literal(v))
		}
	}
}

func number(n int) json.Number { return json.Number(strconv.Itoa(n)) }

// set writes a parameter, if it has a name, where its name says: in the body or
// in the query.
func (p *pages) set(name string, value any) {
	switch {
	case name == "":
	case inBody(name) && p.body != nil:
		p.body.set(name, value)
	default:
		p.query.Set(name, textOf(value))
	}
}

// next is the call for the next page.
func (p *pages) next() (call, error) {
	switch p.spec.Kind {
	case catalog.PageNumber:
		p.set(p.spec.Param, number(p.number+1))
	case catalog.PageOffset:
		p.set(p.spec.Param, number(p.offset))
	case catalog.PageCursor:
		switch {
		case p.cursor.Text == "":
		case p.cursor.Number:
			p.set(p.spec.Param, json.Number(p.cursor.Text))
		default:
			p.set(p.spec.Param, p.cursor.Text)
		}
	case catalog.PageLink, catalog.NoPages:
	}
	p.number++
	c := p.call
	c.header = c.header.Clone()
	var err error
	c.body, err = p.body.encode(c.header)
	if p.linked != nil {
		c.url = p.linked
		return c, err
	}
	to := *p.url
	to.RawQuery = p.query.Encode()
	c.url = &to
	return c, err
}

// more takes note of a page that was read to its end, of so many rows, and
// tells whether there is another one.
func (p *pages) more(rows int, in decode.Cursor, at *url.URL, h http.Header) (bool, error) {
	p.offset += rows
	switch p.spec.Kind {
	case catalog.PageNumber, catalog.PageOffset:
		return rows >= p.size, nil
	case catalog.PageCursor:
		p.cursor = in
		return p.anew(in.Text)
	case catalog.PageLink:
		link := in.Text
		if p.spec.Next == "" {
			var err error
			if link, err = nextLink(h); err != nil {
				return false, err
			}
		}
		if link == "" {
			return false, nil
		}
		if len(link) > decode.MaxCursor {
			return false, errors.New("the link to the next page is too long")
		}
		to, err := follow(at, link, p.own)
		if err != nil {
			return false, err
		}
		p.linked = to
		return p.anew(to.String())
	case catalog.NoPages:
	}
	return false, nil
}

// anew tells whether a cursor or link leads on; one that came before would do
// so for ever.
func (p *pages) anew(text string) (bool, error) {
	if p.seen[text] {
		return false, errors.New("a cursor or link came for the second time, so the pages have no end")
	}
	p.seen[text] = true
	return text != "", nil
}
