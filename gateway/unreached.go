package gateway

import (
	"context"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/config"
	"usher/inspect"
)

// How soon sources are looked into again that could not be:
// twice as late after each time, with jitter, so that many gateways do not ask a
// server that has just come back all at once.
const (
	firstLook = 500 * time.Millisecond
	lastLook  = 30 * time.Second
)

// reach says what of the configuration cannot be done, and looks into the sources that are still to be reached until
// none is left, or another configuration is served.
func (g *Gateway) reach() {
	s := g.current.Load()
	ctx, stop := context.WithCancel(g.life)
	g.stopReaching = stop
	g.reaching.Go(func() {
		s.tellLacks(ctx, g.opts.Log)
		g.reachOf(ctx, s.cfg, s.found)
	})
}

func (g *Gateway) reachOf(ctx context.Context, cfg *config.Config, found *inspect.Found) {
	log := g.opts.Log
	for wait := firstLook; found.Pending(); wait = min(2*wait, lastLook) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait/2)): //nolint:gosec // spreads load, keeps no secret
		}
		again, err := found.Again(ctx, cfg)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			log.ErrorContext(ctx, "the sources cannot be looked into", "error", err)
			continue
		}
		again.Log(ctx, log)
		for _, source := range again.Reached(found) { // one that does not fit is left out, and does not hold up the others
			if alone := only(again, cfg, source, again.Reached(found)); alone.Problem != nil {
				log.ErrorContext(ctx, "a source was reached, and what it holds cannot be served", "source", source, "error", alone.Problem)
				again = again.Without(cfg, source, alone.Problem)
			}
		}
		now := again.Reached(found)
		if len(now) == 0 && slices.Equal(again.Unreached(), found.Unreached()) && maps.Equal(again.Unfit, found.Unfit) && slices.Equal(again.Lost, found.Lost) {
			continue
		}
		if err := g.serveFound(ctx, cfg, again); err != nil {
			if ctx.Err() == nil {
				log.ErrorContext(ctx, "sources were reached, and what they hold cannot be served", "sources", now, "error", err)
			}
			continue
		}
		if len(now) > 0 {
			log.InfoContext(ctx, "sources were reached and are served from now on", "sources", now)
		}
		for _, kept := range found.Kept {
			if !slices.Contains(again.Unreached(), kept.Source) {
				log.InfoContext(ctx, "a source was reached again", "source", kept.Source)
			}
		}
		for _, lost := range found.Lost {
			if !slices.Contains(again.Lost, lost) {
				log.InfoContext(ctx, "a source serves a dataset again", "source", lost.Source, "dataset", lost.Dataset)
			}
		}
		tellUnfit(ctx, log, found.Unfit, again.Unfit)
		g.current.Load().tellLacks(ctx, log)
		found, wait = again, firstLook
	}
}

// serveFound serves what was found, of the configuration that is served already.
func (g *Gateway) serveFound(ctx context.Context, cfg *config.Config, found *inspect.Found) error {
	g.replacing.Lock()
	defer g.replacing.Unlock()
	if err := ctx.Err(); err != nil { // another configuration is served by now
		return err
	}
	cat, err := found.Served()
	if err != nil {
		return err
	}
	return g.replace(ctx, &snapshot{cfg: cfg, found: found, catalog: cat})
}

// tellUnfit says which datasets are refused alone, and which no longer are.
func tellUnfit(ctx context.Context, log *slog.Logger, before, now map[string]string) {
	for _, dataset := range slices.Sorted(maps.Keys(now)) {
		if why := now[dataset]; why != before[dataset] {
			log.ErrorContext(ctx, "a dataset does not fit what its source holds; it is refused until it does", "dataset", dataset, "error", why)
		}
	}
	for _, dataset := range slices.Sorted(maps.Keys(before)) {
		if _, still := now[dataset]; !still {
			log.InfoContext(ctx, "a dataset fits what its source holds, and is served from now on", "dataset", dataset)
		}
	}
}

// only is what was found as if of those that were reached there were one alone.
func only(found *inspect.Found, cfg *config.Config, source string, reached []string) *inspect.Found {
	for _, other := range reached {
		if other != source {
			found = found.Without(cfg, other, nil)
		}
	}
	return found
}

// Unreached are the sources that nobody could look into since the configuration is served.
func (g *Gateway) Unreached() []string { return g.found().Unreached() }

func (g *Gateway) found() *inspect.Found { return g.current.Load().found }

// Unfit are the datasets that are refused alone, for what their sources hold, and why.
func (g *Gateway) Unfit() map[string]string { return g.current.Load().found.Unfit }

// Waits are the datasets that are missing until a source is reached, and what the file leaves to that.
func (g *Gateway) Waits() map[string]string { return g.current.Load().found.Waits }

// DatasetsUnfit counts the datasets that are refused alone, for what their sources hold.
func DatasetsUnfit(now func() map[string]string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "usher_datasets_unfit", Help: "Datasets that do not fit what their sources hold; they are refused, and the others served."}, func() float64 { return float64(len(now())) })
}

// SourcesUnreached shows which sources of what was found are still to be reached.
func SourcesUnreached(now func() *inspect.Found) prometheus.Collector { return unreached{now} }

type unreached struct{ now func() *inspect.Found }

var sourceUnreached = prometheus.NewDesc("usher_source_unreached", "1 for a source that could not be looked into since this configuration is served: what is read from it is refused, or asked of it all the same where it was reached before.", []string{"source"}, nil)

// Describe implements prometheus.Collector.
func (u unreached) Describe(out chan<- *prometheus.Desc) { out <- sourceUnreached }

// Collect implements prometheus.Collector.
func (u unreached) Collect(out chan<- prometheus.Metric) {
	found := u.now()
	silent := found.Unreached()
	for name := range found.Sources {
		n := 0.0
		if slices.Contains(silent, name) {
			n = 1
		}
		out <- prometheus.MustNewConstMetric(sourceUnreached, prometheus.GaugeValue, n, name)
	}
}
