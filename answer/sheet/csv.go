package sheet

import (
	"bytes"
	"errors"
	"io"

	"usher/answer"
	"usher/value"
)

// csv is text in lines (RFC 4180, ended by a line feed): names first, null is
// nothing, a line with nothing in it where there is one column, and the empty text
// is "". Cells are what the source has: one that a
// spreadsheet would take for a formula is written as it is.
type csv struct {
	to      io.Writer
	columns []answer.Column
	headed  bool
	out     []byte
	cell    []byte
	nulls   int64
}

func (c *csv) Rows(r *value.Result) error {
	c.out = c.out[:0]
	c.head()
	for i := range r.Rows.Len() {
		row := r.Rows.Row(i)
		for j := range c.columns {
			if j > 0 {
				c.out = append(c.out, ',')
			}
			text, ok, err := c.columns[j].AppendText(c.cell[:0], row)
			if err = counted(err, &c.nulls); err != nil {
				return err
			}
			if c.cell = text; ok {
				c.quoted(text)
			}
		}
		c.out = append(c.out, '\n')
	}
	_, err := c.to.Write(c.out)
	return err
}

// head writes the names of the columns, once.
func (c *csv) head() {
	if c.headed {
		return
	}
	c.headed = true
	for j := range c.columns {
		if j > 0 {
			c.out = append(c.out, ',')
		}
		c.quoted([]byte(c.columns[j].Name))
	}
	c.out = append(c.out, '\n')
}

func (c *csv) quoted(text []byte) {
	if len(text) > 0 && !bytes.ContainsAny(text, "\",\r\n") {
		c.out = append(c.out, text...)
		return
	}
	c.out = append(c.out, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			break
		}
		c.out = append(append(c.out, text[:i+1]...), '"')
		text = text[i+1:]
	}
	c.out = append(append(c.out, text...), '"')
}

func (c *csv) Close() error {
	if c.headed {
		return nil
	}
	c.head() // of no rows
	_, err := c.to.Write(c.out)
	return err
}

func (c *csv) Nulls() int64 { return c.nulls }

// counted counts a value that has no text, and passes other errors on.
func counted(err error, nulls *int64) error {
	var why value.Unprintable
	switch {
	case err == nil:
		return nil
	case errors.As(err, &why):
		*nulls++
		return nil
	}
	return answer.Unwritable(err)
}
