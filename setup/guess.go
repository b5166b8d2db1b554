package setup

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"usher/catalog"
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
		most := f.rank == len(likely) && 2*f.holders > base || f.rank < len(likely) && 2*reach(tables, f.column) >= base && !outdone(tables, f, found)
		if most && !owned(tables, f, found) {
			return f.column, passed(tables, found, f, base), nil
		}
	}
	return "", nil, undecided(tables, found, base)
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

// What many things have one of, a tenant among them, that is nobody's above them, by the word before the end of a column's name.
var ordinaryOwners = strings.Fields("plan tier package edition price product owner author creator manager contact")

// owned tells whether what a column is called after leads itself to something that other tables lead to, and says by that whose
// it is: who rents from an agency is called its tenant, and accounts of a gym are a studio's. A third as many tables have to
// lead there, and more than one of them: organizations have a plan, as subscriptions do, and each is a tenant all the same. What
// has the column itself, as the user who owns an organization, is below.
func owned(tables []*table, f candidate, found []candidate) bool {
	things := leadTo(tables, f.column)
	return slices.ContainsFunc(things, func(t *table) bool {
		return slices.ContainsFunc(found, func(other candidate) bool {
			if other.column == f.column || other.holders <= f.holders && slices.Contains(ordinaryOwners, stem(other.column)) {
				return false
			}
			above := leadTo(tables, other.column)
			if slices.ContainsFunc(above, func(to *table) bool { return to.has(f.column) || slices.Contains(things, to) }) {
				return false
			}
			holders := other.holders
			if t.has(other.column) {
				holders--
			} else if !slices.ContainsFunc(t.ForeignKeys, func(fk catalog.ForeignKey) bool {
				return slices.Contains(above, find(tables, fk.RefSchema, fk.RefTable, t.Schema))
			}) {
				return false
			}
			return other.holders > f.holders || holders > 1 && 3*holders >= f.holders
		})
	})
}

// leadTo are the tables that a column leads to, by foreign keys or else by its name.
func leadTo(tables []*table, column string) []*table {
	var out, named []*table
	for _, t := range tables {
		if t.view {
			continue
		}
		for _, fk := range t.ForeignKeys {
			if to := find(tables, fk.RefSchema, fk.RefTable, t.Schema); to != nil && slices.Equal(fk.Columns, []string{column}) && !slices.Contains(out, to) {
				out = append(out, to)
			}
		}
		if refersTo(column, t.Name) || isPlural(plain(column), plain(t.Name)) {
			named = append(named, t)
		}
	}
	if out == nil {
		return named
	}
	return out
}

// stem is the last word of a column's name but for an end that makes a reference of it.
func stem(column string) string {
	parts := words(column)
	if n := len(parts); n > 1 && slices.Contains(references, parts[n-1]) {
		parts = parts[:n-1]
	}
	return parts[len(parts)-1]
}

// passed says of the other columns that are called like a tenant's, or are in many tables and lead to nothing that has the one
// that was taken, why each was not.
func passed(tables []*table, found []candidate, taken candidate, base int) []string {
	var out []string
	for _, f := range found {
		unlikely := f.rank == len(likely)
		switch {
		case f.column == taken.column, len(out) == maxSeen:
			continue
		case unlikely && (2*f.holders < taken.holders || f.holders < 3):
			continue
		case unlikely && slices.ContainsFunc(leadTo(tables, f.column), func(t *table) bool { return t.has(taken.column) }):
			continue
		}
		why := "is seldomer a tenant's by its name"
		switch {
		case owned(tables, f, found):
			why = "leads to what belongs to somebody itself"
		case f.holders < taken.holders:
			why = "is in fewer"
		case taken.rank == len(likely) || !unlikely && f.holders > taken.holders:
			why = "leads to too few of the others"
		}
		out = append(out, fmt.Sprintf("%s (in %d of %d tables), which %s", f.column, f.holders, base, why))
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

// undecided names the columns to choose from: those first that lead to nothing that belongs to somebody itself.
func undecided(tables []*table, found []candidate, base int) error {
	const remedy = "say which column names a row's tenant with --tenant COLUMN"
	if len(found) == 0 {
		return errors.New("no column is called like a tenant's; " + remedy)
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return cmp.Compare(b.holders, a.holders) })
	below := make(map[string]bool)
	for _, f := range found {
		below[f.column] = owned(tables, f, found)
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		switch {
		case below[a.column] == below[b.column]:
			return 0
		case below[b.column]:
			return -1
		}
		return 1
	})
	var seen []string
	for _, f := range found[:min(len(found), maxSeen)] {
		seen = append(seen, fmt.Sprintf("%s (in %d of %d tables)", f.column, f.holders, base))
	}
	return errors.New("no column surely names a row's tenant, though there is " + strings.Join(seen, ", ") + "; " + remedy)
}
