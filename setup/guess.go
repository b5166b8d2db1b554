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
	"companyid", "customerid", "clientid", "merchantid", "shopid", "storeid", "siteid", "teamid", "distributorid",
}

type candidate struct {
	column  string
	rank    int // in likely
	holders int // tables that have it
	reaches int // tables that would not be everybody's
}

// guess finds the tenant column by its name. It takes one only if most tables
// have it or lead to one that does: a wrong guess would make the others
// everybody's.
func guess(tables []*table) (string, error) {
	var found []candidate
	for _, t := range tables {
		for _, c := range t.Columns {
			rank := slices.Index(likely, plain(c.Name))
			if t.view || rank < 0 {
				continue
			}
			i := slices.IndexFunc(found, func(f candidate) bool { return f.column == c.Name })
			if i < 0 {
				i = len(found)
				found = append(found, candidate{column: c.Name, rank: rank, reaches: reach(tables, c.Name)})
			}
			found[i].holders++
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.holders, a.holders), cmp.Compare(a.rank, b.rank))
	})
	base := 0
	for _, t := range tables {
		if !t.view {
			base++
		}
	}
	for _, f := range found {
		if 2*f.reaches >= base {
			return f.column, nil
		}
	}
	return "", undecided(found, base)
}

// reach counts the tables that a tenant column makes tenants' or leaves out.
func reach(tables []*table, column string) int {
	try := make([]*table, len(tables))
	for i, t := range tables {
		try[i] = &table{Table: t.Table, dataset: t.dataset, view: t.view}
	}
	classify(try, column)
	n := 0
	for _, t := range try {
		if !t.common && !t.view {
			n++
		}
	}
	return n
}

func undecided(found []candidate, tables int) error {
	const remedy = "say which column names a row's tenant with --tenant COLUMN"
	if len(found) == 0 {
		return errors.New("no column is called like a tenant's; " + remedy)
	}
	var seen []string
	for _, f := range found {
		seen = append(seen, fmt.Sprintf("%s (in %d of %d tables)", f.column, f.holders, tables))
	}
	return errors.New("no column surely names a row's tenant, though there is " + strings.Join(seen, ", ") + "; " + remedy)
}
