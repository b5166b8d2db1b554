package plan

import (
	"usher/catalog"
	"usher/fault"
	"usher/query"
)

// Rows that are kept though they were deleted are shown to whom a role of theirs shows them, who
// asks for them, and only those of the field that asks: what is nested in its rows, what
// conditions look into and what rows lead to has none of them. A role that does not
// show deleted rows shows the others still.

// DeletedArgument asks for deleted rows beside the others.
const DeletedArgument = "includeDeleted"

// withDeleted reads the argument of a root field.
func (lb *levelBuilder) withDeleted(vis *catalog.Visible, args arguments) error {
	given, ok := args.get(DeletedArgument)
	if !ok {
		return nil
	}
	on, isBool := given.(query.Bool)
	switch {
	case !isBool:
		return fault.New(fault.BadUserInput, "%s is true or false, or is left out", DeletedArgument)
	case !bool(on):
		return nil
	case !vis.IncludesDeleted():
		return fault.New(fault.Forbidden, "no role of yours shows deleted rows of %s", vis.Dataset.Name)
	}
	lb.deleted = true
	return nil
}

// filterOf is the dataset's filter of a reference: of one that deleted rows are asked of, without
// the part that leaves them out.
func (lb *levelBuilder) filterOf(i int) query.Value {
	d := lb.uses[i].dataset
	if lb.deleted && i == 0 {
		return d.Deleted.Filter
	}
	return d.Filter
}

// present leaves deleted rows out of what a right shows, where it does not show them.
func (lb *levelBuilder) present(i int, right *catalog.Right) Expr {
	if i > 0 || !lb.deleted || right.IncludeDeleted {
		return predicate(True)
	}
	return predicate(IsNull, lb.read(0, lb.uses[0].dataset.Deleted.At))
}
