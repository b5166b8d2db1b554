package plan

import (
	"slices"
	"strconv"
	"strings"

	"usher/query"
	"usher/value"
)

// unfailing tells a condition that no row fails, as far as that follows from how it is written, from its
// values and from columns that are never null: it is none. Whoever means every row says so. A text that is searched
// for and empty is none either, where a column may be null: nobody asks so for rows that have a value.
func (lb *levelBuilder) unfailing(e Expr) bool { return lb.always(e, true) }

// always tells a condition that every row meets; anyway: rows in which the column is null do not count.
func (lb *levelBuilder) always(e Expr, anyway bool) bool {
	switch e.op { //nolint:exhaustive // what depends on values of rows is a condition
	case True:
		return true
	case Not:
		return lb.unmet(e.args[0])
	case And:
		return !slices.ContainsFunc(e.args, func(a Expr) bool { return !lb.always(a, anyway) })
	case Or:
		return slices.ContainsFunc(e.args, func(a Expr) bool {
			return lb.always(a, anyway) || a.op == Not && slices.ContainsFunc(e.args, a.args[0].same) ||
				a.opposed(e.args) && (a.op == Eq || anyway || lb.filled(a.args[0])) // of others null is none
		})
	}
	return e.everyValue() && e.args[0].op == Column && (anyway || lb.filled(e.args[0]))
}

// fewWays are those of which each is compared with each.
const fewWays = 16

// opposed tells a comparison of a column with a value beside which stands the one that all other values meet.
func (e Expr) opposed(beside []Expr) bool {
	other, ok := map[Op]Op{Eq: Neq, Lt: Gte, Lte: Gt}[e.op]
	return ok && len(beside) <= fewWays && slices.ContainsFunc(beside, func(b Expr) bool {
		return b.op == other && e.args[0].op == Column && e.args[0].same(b.args[0]) &&
			e.args[1].op == Literal && b.args[1].op == Literal && e.args[1].lits[0].Text() == b.args[1].lits[0].Text()
	})
}

// unmet tells a condition that no row meets.
func (lb *levelBuilder) unmet(e Expr) bool {
	switch e.op { //nolint:exhaustive // what depends on values of rows may be met
	case False:
		return true
	case Not:
		return lb.always(e.args[0], false)
	case And:
		return slices.ContainsFunc(e.args, func(a Expr) bool { return lb.unmet(a) || a.opposed(e.args) })
	case Or:
		return !slices.ContainsFunc(e.args, func(a Expr) bool { return !lb.unmet(a) })
	case Exists:
		return lb.unmet(e.args[0])
	case In:
		return len(e.lits) == 0
	case Among: // of decimals those are left out that no row can have
		return told(e.lits[0], "has no items", func(joined string) bool { return joined == "" })
	case IsNull:
		return lb.filled(e.args[0])
	case Lt:
		return e.args[1].emptyText()
	}
	return false
}

// emptyText tells a text with nothing in it.
func (e Expr) emptyText() bool {
	return e.op == Literal && e.lits[0].Type().Text() && told(e.lits[0], "is empty", func(text string) bool { return text == "" })
}

// told is what is so of a value, whose plan others have of whose values it is as well.
func told(v value.Value, name string, about func(text string) bool) bool {
	return v.Says(name, func(text string) string { return strconv.FormatBool(about(text)) }) == "true"
}

// filled tells a column of the rows that is never null.
func (lb *levelBuilder) filled(e Expr) bool {
	return e.op == Column && e.ref == 0 && !lb.nullable(e)
}

// everyValue tells a comparison that every value meets: with a pattern of nothing but %, which an empty text
// to search for makes, with the empty text as the lower end, with both truth values or all labels, with all of no items.
func (e Expr) everyValue() bool {
	switch e.op { //nolint:exhaustive // others are no such comparison
	case Like, ILike:
		return told(e.lits[0], "finds every text", func(pattern string) bool { return pattern != "" && strings.Trim(pattern, "%") == "" })
	case Gte:
		return e.args[1].emptyText()
	case HasAll:
		return len(e.lits) == 0
	case In:
		return len(e.lits) > 0 && len(e.lits) == valuesOf(e.args[0].typ)
	case Among:
		all := valuesOf(e.args[0].typ)
		return all > 0 && told(e.lits[0], "has "+strconv.Itoa(all)+" items", func(joined string) bool {
			items := query.SplitTexts(joined)
			slices.Sort(items)
			return len(slices.Compact(items)) == all
		})
	}
	return false
}

// valuesOf is how many values a type has, if those are all known: 0, they are not.
func valuesOf(t value.Type) int {
	switch t.Scalar { //nolint:exhaustive // others have too many
	case value.Boolean:
		return 2
	case value.Enum:
		return len(t.Labels)
	}
	return 0
}
