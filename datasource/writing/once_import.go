package writing

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/value"
)

// An import with a key notes with each transaction how many rows are in and their digest, so
// that whoever sends the file again goes on behind them, or is told that all are in. Rows are
// told apart as they are written: how a file is compressed or quoted does not matter.

// keptRows is what is kept of an import.
type keptRows struct {
	Rows int64  `json:"rows"`
	Sum  string `json:"sum"`
	Done bool   `json:"done"`
}

// onceImport is an import with a key.
type onceImport struct {
	*Once
	source *onceIn
	rows   passing
	sum    hash.Hash
	kept   []byte // as of the last transaction; nil: nothing is known to be kept
	in     int64  // rows
}

// passing is the rows of an import as they go by.
type passing interface {
	Tell(to hash.Hash)                       // of all rows that go by
	Skip(n int64) (skipped int64, err error) // passes over so many, or as many as there are
	More() (bool, error)                     // looks whether there are any
	Count() int64                            // of the transaction
	Ended() bool
}

// errKept ends a transaction that found rows to be in.
var errKept = errors.New("rows of this import are in already")

func onceImportOf(once *Once, source *onceIn, rows passing) *onceImport {
	if once == nil {
		return nil
	}
	o := &onceImport{Once: once, source: source, rows: rows, sum: sha256.New()}
	rows.Tell(o.sum)
	return o
}

// enter takes the key for a transaction, before any row of it is read.
func (o *onceImport) enter(ctx context.Context, s sqlexec.Session) error {
	if o.kept == nil {
		kept, err := o.begin(ctx, s, o.source)
		if err == nil && kept != nil {
			o.kept, err = kept, errKept
		}
		return err
	}
	var now []byte
	if _, err := sqlexec.FirstRow(ctx, s, o.source.held, []string{o.Tenant, o.Subject, o.Key}, func(row value.Rows) { now = bytes.Clone(row.Cell(0).Text) }); err != nil {
		return err
	}
	switch {
	case len(now) == 0: // it was a day old, and is forgotten
		return fault.New(fault.Conflict, "the idempotency key is forgotten").WithHint("Look which rows are in, and send the others with a new key.")
	case !bytes.Equal(now, o.kept): // others send it, too, and have come further
		o.kept = now
		return errKept
	}
	return nil
}

// skip passes over the rows that are in, and tells whether these are all.
func (o *onceImport) skip() (done bool, err error) {
	var kept keptRows
	if err := json.Unmarshal(o.kept, &kept); err != nil {
		return false, fault.New(fault.Internal, "what was kept of the import cannot be read").Because(err)
	}
	beyond := kept.Rows - o.in // those of others' transactions, or of an earlier time
	skipped := int64(0)
	if beyond > 0 {
		if skipped, err = o.rows.Skip(beyond); err != nil {
			return false, err
		}
	}
	same := skipped == beyond && hex.EncodeToString(o.sum.Sum(nil)) == kept.Sum
	if same && kept.Done {
		more, err := o.rows.More()
		if err != nil {
			return false, err
		}
		same = !more
	}
	if !same {
		return false, fault.New(fault.Conflict, "the idempotency key stands for other rows").WithHint("Make a new key for each import, and send the same one only to send the same file again.")
	}
	o.in = kept.Rows
	return kept.Done, nil
}

// leave notes what is in, before COMMIT.
func (o *onceImport) leave(ctx context.Context, s sqlexec.Session) (kept []byte, err error) {
	kept, err = json.Marshal(keptRows{Rows: o.in + o.rows.Count(), Sum: hex.EncodeToString(o.sum.Sum(nil)), Done: o.rows.Ended()})
	if err != nil {
		return nil, fault.Broken("what is kept of an import: %w", err)
	}
	return kept, o.end(ctx, s, kept)
}
