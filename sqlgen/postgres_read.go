package sqlgen

import (
	"strings"

	"usher/plan"
	"usher/value"
)

func (d postgres) Read(x string, f plan.Field) string {
	suffix := ""
	if f.Type.List {
		suffix = "[]"
	}
	switch f.Form {
	case value.Single:
		return x + "::text" + suffix + "::float8" + suffix
	case value.Money:
		return x + "::numeric" + suffix
	case value.Collated:
		return "(" + x + "::text" + suffix + ` COLLATE "C")`
	case value.Padded, value.Folded, value.Label, value.Printed:
		return x + "::text" + suffix
	case value.Address:
		if f.Type.List {
			return d.each(x, "abbrev(e)", "text")
		}
		return "abbrev(" + x + ")"
	case value.Document:
		if f.Type.List {
			return "(CASE WHEN " + x + " IS NOT NULL THEN ARRAY(SELECT nullif(e, 'null'::jsonb) FROM jsonb_array_elements(to_jsonb(" + x + ")) AS e) END)"
		}
		return "to_jsonb(" + x + ")"
	case value.Range:
		if f.Type.List {
			return d.each(x, bounds("e"), "jsonb")
		}
		return bounds(x)
	case value.Multirange:
		return "(CASE WHEN " + x + " IS NOT NULL THEN (SELECT coalesce(jsonb_agg(" + bounds("e") + "), '[]'::jsonb) FROM unnest(" + x + ") AS e) END)"
	case value.GeoJSON:
		read := func(x string) string { return geoJSON(x, f.Native) }
		if f.Type.List {
			return d.each(x, read("e"), "jsonb")
		}
		return read(x)
	case value.InUTC:
		return d.AtZone(x, utc)
	case value.Domain:
		if f.Native != "" {
			return x + "::" + f.Native
		}
	case value.Plain:
		if f.Native == "" && (f.Type.Scalar == value.String || f.Type.Scalar == value.ID) { // it may be padded
			return x + "::text" + suffix
		}
	case value.Wide, value.Finer, value.Fixed: // not PostgreSQL's
	}
	return x
}

// each makes a list of what becomes of each element e. One of several dimensions
// stays one of several, whatever is in it.
func (postgres) each(x, item, as string) string {
	return "(CASE WHEN array_ndims(" + x + ") > 1 THEN '{{NULL}}'::" + as + "[] WHEN " + x + " IS NOT NULL THEN ARRAY(SELECT " + item + " FROM unnest(" + x + ") AS e) END)"
}

// bounds is a range in JSON. A bound that there is not is null.
func bounds(x string) string {
	return "(CASE WHEN isempty(" + x + ") THEN '{\"empty\": true}'::jsonb WHEN " + x + " IS NOT NULL THEN jsonb_build_object('lower', lower(" + x +
		"), 'upper', upper(" + x + "), 'lowerInclusive', lower_inc(" + x + "), 'upperInclusive', upper_inc(" + x + ")) END)"
}

// geoJSON has no arcs: they become lines. Geographies have none. A coordinate that
// is not finite is null. Fewer digits after the point than these would round
// coordinates.
func geoJSON(x, native string) string {
	schema := schemaOf(native)
	text := schema + "ST_AsGeoJSON(" + x + ", 15)"
	if strings.HasPrefix(native, schema+"geometry") {
		text = "CASE WHEN " + schema + "ST_HasArc(" + x + ") THEN " + schema + "ST_AsGeoJSON(" + schema + "ST_CurveToLine(" + x + "), 15) ELSE " + text + " END"
	}
	return "replace(replace(replace(" + text + ", 'NaN', 'null'), '-Infinity', 'null'), 'Infinity', 'null')::jsonb"
}

// schemaOf is the schema of an extension's type with its dot, as the server has
// quoted it: functions and operators are beside it.
func schemaOf(native string) string {
	name, _, _ := strings.Cut(native, "(")
	name = strings.TrimSuffix(name, "[]")
	return name[:max(strings.LastIndexByte(name, '.')+1, 0)]
}

func (d postgres) Lenient(x string, f plan.Field) string { return d.Read(x, f) }

func (postgres) EnumLabel(n, native string) string {
	return "(SELECT l FROM unnest(enum_range(NULL::" + native + ")) AS l WHERE l::text = " + n + "::text)"
}

func (postgres) Padded(x string) string {
	return "CAST(CASE WHEN " + x + " NOT LIKE '% ' THEN " + x + " END AS bpchar)"
}

// FoldedIn names the operator by its schema, where the type is as well: among those
// that the session finds by itself there may be none but text's.
func (postgres) FoldedIn(x, list, native string) string {
	return "(" + x + " OPERATOR(" + schemaOf(native) + "=) ANY (ARRAY[" + list + "]))"
}

func (postgres) FoldedHas(list, item, native string) string {
	return "(" + item + " OPERATOR(" + schemaOf(native) + "=) ANY(" + list + "))"
}

func (postgres) Folded(x string) string { return "lower(" + x + ")" }

// Printable leaves nothing out of numbers whose digits are few enough by their type.
func (postgres) Printable(x string, t value.Type) string {
	switch t.Scalar { //nolint:exhaustive // all else is printed whatever it is
	case value.Date, value.Timestamp, value.LocalTimestamp:
		return years(x, postgresTypes[t.Scalar])
	case value.Float:
		return finite(x, postgresTypes[t.Scalar])
	case value.Decimal:
		if t.Precision == 0 || t.Precision == value.MaxDigits {
			return "(CASE WHEN abs(" + x + ") < 1e38 AND length(translate(ltrim(trim_scale(abs(" + x + "))::text, '0'), '.', '')) <= 38 THEN " + x + " END)"
		}
		return "nullif(" + x + ", 'NaN')"
	}
	return x
}

func (postgres) Finite(x string, t value.Type) string { return between(x, postgresTypes[t.Scalar]) }
