package plugin

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Rows streams the rows of an answer. It is used by one goroutine.
type Rows struct {
	to    *stream
	out   *bufio.Writer
	text  []byte
	width int // cells of each row; 0 until the first one, where none were named
	n     int
	err   error
}

func newRows(w http.ResponseWriter, q Query) *Rows {
	to := &stream{ResponseWriter: w}
	return &Rows{to: to, out: bufio.NewWriterSize(to, 64<<10), width: len(q.Columns)}
}

// stream is a response that knows whether a part of it is on its way.
type stream struct {
	http.ResponseWriter
	begun bool
}

// Write implements io.Writer.
func (s *stream) Write(text []byte) (int, error) {
	if !s.begun {
		s.begun = true
		s.Header().Set("Content-Type", "application/json")
	}
	return s.ResponseWriter.Write(text)
}

// Write adds a row: nil, text, booleans, numbers, times (written in UTC), and
// what json.Marshal makes of anything else. It fails when the row is not as
// wide as the others, or a number is none in JSON, or the caller has left.
func (r *Rows) Write(cells ...any) error {
	if r.err != nil {
		return r.err
	}
	if r.width == 0 {
		r.width = len(cells)
	}
	if len(cells) != r.width || r.width == 0 {
		r.err = fmt.Errorf("plugin: row %d has %d cells and not %d", r.n+1, len(cells), r.width)
		return r.err
	}
	r.text = r.text[:0]
	if r.n == 0 {
		r.text = append(r.text, '[')
	} else {
		r.text = append(r.text, ',', '\n')
	}
	for i, c := range cells {
		if i == 0 {
			r.text = append(r.text, '[')
		} else {
			r.text = append(r.text, ',')
		}
		if r.text, r.err = appendCell(r.text, c); r.err != nil {
			r.err = fmt.Errorf("plugin: row %d, cell %d: %w", r.n+1, i+1, r.err)
			return r.err
		}
	}
	r.text = append(r.text, ']')
	r.n++
	_, r.err = r.out.Write(r.text)
	return r.err
}

// end writes what closes the answer.
func (r *Rows) end() error {
	if r.err != nil {
		return r.err
	}
	closing := "]\n"
	if r.n == 0 {
		closing = "[]\n"
	}
	if _, err := r.out.WriteString(closing); err != nil {
		return err
	}
	return r.out.Flush()
}

func appendCell(text []byte, cell any) ([]byte, error) {
	switch c := cell.(type) {
	case nil:
		return append(text, "null"...), nil
	case bool:
		return strconv.AppendBool(text, c), nil
	case int:
		return strconv.AppendInt(text, int64(c), 10), nil
	case int32:
		return strconv.AppendInt(text, int64(c), 10), nil
	case int64:
		return strconv.AppendInt(text, c, 10), nil
	case float64:
		if math.IsNaN(c) || math.IsInf(c, 0) {
			return text, fmt.Errorf("%v is no number in JSON", c)
		}
		return strconv.AppendFloat(text, c, 'g', -1, 64), nil
	case time.Time:
		return c.UTC().AppendFormat(text, `"2006-01-02T15:04:05.000000Z"`), nil
	}
	raw, err := json.Marshal(cell)
	return append(text, raw...), err
}
