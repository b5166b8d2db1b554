package datasource

import (
	"cmp"
	"errors"
	"log/slog"
	"net"
	"strconv"

	"usher/admit"
	"usher/catalog"
	"usher/datasource/drift"
	"usher/datasource/postgres"
	"usher/datasource/upstream"
	"usher/datasource/writing"
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
	d := &database{
		cat: a.cat, target: t, db: db, end: release, dialect: sqlgen.DuckDB, timeout: spec.Timeout, files: drift.OfFiles(a.tables(spec, t)),
		meter: a.metrics.of(t.Source), gate: a.computes(a.opts.Sources.MaxConns),
	}
	if opts.Writes {
		d.writes = writing.InFile(d.writing(a.admits(1)), db, d.files)
	}
	return opened(d), nil
}

// tables says whose tables are compared with the catalog.
func (a *accounts) tables(spec *catalog.Source, t plan.Target) drift.Account {
	return drift.Account{Catalog: a.cat, Target: t, Timeout: spec.Timeout, Clock: a.opts.Clock}
}

// writing is the account for those who write to it, who have a gate.
func (d *database) writing(gate *admit.Gate) writing.Account {
	return writing.Account{Catalog: d.cat, Target: d.target, Timeout: d.timeout, Gate: gate, Meter: d.meter}
}

// writes tells whether rows of any dataset may be written in a source.
func writes(cat *catalog.Catalog, source string) bool {
	for _, d := range cat.Datasets {
		if d.Writes == nil {
			continue
		}
		if d.WritableIn(d.Bindings[source]) {
			return true
		}
		for _, own := range d.Own {
			if own.Source == source && d.WritableIn(&own.Binding) {
				return true
			}
		}
	}
	return false
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
	if account.Schema != server.Schema {
		opts.Schema = account.Schema
	}
	key := serverKey{t, account.Foreign && !server.AllowPrivate}
	db, release, err := a.servers.open(key, server, opts)
	if err != nil {
		return nil, err
	}
	if w := server.Writer; w.User != "" && !account.Foreign && server.User == spec.Postgres.User && server.Password == spec.Postgres.Password {
		server.User, server.Password = w.User, w.Password // the source's, where its own account reads; one of a tenant's own writes as itself
	}
	into, end, err := a.openWriter(key, server, opts, release)
	if err != nil {
		return nil, errors.Join(err, release())
	}
	gate := a.admits(a.conns.Most(server.MaxConns * db.Reading()))
	var short *admit.Gate
	if n := db.Packets(); n > 0 {
		short = a.admits(n)
		short.With(gate)
	}
	known := a.remembered.account(t)
	d := &database{
		cat: a.cat, target: t, db: db, end: end, dialect: sqlgen.Postgres, timeout: spec.Timeout, tables: drift.Of(a.tables(spec, t), db, &known.found),
		meter: a.metrics.of(t.Source), gate: gate, short: short, written: &a.lasting.written,
	}
	if into != nil {
		d.writes = writing.InServer(d.writing(gate), into, db, d.tables, &known.judged)
	}
	return opened(d), nil
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
