package plan

import (
	"maps"
	"slices"
	"time"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
)

// CheckMinted says why somebody may not put filters into a token. What its
// holder is shown tells of all that the filters compare, so they may compare
// what their minter sees and nothing else: each of them is a where of the
// minter's own, or a having. The minter is the token with the roles, datasets and filters of
// whoever makes it.
//
// A filter is a policy once it is in the token, and what a policy reaches for
// is confined to the tenant only. Therefore it may follow relations to datasets
// of which the minter sees every row, and to no others.
//
// Datasets that strategies are added for are those that the minter sees, too.
func CheckMinted(minter, token principal.Principal, added principal.Grant, cat *catalog.Catalog, now time.Time) error {
	if len(added.Strategies) > 0 {
		seen, err := cat.View(minter)
		if err != nil {
			return refused(grantFault("%v", err))
		}
		for _, name := range slices.Sorted(maps.Keys(added.Strategies)) {
			if seen.Dataset(name) == nil {
				return unusable(grantFault("a strategy is named for the unknown dataset %q", name), false)
			}
		}
	}
	if len(added.Filters) == 0 {
		return nil
	}
	b, err := newBuilder(cat, principal.Slotted{Principal: minter}, now)
	if err != nil {
		return err
	}
	shown, err := cat.View(token)
	if err != nil {
		return unusable(grantFault("%v", err), false)
	}
	for _, f := range added.Filters {
		if err := b.checkMinted(f, shown); err != nil {
			return unusable(err, false)
		}
	}
	return nil
}

func (b *builder) checkMinted(f principal.Filter, shown *catalog.View) error {
	vis := b.view.Dataset(f.Dataset)
	if vis == nil {
		return unknownFilter(f)
	}
	lb := b.level()
	ref, err := lb.root(vis.Dataset)
	if err == nil && f.Where != nil {
		_, err = lb.where(whereAt{ref: ref, inside: -1}, vis.Dataset, f.Where)
	}
	if err == nil && f.Having != nil {
		_, err = (&groupBuilder{levelBuilder: lb, vis: vis}).having(f.Having, 0)
	}
	if err != nil {
		return filterFault(f, err)
	}
	for i, u := range lb.uses {
		if i > 0 && !lb.l.refs[i].step && !lb.seesAll(u) {
			return fault.New(fault.Forbidden, "the filter on %q reaches for %s, of which you do not see every row", f.Dataset, u.dataset.Name).
				WithHint("Filter by what the rows say themselves, or have somebody make the token who sees them all.")
		}
	}
	if !lb.uses[0].showsCompared(shown.Dataset(f.Dataset)) {
		return fault.New(fault.Forbidden, "the filter on %q compares what no role of yours shows together with what the token shows", f.Dataset).
			WithHint("Grant a role that shows both, or filter by other columns.")
	}
	return nil
}

// seesAll tells whether the principal sees every row that its tenant has of a
// dataset, with what is read of it.
func (lb *levelBuilder) seesAll(u *use) bool {
	filtered := slices.ContainsFunc(lb.p.Grant.Filters, func(f principal.Filter) bool { return f.Dataset == u.dataset.Name })
	return !filtered && u.dataset.Filter == nil && everyRow(u.visible.Rights(), u.asked) && everyRow(u.visible.OwnRights(), u.asked)
}

// everyRow tells whether some right has no filter and grants the columns. No
// rights at all restrict nothing.
func everyRow(rights []*catalog.Right, columns []string) bool {
	return len(rights) == 0 || slices.ContainsFunc(rights, func(r *catalog.Right) bool {
		return r.Filter == nil && !slices.ContainsFunc(columns, withheldBy(r))
	})
}

// showsCompared tells whether the principal sees, of each row that a token
// shows, the columns that are compared beside those that the token shows. The
// token's rights are among the principal's.
func (u *use) showsCompared(token *catalog.Visible) bool {
	return token == nil ||
		together(token.Rights(), u.visible.Rights(), u.asked) && together(token.OwnRights(), u.visible.OwnRights(), u.asked)
}

// together tells whether each of a token's rights grants what is compared or,
// where it does not, its minter has the same columns with it of every row.
func together(token, minter []*catalog.Right, compared []string) bool {
	return !slices.ContainsFunc(token, func(r *catalog.Right) bool {
		return slices.ContainsFunc(compared, withheldBy(r)) &&
			!everyRow(minter, slices.AppendSeq(slices.Clone(compared), maps.Keys(r.Columns)))
	})
}
