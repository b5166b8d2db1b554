package gateway

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/config"
	"usher/control"
	"usher/inspect"
	"usher/resolvers"
)

// Reload serves another configuration from now on. Requests that have begun finish
// with the one before, and every answer is of one of them. Where the new one cannot be
// served nothing changes, and the error says all that is wrong with it.
func (g *Gateway) Reload(ctx context.Context, cfg *config.Config) error {
	g.loading.Lock()
	defer g.loading.Unlock()
	return g.reload(ctx, func() (*config.Config, error) { return cfg, nil })
}

// reload is Reload of what is read then. The lock of loading is held from before it is read until what has come of it
// is noted, so that the last of several is the last to be noted, and has read what is there last.
func (g *Gateway) reload(ctx context.Context, read func() (*config.Config, error)) (err error) {
	defer func() {
		g.loads.reloaded(err, time.Now())
		if g.opts.Reloaded != nil {
			g.opts.Reloaded(err == nil)
		}
	}()
	cfg, err := read()
	if err != nil {
		return err
	}
	g.replacing.Lock()
	defer g.replacing.Unlock()
	before := g.current.Load()
	if keys := lasting(before.cfg, cfg); len(keys) > 0 {
		return fmt.Errorf("%s cannot be changed while usher runs: restart it to apply that", strings.Join(keys, ", "))
	}
	// Before the store is asked about the new configuration: it may know the old password no longer.
	if was, is := storePassword(before.cfg), storePassword(cfg); was != is {
		if err := g.control.SignInWith(ctx, is); err != nil {
			return fmt.Errorf("%s: the control store cannot be signed in to with it%s%w", passwordKey, inspect.Cause, err)
		}
		defer func() {
			if err != nil {
				_ = g.control.SignInWith(ctx, was) // where it is taken no longer, the other goes on
			}
		}()
	}
	next := &snapshot{cfg: cfg}
	if next.found, err = inspect.LookAfter(ctx, cfg, before.found); err != nil {
		return err
	}
	if err := next.serves(ctx, g.opts.Log, before.found.Unfit); err != nil {
		return err
	}
	g.stopReaching() // of the configuration before
	if err := g.replace(ctx, next); err != nil {
		g.reach() // as before
		return err
	}
	g.reach()
	return nil
}

// Reread serves what the file says now, or leaves what is served as it is.
func (g *Gateway) Reread(ctx context.Context) error {
	g.loading.Lock()
	defer g.loading.Unlock()
	return g.reread(ctx, nil)
}

// Retry is Reread of what was refused, for whoever asks for it again and again: reasons that were told are not told
// once more. It does nothing where another configuration was served since.
func (g *Gateway) Retry(ctx context.Context) error {
	g.loading.Lock()
	defer g.loading.Unlock()
	told := g.loads.now.Load()
	if told.Refused.IsZero() {
		return nil
	}
	return g.reread(ctx, told.Problems)
}

// reread logs why the configuration is refused, unless that was told. The lock of loading is held.
func (g *Gateway) reread(ctx context.Context, told []string) error {
	err := g.reload(ctx, g.opts.Read)
	switch {
	case err == nil:
		g.opts.Log.InfoContext(ctx, "another configuration is served")
	case !slices.Equal(told, problemsOf(err)):
		g.opts.Log.ErrorContext(ctx, "the configuration cannot be served; the one before it is served still", "error", err)
	}
	return err
}

// problemsOf are the reasons why a configuration is refused, without what changes from one time to the next.
func problemsOf(err error) []string { return withoutCauses(strings.Split(err.Error(), "\n")) }

// replace serves a snapshot that is not wired yet. What would not have been served at the
// start is not served now either. The lock of replacing is held.
func (g *Gateway) replace(ctx context.Context, next *snapshot) error {
	neighbors, problems := control.Configured(next.catalog)
	if err := next.cfg.Locate(problems); err != nil {
		return err
	}
	if g.control != nil {
		if err := control.CheckDisjoint(ctx, next.cfg, neighbors, g.control); err != nil {
			return err
		}
	}
	before := g.current.Load()
	if err := next.wire(g, before); err != nil {
		return errors.Join(err, next.close())
	}
	g.homes.Set(neighbors)
	g.current.Store(next)
	before.leave()
	for _, note := range next.found.Notes {
		g.opts.Log.InfoContext(ctx, note)
	}
	g.tellRecords(ctx)
	return nil
}

// tellRecords says which records of the store name what the configuration does not have:
// it may have had that when they were made.
func (g *Gateway) tellRecords(ctx context.Context) {
	if g.control == nil {
		return
	}
	lines, err := control.Unfit(ctx, g.catalog(), g.control)
	if err != nil { // findings say so to whoever asks
		g.opts.Log.WarnContext(ctx, "the records of tenants could not be compared with the configuration", "error", err)
	}
	for _, line := range lines {
		g.opts.Log.WarnContext(ctx, "the record of a tenant does not fit the configuration, and what it says is refused", "record", line)
	}
}

// lasting are the keys in which two configurations differ of what is made once, when
// usher starts: listeners, the control store, and what all requests share.
func lasting(before, after *config.Config) (keys []string) {
	was, is := before.Server, after.Server
	for _, k := range []struct {
		key     string
		was, is any
	}{
		{"server.listen", was.Listen, is.Listen},
		{"server.admin_listen", was.AdminListen, is.AdminListen},
		{"server.tls", was.TLS, is.TLS},
		{"server.h2c", was.H2C, is.H2C},
		{"server.drain", was.Drain, is.Drain},
		{"server.profile_rates", was.ProfileRates, is.ProfileRates},
		{"server.cache_bytes", was.CacheBytes, is.CacheBytes},
		{"server.max_held", was.MaxHeld, is.MaxHeld},
		{"server.max_waiting", was.MaxWaiting, is.MaxWaiting},
		{"server.max_wait", was.MaxWait, is.MaxWait},
		{"server.max_beside", was.MaxBeside, is.MaxBeside},
		{"server.max_exports", was.MaxExports, is.MaxExports},
		{"pools", before.Pools, after.Pools},
	} {
		if !reflect.DeepEqual(k.was, k.is) {
			keys = append(keys, k.key)
		}
	}
	return append(keys, differing("control", reflect.ValueOf(before.Control), reflect.ValueOf(after.Control))...)
}

// differing are the keys below one in which two parts of configurations differ, but for the
// password of the control store, which is taken.
func differing(key string, was, is reflect.Value) (keys []string) {
	switch {
	case key == passwordKey || reflect.DeepEqual(was.Interface(), is.Interface()):
		return nil
	case was.Kind() == reflect.Pointer && !was.IsNil() && !is.IsNil():
		return differing(key, was.Elem(), is.Elem())
	case was.Kind() != reflect.Struct:
		return []string{key}
	}
	for i := range was.NumField() {
		keys = append(keys, differing(key+"."+was.Type().Field(i).Tag.Get("yaml"), was.Field(i), is.Field(i))...)
	}
	return keys
}

const passwordKey = "control.postgres.password"

// storePassword is the control store's, where it has one.
func storePassword(cfg *config.Config) string {
	if cfg.Control == nil || cfg.Control.Postgres == nil {
		return ""
	}
	return string(cfg.Control.Postgres.Password)
}

// Loads tells of the configurations that were served, and of those that were not.
type Loads struct {
	reloads *prometheus.CounterVec
	failed  prometheus.Gauge
	at      prometheus.Gauge
	now     atomic.Pointer[resolvers.Loaded]
}

// NewLoads makes the metrics; the caller registers them.
func NewLoads() *Loads {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "usher", Name: name, Help: help})
	}
	l := &Loads{
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "usher", Name: "config_reloads_total", Help: "Configurations that were read while usher ran, by outcome: served or refused.",
		}, []string{"outcome"}),
		failed: gauge("config_reload_failed", "1 when the last configuration that was read was refused, so that the one before is served still."),
		at:     gauge("config_loaded_timestamp_seconds", "When the configuration that is served was read."),
	}
	l.reloads.WithLabelValues("served")
	l.reloads.WithLabelValues("refused")
	return l
}

func (l *Loads) loaded(at time.Time) {
	l.now.Store(&resolvers.Loaded{At: at})
	l.at.Set(float64(at.UnixMilli()) / 1000)
	l.failed.Set(0)
}

func (l *Loads) reloaded(err error, at time.Time) {
	if err != nil {
		l.reloads.WithLabelValues("refused").Inc()
		l.failed.Set(1)
		l.now.Store(&resolvers.Loaded{At: l.now.Load().At, Refused: at, Problems: problemsOf(err)})
		return
	}
	l.reloads.WithLabelValues("served").Inc()
	l.loaded(at)
}

// Describe implements prometheus.Collector.
func (l *Loads) Describe(out chan<- *prometheus.Desc) {
	for _, c := range []prometheus.Collector{l.reloads, l.failed, l.at} {
		c.Describe(out)
	}
}

// Collect implements prometheus.Collector.
func (l *Loads) Collect(out chan<- prometheus.Metric) {
	for _, c := range []prometheus.Collector{l.reloads, l.failed, l.at} {
		c.Collect(out)
	}
}
