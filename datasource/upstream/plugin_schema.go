package upstream

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"usher/catalog"
	"usher/datasource/upstream/broker"
)

const (
	maxSchemas  = 256             // lists of datasets that are remembered
	schemaStays = 5 * time.Minute // how long one is
)

// remembered is what a plugin said it has, for one account.
type remembered struct {
	schema broker.Schema
	read   time.Time
}

// dataset is one of the plugin's datasets as it describes it now, or did a
// short while ago. A column that is missing from what is remembered is looked
// for once more.
func (p *pluginSource) dataset(ctx context.Context, ask asker, base call, id string, columns []string) (*broker.Dataset, error) {
	c := p.list(base)
	key := c.key()
	if known, ok := p.schemas.get(key); ok && time.Since(known.read) < schemaStays {
		if d := known.schema[id]; d.Has(columns) == nil {
			return d, nil
		}
	}
	reply, err := ask(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("the list of datasets: %w", err)
	}
	body := reply.body()
	defer func() { _ = body.Close() }()
	schema, err := broker.ReadSchema(body)
	if err != nil {
		return nil, err
	}
	p.schemas.put(key, remembered{schema, time.Now()}, 1)
	d := schema[id]
	return d, d.Has(columns)
}

// list asks for the datasets: with GET in the first version of the protocol,
// with POST since.
func (p *pluginSource) list(base call) call {
	base.method, base.url = http.MethodGet, base.url.JoinPath("datasets")
	if p.spec.Version >= "2" {
		base.method, base.body = http.MethodPost, []byte("{}")
	}
	return base
}

// Introspect lists a plugin's datasets as tables. An API of another kind, and
// a plugin whose headers or properties need to know who asks, cannot be looked
// into: the list is nil.
func Introspect(ctx context.Context, source *catalog.Source) (map[string]catalog.Table, error) {
	if source.API.Plugin == nil || personal(source.API.Headers) || personal(source.API.Plugin.Properties) {
		return nil, nil
	}
	s, err := Open(source, Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(ctx, source.Timeout)
	defer cancel()
	reply, err := s.account(s.request.base.String()).do(ctx, "", s.plugin.list(s.plugin.base(s.request, s.impersonal())))
	if err != nil {
		return nil, err
	}
	body := reply.body()
	defer func() { _ = body.Close() }()
	schema, err := broker.ReadSchema(body)
	if err != nil {
		return nil, err
	}
	found := make(map[string]catalog.Table, len(schema))
	for id, d := range schema {
		found[id] = d.Table(id)
	}
	return found, nil
}

// personal tells whether a template needs to know who asks.
func personal(templates map[string]string) bool {
	for _, text := range templates {
		if strings.Contains(text, "{") {
			return true
		}
	}
	return false
}
