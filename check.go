package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"usher/auth"
	"usher/catalog"
	"usher/config"
	"usher/datasource"
	"usher/schema"
)

type checkCommand struct {
	Config string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
}

// errProblems ends a check whose problems are printed already.
var errProblems = errors.New("the configuration has problems")

// Run prints everything that is wrong, then what is worth knowing. A source
// that could not be looked into is a problem too: nothing about it was checked.
func (c checkCommand) Run(ctx context.Context, s *surroundings) error {
	cfg, err := config.Load(c.Config, s.env)
	if err != nil {
		return err
	}
	r, err := inspect(ctx, cfg)
	if err != nil {
		return err
	}
	for _, line := range r.problems {
		fmt.Fprintln(s.stdout, line)
	}
	for _, line := range r.notes {
		fmt.Fprintln(s.stdout, "note:", line)
	}
	if len(r.problems) > 0 {
		return errProblems
	}
	fmt.Fprintf(s.stdout, "ok: %s, %s\n", count(len(r.catalog.Datasets), "dataset"), count(len(r.catalog.Sources), "source"))
	return nil
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// report is what a check finds. The catalog is nil when it was refused.
type report struct {
	catalog         *catalog.Catalog
	problems, notes []string
}

// inspect does all that starting does short of listening, and goes on after a
// problem where more can be said. The error is for a file that says too little
// to look at anything.
func inspect(ctx context.Context, cfg *config.Config) (*report, error) {
	sources, problems := catalog.Sources(cfg.Spec)
	if err := cfg.Locate(problems); err != nil {
		return nil, err
	}
	r := &report{}
	tables := make(catalog.Introspected)
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		found, err := datasource.Introspect(ctx, sources[name])
		switch {
		case err != nil:
			r.problems = append(r.problems, fmt.Sprintf("source %s could not be looked into, so nothing about it was checked: %v", name, err))
		case found != nil:
			tables[name] = found
		}
	}
	r.catalog, problems = catalog.Compile(cfg.Spec, tables)
	r.problem(cfg.Locate(problems))
	r.notes = cfg.Notes(problems)
	if r.catalog == nil {
		return r, nil
	}
	_, problems = configured(r.catalog)
	r.problem(cfg.Locate(problems))
	r.problem(schemaFits(r.catalog, cfg.Control != nil))
	tokens, err := auth.New(cfg.Issuers, auth.Options{Tenants: registry(r.catalog, nil)})
	if err == nil {
		tokens.Close()
	}
	r.problem(err)
	r.notes = append(r.notes, indexes(r.catalog, tables)...)
	return r, nil
}

func (r *report) problem(err error) {
	if err != nil {
		r.problems = append(r.problems, strings.Split(err.Error(), "\n")...)
	}
}

// schemaFits tells whether one GraphQL schema can hold the whole catalog; what
// principals see are parts of it.
func schemaFits(cat *catalog.Catalog, administration bool) error {
	var parts []schema.Part
	if administration {
		parts = append(parts, schema.Administration)
	}
	builder, err := schema.NewBuilder(parts...)
	if err != nil {
		return err
	}
	_, err = builder.BuildAll(cat.Everything())
	return err
}

// indexes names the indexes that tables in PostgreSQL lack: one that finds a
// tenant's rows, and one for each text column that is in another order than
// usher's, which its own index does not help.
func indexes(cat *catalog.Catalog, tables catalog.Introspected) []string {
	var out []string
	for _, d := range cat.Datasets {
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			b := d.Bindings[source]
			t, ok := tables[source][b.Schema+"."+b.Table]
			if !ok || t.View || cat.Sources[source].Kind != catalog.Postgres {
				continue
			}
			if column, ok := tenantColumn(d, b); ok && !slices.ContainsFunc(t.Indexes, func(index []string) bool { return index[0] == column }) {
				out = append(out, fmt.Sprintf("datasets.%s: no index of %s begins with the tenant's column, so each question reads the rows of all tenants: %s",
					d.Name, source, createIndex(b, identifier(column))))
			}
			for _, col := range d.Columns {
				stored := b.Columns[col.Name]
				if !col.Type.Text() || stored.ByCode || stored.Missing || col.Collation || col == d.Tenant {
					continue
				}
				out = append(out, fmt.Sprintf("datasets.%s.columns.%s: ordering by it needs an index of its own in %s, since usher orders by code point: %s",
					d.Name, col.Name, source, codePointIndex(d, b, stored.Name)))
			}
		}
	}
	return out
}

// tenantColumn is the tenant's column in a table, if it has one.
func tenantColumn(d *catalog.Dataset, b *catalog.Binding) (string, bool) {
	if d.Tenant == nil {
		return "", false
	}
	stored := b.Columns[d.Tenant.Name]
	return stored.Name, !stored.Missing
}

// codePointIndex is the one that keeps an order fast.
func codePointIndex(d *catalog.Dataset, b *catalog.Binding, column string) string {
	columns := identifier(column) + ` COLLATE "C"`
	if column, ok := tenantColumn(d, b); ok {
		columns = identifier(column) + ", " + columns
	}
	return createIndex(b, columns)
}

// createIndex is a statement for people to run.
func createIndex(b *catalog.Binding, columns string) string {
	return fmt.Sprintf("CREATE INDEX ON %s.%s (%s);", identifier(b.Schema), identifier(b.Table), columns)
}

func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
