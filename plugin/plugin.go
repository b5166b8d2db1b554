// Package plugin lets a Go program be a broker plugin: an HTTP service that
// usher, or anything else that speaks Luzmo's plugin protocol, asks for rows,
// and that decides where they come from. The package owns the wire: it checks
// the shared secret, reads requests strictly, streams rows and writes errors.
// What it reads it does not repair: a filter it cannot pass on whole, with an
// operator or a member it does not know, refuses the request, since a filter
// that is left out answers with more rows than were asked for.
package plugin

import (
	"context"
	"net/http"
	"strings"
)

// Plugin answers questions. Its methods are called by many requests at once.
type Plugin interface {
	// Datasets lists what the caller may ask for.
	Datasets(ctx context.Context, c Caller) ([]Dataset, error)
	// Query writes the rows of one dataset: the columns of q.Columns in their
	// order or, where none are named, all columns in the order of Datasets.
	// An *Error is told to the caller; of any other error it learns nothing.
	Query(ctx context.Context, q Query, rows *Rows) error
}

// Authorizer is a Plugin that checks a caller's credentials when a connection
// is made. Without it everybody who knows the secret may connect.
type Authorizer interface {
	Authorize(ctx context.Context, c Caller) error
}

// Caller is on whose behalf a request is made. Only who knows the plugin's
// secret can make one, so what it says of the user is what the gateway says.
type Caller struct {
	User  User
	Host  string // older connections: header X-Host
	Key   string // X-Key
	Token string // X-Token

	properties http.Header
}

// Property is the connection's property of that name (header X-Property-NAME),
// in any case, or empty.
func (c Caller) Property(name string) string { return c.properties.Get(propertyPrefix + name) }

// User is who asks.
type User struct {
	ID       string
	Name     string
	Email    string
	Metadata map[string]any // of the token: strings, json.Number, booleans, lists, objects
}

// Text is a member of the metadata that is a string, or empty. Usher always
// sends the member tenant.
func (u User) Text(name string) string {
	text, _ := u.Metadata[name].(string)
	return text
}

// Type is a column's type.
type Type string

// The types.
const (
	Hierarchy Type = "hierarchy" // text
	Numeric   Type = "numeric"
	Datetime  Type = "datetime" // ISO 8601 in UTC
)

// Dataset is what can be asked for.
type Dataset struct {
	ID          string
	Name        string // for people; default: the id
	Description string
	Columns     []DatasetColumn
}

// DatasetColumn is a column of a dataset.
type DatasetColumn struct {
	ID      string
	Name    string // for people; default: the id
	Type    Type
	Subtype string // optional, such as date
}

// Query is a question for rows of one dataset.
type Query struct {
	Caller     Caller
	Dataset    string   // id
	Columns    []Column // none: all of the dataset's
	Filters    []Filter // all of them hold
	FiltersAll []Filter // the active filters on all datasets of the plugin; for information
	Pushdown   bool     // group by the columns without aggregation; otherwise every row is one
	Order      []Order  // for plugins that say supports_order_limit
	Limit      int      // rows that are enough, or 0; likewise
}

// Column is a column that is asked for.
type Column struct {
	ID          string // * with the aggregation count: the number of rows
	Level       Level  // of a Datetime, with Pushdown
	Aggregation Aggregation
}

// Level is a unit of time that values are cut down to.
type Level string

// The levels.
const (
	Year        Level = "year"
	Quarter     Level = "quarter"
	Month       Level = "month"
	Week        Level = "week"
	Day         Level = "day"
	Hour        Level = "hour"
	Minute      Level = "minute"
	Second      Level = "second"
	Millisecond Level = "millisecond"
)

// Aggregation is a function over the rows of a group.
type Aggregation string

// The aggregations.
const (
	Sum           Aggregation = "sum"
	Min           Aggregation = "min"
	Max           Aggregation = "max"
	Count         Aggregation = "count"
	DistinctCount Aggregation = "distinctcount"
)

// Order is one term of an order.
type Order struct {
	Column     string
	Descending bool
}

// Of returns what a query asks of a dataset: its columns, or all of the
// dataset's. It fails on columns and filters the dataset does not have.
func (q Query) Of(d Dataset) ([]Column, error) {
	known := make(map[string]bool, len(d.Columns))
	var all []Column
	for _, c := range d.Columns {
		known[c.ID] = true
		all = append(all, Column{ID: c.ID})
	}
	for _, c := range q.Columns {
		if !known[c.ID] && (c.ID != "*" || c.Aggregation != Count) {
			return nil, Errorf(http.StatusBadRequest, "the dataset %s has no column %q", d.ID, c.ID)
		}
	}
	for _, f := range q.Filters {
		if !known[f.Column] {
			return nil, Errorf(http.StatusBadRequest, "a filter names the column %q, which the dataset %s does not have", f.Column, d.ID)
		}
	}
	for _, o := range q.Order {
		if !known[o.Column] {
			return nil, Errorf(http.StatusBadRequest, "the order names the column %q, which the dataset %s does not have", o.Column, d.ID)
		}
	}
	if len(q.Columns) > 0 {
		return q.Columns, nil
	}
	return all, nil
}

const propertyPrefix = "X-Property-"

// callerOf reads the credentials of a request.
func callerOf(h http.Header) Caller {
	c := Caller{Host: h.Get("X-Host"), Key: h.Get("X-Key"), Token: h.Get("X-Token"), properties: make(http.Header)}
	for name, values := range h {
		if strings.HasPrefix(name, propertyPrefix) {
			c.properties[name] = values
		}
	}
	return c
}
