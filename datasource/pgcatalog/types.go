package pgcatalog

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
	elem     int64 // of an array
	labels   []string
}

// types are the server's types by their object ids.
type types map[int64]typeRow

// maxDomains is how many domains may lie over one another. A server that means
// harm says that one lies over itself.
const maxDomains = 64

// resolve follows domains to the type below. Behind too many of them there is no
// type.
func (t types) resolve(oid, modifier int64) (base, baseModifier int64) {
	for n := 0; t[oid].kind == "d"; n++ {
		if n == maxDomains {
			return 0, modifier
		}
		if modifier < 0 {
			modifier = t[oid].modifier
		}
		oid = t[oid].base
	}
	return oid, modifier
}

// builtin are the types of pg_catalog that are served as what they are. All
// others are text, but for those of other kinds.
var builtin = map[string]sqltype.Served{
	"bool": sqltype.As(value.Boolean), "int2": sqltype.As(value.Int), "int4": sqltype.As(value.Int), "int8": sqltype.As(value.BigInt),
	"float4": sqltype.Odd(value.Float, value.Single), "float8": sqltype.Odd(value.Float, value.Plain),
	"money": {Type: value.DecimalOf(19, 2), Form: value.Money},
	"text":  sqltype.As(value.String), "varchar": sqltype.As(value.String), "bpchar": sqltype.In(value.String, value.Padded), "name": sqltype.As(value.String),
	"uuid": sqltype.As(value.UUID), "bytea": sqltype.As(value.Bytes), "json": sqltype.Odd(value.JSON, value.Plain), "jsonb": sqltype.Odd(value.JSON, value.Plain),
	"date": sqltype.Odd(value.Date, value.Plain), "time": sqltype.As(value.Time), "interval": sqltype.As(value.Interval),
	"timestamptz": sqltype.Odd(value.Timestamp, value.Plain), "timestamp": sqltype.Odd(value.LocalTimestamp, value.Plain),
	"inet": sqltype.In(value.String, value.Address),
}

// extended are types of extensions, in whatever schema they are. Those of
// geometries have no name here where their functions are missing.
var extended = map[string]sqltype.Served{
	"citext":    {Type: value.Type{Scalar: value.String, Folded: true}, Form: value.Folded},
	"hstore":    sqltype.In(value.JSON, value.Document),
	"geometry":  sqltype.In(value.JSON, value.GeoJSON),
	"geography": sqltype.In(value.JSON, value.GeoJSON),
}

// served says how a column of a type is served that is declared with so many
// dimensions. A list of several is JSON; one that is not declared so may hold
// lists of several all the same.
func (t types) served(oid, modifier int64, dimensions int) sqltype.Served {
	declared := oid
	oid, modifier = t.resolve(oid, modifier)
	row := t[oid]
	if row.elem == 0 {
		return row.one(modifier).Over(oid != declared)
	}
	base, modifier := t.resolve(row.elem, modifier)
	elem := t[base]
	if dimensions > 1 || elem.elem != 0 { // or a list of a domain over lists
		return sqltype.In(value.JSON, value.Document)
	}
	out := elem.one(modifier).Over(oid != declared || base != row.elem)
	if out.Form == value.Multirange {
		out.Form = value.Document
	}
	out.List, out.Odd = true, true
	return out
}

// one is how a type is served that is no list.
func (row typeRow) one(modifier int64) sqltype.Served {
	switch {
	case row.builtin && row.name == "numeric":
		return numeric(modifier)
	case row.builtin && builtin[row.name].Scalar != 0:
		return builtin[row.name]
	case !row.builtin && extended[row.name].Scalar != 0:
		return extended[row.name]
	}
	switch row.kind {
	case "e":
		if t := sqltype.Enum(row.name, row.labels); t.Scalar == value.Enum {
			return sqltype.Served{Type: t}
		}
		return sqltype.In(value.String, value.Label)
	case "c":
		return sqltype.In(value.JSON, value.Document)
	case "r":
		return sqltype.In(value.JSON, value.Range)
	case "m":
		return sqltype.In(value.JSON, value.Multirange)
	}
	return sqltype.In(value.String, value.Printed)
}

// ordinary is how many digits before the point a number may have to be nothing special: as many as a BigInt. A type that
// keeps so many behind it that they do not fit beside these has numbers with as many as each needs, such as numeric(65,30).
const ordinary = 19

// numeric reads precision and scale as the server packs them into a modifier.
func numeric(modifier int64) sqltype.Served {
	if modifier < 4 {
		return sqltype.Odd(value.Decimal, value.Plain)
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
	case scale > value.MaxDigits, precision > value.MaxDigits && value.MaxDigits-scale < ordinary:
		return sqltype.Odd(value.Decimal, value.Plain)
	case precision > value.MaxDigits: // values of so many digits are null one by one
		return sqltype.Served{Type: value.DecimalOf(value.MaxDigits, scale), Odd: true}
	}
	return sqltype.Served{Type: value.DecimalOf(precision, scale)}
}
