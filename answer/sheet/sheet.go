// Package sheet owns the files that exports are written as: CSV, NDJSON and
// Parquet, portion by portion, so that none is ever held whole. Values are the
// texts of package value, or Parquet's own types. It refuses lists in the rows of
// what is a table, and knows nothing of who asks and where rows come from.
package sheet

import (
	"io"

	"usher/answer"
	"usher/plan"
	"usher/value"
)

// Format is a kind of file.
type Format string

// The formats, by the names that they are asked for.
const (
	CSV     Format = "csv"
	NDJSON  Format = "ndjson"
	Parquet Format = "parquet"
)

// Formats are all of them.
func Formats() []Format { return []Format{CSV, NDJSON, Parquet} }

// Sheet writes one file.
type Sheet interface {
	// Rows writes a portion.
	Rows(r *value.Result) error
	// Close writes the end. Without it the file is none.
	Close() error
	// Nulls is how many values are null because their format cannot hold what the
	// source has.
	Nulls() int64
}

// New begins a file of a plan's rows. Nothing is written before the first portion
// or the end. It refuses a plan whose rows the format cannot hold.
func New(f Format, to io.Writer, q plan.Query, w answer.Writing) (Sheet, error) {
	if f == NDJSON {
		return &ndjson{to: to, encoder: answer.NewEncoder(q, w)}, nil
	}
	columns, err := answer.Columns(q, w)
	if err != nil {
		return nil, err
	}
	if f == Parquet {
		return newParquet(to, columns), nil
	}
	return &csv{to: to, columns: columns}, nil
}

// ndjson is a JSON object in each line.
type ndjson struct {
	to      io.Writer
	encoder *answer.Encoder
	out     []byte
	nulls   int64
}

func (n *ndjson) Rows(r *value.Result) error {
	out, nulls, err := n.encoder.AppendLines(n.out[:0], r)
	if err != nil {
		return err
	}
	n.out, n.nulls = out, n.nulls+nulls
	_, err = n.to.Write(out)
	return err
}

func (n *ndjson) Close() error { return nil }

func (n *ndjson) Nulls() int64 { return n.nulls }
