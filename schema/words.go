package schema

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"usher/catalog"
)

// Everything in a schema says what it is: editors and assistants show it, and
// have nothing else to go by. What the configuration says of a column comes
// first; the words here are for what it leaves unsaid, and for what usher adds.

// ofArguments says what arguments of datasets' fields are.
var ofArguments = map[string]string{
	"where":     "Which rows; left out: all.",
	"orderBy":   "The order, of the first that tells two apart; left out: of the key.",
	"limit":     "How many at most; left out: as many as the dataset has by default.",
	"offset":    "How many to leave out before the first.",
	"first":     "How many from the beginning at most.",
	"last":      "How many from the end at most.",
	"after":     "A cursor: what comes behind it.",
	"before":    "A cursor: what comes before it.",
	"having":    "Which groups; left out: all.",
	"timezone":  "An IANA name: the zone of buckets and relative times. Left out: the token's.",
	"topN":      "The first groups only, and all others as one more.",
	"fill":      "Adds the groups that have no rows.",
	"compareTo": "How much earlier the groups of previous lie.",
	"by":        "The unit to which a time is cut; left out: the time itself.",
	"bin":       "The width of bins, of which a group has the lower bound; left out: the number itself.",
	"p":         "The fraction, from 0 to 1.",
}

// ofMembers says what fields and members are that do not come of the catalog.
var ofMembers = map[string]string{
	"and": "All of them hold.",
	"or":  "At least one of them holds.",
	"not": "It does not hold.",

	"eq":             "It is this value.",
	"neq":            "It is another value.",
	"in":             "It is one of these values.",
	"notIn":          "It is none of these values.",
	"gt":             "It is greater.",
	"gte":            "It is greater or equal.",
	"lt":             "It is less.",
	"lte":            "It is less or equal.",
	"isNull":         "Whether it is null.",
	"like":           "It matches a pattern: % stands for any text, _ for one character.",
	"notLike":        "It does not match a pattern: % stands for any text, _ for one character.",
	"ilike":          "It matches a pattern in any case: % stands for any text, _ for one character.",
	"notIlike":       "It does not match a pattern in any case: % stands for any text, _ for one character.",
	"contains":       "It contains this text.",
	"startsWith":     "It begins with this text.",
	"endsWith":       "It ends with this text.",
	"icontains":      "It contains this text in any case.",
	"istartsWith":    "It begins with this text in any case.",
	"iendsWith":      "It ends with this text in any case.",
	"notContains":    "It does not contain this text.",
	"notStartsWith":  "It does not begin with this text.",
	"notEndsWith":    "It does not end with this text.",
	"notIcontains":   "It does not contain this text in any case.",
	"notIstartsWith": "It does not begin with this text in any case.",
	"notIendsWith":   "It does not end with this text in any case.",
	"has":            "The list has this item.",
	"hasAny":         "The list has at least one of these items.",
	"hasAll":         "The list has all of these items.",
	"last":           "From n units ago until now.",
	"next":           "From now to n units on.",
	"previous":       "The n complete units before the current one.",

	"n":        "How many.",
	"unit":     "Of which unit of time.",
	"from":     "The lower end.",
	"to":       "The upper end.",
	"by":       "The column or unit that decides.",
	"p":        "The fraction, from 0 to 1.",
	"others":   "Whether all other groups are one more.",
	"nodes":    "The rows of the page.",
	"edges":    "The rows of the page, each with its cursor.",
	"pageInfo": "What is before and after the page.",
	"node":     "The row.",
	"cursor":   "Where the row stands, for after and before.",

	"direction": "The direction; left out: ascending.",
	"count":     "How many rows there are.",
	"key":       "What the rows of the group have in common.",

	"sum":           "The sum.",
	"avg":           "The average.",
	"min":           "The least value.",
	"max":           "The greatest value.",
	"median":        "The value in the middle, or the middle of two.",
	"stddev":        "The standard deviation of the values as a sample.",
	"variance":      "The variance of the values as a sample.",
	"percentile":    "The first value at or beyond the fraction p of the ordered values.",
	"countDistinct": "How many different values there are.",
	"first":         "The value in the first row by a column.",

	"at":     "A member's name, or an item's number from 0.",
	"exists": "Whether there is such a value.",

	"text":    "Conditions on it as text.",
	"number":  "Conditions on it as a number.",
	"boolean": "Conditions on it as true or false.",
}

// ofShared says what the types are that datasets share, by their ending.
var ofShared = []struct{ ending, description string }{
	{"ListWhere", "Conditions on a list; all that are given hold."},
	{"AggregateWhere", "Conditions on what functions give; all that are given hold."},
	{"ByWhere", "Conditions on the value in the first or last row by a column; all that are given hold."},
	{"PercentileWhere", "Conditions on a percentile; all that are given hold."},
	{"Where", "Conditions on a value; all that are given hold."},
	{"PercentileOrderBy", "Orders by a percentile."},
	{"ByOrderBy", "Orders by the value in the first or last row by a column."},
	{"Aggregate", "What functions give for the values of a column that are not null."},
	{"Period", "A length of time."},
}

// describeShared gives words to a type that datasets share.
func (b *Builder) describeShared(def *ast.Definition) {
	if def.Description == "" && def.Kind == ast.Enum {
		def.Description = "The values of " + def.Name + "."
	}
	for _, s := range ofShared {
		if def.Description == "" && strings.HasSuffix(def.Name, s.ending) {
			def.Description = s.description
		}
	}
	of, functions := "", true
	switch {
	case strings.HasSuffix(def.Name, "AggregateOrderBy"):
		of = "Orders by "
	case strings.HasSuffix(def.Name, "AggregateWhere"):
		of = "Conditions on "
	default:
		functions = strings.HasSuffix(def.Name, "Aggregate")
	}
	for i, f := range def.Fields {
		text := ofMembers[f.Name]
		if functions && f.Name == string(catalog.Last) { // which is a range of time elsewhere
			text = "The value in the last row by a column."
		}
		if of != "" && text != "" {
			text = of + strings.ToLower(text[:1]) + text[1:]
		}
		b.say(def, i, text)
	}
	describeLabels(def)
}

func describeLabels(def *ast.Definition) {
	for _, v := range def.EnumValues {
		if v.Description == "" {
			v.Description = "The value " + v.Name + "."
		}
	}
}

// describePart gives words to the fields and types of a dataset.
func (b *Builder) describePart(p *part, f *facts) {
	d := f.visible.Dataset
	for i, def := range p.types {
		p.types[i].Description = orElse(def.Description, typeWords(d, strings.TrimPrefix(def.Name, d.Type)))
		for at := range def.Fields {
			b.say(def, at, fieldWords(d, strings.TrimPrefix(def.Name, d.Type), def.Fields[at].Name, b.relay))
		}
		describeLabels(def)
	}
	for _, root := range p.roots {
		root.Description = orElse(root.Description, "The rows of "+d.Name+".")
		describeArguments(root)
	}
}

func typeWords(d *catalog.Dataset, role string) string {
	switch role {
	case "":
		return "A row of " + d.Name + "."
	case "Connection":
		return "A page of rows of " + d.Name + "."
	case "Edge":
		return "A row of " + d.Name + " and where it stands."
	case "Key":
		return "What rows of " + d.Name + " are grouped by: the fields that are selected."
	case "Where":
		return "Conditions on rows of " + d.Name + "; all that are given hold."
	case "Having":
		return "Conditions on groups of rows of " + d.Name + "; all that are given hold."
	}
	return "Of " + d.Name + "."
}

// fieldWords are for a field of a type that is named by a dataset's and a role.
func fieldWords(d *catalog.Dataset, role, name string, relay bool) string {
	known := inCatalog(d, name)
	if role == "Key" || role == "Aggregate" || role == "" && relay {
		if was := strings.TrimSuffix(name, "_"); identifies(name) {
			known, name = inCatalog(d, was), was
		}
	}
	if !known || ofUsher(role, name) {
		return ofMembers[name]
	}
	if rel := d.Relation(name); rel != nil && d.Column(name) == nil {
		switch {
		case role == "Where":
			return "Conditions on rows of " + rel.To.Name + " that the row leads to."
		case role == "OrderBy" || role == "KeyOrderBy":
			return "Orders by the row of " + rel.To.Name + " that it leads to."
		case role == "Key":
			return "Groups by the row of " + rel.To.Name + " that it leads to."
		case rel.Many:
			return "The rows of " + rel.To.Name + " that it leads to."
		}
		return "The row of " + rel.To.Name + " that it leads to, or null."
	}
	of := "the column " + name + "."
	if d.Column(name) == nil {
		of = "the measure " + name + "."
	}
	switch role {
	case "":
		return "The value of " + of
	case "Key":
		return "Groups by " + of
	case "Where", "Having":
		return "Conditions on " + of
	case "OrderBy", "KeyOrderBy", "AggregateOrderBy":
		return "Orders by " + of
	case "CompareTo":
		return "How much earlier, in " + of
	}
	if d.Column(name) == nil {
		return "The value of " + of
	}
	return "What functions give for " + of
}

func inCatalog(d *catalog.Dataset, name string) bool {
	return d.Column(name) != nil || d.Relation(name) != nil || d.Measure(name) != nil
}

// ofUsher tells fields that are usher's own, whatever a column is called: a
// type that had both would be refused.
func ofUsher(role, name string) bool {
	switch role {
	case "Connection", "Edge", "ManyWhere", "TopN":
		return true
	case "Where", "Having":
		return name == "and" || name == "or" || name == "not"
	}
	return false
}

// say gives a field words, if it has none, and its arguments theirs. Fields
// without arguments are objects that types share, so another one takes its place.
func (b *Builder) say(def *ast.Definition, at int, text string) {
	f := def.Fields[at]
	describeArguments(f)
	if f.Description != "" || text == "" {
		return
	}
	if len(f.Arguments) == 0 && f.DefaultValue == nil {
		def.Fields[at] = b.field(f.Name, f.Type.String(), text)
		return
	}
	f.Description = text
}

func describeArguments(f *ast.FieldDefinition) {
	for _, arg := range f.Arguments {
		words := ofArguments[arg.Name]
		if words == "" || strings.HasSuffix(f.Name, "ByPk") {
			words = "The " + arg.Name + " of the row."
		}
		if arg.Name == "by" && (f.Name == string(catalog.First) || f.Name == string(catalog.Last)) {
			words = "The column that decides which row is first and which last."
		}
		arg.Description = orElse(arg.Description, words)
	}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
