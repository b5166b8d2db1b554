package duckdb

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"usher/datasource/sqltype"
	"usher/value"
)

// named are the types that are served as what they are. All others are text, but
// for those that are made of others.
var named = map[string]sqltype.Served{
	"BOOLEAN": sqltype.As(value.Boolean),
	"TINYINT": sqltype.As(value.Int), "SMALLINT": sqltype.As(value.Int), "INTEGER": sqltype.As(value.Int),
	"UTINYINT": sqltype.As(value.Int), "USMALLINT": sqltype.As(value.Int),
	"BIGINT": sqltype.As(value.BigInt), "UINTEGER": sqltype.As(value.BigInt),
	"UBIGINT": {Type: value.DecimalOf(20, 0)},
	"HUGEINT": {Type: value.DecimalOf(value.MaxDigits, 0), Form: value.Wide, Odd: true}, "UHUGEINT": {Type: value.DecimalOf(value.MaxDigits, 0), Form: value.Wide, Odd: true},
	"FLOAT": sqltype.Odd(value.Float, value.Single), "DOUBLE": sqltype.Odd(value.Float, value.Plain),
	"VARCHAR": sqltype.As(value.String), "UUID": sqltype.As(value.UUID), "BLOB": sqltype.As(value.Bytes), "JSON": sqltype.Odd(value.JSON, value.Plain),
	"DATE": sqltype.Odd(value.Date, value.Plain), "TIME": sqltype.As(value.Time), "TIME_NS": sqltype.In(value.Time, value.Finer),
	"INTERVAL":                 sqltype.As(value.Interval),
	"TIMESTAMP WITH TIME ZONE": sqltype.Odd(value.Timestamp, value.Plain),
	"TIMESTAMP":                sqltype.Odd(value.LocalTimestamp, value.Plain), "TIMESTAMP_S": sqltype.Odd(value.LocalTimestamp, value.Plain),
	"TIMESTAMP_MS": sqltype.Odd(value.LocalTimestamp, value.Plain), "TIMESTAMP_NS": sqltype.Odd(value.LocalTimestamp, value.Finer),
}

// typeOf is how a native type is served. enums names enum types by their spelling;
// one that has no name is called unnamed.
func typeOf(native string, enums map[string]string, unnamed string) sqltype.Served {
	if elem, fixed := elementOf(native); elem != "" {
		t := typeOf(elem, enums, unnamed)
		if elem[len(elem)-1] == ']' { // of lists
			return sqltype.In(value.JSON, value.Document)
		}
		t.List = true
		if fixed && t.Form == value.Plain {
			t.Form = value.Fixed
		}
		return t
	}
	if spelled, ok := strings.CutPrefix(native, "ENUM("); ok {
		if t := sqltype.Enum(cmp.Or(enums[native], unnamed), labels(strings.TrimSuffix(spelled, ")"))); t.Scalar == value.Enum {
			return sqltype.Served{Type: t}
		}
		return sqltype.In(value.String, value.Label)
	}
	if digits, ok := strings.CutPrefix(native, "DECIMAL("); ok {
		if t, ok := decimal(strings.TrimSuffix(digits, ")")); ok {
			return sqltype.Served{Type: t}
		}
	}
	for _, made := range []string{"STRUCT(", "MAP(", "UNION("} {
		if strings.HasPrefix(native, made) {
			return sqltype.In(value.JSON, value.Document)
		}
	}
	if t, ok := named[native]; ok {
		return t
	}
	return sqltype.In(value.String, value.Printed)
}

// elementOf is the type of the elements of a list, which may be of a fixed length.
func elementOf(native string) (elem string, fixed bool) {
	open := strings.LastIndexByte(native, '[')
	if open <= 0 || native[len(native)-1] != ']' {
		return "", false
	}
	return native[:open], open < len(native)-2
}

func decimal(digits string) (value.Type, bool) {
	precisionText, scaleText, _ := strings.Cut(digits, ",")
	precision, err := strconv.Atoi(precisionText)
	if err != nil {
		return value.Type{}, false
	}
	scale, err := strconv.Atoi(scaleText)
	if err != nil {
		return value.Type{}, false
	}
	return value.DecimalOf(precision, scale), true
}

// enumSpelling is how the engine writes an enum type.
func enumSpelling(labels []string) string {
	quoted := make([]string, len(labels))
	for i, label := range labels {
		quoted[i] = literal(label)
	}
	return "ENUM(" + strings.Join(quoted, ", ") + ")"
}

// labels reads what enumSpelling writes between the parentheses.
func labels(text string) []string {
	var out []string
	for text != "" {
		text = strings.TrimPrefix(strings.TrimPrefix(text, ", "), "'")
		var label strings.Builder
		for {
			part, rest, _ := strings.Cut(text, "'")
			label.WriteString(part)
			text = rest
			if !strings.HasPrefix(rest, "'") {
				break
			}
			label.WriteByte('\'')
			text = rest[1:]
		}
		out = append(out, label.String())
	}
	return out
}

// nativeOf is the type of a scratch column that holds values of t.
func nativeOf(t value.Type) (string, error) {
	if t.List {
		elem, err := nativeOf(t.Elem())
		return elem + "[]", err
	}
	switch t.Scalar {
	case value.Int:
		return "INTEGER", nil
	case value.BigInt:
		return "BIGINT", nil
	case value.Decimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", cmp.Or(t.Precision, value.MaxDigits), t.Scale), nil
	case value.Float:
		return "DOUBLE", nil
	case value.Boolean:
		return "BOOLEAN", nil
	case value.String, value.ID:
		return "VARCHAR", nil
	case value.UUID:
		return "UUID", nil
	case value.Date:
		return "DATE", nil
	case value.Time:
		return "TIME", nil
	case value.Timestamp:
		return "TIMESTAMPTZ", nil
	case value.LocalTimestamp:
		return "TIMESTAMP", nil
	case value.Interval:
		return "INTERVAL", nil
	case value.JSON:
		return "JSON", nil
	case value.Bytes:
		return "BLOB", nil
	case value.Enum:
		return enumSpelling(t.Labels), nil
	}
	return "", fmt.Errorf("duckdb: no type for %s", t.Scalar)
}
