package catalog

import "usher/query"

// Operations are the ways in which rows may be written: `writable: true` is all
// of them, a list those that it names.
type Operations []string

// The operations.
const (
	InsertRows = "insert"
	UpdateRows = "update"
	DeleteRows = "delete"
)

// UnmarshalYAML implements the reading of either form.
func (o *Operations) UnmarshalYAML(unmarshal func(any) error) error {
	var all bool
	if unmarshal(&all) == nil {
		*o = nil
		if all {
			*o = Operations{InsertRows, UpdateRows, DeleteRows}
		}
		return nil
	}
	list := []string{}
	err := unmarshal(&list)
	*o = list
	return err
}

// PresetsSpec describes what usher writes into columns, by column: constants and
// the words that filters know, and $now.
type PresetsSpec struct {
	Insert map[string]query.Value `yaml:"insert"`
	Update map[string]query.Value `yaml:"update"`
}

// DeletedSpec describes how deleted rows are kept: stamped, and then shown to nobody
// who does not ask for them.
type DeletedSpec struct {
	At string `yaml:"at"`
	By string `yaml:"by"`
}

// InsertSpec describes which rows a role may insert.
type InsertSpec struct {
	Columns []string               `yaml:"columns"`
	Check   query.Value            `yaml:"check"`
	Presets map[string]query.Value `yaml:"presets"`
}

// UpdateSpec describes which rows a role may change, and into what.
type UpdateSpec struct {
	Columns []string    `yaml:"columns"`
	Filter  query.Value `yaml:"filter"`
	Check   query.Value `yaml:"check"`
}

// DeleteSpec describes which rows a role may delete.
type DeleteSpec struct {
	Filter query.Value `yaml:"filter"`
}

// APIWritesSpec describes the calls by which rows are written through an API. A way
// of writing without a call is not taken there.
type APIWritesSpec struct {
	Insert         *CallSpec `yaml:"insert"`
	Update         *CallSpec `yaml:"update"`
	Delete         *CallSpec `yaml:"delete"`
	Row            *string   `yaml:"row"`
	IdempotencyKey string    `yaml:"idempotency_key"`
}

// CallSpec describes the call that writes one row.
type CallSpec struct {
	Method string       `yaml:"method"`
	Path   string       `yaml:"path"`
	Body   CallBodySpec `yaml:"body"`
}

// CallBodySpec describes what such a call carries.
type CallBodySpec struct {
	JSON query.Value `yaml:"json"` // its texts are templates
}
