package plan

import "slices"

// unfailing tells a condition that no row fails, as far as that follows from how it is written and
// from columns that are never null: it is none. Whoever means every row says so.
func (lb *levelBuilder) unfailing(e Expr) bool {
	switch e.op { //nolint:exhaustive // what depends on values of rows is a condition
	case True:
		return true
	case Not:
		return lb.unmet(e.args[0])
	case And:
		return !slices.ContainsFunc(e.args, func(a Expr) bool { return !lb.unfailing(a) })
	case Or:
		return slices.ContainsFunc(e.args, lb.unfailing)
	}
	return false
}

// unmet tells a condition that no row meets.
func (lb *levelBuilder) unmet(e Expr) bool {
	switch e.op { //nolint:exhaustive // what depends on values of rows may be met
	case False:
		return true
	case Not:
		return lb.unfailing(e.args[0])
	case And:
		return slices.ContainsFunc(e.args, lb.unmet)
	case Or:
		return !slices.ContainsFunc(e.args, func(a Expr) bool { return !lb.unmet(a) })
	case Exists:
		return lb.unmet(e.args[0])
	case In:
		return len(e.lits) == 0
	case IsNull:
		return e.args[0].op == Column && e.args[0].ref == 0 && !lb.nullable(e.args[0])
	}
	return false
}
