package sqlgen

import (
	"strconv"
	"strings"

	"usher/plan"
	"usher/value"
)

// PostgresChange is how PostgreSQL spells changes.
var PostgresChange ChangeDialect = postgres{}

// Given casts to the scalar's own type and leaves it to the server to assign that to the
// column: a cast to the column's type would cut what is too long for it. Types that
// nothing is assigned to are cast to.
func (d postgres) Given(x string, f plan.Field) string {
	native := strings.TrimSuffix(f.Native, "[]")
	if f.Type.List {
		if native == "" {
			native = postgresTypes[f.Type.Scalar]
		}
		return "CAST(CAST(" + x + " AS text[]) AS " + native + "[])"
	}
	switch {
	case f.Type.Scalar == value.Bytes:
		return "decode(" + x + ", 'base64')"
	case native != "" && (f.Type.Scalar == value.Enum || f.Form != value.Plain && f.Form != value.Single && f.Form != value.Money && f.Form != value.Collated):
		return "CAST(" + x + " AS " + native + ")"
	case f.Type.Scalar == value.String || f.Type.Scalar == value.ID:
		return x
	}
	return "CAST(" + x + " AS " + postgresTypes[f.Type.Scalar] + ")"
}

func (postgres) Texts(placeholders []string) string {
	lists, names := make([]string, len(placeholders)), make([]string, len(placeholders))
	for i, p := range placeholders {
		lists[i], names[i] = p+"::text[]", "c"+strconv.Itoa(i)
	}
	return "(SELECT * FROM unnest(" + strings.Join(lists, ", ") + ") WITH ORDINALITY AS u(" + strings.Join(names, ", ") + ", n))"
}

func (postgres) Returns() bool { return true }

func (postgres) Lock(how Lock, table string) string {
	if how == ToChange {
		return " FOR UPDATE OF " + table
	}
	return " FOR SHARE OF " + table
}
