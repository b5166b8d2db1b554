package drift

import (
	"context"
	"sync"

	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/plan"
)

// Files judge what files hold, whenever they are others: a file may be replaced
// at any time, by one without a tenant's column too. Each session asks, since
// it reads one version of the files from its beginning to its end. What was found
// is kept until they are others again.
type Files struct {
	account Account

	mu     sync.Mutex
	latest uint64  // version that was looked at
	tables *Tables // of it
}

// OfFiles are the files of an account.
func OfFiles(a Account) *Files { return &Files{account: a} }

// of are the tables of a version.
func (f *Files) of(v *duckdb.Version) *Tables {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.tables != nil && v.Number < f.latest: // it ends soon
		return tablesOf(f.account, v, &Findings{})
	case f.tables == nil || v.Number > f.latest:
		f.latest, f.tables = v.Number, tablesOf(f.account, v, &Findings{})
	}
	return f.tables
}

// In are the tables of the files that a session reads, where those that are referred to are what the catalog
// says; nil where nothing is promised of them.
func (f *Files) In(ctx context.Context, session sqlexec.Session, refs []plan.Ref) (*Tables, error) {
	v := duckdb.VersionOf(session)
	if v == nil {
		return nil, fault.Broken("a session of files is of no version")
	}
	if s := f.account.Catalog.Sources[f.account.Target.Source]; !s.Seen && !f.account.own() {
		return nil, nil //nolint:nilnil // the catalog was not made of it, and promises nothing
	}
	tables := f.of(v)
	return tables, tables.Check(ctx, refs)
}
