package setup

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// likely are names that tenant columns have, the most telling first.
var likely = []string{
	"tenantid", "tenant", "tenantkey", "orgid", "organizationid", "organisationid", "workspaceid", "accountid",
	"companyid", "customerid", "clientid", "merchantid", "shopid", "storeid", "siteid", "teamid", "distributorid", "projectid",
	"org", "organization", "workspace", "company", "merchant", "shop", "store", "distributor",
}

// Words of columns that most tables may share, and that say something else
// than whose a row is.
var (
	references = []string{"id", "key", "code", "uuid", "guid", "slug"}
	otherwords = []string{"by", "created", "updated", "modified", "deleted", "status", "state", "type", "kind", "parent", "user", "language", "locale", "country", "currency", "row", "rowguid", "external"}
)

// shared tells whether a column is called like a reference to something that
// rows may belong to.
func shared(column string) bool {
	parts := words(column)
	return len(parts) > 1 && slices.Contains(references, parts[len(parts)-1]) &&
		!slices.ContainsFunc(parts, func(part string) bool { return slices.Contains(otherwords, part) })
}

type candidate struct {
	column  string
	rank    int // in likely; what is not in it comes last
	holders int // tables that have it
}

// guess finds the tenant column by its name. It takes one only if most tables
// have it or lead to one that does: a wrong guess would make the others
// everybody's. A column of another name has to be in most of the tables itself.
func guess(tables []*table) (string, []string, error) {
	var found []candidate
	for _, t := range tables {
		for _, c := range t.Columns {
			rank := slices.Index(likely, plain(c.Name))
			switch {
			case t.view || t.Extension:
				continue
			case rank < 0 && !shared(c.Name):
				continue
			case rank < 0:
				rank = len(likely)
			}
			i := slices.IndexFunc(found, func(f candidate) bool { return f.column == c.Name })
			if i < 0 {
				i = len(found)
				found = append(found, candidate{column: c.Name, rank: rank})
			}
			found[i].holders++
		}
	}
	unnamed := func(c candidate) int { return c.rank / len(likely) }
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(unnamed(a), unnamed(b)), cmp.Compare(b.holders, a.holders), cmp.Compare(a.rank, b.rank))
	})
	base := 0
	for _, t := range tables {
		if !t.view && !t.Extension {
			base++
		}
	}
	for _, f := range found {
		if f.rank == len(likely) && 2*f.holders > base || f.rank < len(likely) && 2*reach(tables, f.column) >= base && !outdone(tables, f, found) && !owned(tables, f, found) {
			return f.column, passed(found, f, base), nil
		}
	}
	return "", nil, undecided(found, base)
}

// outdone tells whether another column makes more than twice as many tables tenants': where most say themselves that they are
// not everybody's, the id of some client would pass for the tenant's by its name.
func outdone(tables []*table, f candidate, found []candidate) bool {
	var others []candidate
	for _, other := range found {
		if other.holders > 2*f.holders {
			others = append(others, other)
		}
	}
	slices.SortStableFunc(others, func(a, b candidate) int { return cmp.Compare(b.holders, a.holders) })
	own := -1
	return slices.ContainsFunc(others[:min(len(others), maxSeen)], func(other candidate) bool {
		if own < 0 {
			own = confined(tables, f.column)
		}
		return confined(tables, other.column) > 2*own
	})
}

// owned tells whether what a column is called after has itself a column that more tables have, and says by that whose it is:
// who rents from an agency is called its tenant.
func owned(tables []*table, f candidate, found []candidate) bool {
	return slices.ContainsFunc(tables, func(t *table) bool {
		if t.view || !refersTo(f.column, t.Name) && !isPlural(plain(f.column), plain(t.Name)) {
			return false
		}
		return slices.ContainsFunc(found, func(other candidate) bool { return other.holders > f.holders && t.has(other.column) })
	})
}

// passed says of the other columns that are called like a tenant's why each was
// not taken.
func passed(found []candidate, taken candidate, tables int) []string {
	var out []string
	for _, f := range found {
		if f.column == taken.column || f.rank == len(likely) || len(out) == maxSeen {
			continue
		}
		why := "is seldomer a tenant's by its name"
		switch {
		case f.holders < taken.holders:
			why = "is in fewer"
		case taken.rank == len(likely) || f.holders > taken.holders:
			why = "leads to too few of the others"
		}
		out = append(out, fmt.Sprintf("%s (in %d of %d tables), which %s", f.column, f.holders, tables, why))
	}
	return out
}

// reach counts the tables that a tenant column makes tenants', or that say otherwise that they are not everybody's.
func reach(tables []*table, column string) int {
	return count(tables, column, func(t *table) bool { return !t.common && !t.unsure })
}

// confined counts the tables that a tenant column makes tenants'.
func confined(tables []*table, column string) int {
	return count(tables, column, func(t *table) bool { return t.leftOut == "" && !t.common })
}

func count(tables []*table, column string, counts func(*table) bool) int {
	try := make([]*table, len(tables))
	for i, t := range tables {
		try[i] = &table{Table: t.Table, dataset: t.dataset, view: t.view, ends: t.endings(), pointed: t.pointed, unread: t.unread, unseen: t.unseen}
	}
	classify(try, column)
	n := 0
	for _, t := range try {
		if counts(t) && !t.view && !t.Extension {
			n++
		}
	}
	return n
}

// maxSeen is how many columns are named to somebody who has to choose one.
const maxSeen = 6

func undecided(found []candidate, tables int) error {
	const remedy = "say which column names a row's tenant with --tenant COLUMN"
	if len(found) == 0 {
		return errors.New("no column is called like a tenant's; " + remedy)
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.holders, a.holders) })
	var seen []string
	for _, f := range found[:min(len(found), maxSeen)] {
		seen = append(seen, fmt.Sprintf("%s (in %d of %d tables)", f.column, f.holders, tables))
	}
	return errors.New("no column surely names a row's tenant, though there is " + strings.Join(seen, ", ") + "; " + remedy)
}
