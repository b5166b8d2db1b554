package writing

import (
	"context"
	"encoding"
	"errors"
	"hash"
	"io"
	"slices"
	"time"

	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// portionMemory is about how many bytes of rows are one portion, in memory, where each value
// takes valueMemory and its text.
const (
	portionMemory = 2 << 20
	valueMemory   = 160
)

// shortWait is how long a row may take before somebody is waited for: what is quicker is reading.
const shortWait = time.Millisecond

// cut is the rows of an import, portion by portion: what goes into a source as the rows of a
// mutation do.
type cut struct {
	plan     plan.Import
	rows     sqlexec.Incoming
	batch    int64
	count    int64 // of rows in the batch
	number   int64 // of the last row that was read, in the file
	beyond   []int64
	ended    bool
	waited   time.Duration // for rows, while a transaction is open
	patience time.Duration // that others who write the same are to have; 0: any
	changed  func()        // what is kept of the rows is old
	counted  *arriving
	told     hash.Hash // of all rows so far; nil: nobody asks
	text     []byte    // room for a row of it
	ahead    *portion  // that was read to see whether there is one
	again    portion   // rows that come once more
}

func cutOf(ctx context.Context, i plan.Import, rows sqlexec.Incoming, terms ImportTerms) *cut {
	rows, counted := arrivingOf(ctx, rows)
	return &cut{plan: i, rows: rows, batch: terms.Batch, number: terms.From, beyond: terms.Beyond, counted: counted}
}

// portion is rows, their lines and their numbers in the file.
type portion struct {
	lines, numbers []int64
	rows           [][]plan.Given
}

// first are the first rows of a portion.
func (p portion) first(n int) portion { return portion{p.lines[:n], p.numbers[:n], p.rows[:n]} }

// Tell has a digest follow the rows, those that are passed over as well.
func (c *cut) Tell(to hash.Hash) { c.told = to }

// Count is how many rows the batch has.
func (c *cut) Count() int64 { return c.count }

// Ended tells that the last row has been read.
func (c *cut) Ended() bool { return c.ended }

// Skip passes over so many rows, which are in already; fewer if there are no more.
func (c *cut) Skip(n int64) (skipped int64, err error) {
	for ; skipped < n && !c.ended; skipped++ {
		line, row, err := c.pull()
		if errors.Is(err, io.EOF) {
			c.ended = true
			break
		}
		if err != nil {
			return skipped, err
		}
		c.tell(line, row)
		c.number++
	}
	return skipped, nil
}

// rowsAt is a place among the rows, before a batch.
type rowsAt struct {
	number int64
	told   []byte // what the digest was
}

// mark is the place where the next batch begins.
func (c *cut) mark() (rowsAt, error) {
	here := rowsAt{number: c.number}
	if c.told == nil {
		return here, nil
	}
	var err error
	here.told, err = c.told.(encoding.BinaryMarshaler).MarshalBinary()
	return here, err
}

// back has the rows of the first portion behind a place come once more.
func (c *cut) back(to rowsAt, first portion) error {
	c.again, c.number, c.count, c.ended = first, to.number, 0, false
	if c.told == nil {
		return nil
	}
	return c.told.(encoding.BinaryUnmarshaler).UnmarshalBinary(to.told)
}

// pull is the next row.
func (c *cut) pull() (line int64, row []plan.Given, err error) {
	if len(c.again.lines) == 0 {
		return c.rows.Next()
	}
	line, row = c.again.lines[0], c.again.rows[0]
	c.again.lines, c.again.rows = c.again.lines[1:], c.again.rows[1:]
	return line, row, nil
}

// More looks whether there are rows.
func (c *cut) More() (bool, error) {
	p, err := c.next(false)
	c.ahead = &p
	return len(p.lines) > 0, err
}

func (c *cut) tell(line int64, row []plan.Given) {
	if c.told != nil {
		c.text = sqlgen.PostgresImport.AppendStaged(c.text[:0], line, row)
		c.told.Write(c.text)
	}
}

func (c *cut) full() bool { return c.ended || c.batch > 0 && c.count >= c.batch }

// next reads a portion; one without rows is after the last. While a transaction is open others wait
// for the source, so that its sender may not be waited for as long as it likes. Rows that are in are
// passed over.
func (c *cut) next(open bool) (out portion, err error) {
	if c.ahead != nil {
		out, c.ahead = *c.ahead, nil
		return out, nil
	}
	for size := 0; !c.full() && len(out.lines) < plan.MaxPortion && size < portionMemory; {
		began := time.Now()
		line, row, err := c.pull()
		if took := time.Since(began); open && took > shortWait {
			c.waited += took
		}
		switch {
		case errors.Is(err, io.EOF):
			c.ended = true
			return out, nil
		case err != nil:
			return out, err
		case c.patience > 0 && c.waited > c.patience:
			return out, fault.New(fault.Unavailable, "the rows of %s come too slowly: others wait to write the same file", c.plan.Dataset()).
				WithHint("send them in batches, for which a transaction is open only while they are written")
		}
		if c.number++; slices.Contains(c.beyond, c.number) {
			continue
		}
		c.count++
		c.tell(line, row)
		for _, given := range row {
			size += valueMemory + len(given.Value().Text())
			for n := range given.Items() {
				size += valueMemory + len(given.Item(n).Text())
			}
		}
		out.lines, out.numbers, out.rows = append(out.lines, line), append(out.numbers, c.number), append(out.rows, slices.Clone(row))
	}
	return out, nil
}
