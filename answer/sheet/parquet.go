package sheet

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/parquet-go/parquet-go"

	"usher/answer"
	"usher/value"
)

// A row group is held until it is complete, column by column: it ends after so many
// rows, or bytes of values.
const (
	groupRows  = 64 << 10
	groupBytes = 16 << 20
)

// columnar is a Parquet file.
type columnar struct {
	writer  *parquet.Writer //nolint:staticcheck // the generic one wants Go types, and there are none
	columns []answer.Column
	makers  []maker
	rows    []parquet.Row
	text    []byte
	held    struct{ rows, bytes int }
	nulls   int64
}

// maker makes the value of a column from its canonical text; false: it does not fit.
type maker func(text []byte, cell value.Cell) (parquet.Value, bool)

func newParquet(to io.Writer, columns []answer.Column) *columnar {
	c := &columnar{columns: columns, makers: make([]maker, len(columns))}
	root := &ordered{Group: parquet.Group{}}
	for i := range columns {
		node, made := nodeOf(&columns[i])
		node, c.makers[i] = parquet.Compressed(parquet.Optional(node), &parquet.Zstd), made
		root.Group[columns[i].Name] = node
		root.fields = append(root.fields, &member{node, columns[i].Name})
	}
	c.writer = parquet.NewWriter(to, parquet.NewSchema("rows", root), parquet.CreatedBy("usher", "", ""))
	return c
}

// ordered is a group whose fields stay in the order that they were asked for.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o *ordered) Fields() []parquet.Field { return o.fields }

type member struct {
	parquet.Node
	name string
}

func (m *member) Name() string { return m.name }

func (m *member) Value(base reflect.Value) reflect.Value {
	return base.MapIndex(reflect.ValueOf(m.name)) // rows are written as values of columns: nobody asks
}

func nodeOf(c *answer.Column) (parquet.Node, maker) {
	t, known := c.Type()
	if !known {
		return parquet.String(), asText
	}
	if t.List {
		return parquet.JSON(), asText
	}
	switch t.Scalar {
	case value.Boolean:
		return parquet.Leaf(parquet.BooleanType), func(_ []byte, c value.Cell) (parquet.Value, bool) { return parquet.BooleanValue(c.Bool), true }
	case value.Int:
		return parquet.Int(32), func(_ []byte, c value.Cell) (parquet.Value, bool) {
			return parquet.Int32Value(int32(c.Int)), int64(int32(c.Int)) == c.Int
		}
	case value.BigInt:
		return parquet.Int(64), func(_ []byte, c value.Cell) (parquet.Value, bool) { return parquet.Int64Value(c.Int), true }
	case value.Float:
		return parquet.Leaf(parquet.DoubleType), func(_ []byte, c value.Cell) (parquet.Value, bool) { return parquet.DoubleValue(c.Float), true }
	case value.Decimal:
		return decimal(t)
	case value.Date:
		return parquet.Date(), asDate
	case value.Time:
		return parquet.TimeAdjusted(parquet.Microsecond, false), asClock
	case value.Timestamp:
		return parquet.TimestampAdjusted(parquet.Microsecond, true), asMoment
	case value.LocalTimestamp:
		return parquet.TimestampAdjusted(parquet.Microsecond, false), asMoment
	case value.UUID:
		return parquet.UUID(), asUUID
	case value.JSON:
		return parquet.JSON(), asText
	case value.Bytes:
		return parquet.Leaf(parquet.ByteArrayType), asBytes
	case value.String, value.ID, value.Enum, value.Interval:
	}
	return parquet.String(), asText
}

func asText(text []byte, _ value.Cell) (parquet.Value, bool) {
	return parquet.ByteArrayValue(append([]byte(nil), text...)), true
}

// decimal is a number of the declared digits; without a declared scale it is text,
// as a column of Parquet has one scale for all rows.
func decimal(t value.Type) (parquet.Node, maker) {
	switch {
	case t.Scale < 0 || t.Precision <= 0 || t.Precision > value.MaxDigits:
		return parquet.String(), asText
	case t.Precision <= 9:
		return parquet.Decimal(t.Scale, t.Precision, parquet.Int32Type), func(text []byte, _ value.Cell) (parquet.Value, bool) {
			n, err := strconv.ParseInt(strings.Replace(string(text), ".", "", 1), 10, 32)
			return parquet.Int32Value(int32(n)), err == nil
		}
	case t.Precision <= 18:
		return parquet.Decimal(t.Scale, t.Precision, parquet.Int64Type), func(text []byte, _ value.Cell) (parquet.Value, bool) {
			n, err := strconv.ParseInt(strings.Replace(string(text), ".", "", 1), 10, 64)
			return parquet.Int64Value(n), err == nil
		}
	}
	return parquet.Decimal(t.Scale, t.Precision, parquet.FixedLenByteArrayType(16)), func(text []byte, _ value.Cell) (parquet.Value, bool) {
		n, ok := new(big.Int).SetString(strings.Replace(string(text), ".", "", 1), 10)
		if !ok || n.BitLen() > 127 {
			return parquet.Value{}, false
		}
		if n.Sign() < 0 {
			n.Add(n, new(big.Int).Lsh(big.NewInt(1), 128))
		}
		return parquet.FixedLenByteArrayValue(n.FillBytes(make([]byte, 16))), true
	}
}

func asDate(text []byte, _ value.Cell) (parquet.Value, bool) {
	at, err := time.Parse(time.DateOnly, string(text))
	return parquet.Int32Value(int32(at.Unix() / 86400)), err == nil
}

// asMoment reads a time as the source has it, in UTC or of no zone.
func asMoment(_ []byte, c value.Cell) (parquet.Value, bool) {
	at, err := time.Parse("2006-01-02 15:04:05.999999", strings.TrimSuffix(string(c.Text), "+00"))
	return parquet.Int64Value(at.UnixMicro()), err == nil
}

func asClock(text []byte, _ value.Cell) (parquet.Value, bool) {
	at, err := time.Parse("15:04:05.999999", string(text))
	return parquet.Int64Value(at.Sub(at.Truncate(24 * time.Hour)).Microseconds()), err == nil
}

func asBytes(text []byte, _ value.Cell) (parquet.Value, bool) {
	raw, err := base64.StdEncoding.DecodeString(string(text))
	return parquet.ByteArrayValue(raw), err == nil
}

func asUUID(text []byte, _ value.Cell) (parquet.Value, bool) {
	id, err := hex.DecodeString(strings.ReplaceAll(string(text), "-", ""))
	return parquet.FixedLenByteArrayValue(id), err == nil && len(id) == 16
}

func (c *columnar) Rows(r *value.Result) error {
	c.rows = c.rows[:0]
	for i := range r.Rows.Len() {
		row, out := r.Rows.Row(i), make(parquet.Row, len(c.columns))
		for j := range c.columns {
			v, err := c.value(j, row)
			if err != nil {
				return err
			}
			out[j] = v
		}
		c.rows = append(c.rows, out)
	}
	if _, err := c.writer.WriteRows(c.rows); err != nil {
		return err
	}
	c.held.rows, c.held.bytes = c.held.rows+r.Rows.Len(), c.held.bytes+r.Rows.Size()
	if c.held.rows < groupRows && c.held.bytes < groupBytes {
		return nil
	}
	c.held.rows, c.held.bytes = 0, 0
	return c.writer.Flush()
}

func (c *columnar) value(j int, row value.Row) (parquet.Value, error) {
	column, cell := &c.columns[j], value.Cell{}
	if t, known := column.Type(); known {
		cell = column.Cell(row)
		if t.Scalar == value.Float && !t.List && !cell.Null() { // which has the numbers that are not finite
			v, _ := c.makers[j](nil, cell)
			return v.Level(0, 1, j), nil
		}
	}
	text, ok, err := column.AppendText(c.text[:0], row)
	c.text = text
	if err = counted(err, &c.nulls); err != nil || !ok {
		return parquet.Value{}.Level(0, 0, j), err
	}
	v, ok := c.makers[j](text, cell)
	if !ok {
		c.nulls++
		return parquet.Value{}.Level(0, 0, j), nil
	}
	return v.Level(0, 1, j), nil
}

func (c *columnar) Close() error { return c.writer.Close() }

func (c *columnar) Nulls() int64 { return c.nulls }
