package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"usher/catalog"
)

// The column types of the plugin protocol.
const (
	hierarchy = "hierarchy"
	numeric   = "numeric"
	datetime  = "datetime"
)

// maxSchema bounds the bytes of a list of datasets.
const maxSchema = 8 << 20

// Schema is what a plugin says it has, for one account: datasets by their ids.
type Schema map[string]*Dataset

// Dataset is one of a plugin's datasets.
type Dataset struct {
	columns []column
	index   map[string]int
}

type column struct {
	id, typ, subtype string
}

// typeOf is the type of a column, or empty.
func (d *Dataset) typeOf(column string) string {
	if i, ok := d.index[column]; ok {
		return d.columns[i].typ
	}
	return ""
}

// all lists all columns, in the order a plugin without pushdown sends them.
func (d *Dataset) all() []questionColumn {
	out := make([]questionColumn, len(d.columns))
	for i, c := range d.columns {
		out[i].Column = c.id
	}
	return out
}

// Has says which of the columns a dataset lacks.
func (d *Dataset) Has(columns []string) error {
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

// ReadSchema reads the reply of /datasets. What it says beyond ids and types
// is not looked at.
func ReadSchema(from io.Reader) (Schema, error) {
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
	out := make(Schema, len(list))
	for _, found := range list {
		d := &Dataset{index: make(map[string]int, len(found.Columns))}
		for i, c := range found.Columns {
			if _, twice := d.index[c.ID]; twice || c.ID == "" {
				return nil, errors.New("a column of a dataset has no id, or that of another one")
			}
			d.index[c.ID] = i
			d.columns = append(d.columns, column{c.ID, c.Type, c.Subtype})
		}
		if out[found.ID] != nil || found.ID == "" {
			return nil, errors.New("a dataset has no id, or that of another one")
		}
		out[found.ID] = d
	}
	return out, nil
}

// Table is a dataset as introspection describes tables.
func (d *Dataset) Table(id string) catalog.Table {
	t := catalog.Table{Name: id, Plugin: true}
	for _, c := range d.columns {
		typ, ok := catalog.PluginType(c.typ, c.subtype)
		t.Columns = append(t.Columns, catalog.TableColumn{
			Name: c.id, Native: c.typ, Type: typ, Supported: ok, Nullable: true,
		})
	}
	return t
}
