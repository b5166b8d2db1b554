package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"usher/config"
	"usher/gateway"
)

// door is a listener, and how usher speaks with who comes by it.
type door struct {
	net.Listener
	certificate *certificate // nil: without TLS
	h2c         bool
}

// openDoor opens the door that requests come by.
func openDoor(ctx context.Context, server config.Server, log *slog.Logger) (*door, error) {
	d := &door{h2c: server.H2C}
	if server.TLS != nil {
		var err error
		if d.certificate, err = loadCertificate(*server.TLS, log); err != nil {
			return nil, err
		}
		problem, note := d.certificate.outOfTime()
		if told := cmp.Or(problem, note); told != nil { // who renews it may come after usher
			log.WarnContext(ctx, told.Error())
		}
	}
	listener, err := listen(ctx, server.Listen)
	if err == nil {
		d.Listener = seat(listener, places(), log)
	}
	return d, err
}

// base is the URL at which usher is found.
func (d *door) base() string {
	if d.certificate != nil {
		return "https://" + d.Addr().String()
	}
	return "http://" + d.Addr().String()
}

func listen(ctx context.Context, address string) (*net.TCPListener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with --listen", address, err)
	}
	return listener.(*net.TCPListener), nil
}

// maxStreams is how many requests may be under way on one connection of HTTP/2.
const maxStreams = 250

// grace is how long requests may take to finish when usher is told to end.
const grace = 25 * time.Second

// serveHTTP serves until ctx ends, then lets running requests finish.
func serveHTTP(ctx context.Context, d *door, handler http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           handler,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      2 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
	serve := server.Serve
	if d.certificate != nil {
		server.Handler, server.TLSConfig = strict(handler), d.certificate.config()
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	if d.h2c {
		server.Protocols = new(http.Protocols)
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
	}
	if s, ok := d.Listener.(*seated); ok {
		s.makeRoom = func() {
			server.SetKeepAlivesEnabled(false) // which closes those that are idle
			server.SetKeepAlivesEnabled(true)
		}
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(d.Listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	err := server.Shutdown(last)
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.Join(errors.New("some requests did not finish in time and were cut off"), server.Close())
	}
	return err
}

// operate serves operations at an address until stop is called; without an
// address there is nothing to serve. It stays while requests end that were
// begun, so that their end can be watched.
func operate(ctx context.Context, g *gateway.Gateway, address string, log *slog.Logger) (at string, stop func() error, err error) {
	if address == "" {
		return "", func() error { return nil }, nil
	}
	listener, err := listen(ctx, address)
	if err != nil {
		return "", nil, fmt.Errorf("server.admin_listen: %w", err)
	}
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- serveHTTP(serving, &door{Listener: listener}, g.AdminHandler(), log) }()
	return listener.Addr().String(), func() error {
		end()
		return <-ended
	}, nil
}
