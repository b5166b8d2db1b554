package duckdb

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"usher/datasource/sqltype"
	"usher/value"
)

// typeOf is the scalar a native type is served as. enums names enum types by
// their spelling; one that has no name is called unnamed.
func typeOf(native string, enums map[string]string, unnamed string) (value.Type, bool) {
	if elem, ok := strings.CutSuffix(native, "[]"); ok {
		t, ok := typeOf(elem, enums, unnamed)
		if !ok || t.List {
			return value.Type{}, false
		}
		t.List = true
		return t, true
	}
	if spelled, ok := strings.CutPrefix(native, "ENUM("); ok {
		return sqltype.Enum(cmp.Or(enums[native], unnamed), labels(strings.TrimSuffix(spelled, ")"))), true
	}
	if digits, ok := strings.CutPrefix(native, "DECIMAL("); ok {
		return decimal(strings.TrimSuffix(digits, ")"))
	}
	switch native {
	case "BOOLEAN":
		return value.Of(value.Boolean), true
	case "TINYINT", "SMALLINT", "INTEGER", "UTINYINT", "USMALLINT":
		return value.Of(value.Int), true
	case "BIGINT", "UINTEGER":
		return value.Of(value.BigInt), true
	case "UBIGINT", "HUGEINT":
		return value.DecimalOf(value.MaxDigits, 0), true
	case "FLOAT", "DOUBLE":
		return value.Of(value.Float), true
	case "VARCHAR":
		return value.Of(value.String), true
	case "UUID":
		return value.Of(value.UUID), true
	case "DATE":
		return value.Of(value.Date), true
	case "TIME":
		return value.Of(value.Time), true
	case "TIMESTAMP WITH TIME ZONE":
		return value.Of(value.Timestamp), true
	case "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS":
		return value.Of(value.LocalTimestamp), true
	case "INTERVAL":
		return value.Of(value.Interval), true
	case "JSON":
		return value.Of(value.JSON), true
	case "BLOB":
		return value.Of(value.Bytes), true
	}
	return value.Type{}, false
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
