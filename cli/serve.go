package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/build"
	"usher/cli/term"
	"usher/config"
	"usher/gateway"
	"usher/held"
	"usher/logsink"
	"usher/trace"
	"usher/trace/otlp"
)

type serveCommand struct {
	Config    string        `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
	Listen    string        `env:"USHER_LISTEN" help:"Address to listen on; overrides server.listen." placeholder:"HOST:PORT"`
	StoreWait time.Duration `help:"How long to wait at the start for a control store that does not answer (1m); then usher ends, for whatever starts it to try again." placeholder:"TIME"`
	Watch     bool          `help:"Serve another configuration whenever the file changes, as after SIGHUP, and try one that was refused again."`
}

// read reads the configuration, with what the command line says.
func (c serveCommand) read(env func(string) (string, bool)) (*config.Config, error) {
	cfg, err := config.Load(c.Config, env)
	if err == nil && c.Listen != "" {
		cfg.Server.Listen = c.Listen
	}
	return cfg, err
}

// Run serves until ctx ends, and for as long as it takes to leave without
// losing a request.
func (c serveCommand) Run(ctx context.Context, s *term.IO) error {
	// First of all, for a signal may come before there is anything to reload; and until the
	// log has its last line, for one that nobody reads would end the process.
	again := &reloader{ready: make(chan struct{})}
	background, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	defer outlive(func() { _ = again.reload(background) })() // it is in the log
	var start look                                           // before it is read: a change that comes meanwhile is one
	if c.Watch {
		start = lookAt(c.Config)
	}
	cfg, err := c.read(s.Env)
	if err != nil {
		return err
	}
	defer settleHeap(s.Env)()
	noteWaits(cfg.Server.ProfileRates)
	sink := logsink.New(s.Stderr, logsink.JSON(slog.LevelInfo))
	defer sink.Close()
	log := sink.Logger()
	for _, note := range heapNotes(s.Env, held.AskedFor(), held.Limit()) {
		log.Warn(note)
	}
	traces, err := otlp.Open(ctx, s.Env, build.Read().Version, log)
	if err != nil {
		return err
	}
	defer traces.Close() // before the log: it may have something to say
	if traces != nil {
		log = slog.New(trace.Lines(log.Handler()))
	}
	expiry := new(CertificateExpiry)
	metrics := []prometheus.Collector{sink, build.Metric(build.Read()), expiry}
	if traces != nil {
		metrics = append(metrics, traces)
	}
	read := func() (*config.Config, error) {
		if err := readableAgain(c.Config); err != nil {
			return nil, err
		}
		return c.read(s.Env)
	}
	tell := manager(ctx, s)
	waits := "STATUS=looks into the sources"
	if cfg.Control != nil {
		waits += ", and waits for the control store where it does not answer"
	}
	tell(waits)
	g, err := gateway.New(ctx, cfg, gateway.Options{Log: log, Read: read, Metrics: metrics, Tracer: traces.Tracer(), StoreWait: cmp.Or(c.StoreWait, storeWait), Reloaded: func(served bool) { tell(status(served)) }})
	if err != nil && ctx.Err() != nil {
		log.Info("usher was told to end before it served")
		return nil
	}
	if err != nil {
		return err
	}
	again.serves(g)
	if c.Watch {
		go again.watch(background, c.Config, start, log)
	}
	limitHeap(s.Env, g.MaxHeld())
	for _, note := range g.Notes() {
		log.Info(note)
	}
	if cfg.Control != nil {
		log.Info("the control store is open", "postgres", cfg.Control.Postgres != nil)
	}
	if err := c.sayFirstKey(ctx, g, cfg.Control, s.Stdout); err != nil {
		return errors.Join(err, g.Close())
	}
	debug.FreeOSMemory() // of what reading the configuration left behind
	d, err := openDoor(ctx, cfg.Server, log)
	if err != nil {
		return errors.Join(err, g.Close())
	}
	expiry.of.Store(d.certificate)
	// Behind it, for the operators' listener says that usher is ready.
	operations, stop, err := operate(ctx, g, cfg.Server.AdminListen, log)
	if err != nil {
		return errors.Join(err, d.Close(), g.Close())
	}
	where := fmt.Sprintf("usher serves GraphQL at %s/graphql", d.base())
	if cfg.Server.Console && cfg.Server.Playground {
		where += fmt.Sprintf(", with a console at %s/console", d.base())
	}
	where += "\n"
	if cfg.Server.ExplainTokens {
		log.Warn("answers say why a token was refused (server.explain_tokens): that is for development only")
	}
	if operations != "" {
		where += fmt.Sprintf("usher shows its metrics at http://%s/metrics\n", operations)
	}
	_, _ = fmt.Fprint(s.Stdout, where)
	tell("READY=1\n" + status(true))
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	go alive(background, s, tell)
	defer context.AfterFunc(ctx, func() {
		g.Drain()
		tell("STOPPING=1\nSTATUS=ends, with the requests that are under way")
		drain(ctx, cfg.Server.Drain, log)
		end()
	})()
	return errors.Join(serveHTTP(serving, d, g.Handler(), log), stop(), g.Close())
}

// status is what a service manager shows of a server.
func status(served bool) string {
	if served {
		return "STATUS=serves"
	}
	return "STATUS=serves the configuration before the last one, which was refused: the log says why"
}

// storeWait is how long the control store is waited for at the start, unless it is told otherwise. Whatever starts usher
// tries again after it; a unit or a probe that gave up earlier would never see the store come.
const storeWait = time.Minute

// sayFirstKey tells how the first administrator's key is made, while nobody
// administers an empty store.
func (c serveCommand) sayFirstKey(ctx context.Context, g *gateway.Gateway, store *config.Control, out io.Writer) error {
	unclaimed, err := g.Unclaimed(ctx)
	if err != nil || !unclaimed {
		return err
	}
	command := "`usher key bootstrap -c " + c.Config + "`"
	if store.Path != "" { // a file is for one program at a time
		fmt.Fprintf(out, "Nobody administers this gateway yet. The control store is a file that it has open: stop it, run %s, which makes the first administrator's key, and start it again.\n", command)
		return nil
	}
	fmt.Fprintf(out, "Nobody administers this gateway yet: %s makes the first administrator's key.\n", command)
	return nil
}

// noteWaits has the runtime note what its profiles of waiting show.
func noteWaits(rates config.ProfileRates) {
	if rates.Mutex > 0 {
		runtime.SetMutexProfileFraction(rates.Mutex)
	}
	if rates.Block > 0 {
		runtime.SetBlockProfileRate(int(rates.Block))
	}
}
