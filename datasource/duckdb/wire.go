package duckdb

import (
	"context"
	"database/sql/driver"
	"fmt"
	"unicode/utf8"

	"usher/fault"
	"usher/sqlgen"
	"usher/value"
)

// staged is the type that takes a wire form as it is.
func staged(t value.Type) string { return sqlgen.DuckDB.InternalType(t) }

// fromCell is a cell as the driver takes it for a staged column.
func fromCell(c value.Cell, staged string) (driver.Value, error) {
	switch {
	case c.Kind == value.KindNull:
		return nil, nil
	case c.Kind == value.KindBool && staged == "BOOLEAN":
		return c.Bool, nil
	case c.Kind == value.KindInt && staged == "BIGINT":
		return c.Int, nil
	case c.Kind == value.KindFloat && staged == "DOUBLE":
		return c.Float, nil
	case c.Kind == value.KindText && staged == "VARCHAR":
		if !utf8.Valid(c.Text) {
			return nil, fault.New(fault.Internal, "a source sent text that is not UTF-8")
		}
		return c.Text, nil
	}
	return nil, fault.New(fault.Internal, "a cell of kind %d came for a %s column", c.Kind, staged)
}

// fromWire is the SQL that makes a native value of a staged column.
func fromWire(staged string, t value.Type, native string) string {
	if t.List {
		elem := t.Elem()
		native, _ := nativeOf(elem) // the list's own type has just been made of it
		return "list_transform(" + elements(staged) + ", lambda e: " + fromWire("e", elem, native) + ")"
	}
	switch t.Scalar {
	case value.Interval:
		part := func(i int, as string) string { return fmt.Sprintf("split_part(%s, ' ', %d)::%s", staged, i, as) }
		return "to_months(" + part(1, "INTEGER") + ") + to_days(" + part(2, "INTEGER") + ") + to_microseconds(" + part(3, "BIGINT") + ")"
	case value.Bytes:
		return "from_base64(" + staged + ")"
	// PostgreSQL has numbers and times that this engine cannot hold: these are null.
	case value.Decimal:
		return "CASE WHEN " + held(staged) + " THEN CAST(" + staged + " AS " + native + ") END"
	case value.Date, value.Timestamp, value.LocalTimestamp:
		at := "CASE WHEN ends_with(" + staged + ", ' BC') THEN regexp_replace(" + staged + `, '^(\S+)(.*) BC$', '\1 (BC)\2') ELSE ` + staged + " END"
		if t.Scalar == value.Date {
			return "CAST(" + at + " AS DATE)"
		}
		return "CASE WHEN strpos(" + staged + ", '-') > 6 THEN TRY_CAST(" + at + " AS " + native + ") ELSE CAST(" + at + " AS " + native + ") END"
	default:
		return "CAST(" + staged + " AS " + native + ")"
	}
}

// held tells in SQL whether a decimal is a number of few enough digits.
func held(text string) string {
	return fmt.Sprintf("length(translate(ltrim(%s, '-0'), '.', '')) <= %d AND %s NOT IN ('NaN', 'Infinity', '-Infinity')", text, value.MaxDigits, text)
}

// elements is the SQL for the texts in a list's wire form.
func elements(staged string) string { return "CAST(CAST(" + staged + " AS JSON) AS VARCHAR[])" }

// scaled is the column's type, with the scale that a decimal without a
// declared one needs for the values that came.
func (s *Scratch) scaled(ctx context.Context, staging string, column ScratchColumn) (value.Type, error) {
	if column.Type.Scalar != value.Decimal || column.Type.Scale != value.Unscaled {
		return column.Type, nil
	}
	texts := "SELECT " + sqlgen.Identifier(column.Name) + " AS d FROM " + sqlgen.Identifier(staging)
	if column.Type.List {
		texts = "SELECT unnest(" + elements(sqlgen.Identifier(column.Name)) + ") AS d FROM " + sqlgen.Identifier(staging)
	}
	session := &session{conn: s.conn}
	defer session.closeRows()
	rows, err := session.Query(ctx, `
		SELECT max(length(ltrim(split_part(d, '.', 1), '-0'))), max(length(split_part(d, '.', 2)))
		FROM (`+texts+`) WHERE `+held("d"), nil)
	if err != nil {
		return value.Type{}, err
	}
	if !rows.Next() {
		return value.Type{}, rows.Err()
	}
	whole, scale := rows.Cell(0).Int, rows.Cell(1).Int // 0 if all are null
	if whole+scale > value.MaxDigits {
		return value.Type{}, fault.New(fault.TooComplex, "numbers of more than %d digits cannot be combined", value.MaxDigits)
	}
	t := value.DecimalOf(value.MaxDigits, int(scale))
	t.List = column.Type.List
	return t, nil
}
