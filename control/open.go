// Package control joins the control store with the configuration that names it
// and with the catalog: how the store is opened, what the catalog says of a
// grant before it is kept, which registry knows a tenant. It refuses two
// registries that disagree. Nothing below it knows both.
package control

import (
	"cmp"
	"context"

	"usher/config"
	"usher/tenancy"
	"usher/tenancy/database"
)

// Open opens the control store of a configuration. The options say who judges
// what is to be kept, and where to log; the configuration says the rest.
func Open(ctx context.Context, c config.Control, opts tenancy.Options) (*tenancy.Store, error) {
	opts.MaxStale = c.MaxStale
	opts.TokenLife, opts.MaxTokenLife, opts.SessionLife, opts.SessionIdle = c.TokenLife, c.MaxTokenLife, c.SessionLife, c.SessionIdle
	opts.ReadsRetention = c.ReadsRetention
	opts.AuditRetention, opts.MinPassword, opts.FreeAttempts, opts.MaxLockout = c.AuditRetention, c.MinPassword, c.FreeAttempts, c.MaxLockout
	if err := seal(c, &opts); err != nil {
		return nil, err
	}
	return tenancy.Open(ctx, place(c), opts)
}

// ErrEmpty is what Check says of a store whose tables are still to be made.
var ErrEmpty = database.ErrEmpty

// Check tells whether the control store of a configuration could be opened, and changes
// nothing of it.
func Check(ctx context.Context, c config.Control) error {
	var opts tenancy.Options
	if err := seal(c, &opts); err != nil {
		return err
	}
	return tenancy.Check(ctx, place(c), opts)
}

func seal(c config.Control, opts *tenancy.Options) (err error) {
	if c.Key != nil {
		if opts.Key, err = sealKey(*c.Key); err != nil {
			return err
		}
	}
	for _, k := range c.OldKeys {
		old, err := sealKey(k)
		if err != nil {
			return err
		}
		opts.OldKeys = append(opts.OldKeys, old)
	}
	return nil
}

func sealKey(k config.ControlKey) (tenancy.SealKey, error) {
	secret, err := k.Bytes()
	return tenancy.SealKey{ID: k.ID, Secret: secret}, err
}

func place(c config.Control) database.Spec {
	if c.Postgres == nil {
		return database.Spec{Path: string(c.Path)}
	}
	p := c.Postgres
	hosts := []database.Host{{Name: p.Host, Port: p.Port}}
	if len(p.Hosts) > 0 {
		hosts = nil
	}
	for _, h := range p.Hosts {
		hosts = append(hosts, database.Host{Name: h.Host, Port: cmp.Or(h.Port, p.Port)})
	}
	return database.Spec{Schema: p.Schema, Postgres: &database.Postgres{
		Hosts: hosts, Database: p.Database, User: p.User, Password: string(p.Password),
		SSLMode: p.SSLMode, RootCert: string(p.RootCert),
	}}
}
