package inspect

import (
	"context"
	"errors"
	"fmt"

	"usher/catalog"
	"usher/config"
	"usher/control"
	"usher/datasource"
	"usher/plan"
)

// Kept returns a line for each thing in the control store that names what the configuration does not have, at most so many
// of a kind; what of it usher would not start with is a problem of the report. Nothing of the store is changed.
func (r *Report) Kept(ctx context.Context, cfg *config.Config, most int) ([]string, error) {
	if cfg.Control == nil {
		return nil, errors.New("the configuration has no control store, and so no records of tenants beside its own")
	}
	lines, refused, err := control.Kept(ctx, cfg, r.Catalog, most)
	r.problem(refused)
	if err != nil {
		err = fmt.Errorf("what the control store keeps was not compared with the configuration%s%w", Cause, err)
	}
	return lines, err
}

// Tenant tries the accounts by which a tenant's data is reached, and returns a line
// for all that is wrong, with what those lack that write, then what is worth knowing, and what was tried. The tenant is one
// of the file or of the control store, which is opened for that: an embedded one only while no server holds it.
func Tenant(ctx context.Context, cfg *config.Config, cat *catalog.Catalog, id string) (problems, notes []string, tried []datasource.Tried, err error) {
	record, err := control.Record(ctx, cfg, cat, id)
	if err != nil {
		return nil, nil, nil, err
	}
	trials, err := plan.Trials(cat, record)
	if err != nil {
		return []string{fmt.Sprintf("tenant %s: %v", id, err)}, nil, nil, nil
	}
	sources, err := datasource.New(cat, datasource.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { err = errors.Join(err, sources.Close()) }()
	tried = sources.Try(ctx, trials)
	for _, t := range tried {
		for _, f := range t.Findings {
			line := fmt.Sprintf("tenant %s: source %s: %s", id, t.Source, f)
			if f.Cause != nil {
				line += fmt.Sprintf(" (%v)", f.Cause)
			}
			problems = append(problems, line)
		}
	}
	if len(problems) > 0 {
		return problems, nil, tried, nil
	}
	lacks, err := sources.Lacking(ctx, trials)
	if err != nil {
		problems = append(problems, fmt.Sprintf("tenant %s: %v", id, err))
	}
	of := func(lines []string) (out []string) {
		for _, line := range lines {
			out = append(out, fmt.Sprintf("tenant %s: %s", id, line))
		}
		return out
	}
	return append(problems, of(lacks.Writing)...), of(lacks.Some), tried, nil
}
