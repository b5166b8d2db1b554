package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"usher/catalog"
)

// The column types of the plugin protocol.
const (
	hierarchy = "hierarchy"
	numeric   = "numeric"
	datetime  = "datetime"
)

const (
	maxSchema   = 8 << 20         // bytes of a list of datasets
	maxSchemas  = 256             // lists that are remembered
	schemaStays = 5 * time.Minute // how long one is
)

// pluginSchema is what a plugin says it has, for one account.
type pluginSchema struct {
	datasets map[string]*pluginDataset
	read     time.Time
}

// pluginDataset is one of a plugin's datasets.
type pluginDataset struct {
	columns []pluginColumn
	index   map[string]int
}

type pluginColumn struct {
	id, typ, subtype string
}

// typeOf is the type of a column, or empty.
func (d *pluginDataset) typeOf(column string) string {
	if i, ok := d.index[column]; ok {
		return d.columns[i].typ
	}
	return ""
}

// dataset is one of the plugin's datasets as it describes it now, or did a
// short while ago. A column that is missing from what is remembered is looked
// for once more.
func (p *pluginSource) dataset(ctx context.Context, ask asker, base call, id string, columns []string) (*pluginDataset, error) {
	c := p.listing(base)
	key := c.key()
	if known, ok := p.schemas.get(key); ok && time.Since(known.read) < schemaStays {
		if d := known.datasets[id]; d.has(columns) == nil {
			return d, nil
		}
	}
	reply, err := ask(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("the list of datasets: %w", err)
	}
	body := reply.body()
	defer func() { _ = body.Close() }()
	schema, err := readSchema(body)
	if err != nil {
		return nil, err
	}
	p.schemas.put(key, schema, 1)
	d := schema.datasets[id]
	return d, d.has(columns)
}

// has says which of the columns a dataset lacks.
func (d *pluginDataset) has(columns []string) error {
	if d == nil {
		return errors.New("the plugin lists no dataset of the id that is bound")
	}
	for _, c := range columns {
		if _, ok := d.index[c]; !ok {
			return fmt.Errorf("the plugin's dataset has no column %q", c)
		}
	}
	return nil
}

// readSchema reads the reply of /datasets. What it says beyond ids and types
// is not looked at.
func readSchema(from io.Reader) (*pluginSchema, error) {
	text, err := io.ReadAll(io.LimitReader(from, maxSchema+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSchema {
		return nil, fmt.Errorf("the list of datasets has more than %d bytes", maxSchema)
	}
	var list []struct {
		ID      string `json:"id"`
		Columns []struct {
			ID      string `json:"id"`
			Type    string `json:"type"`
			Subtype string `json:"subtype"`
		} `json:"columns"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&list); err != nil {
		return nil, errors.New("the list of datasets is no array of objects with id and columns")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the list of datasets")
	}
	out := &pluginSchema{datasets: make(map[string]*pluginDataset, len(list)), read: time.Now()}
	for _, found := range list {
		d := &pluginDataset{index: make(map[string]int, len(found.Columns))}
		for i, c := range found.Columns {
			if _, twice := d.index[c.ID]; twice || c.ID == "" {
				return nil, errors.New("a column of a dataset has no id, or that of another one")
			}
			d.index[c.ID] = i
			d.columns = append(d.columns, pluginColumn{c.ID, c.Type, c.Subtype})
		}
		if out.datasets[found.ID] != nil || found.ID == "" {
			return nil, errors.New("a dataset has no id, or that of another one")
		}
		out.datasets[found.ID] = d
	}
	return out, nil
}

// listing asks for the datasets: with GET in the first version of the protocol,
// with POST since.
func (p *pluginSource) listing(base call) call {
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
	h := make(http.Header)
	for _, n := range s.request.headers {
		h.Set(n.name, n.value[0]) // a template without placeholders is one text
	}
	for _, n := range s.plugin.properties {
		h.Set(propertyPrefix+n.name, n.value[0])
	}
	reply, err := s.account(s.request.base.String()).do(ctx, "", s.plugin.listing(s.plugin.base(s.request, h)))
	if err != nil {
		return nil, err
	}
	body := reply.body()
	defer func() { _ = body.Close() }()
	schema, err := readSchema(body)
	if err != nil {
		return nil, err
	}
	found := make(map[string]catalog.Table, len(schema.datasets))
	for id, d := range schema.datasets {
		t := catalog.Table{Name: id, Plugin: true}
		for _, c := range d.columns {
			typ, ok := catalog.PluginType(c.typ, c.subtype)
			t.Columns = append(t.Columns, catalog.TableColumn{
				Name: c.id, Native: c.typ, Type: typ, Supported: ok, Nullable: true, Deterministic: true,
			})
		}
		found[id] = t
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
