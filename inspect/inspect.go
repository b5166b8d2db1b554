// Package inspect completes a configuration by what its sources are found to
// hold. It owns the looking: for a gateway, which serves only what was found to
// fit, and for people, who want to read everything that does not. It refuses to
// hide a source that it could not look into.
package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"

	"golang.org/x/sync/errgroup"

	"usher/catalog"
	"usher/config"
	"usher/datasource"
	"usher/datasource/grants"
)

// Found is what a look into the sources has shown.
type Found struct {
	Catalog *catalog.Catalog // nil: it was refused, and the problems say why
	Sources map[string]*catalog.Source
	Tables  catalog.Introspected
	Silent  []Silent          // sources that could not be looked into, by name
	Kept    []Silent          // sources that could not be looked into this time, and are taken as they were found before
	late    []string          // sources of which a dataset that does not fit is refused alone: those that were silent at first, or all
	Notes   []string          // what the configuration leaves out
	Lost    []Lost            // what was served before the configuration was read again, and is not
	before  []Lost            // what was served then
	Waits   map[string]string // datasets that are left out until a source is reached, and what the file leaves to that
	Unfit   map[string]string // datasets that do not fit what their sources hold, of which these alone are refused, and why
	Problem error             // all that does not fit, with places
}

// Cause stands in a problem before what a driver or a server has said, which is for whoever
// sees the machine.
const Cause = "; the cause: "

// Silent is a source that could not be looked into.
type Silent struct {
	Source string
	Err    error
}

// Lost is a dataset that a source served and does not any more, though a strategy leads there still: its table is gone, or was
// closed to the account. Where another source serves the dataset, that is no mistake of the file.
type Lost struct{ Dataset, Source string }

func (l Lost) String() string {
	return fmt.Sprintf("datasets.%s: %s served it before the configuration was read again and does not now, as `usher check` notes; it is looked at again until it does", l.Dataset, l.Source)
}

// after compares what is served with what was before.
func (f *Found) after(before []Lost) {
	f.before, f.Lost = before, nil
	for _, l := range before {
		if f.Catalog == nil {
			continue
		}
		if d := f.Catalog.Dataset(l.Dataset); d != nil && slices.Contains(d.Absent, l.Source) { // a strategy leads there still
			f.Lost = append(f.Lost, l)
		}
	}
}

// served is what sources serve of datasets.
func (f *Found) served() (out []Lost) {
	for _, d := range f.Catalog.Datasets {
		for _, source := range slices.Sorted(maps.Keys(d.Bindings)) {
			out = append(out, Lost{d.Name, source})
		}
	}
	return out
}

// maxLooks is how many sources are looked into at the same time.
const maxLooks = 8

// Look looks into every source and compiles the catalog. The error is for a
// configuration that says too little to look at anything.
func Look(ctx context.Context, cfg *config.Config) (*Found, error) {
	return look(ctx, cfg, make(catalog.Introspected), nil, nil, func(string) bool { return true })
}

// LookAfter is Look for a configuration that follows another. A source that is as it was,
// and does not answer just now, is taken as it was found before. One that has other settings
// and was reached with those before has to be reached with these, too: what is served would
// be given up for what nobody can be served.
func LookAfter(ctx context.Context, cfg *config.Config, before *Found) (*Found, error) {
	sources, _ := catalog.Sources(cfg.Spec) // what is wrong with them is found below
	known := make(catalog.Introspected)
	var changed []string
	for _, name := range slices.Sorted(maps.Keys(before.Tables)) {
		switch now := sources[name]; {
		case reflect.DeepEqual(now, before.Sources[name]):
			known[name] = before.Tables[name]
		case now != nil:
			changed = append(changed, name)
		}
	}
	f, err := look(ctx, cfg, known, nil, nil, func(string) bool { return true })
	if err != nil {
		return nil, err
	}
	f.after(slices.Concat(before.served(), before.Lost))
	var silent []catalog.Problem
	for _, name := range changed {
		if err := f.reaches(ctx, name); err != nil {
			silent = append(silent, catalog.Problem{Path: []string{"sources", name}, Message: fmt.Sprintf(
				"it was reached with the settings that are served, and cannot be with these: %s%s%v", datasource.Trouble(err), Cause, err)})
		}
	}
	return f, cfg.Locate(silent)
}

// reaches tells whether a source was looked into, and takes the account that writes.
func (f *Found) reaches(ctx context.Context, source string) error {
	for _, s := range f.Silent {
		if s.Source == source {
			return s.Err
		}
	}
	return datasource.AdmitsWriter(ctx, f.Sources[source])
}

// Pending tells whether a look into the sources may find more: some were silent, or came
// late and hold what does not fit, or serve no longer what they did.
func (f *Found) Pending() bool { return len(f.Silent)+len(f.Kept)+len(f.Unfit)+len(f.Lost) > 0 }

// Unreached are the sources that could not be looked into, whether what they hold is known or not, by name.
func (f *Found) Unreached() (names []string) {
	for _, s := range slices.Concat(f.Silent, f.Kept) {
		names = append(names, s.Source)
	}
	slices.Sort(names)
	return names
}

// Again looks into the sources that were silent, and into those that came late while
// something of them does not fit, and takes the others as they were found. Those that are kept it asks for no more than
// whether they are there.
func (f *Found) Again(ctx context.Context, cfg *config.Config) (*Found, error) {
	late := slices.Clone(f.late)
	for _, s := range f.Silent {
		if !slices.Contains(late, s.Source) {
			late = append(late, s.Source)
		}
	}
	again, err := look(ctx, cfg, maps.Clone(f.Tables), late, f.Kept, func(source string) bool {
		return slices.Contains(f.Unreached(), source) ||
			len(f.Unfit) > 0 && slices.Contains(late, source) ||
			slices.ContainsFunc(f.Lost, func(l Lost) bool { return l.Source == source })
	})
	if err == nil {
		again.after(f.Lost)
	}
	return again, err
}

func look(ctx context.Context, cfg *config.Config, known catalog.Introspected, late []string, kept []Silent, wanted func(source string) bool) (*Found, error) {
	sources, problems := catalog.Sources(cfg.Spec)
	if err := cfg.Locate(problems); err != nil {
		return nil, err
	}
	f := &Found{Sources: sources, Tables: known, late: late}
	type look struct {
		tables map[string]catalog.Table
		err    error
	}
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(sources)), func(name string) bool { return !wanted(name) })
	looks := make([]look, len(names))
	var group errgroup.Group // all at once: a silent one takes as long as connecting may
	group.SetLimit(maxLooks)
	for i, name := range names {
		group.Go(func() error {
			looks[i].tables, looks[i].err = datasource.Introspect(ctx, sources[name], cfg.Spec.Schemas(sources[name])...)
			return nil
		})
	}
	_ = group.Wait() // each has its own error
	for i, name := range names {
		switch found := looks[i]; {
		case found.err != nil && known[name] != nil: // it was reached before, and is served
			f.Kept = append(f.Kept, Silent{name, found.err})
		case found.err != nil:
			f.Silent = append(f.Silent, Silent{name, found.err})
		case found.tables != nil && !slices.ContainsFunc(kept, func(s Silent) bool { return s.Source == name }):
			f.Tables[name] = found.tables
		}
	}
	f.compile(cfg)
	return f, nil
}

func (f *Found) compile(cfg *config.Config) {
	var silent []string
	for _, s := range f.Silent {
		silent = append(silent, s.Source)
	}
	cat, problems := catalog.CompileReached(cfg.Spec, f.Tables, silent, f.late)
	f.Catalog, f.Problem, f.Notes = cat, cfg.Locate(problems), cfg.Notes(slices.Concat(problems, cfg.Unusual()))
	f.after(f.before)
	f.Waits, f.Unfit = make(map[string]string), make(map[string]string)
	if cat == nil {
		return
	}
	for dataset, p := range cat.Unreached.Waits() {
		f.Waits[dataset] = cfg.Locate([]catalog.Problem{p}).Error()
	}
	for dataset, p := range cat.Unreached.Unfit() {
		f.Unfit[dataset] = cfg.Locate([]catalog.Problem{p}).Error()
	}
}

// LeavingOut is what was found, where datasets that do not fit are left out and do not hold up the others.
func (f *Found) LeavingOut(cfg *config.Config) *Found {
	out := *f
	out.late = slices.Sorted(maps.Keys(f.Sources))
	out.compile(cfg)
	return &out
}

// Without is what was found, as if a source had been silent.
func (f *Found) Without(cfg *config.Config, source string, why error) *Found {
	out := &Found{Sources: f.Sources, Tables: maps.Clone(f.Tables), late: f.late, Kept: f.Kept, before: f.before, Silent: append(slices.Clone(f.Silent), Silent{source, why})}
	delete(out.Tables, source)
	out.compile(cfg)
	return out
}

// Reached are the sources that this look has found and the one before has not.
func (f *Found) Reached(before *Found) []string {
	var out []string
	for _, s := range before.Silent {
		if !slices.ContainsFunc(f.Silent, func(now Silent) bool { return now.Source == s.Source }) {
			out = append(out, s.Source)
		}
	}
	return out
}

// Served is the catalog to be served, or why there is none: sources that could
// not be looked into are not among the reasons.
func (f *Found) Served() (*catalog.Catalog, error) {
	if f.Catalog == nil {
		return nil, cmp.Or(f.Problem, errors.New("the catalog was refused without a reason"))
	}
	return f.Catalog, f.Problem
}

// Lacking asks what the accounts lack by which rows of the sources that were reached are written. One that could not be
// asked does not hold up the others.
func (f *Found) Lacking(ctx context.Context) (lacks grants.Lacks, err error) {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(f.Tables)) {
		if slices.Contains(f.Unreached(), name) {
			continue
		}
		of, err := grants.Lacking(ctx, f.Catalog, f.Sources[name])
		if err != nil {
			errs = append(errs, fmt.Errorf("source %s: what the account that writes may do could not be asked%s%w", name, Cause, err))
		}
		lacks.Writing, lacks.Some = append(lacks.Writing, of.Writing...), append(lacks.Some, of.Some...)
	}
	return lacks, errors.Join(errs...)
}

// Unserved says what of a configuration that is served is not, or not by what its source holds now.
func (f *Found) Unserved() (lines []string) {
	for _, s := range f.Silent {
		lines = append(lines, fmt.Sprintf("sources.%s: it could not be looked into; what is read from it is refused until it is%s%v", s.Source, Cause, s.Err))
	}
	for _, s := range f.Kept {
		lines = append(lines, fmt.Sprintf("sources.%s: it could not be looked into; it is served as it was found before%s%v", s.Source, Cause, s.Err))
	}
	for _, l := range f.Lost {
		lines = append(lines, l.String())
	}
	for _, dataset := range slices.Sorted(maps.Keys(f.Waits)) {
		lines = append(lines, f.Waits[dataset]+"; until its source is reached the dataset "+dataset+" is left out")
	}
	for _, dataset := range slices.Sorted(maps.Keys(f.Unfit)) {
		lines = append(lines, f.Unfit[dataset]+"; until it fits the dataset "+dataset+" is refused")
	}
	return lines
}

// Log says which sources could not be looked into, and why.
func (f *Found) Log(ctx context.Context, log *slog.Logger) {
	for _, s := range f.Silent {
		log.WarnContext(ctx, "a source could not be looked into; what is read from it is refused until it is", "source", s.Source, "error", s.Err)
	}
	for _, s := range f.Kept {
		log.WarnContext(ctx, "a source that was reached before could not be looked into; it is served as it was found then, and looked into again", "source", s.Source, "error", s.Err)
	}
}

// LogWaits says which datasets are missing until a source is reached, and what would have to be written for them not to be;
// and which a source serves no longer.
func (f *Found) LogWaits(ctx context.Context, log *slog.Logger) {
	for _, dataset := range slices.Sorted(maps.Keys(f.Waits)) {
		log.WarnContext(ctx, "a dataset is left out of the schema until its source is reached: what the file leaves to that can be written there", "dataset", dataset, "missing", f.Waits[dataset])
	}
	for _, l := range f.Lost {
		log.WarnContext(ctx, "a source does not serve a dataset that it served before the configuration was read again; it is looked into until it does", "source", l.Source, "dataset", l.Dataset)
	}
}
