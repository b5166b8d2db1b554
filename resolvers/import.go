package resolvers

import (
	"context"
	"errors"
	"io"
	"time"

	"usher/audit"
	"usher/datasource/writing"
	"usher/fault"
	"usher/graph"
	"usher/intake"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/quota"
)

// ImportRequest is rows of a file that are to be written.
type ImportRequest struct {
	Dataset string
	Format  string   // as intake has it
	Columns []string // none: those that the file names
	Batch   int64    // rows of a transaction; 0: all of them
	From    int64    // rows that are in already
	Beyond  []int64  // numbers of rows behind these that are in
	Tenant  string   // whose rows they are, where a principal of all tenants names one
	Key     string   // of an import that is made once, however often it is sent
	In      func(rows int64)
}

// Import writes the rows of a file as they come, and tells which of them are in, those
// that were in before included, after an error too. Whatever becomes of it is in the
// audit log.
func (d *Datasets) Import(ctx context.Context, asked ImportRequest, body io.Reader) (in writing.Imported, err error) {
	in = writing.Imported{Rows: asked.From, Beyond: asked.Beyond}
	who, err := principal.From(ctx)
	if err != nil {
		return in, err
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return in, err
	}
	began, entry := time.Now(), audit.Of(who, audit.DataAccess)
	entry.Detail, entry.Datasets = "import of "+asked.Format, []string{asked.Dataset}
	if cat.Dataset(asked.Dataset) == nil { // a name of the caller's
		entry.Datasets = nil
	}
	err = fault.New(fault.Internal, "internal error") // stays, if it panics
	strict := false                                   // the log knows that rows are about to be written
	defer func() {
		if d.Audit == nil {
			return
		}
		entry.Rows, entry.Outcome, entry.Duration = in.Written, audit.Done, time.Since(began)
		if err != nil {
			entry.Outcome = outcomeOf(err)
		}
		if !strict {
			d.Audit(entry)
		} else if failed := concluded(ctx, d.AuditStrictly, d.Audit, entry, asked.Key != ""); err == nil {
			err = failed
		}
	}()
	var of plan.Tenant
	if asked.Tenant != "" {
		if of, err = d.importedTenant(ctx, asked.Tenant, who); err != nil {
			return in, err
		}
		entry.Tenant = of.ID
	}
	if err := plan.MayImport(of, asked.Dataset, cat, who, began); err != nil { // before anything is read
		return in, err
	}
	if err := quota.From(ctx).Admit(ctx); err != nil { // what it reads is its own
		return in, err
	}
	file, err := intake.Open(asked.Format, quota.From(ctx).Reading(body), asked.Columns)
	if err != nil {
		return in, err
	}
	columns, line := file.Columns()
	planned, err := plan.BuildImport(of, query.Import{Dataset: asked.Dataset, Columns: columns, Texts: asked.Format == intake.CSV}, cat, who, began) // resolved, stamped, scoped; or refused
	if err != nil {
		f := *fault.From(err)
		f.Line = line
		return in, &f
	}
	entry.Strategy, entry.Source = planned.Strategy(), planned.Target().Source
	for range asked.From {
		if _, _, err := file.Next(); errors.Is(err, io.EOF) {
			in.Rows = 0 // what is in is not known by a number that the file has not
			return in, fault.New(fault.BadUserInput, "the file has fewer rows than %d, from which to continue", asked.From)
		} else if err != nil {
			return in, err
		}
	}
	once, err := importedOnce(who, asked, columns)
	if err != nil {
		return in, err
	}
	if d.AuditStrictly != nil { // before the first COMMIT: what it comes to is told when all of them were made
		if err := intended(ctx, d.AuditStrictly, entry); err != nil {
			return in, err
		}
		strict = true
	}
	terms := writing.ImportTerms{Batch: asked.Batch, From: asked.From, Beyond: asked.Beyond, Once: once, In: asked.In}
	in, err = d.Sources.Import(ctx, planned, &typedRows{file: file, plan: planned, row: make([]plan.Given, planned.Columns())}, terms)
	if d.Told != nil && (in.Written > 0 || err != nil && fault.From(err).Unknown) {
		d.Told(ctx, planned.Target().Source, planned.Dataset(), planned.Owner())
	}
	return in, err
}

// importedOnce is under what an import with a key is found again. How many rows a transaction
// has does not matter: what is in is counted.
func importedOnce(who principal.Principal, asked ImportRequest, columns []string) (*writing.Once, error) {
	if asked.Key == "" {
		return nil, nil
	}
	if err := graph.GoodKey(asked.Key); err != nil {
		return nil, err
	}
	named := append([]string{"import", asked.Dataset, asked.Format, asked.Tenant}, columns...)
	return onceOf(who, asked.Key, digest(named...))
}

// importedTenant is the tenant that an import names.
func (d *Datasets) importedTenant(ctx context.Context, id string, who principal.Principal) (plan.Tenant, error) {
	switch {
	case !who.AllTenants: // before anybody is told which there are
		return plan.Tenant{}, fault.New(fault.Forbidden, "whose rows are written is not for you to name")
	case d.Tenant == nil:
		return plan.Tenant{}, fault.New(fault.NotImplemented, "nothing here knows which tenants there are")
	}
	return d.Tenant(ctx, id)
}

// typedRows are the rows of a file as values of their columns.
type typedRows struct {
	file intake.Rows
	plan plan.Import
	row  []plan.Given
}

// Next implements sqlexec.Incoming.
func (t *typedRows) Next() (int64, []plan.Given, error) {
	line, row, err := t.file.Next()
	if err != nil {
		return line, nil, err
	}
	for i, v := range row {
		if t.row[i], err = t.plan.Read(i, v); err != nil {
			f := fault.From(err) // made for this value
			f.Line = line
			return line, nil, f
		}
	}
	return line, t.row, nil
}
