package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// errTerminated is the cause of an end that others than a person at the keyboard
// ask for: they send requests until they have noticed.
var errTerminated = errors.New("terminated by a signal")

// UntilTold returns a context that ends when the process is told to end. After
// SIGTERM the next signal ends the waiting for requests that still come, see drain;
// from then on, or after a first SIGINT, a signal ends the process as signals do.
func UntilTold(parent context.Context) context.Context {
	ctx, end := context.WithCancelCause(parent)
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer signal.Stop(told)
		if <-told == syscall.SIGTERM {
			end(errTerminated)
			<-told // drain looks for it too
		}
		end(nil)
	}()
	return ctx
}

// Begin is called before anything else: a server that is told of another configuration
// before it has read one needs no more than to live on. Other commands end by SIGHUP, as
// when their terminal is closed.
func Begin(args []string) {
	if len(args) > 0 && args[0] == "serve" {
		signal.Ignore(syscall.SIGHUP) // until outlive
	}
}

// outlive keeps signals from ending a server that are not about its end: that a
// configuration has changed, which is what changed is called for, and that nobody
// reads what it prints.
func outlive(changed func()) (stop func()) {
	hangup, unread, done := make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangup, syscall.SIGHUP)
	signal.Notify(unread, syscall.SIGPIPE)
	go func() {
		for {
			select {
			case <-hangup:
				changed()
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		signal.Stop(unread)
		close(done)
	}
}

// drain waits until those who send requests have seen that usher is not ready,
// or until it is told once more to end.
func drain(ctx context.Context, span time.Duration, log *slog.Logger) {
	if span == 0 || !errors.Is(context.Cause(ctx), errTerminated) {
		return
	}
	again := make(chan os.Signal, 1)
	signal.Notify(again, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(again)
	log.Info("usher was told to end: it is not ready, and answers what still comes", "for", span.String())
	select {
	case <-time.After(span):
	case <-again:
	}
}
