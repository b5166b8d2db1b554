package resolvers

import (
	"context"
	"maps"
	"slices"
	"time"

	"usher/fault"
	"usher/graph"
)

// Loaded tells of the configuration that is served, and of one that was refused since.
type Loaded struct {
	At       time.Time // when it was read
	Refused  time.Time // when another was refused; zero: none was
	Problems []string  // what was wrong with that
	Warnings []string  // what of the one that is served is not, or not as it was meant
}

// configuration is what is served, and what tenants' records may name of it.
func (r *Resolver) configuration(ctx context.Context) (*graph.Configuration, error) {
	store, who, err := r.control(ctx)
	if err == nil {
		err = store.Administers(who, "")
	}
	if err != nil {
		return nil, err
	}
	cat, _, err := graph.ViewFrom(ctx)
	if err != nil {
		return nil, err
	}
	loaded := r.House.Loaded()
	out := &graph.Configuration{
		LoadedAt: loaded.At, Problems: always(loaded.Problems), Warnings: always(loaded.Warnings), RefusedAt: instant(loaded.Refused),
		Sources: []graph.ConfiguredSource{}, Strategies: []graph.ConfiguredStrategy{}, Bindings: []graph.ConfiguredBinding{}, Cells: always(cat.Cells()),
		TokenLimits: describeLimits(cat.Budgets.Token),
	}
	for _, name := range slices.Sorted(maps.Keys(cat.Sources)) {
		s := cat.Sources[name]
		out.Sources = append(out.Sources, graph.ConfiguredSource{Name: name, Kind: string(s.Kind), Template: s.Template})
	}
	for _, name := range slices.Sorted(maps.Keys(cat.Strategies)) {
		s := cat.Strategies[name]
		out.Strategies = append(out.Strategies, graph.ConfiguredStrategy{Name: name, Kind: string(s.Kind), Source: s.Source, Default: name == cat.DefaultStrategy})
	}
	for _, d := range cat.Datasets {
		for _, own := range d.Choices() {
			out.Bindings = append(out.Bindings, graph.ConfiguredBinding{Dataset: d.Name, Name: own.Name, Source: own.Source})
		}
	}
	return out, nil
}

// reload has the configuration read again. One that is refused is an answer: what was
// asked for was done, and tells what is wrong.
func (r *Resolver) reload(ctx context.Context) (*graph.Reload, error) {
	store, who, err := r.control(ctx)
	if err != nil {
		return nil, err
	}
	var problems []string
	err = store.Reload(ctx, who, func() (err error) {
		if r.House.Reload == nil {
			return fault.New(fault.NotImplemented, "there is no file to be read again")
		}
		if problems, err = r.House.Reload(ctx); err != nil {
			return fault.From(err).WithHint("It goes on: `admin { configuration { loadedAt problems } }` says what has come of it.")
		}
		if len(problems) > 0 {
			return fault.New(fault.Conflict, "what the file says cannot be served")
		}
		return nil
	})
	if err != nil && len(problems) == 0 {
		return nil, err
	}
	loaded := r.House.Loaded()
	return &graph.Reload{Served: len(problems) == 0, LoadedAt: loaded.At, Problems: always(problems), Warnings: always(loaded.Warnings)}, nil
}
