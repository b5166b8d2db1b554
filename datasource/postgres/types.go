package postgres

import (
	"usher/datasource/sqltype"
	"usher/value"
)

// typeRow is a type of the server's catalog.
type typeRow struct {
	name     string
	builtin  bool // of pg_catalog
	kind     string
	base     int64 // of a domain
	modifier int64 // of a domain's base type
	notNull  bool  // of a domain
	elem     int64 // of an array
	labels   []string
}

// types are the server's types by their object ids.
type types map[int64]typeRow

// maxDomains is how many domains may lie over one another. A server that means
// harm says that one lies over itself.
const maxDomains = 64

// resolve follows domains to the type below; notNull tells whether one of them
// forbids null. Behind too many of them there is no type.
func (t types) resolve(oid, modifier int64) (base, baseModifier int64, notNull bool) {
	for n := 0; t[oid].kind == "d"; n++ {
		if n == maxDomains {
			return 0, modifier, notNull
		}
		notNull = notNull || t[oid].notNull
		if modifier < 0 {
			modifier = t[oid].modifier
		}
		oid = t[oid].base
	}
	return oid, modifier, notNull
}

// scalar is the scalar a type is served as.
func (t types) scalar(oid, modifier int64) (value.Type, bool) {
	oid, modifier, _ = t.resolve(oid, modifier)
	row := t[oid]
	if row.elem == 0 {
		return row.one(modifier)
	}
	oid, modifier, _ = t.resolve(row.elem, modifier)
	if row = t[oid]; row.elem != 0 {
		return value.Type{}, false
	}
	elem, ok := row.one(modifier)
	elem.List = ok
	return elem, ok
}

// one is the scalar of a type that is no list.
func (row typeRow) one(modifier int64) (value.Type, bool) {
	switch {
	case row.kind == "e":
		return sqltype.Enum(row.name, row.labels), true
	case row.name == "citext":
		return value.Of(value.String), true
	case !row.builtin:
		return value.Type{}, false
	}
	switch row.name {
	case "bool":
		return value.Of(value.Boolean), true
	case "int2", "int4":
		return value.Of(value.Int), true
	case "int8":
		return value.Of(value.BigInt), true
	case "numeric":
		return numeric(modifier), true
	case "float4", "float8":
		return value.Of(value.Float), true
	case "text", "varchar", "bpchar", "name":
		return value.Of(value.String), true
	case "uuid":
		return value.Of(value.UUID), true
	case "date":
		return value.Of(value.Date), true
	case "time":
		return value.Of(value.Time), true
	case "timestamptz":
		return value.Of(value.Timestamp), true
	case "timestamp":
		return value.Of(value.LocalTimestamp), true
	case "interval":
		return value.Of(value.Interval), true
	case "json", "jsonb":
		return value.Of(value.JSON), true
	case "bytea":
		return value.Of(value.Bytes), true
	}
	return value.Type{}, false
}

// numeric reads precision and scale as the server packs them into a modifier.
func numeric(modifier int64) value.Type {
	if modifier < 4 {
		return value.Of(value.Decimal)
	}
	packed := modifier - 4
	precision := int(packed >> 16 & 0xffff)
	scale := int((packed&0x7ff ^ 0x400) - 0x400) // 11 bits with a sign
	switch {
	case scale < 0: // rounded to tens, hundreds, …
		precision, scale = precision-scale, 0
	case scale > precision: // digits only far after the point
		precision = scale
	}
	switch {
	case scale > value.MaxDigits:
		return value.Of(value.Decimal)
	case precision > value.MaxDigits: // values of so many digits are refused one by one
		precision = value.MaxDigits
	}
	return value.DecimalOf(precision, scale)
}
