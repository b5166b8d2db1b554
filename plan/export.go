package plan

import (
	"slices"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
	"usher/query"
)

// Export is a list or groups of one dataset without the bounds on rows that an
// answer has: it is read as a stream and never held whole. Only BuildExport makes
// one. All else is as in any other plan, the scope in every reference included.
type Export struct{ query Query }

// BuildExport makes the plan of an export, for a principal who may.
func BuildExport(r query.Request, cat *catalog.Catalog, p principal.Principal, now time.Time) (Export, error) {
	if !slices.Contains(p.Scopes, principal.ExportData) || !slices.Contains(p.Scopes, principal.ReadData) {
		return Export{}, fault.New(fault.Forbidden, "the token may not export").
			WithHint("Ask for a token with the scopes data:read and data:export.")
	}
	if r.Shape != query.Many && r.Shape != query.Groups {
		return Export{}, fault.New(fault.BadUserInput, "an export is a list or the groups of a dataset").
			WithHint("Ask for the dataset's list or its aggregate: pages and single rows have queries of their own.")
	}
	b, err := newBuilder(cat, principal.Slotted{Principal: p}, now)
	if err != nil {
		return Export{}, err
	}
	b.export = true
	q, err := b.build(r)
	return Export{q}, err
}

// Query is what is read. Its lists have the limits that were asked for, or none.
func (e Export) Query() Query { return e.query }

// unordered tells a list of an export for which nobody has asked an order: all of
// it comes, so there are no ties to break, and the first rows come at once.
func (lb *levelBuilder) unordered(args arguments) bool {
	if !lb.export || len(lb.l.parent) > 0 {
		return false
	}
	for _, name := range []string{"orderBy", "limit", "offset"} {
		if _, given := args.get(name); given {
			return false
		}
	}
	return true
}
