// Package sqltype owns what PostgreSQL and DuckDB have in common in how their
// types are served as scalars.
package sqltype

import (
	"slices"
	"strings"

	"usher/value"
)

// Enum is how an enum type is served: as a GraphQL enum if every label can be
// written as one of its values, else as String.
func Enum(name string, labels []string) value.Type {
	typeName := pascalCase(name)
	if typeName == "" || len(labels) == 0 || slices.ContainsFunc(labels, func(l string) bool { return !enumValue(l) }) {
		return value.Of(value.String)
	}
	// A type of the database may be called status, but also date.
	if _, taken := value.ScalarByName(typeName); taken {
		typeName += "Enum"
	}
	return value.Type{Scalar: value.Enum, EnumName: typeName, Labels: labels}
}

// pascalCase makes a GraphQL type name: order_status is OrderStatus. It is
// empty if nothing of the name can be used.
func pascalCase(name string) string {
	var b strings.Builder
	upper := true
	for i := range len(name) {
		c := name[i]
		switch {
		case letter(c):
			if upper {
				c = strings.ToUpper(string(c))[0]
			}
			b.WriteByte(c)
			upper = false
		case digit(c) && b.Len() > 0:
			b.WriteByte(c)
			upper = true
		default:
			upper = true
		}
	}
	return b.String()
}

// enumValue tells whether GraphQL takes the label as an enum value: a name,
// but none of the literals true, false and null, and not reserved by "__".
func enumValue(label string) bool {
	if label == "" || digit(label[0]) || strings.HasPrefix(label, "__") {
		return false
	}
	for i := range len(label) {
		if c := label[i]; !letter(c) && !digit(c) && c != '_' {
			return false
		}
	}
	return label != "true" && label != "false" && label != "null"
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func digit(c byte) bool { return '0' <= c && c <= '9' }
