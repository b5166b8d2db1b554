package datasource

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"time"

	"usher/admit"
	"usher/catalog"
	"usher/datasource/address"
	"usher/datasource/drift"
	"usher/datasource/postgres"
	"usher/datasource/upstream"
	"usher/fault"
	"usher/plan"
	"usher/sqlgen"
)

// connect opens the account a target means. Everything that tells it from
// another is in the target; of the source it takes what all accounts share.
func (a *accounts) connect(t plan.Target) (Source, error) {
	spec := a.cat.Sources[t.Source]
	if spec == nil {
		return nil, fault.Broken("a plan names the unknown source %q", t.Source)
	}
	if spec.Template && t.Tenant == "" {
		return nil, fault.Broken("source %q: a template needs a tenant", t.Source)
	}
	switch spec.Kind {
	case catalog.DuckDB:
		return a.openDuckDB(spec, t)
	case catalog.Postgres:
		return a.openPostgres(spec, t)
	case catalog.API:
		opts := a.opts.Upstream
		opts.Gate, opts.Spent = a.admits, a.metrics.costs.Add
		return upstream.Open(spec, opts)
	}
	return nil, fault.Broken("source %q has the unknown kind %q", t.Source, spec.Kind)
}

func (a *accounts) openDuckDB(spec *catalog.Source, t plan.Target) (Source, error) {
	file := spec.DuckDB
	if spec.Template {
		file = file.ForTenant(t.Tenant)
	}
	opts := a.opts.Sources
	opts.MaxConns++ // one looks at tables while all others run
	if opts.Writes = file.Path != "" && writes(a.cat, t.Source); opts.Writes {
		opts.MaxConns++ // one writes
	}
	db, release, err := databaseFiles.open(file, opts)
	if err != nil {
		return nil, err
	}
	var into writer
	if opts.Writes {
		into = fileWriter{db}
	}
	return opened(&database{cat: a.cat, target: t, writer: into, changes: sqlgen.DuckDBChange, writing: a.admits(1), db: db, end: release, dialect: sqlgen.DuckDB, timeout: spec.Timeout, files: drift.OfFiles(a.tables(t, spec.Timeout)), meter: a.metrics.of(t.Source), gate: a.computes(a.opts.Sources.MaxConns)}), nil
}

// tables says whose tables are compared with the catalog.
func (a *accounts) tables(t plan.Target, timeout time.Duration) drift.Account {
	return drift.Account{Catalog: a.cat, Target: t, Timeout: timeout, Clock: a.opts.Clock}
}

func (a *accounts) openPostgres(spec *catalog.Source, t plan.Target) (Source, error) {
	server, account := spec.Postgres, t.Account()
	server.Host, server.Port, server.Database = account.Host, account.Port, account.Database
	server.User, server.Password = account.User, account.Password()
	server.MaxConns = cmp.Or(server.MaxConns, 8)
	opts := postgres.Options{SearchPath: server.SearchPath, Timeout: spec.Timeout, Pool: a.conns, Session: catalog.Session{Role: account.Role}, HostsChanged: hostsChanged(a.opts.Log, t, account), Traces: server.TraceSQL && a.opts.Traced}
	for name, v := range account.Settings() {
		opts.Session.Settings = append(opts.Session.Settings, catalog.Setting{Name: name, Value: v})
	}
	if account.Foreign && !server.AllowPrivate {
		opts.Control = address.PublicOnly
	}
	if account.Schema != server.Schema {
		opts.Schema = account.Schema
	}
	db, err := postgres.Open(server, opts)
	if err != nil {
		return nil, err
	}
	if w := server.Writer; w.User != "" && !account.Foreign && server.User == spec.Postgres.User && server.Password == spec.Postgres.Password {
		server.User, server.Password = w.User, w.Password // the source's, where its own account reads; one of a tenant's own writes as itself
	}
	into, err := openWriter(a.cat, t.Source, server, opts)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	gate := a.admits(a.conns.Most(server.MaxConns * db.Reading()))
	var short *admit.Gate
	if n := db.Packets(); n > 0 {
		short = a.admits(n)
		short.With(gate)
	}
	return opened(&database{cat: a.cat, target: t, short: short, db: db, end: db.Close, writer: into, written: &a.lasting.written, guard: a.guardOf(t, db, spec.Timeout), changes: sqlgen.PostgresChange, writing: gate, dialect: sqlgen.Postgres, timeout: spec.Timeout, tables: drift.Of(a.tables(t, spec.Timeout), db, &a.remembered.account(t).found), meter: a.metrics.of(t.Source), gate: gate}), nil
}

// hostsChanged logs which host is asked what must be fresh.
func hostsChanged(log *slog.Logger, t plan.Target, account plan.Account) func(int, error) {
	return func(primary int, err error) {
		if err != nil {
			log.Warn("a source has no primary", "source", t.Source, "error", err)
			return
		}
		servers, err := catalog.Servers(account.Host, cmp.Or(account.Port, 5432)) // as the connections have it
		if err != nil || primary >= len(servers) {
			return
		}
		host := net.JoinHostPort(servers[primary].Host, strconv.Itoa(servers[primary].Port))
		log.Info("a source's primary was found", "source", t.Source, "host", host)
	}
}
