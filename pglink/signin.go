package pglink

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/lib/pq"
)

// Config is the driver's for an account. It is made by hand, not from a
// connection string: the driver fills in nothing of its own.
func (account Account) Config(application, database, user, password string) pq.Config {
	return pq.Config{
		Host: account.Host, Port: uint16(account.Port), Database: database, User: user, Password: password,
		Passfile:           filepath.Join(os.DevNull, "none"), // cannot exist
		SSLMode:            pq.SSLModeDisable,                 // the link has TLS
		ApplicationName:    application,
		ClientEncoding:     "UTF8",
		Datestyle:          "ISO, MDY",
		MinProtocolVersion: pq.ProtocolVersion30,
		MaxProtocolVersion: pq.ProtocolVersion30,
		Runtime:            map[string]string{"TimeZone": "UTC"}, // which poolers know, too
	}
}

// SignIn has the driver sign in on the link and returns its connection, in
// which the server may say so many bytes to each thing that is asked. It returns
// when ctx ends, whatever the driver still computes; that is bounded by the
// rounds that a server may ask for, and ends with the link.
func (l *Link) SignIn(ctx context.Context, config pq.Config, maxAnswer int64) (*Conn, error) {
	g := newGuard(ctx, l, maxAnswer)
	type outcome struct {
		conn *Conn
		err  error
	}
	done := make(chan outcome, 1)
	go func() {
		made, err := signIn(ctx, g, config)
		done <- outcome{made, err}
	}()
	select {
	case got := <-done:
		return got.conn, got.err
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), l.Close())
	}
}

func signIn(ctx context.Context, g *guard, config pq.Config) (made *Conn, err error) {
	greeting := g.greeting
	defer greeting.derived()
	defer recovered(&err)
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, err
	}
	connector.Dialer(&dialer{server: g.server, link: g})
	conn, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &Conn{driver: conn.(driverConn), guard: g}, nil
}
