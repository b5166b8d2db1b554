package upstream

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"usher/catalog"
	"usher/datasource/upstream/broker"
	"usher/datasource/upstream/decode"
	"usher/fault"
	"usher/held"
	"usher/plan"
	"usher/value"
)

// pluginSource is what a source that is a broker plugin has of its own. How it
// is called, and how its rows come to be rows, is as with any API; what is said
// to it and how it answers is package broker's.
type pluginSource struct {
	spec       *catalog.Plugin
	properties []named
	schemas    recent[string, remembered] // by the call that asks for it, credentials included
}

// asker makes a call.
type asker = func(context.Context, call) (reply, error)

func newPlugin(spec *catalog.Plugin) (*pluginSource, error) {
	properties, err := parseTemplates("properties", spec.Properties)
	p := &pluginSource{spec: spec, properties: properties}
	p.schemas.limit = maxSchemas
	return p, err
}

// base is what all calls on behalf of one principal have in common. Their
// method, path and body are still open.
func (p *pluginSource) base(request requests, h http.Header) call {
	h.Set("Accept", accepted[catalog.JSON])
	h.Set("Content-Type", "application/json")
	h.Set("X-Secret", p.spec.Secret)
	to := *request.base
	if to.Path == "" { // a path joined to none would be no path from the root
		to.Path = "/"
	}
	return call{url: &to, header: h, idempotent: true, format: catalog.JSON}
}

// fetchPlugin is Fetch for a plugin.
func (s *Source) fetchPlugin(ctx context.Context, q plan.Query, each func(value.Rows) error) error {
	ref, id, own := q.Root().Ref(0), q.Identity(), q.Override(s.spec.Name)
	request, err := s.request.over(own)
	if err != nil {
		return err
	}
	header, err := s.plugin.header(request, id, own)
	if err != nil {
		return err
	}
	base := s.plugin.base(request, header)
	ask, err := s.asker(request.base.String(), id, own)
	if err != nil {
		return err
	}
	decoder, err := decode.NewDecoder(ref, id)
	if err != nil {
		return fault.From(err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.spec.Timeout)
	defer cancel()
	pushed := q.Pushdown(broker.Everything(s.plugin.spec, ref))
	r := &rows{source: s, ctx: ctx, dataset: ref.Dataset(), path: "/query", decoder: decoder, ask: ask, done: pushed.Never, bytes: s.spec.API.MaxBytes, held: held.From(ctx).Part()}
	defer func() { _ = r.Close() }()
	asked := broker.Question{}
	defer func(began time.Time) { s.took(ctx, r, asked.Pushed(), began) }(time.Now())
	if !pushed.Never {
		d, err := s.plugin.dataset(ctx, ask, base, ref.Path(), broker.Stored(ref))
		if err != nil {
			return r.failure(err)
		}
		var cells [][]int
		if asked, cells, err = broker.Ask(s.plugin.spec, q, pushed, d); err != nil {
			return err
		}
		r.pages = onePage(base, &body{json: asked})
		r.page = decode.NewArrays(ref, decoder, cells, broker.ReaderOf)
	}
	if err := each(r); err != nil {
		return err
	}
	return r.Err()
}

// onePage is the way through the pages of an answer to /query, which has one.
func onePage(base call, asked *body) *pages {
	base.method = http.MethodPost
	return &pages{spec: catalog.Pages{Kind: catalog.NoPages}, call: base, url: base.url.JoinPath("query"), query: make(url.Values), body: asked}
}
