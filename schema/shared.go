package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
	"usher/value"
)

// shared is a type that datasets share because it depends on a column's type
// only, with the shared types its fields need.
type shared struct {
	def   *ast.Definition
	needs []*shared
}

// functions are the aggregate functions of a column, in the order they are
// listed.
var functions = []catalog.Func{
	catalog.Sum, catalog.Avg, catalog.Min, catalog.Max,
	catalog.Median, catalog.Stddev, catalog.Variance, catalog.Percentile, catalog.CountDistinct,
	catalog.First, catalog.Last,
}

func (b *Builder) share(kind ast.DefinitionKind, name, description string, fill func(*shared)) *shared {
	s := b.shared[name]
	if s == nil || s.def.Kind != kind { // two kinds of one name: Build reports it
		s = &shared{def: &ast.Definition{Kind: kind, Name: name, Description: description}}
		b.shared[name] = s
		fill(s)
		b.describeShared(s.def)
	}
	return s
}

func (s *shared) add(field *ast.FieldDefinition, needs ...*shared) {
	s.def.Fields = append(s.def.Fields, field)
	for _, n := range needs {
		if n != nil {
			s.needs = append(s.needs, n)
		}
	}
}

// enum is the type of a database enum, nil for another type. Two enums of one
// name must have the same labels; ok tells.
func (b *Builder) enum(t value.Type) (s *shared, ok bool) {
	if t.Scalar != value.Enum {
		return nil, true
	}
	s = b.share(ast.Enum, t.EnumName, "", func(s *shared) {
		for _, label := range t.Labels {
			s.def.EnumValues = append(s.def.EnumValues, &ast.EnumValueDefinition{Name: label})
		}
	})
	same := s.def.Kind == ast.Enum && slices.EqualFunc(s.def.EnumValues, t.Labels,
		func(v *ast.EnumValueDefinition, label string) bool { return v.Name == label })
	return s, same
}

// filter is the input that compares a column of a type.
func (b *Builder) filter(t value.Type) *shared {
	elem := t.Elem().GraphQL()
	name := elem + "Where"
	if t.List {
		name = elem + "ListWhere"
	}
	return b.share(ast.InputObject, name, "", func(s *shared) {
		e, _ := b.enum(t)
		ops := func(typ string, names ...string) {
			for _, op := range names {
				s.add(b.field(op, typ, ""), e)
				e = nil
			}
		}
		many := "[" + elem + "!]"
		switch {
		case t.List && t.Scalar == value.JSON: // documents have no equality
		case t.List:
			ops(elem, "has")
			ops(many, "hasAny", "hasAll")
		case t.Scalar == value.JSON:
			paths := b.jsonPaths()
			s.add(b.field("contains", "JSON", "Every member, and every item of a list, is found in the value."))
			s.add(b.field("path", "["+paths.def.Name+"!]", "Values inside it; all conditions must hold."), paths)
		default:
			ops(elem, "eq", "neq")
			ops(many, "in", "notIn")
			if t.Ordered() {
				ops(elem, "gt", "gte", "lt", "lte")
				pair := b.between(t)
				s.add(b.field("between", "["+pair.def.Name+"!]", "One of the pairs has it between its ends, both of which belong to it."), pair)
			}
			if t.Text() {
				ops("String", "like", "notLike", "ilike", "notIlike",
					"contains", "startsWith", "endsWith", "icontains", "istartsWith", "iendsWith",
					"notContains", "notStartsWith", "notEndsWith", "notIcontains", "notIstartsWith", "notIendsWith")
			}
		}
		if ranges := b.ranges(t); ranges != nil {
			for _, r := range timeRanges {
				s.add(b.field(r.name, ranges.def.Name, r.means), ranges)
			}
			s.add(b.field("toDate", "TimeUnit", "From the start of the current unit until now."))
		}
		ops("Boolean", "isNull")
	})
}

// timeRanges are the ranges of n units around now, and what they mean.
var timeRanges = []struct{ name, means string }{
	{"last", "From n units ago until now."},
	{"lastAvailable", "The n units up to the one in which the latest row lies."},
	{"next", "From now to n units on."},
	{"nextFull", "The n complete units after the current one."},
	{"previous", "The n complete units before the current one."},
	{"ago", "The one unit that was n units ago."},
	{"moreThanAgo", "Before the unit that was n units ago."},
	{"orMoreAgo", "The unit that was n units ago, and all before it."},
}

// between is a pair of values of a type, the ends of a range.
func (b *Builder) between(t value.Type) *shared {
	return b.share(ast.InputObject, t.GraphQL()+"Between", "A range; both ends belong to it.", func(s *shared) {
		s.add(b.field("from", t.GraphQL()+"!", ""))
		s.add(b.field("to", t.GraphQL()+"!", ""))
	})
}

// ranges is the input of times relative to now, nil for types without them.
func (b *Builder) ranges(t value.Type) *shared {
	if !t.Temporal() || t.Scalar == value.Time {
		return nil
	}
	return b.share(ast.InputObject, "TimeRange", "So many units of time, counted from now.", func(s *shared) {
		s.add(b.field("n", "Int!", ""))
		s.add(b.field("unit", "TimeUnit!", ""))
		s.add(b.field("timezone", "String", "An IANA name. Without it the zone of the field or of the token counts."))
	})
}

// aggregatable tells whether any aggregate function takes a column of a type.
func aggregatable(t value.Type) bool {
	return slices.ContainsFunc(functions, func(f catalog.Func) bool {
		_, ok := catalog.FuncResult(f, t)
		return ok
	})
}

// eachFunction calls do for the functions of a type and their results.
func eachFunction(t value.Type, do func(f catalog.Func, result value.Type)) {
	for _, f := range functions {
		if result, ok := catalog.FuncResult(f, t); ok {
			do(f, result)
		}
	}
}

// aggregate is the results of the functions of a column.
func (b *Builder) aggregate(t value.Type) *shared {
	return b.share(ast.Object, t.GraphQL()+"Aggregate", "", func(s *shared) {
		eachFunction(t, func(f catalog.Func, result value.Type) {
			typ := result.GraphQL()
			if f == catalog.CountDistinct {
				typ += "!" // counting nothing is 0
			}
			if f == catalog.Percentile {
				s.add(b.call(string(f), typ, "The first value at or beyond the fraction p, from 0 to 1, of the ordered values.", b.arg("p", "Float!")))
				return
			}
			e, _ := b.enum(result)
			if f == catalog.First || f == catalog.Last {
				s.add(b.call(string(f), typ, "The value in the "+string(f)+" row, in the order of the aggregate's rowsBy.", deprecated(b.arg("by", "String"), "Name the column in rowsBy of the aggregate, where the schema knows it.")), e)
				return
			}
			s.add(b.field(string(f), typ, ""), e)
		})
		b.overGroups(s, t)
	})
}

// overGroups adds what a sum is over all groups.
func (b *Builder) overGroups(s *shared, t value.Type) {
	sum, ok := catalog.FuncResult(catalog.Sum, t)
	if !ok {
		return
	}
	running, _ := catalog.FuncResult(catalog.Sum, sum)
	s.add(b.field("runningSum", running.GraphQL(), "The sum over this group and those before it, in the order asked."))
	s.add(b.field("sumShare", "Float", "The sum as a part of the sum over all groups, 1 for the whole."))
}

// aggregateFilter compares the results of the functions of a column.
func (b *Builder) aggregateFilter(t value.Type) *shared {
	return b.share(ast.InputObject, t.GraphQL()+"AggregateWhere", "", func(s *shared) {
		eachFunction(t, func(f catalog.Func, result value.Type) {
			filter := b.filter(result)
			if f == catalog.First || f == catalog.Last {
				filter = b.byFilter(result)
			}
			if f == catalog.Percentile {
				filter = b.percentileFilter()
			}
			s.add(b.field(string(f), filter.def.Name, ""), filter)
		})
	})
}

// aggregateOrder orders by the result of one function of a column.
func (b *Builder) aggregateOrder(t value.Type) *shared {
	return b.share(ast.InputObject, t.GraphQL()+"AggregateOrderBy", oneMember, func(s *shared) {
		s.def.Directives = oneOf
		eachFunction(t, func(f catalog.Func, _ value.Type) {
			if f == catalog.First || f == catalog.Last {
				order := b.argumentOrder("ByOrderBy", "by", "String")
				s.add(b.field(string(f), order.def.Name, ""), order)
				return
			}
			if f == catalog.Percentile {
				order := b.argumentOrder("PercentileOrderBy", "p", "Float!")
				s.add(b.field(string(f), order.def.Name, ""), order)
				return
			}
			s.add(b.field(string(f), "Direction", ""))
		})
	})
}

// period is a distance in time.
func (b *Builder) period() *shared {
	return b.share(ast.InputObject, "Period", "", func(s *shared) {
		s.add(b.field("n", "Int!", ""))
		s.add(b.field("unit", "TimeUnit!", ""))
	})
}

// byFilter compares the value in the first or last row by a column.
func (b *Builder) byFilter(t value.Type) *shared {
	return b.share(ast.InputObject, t.GraphQL()+"ByWhere", "", func(s *shared) {
		filter := b.filter(t)
		s.add(b.field("by", "String", "Another column than that of rowsBy."), filter)
		s.def.Fields = append(s.def.Fields, filter.def.Fields...)
	})
}

// percentileFilter is a FloatWhere of the percentile p.
func (b *Builder) percentileFilter() *shared {
	return b.share(ast.InputObject, "PercentileWhere", "", func(s *shared) {
		s.add(b.field("p", "Float!", ""), b.filter(value.Of(value.Float)))
		s.def.Fields = append(s.def.Fields, b.filter(value.Of(value.Float)).def.Fields...)
	})
}

// argumentOrder orders by what a function gives for an argument.
func (b *Builder) argumentOrder(name, argument, typ string) *shared {
	return b.share(ast.InputObject, name, "", func(s *shared) {
		s.add(b.field(argument, typ, ""))
		s.add(b.ascending())
	})
}

// ascending is a direction that need not be given.
func (b *Builder) ascending() *ast.FieldDefinition {
	direction := b.call("direction", "Direction!", "")
	direction.DefaultValue = &ast.Value{Kind: ast.EnumValue, Raw: "ASC"}
	return direction
}

// bucketOrder orders by a time bucket that is grouped by.
func (b *Builder) bucketOrder() *shared {
	return b.share(ast.InputObject, "BucketOrderBy", "The bucket a time is grouped by; without one, the time itself.", func(s *shared) {
		s.add(b.field("by", "TimeUnit", ""))
		s.add(b.ascending())
	})
}
