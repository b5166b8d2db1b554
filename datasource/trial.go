package datasource

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"usher/catalog"
	"usher/datasource/deadline"
	"usher/datasource/drift"
	"usher/datasource/duckdb"
	"usher/datasource/sqlexec"
	"usher/datasource/trouble"
	"usher/fault"
	"usher/plan"
	"usher/value"
)

// Tried is what came of trying a tenant's account of one source.
type Tried struct {
	Source   string
	Own      bool // it is the tenant's, or leads to what is
	Datasets []string
	Findings []Finding // none: all of it can be read
}

// Finding is something wrong with an account. It holds names of the catalog and
// nothing that a server said.
type Finding struct {
	Kind    trouble.Kind
	Dataset string // empty: the account as a whole
	Column  string
	Message string
	Cause   error // for a log, or an operator's terminal
}

// Try opens the accounts that trials lead to, looks at the tables, and reads a row
// of each. It says everything that is wrong, where one fault does not hide others.
func (s *Sources) Try(ctx context.Context, trials []plan.Trial) []Tried {
	bySource := make(map[string][]plan.Trial)
	for _, t := range trials {
		bySource[t.Source()] = append(bySource[t.Source()], t)
	}
	out := make([]Tried, 0, len(bySource))
	for _, name := range slices.Sorted(maps.Keys(bySource)) {
		tried := &Tried{Source: name}
		look := &look{sources: s, into: tried, tables: make(map[string][]catalog.Table)}
		for _, t := range bySource[name] {
			tried.Own = tried.Own || t.Own()
			tried.Datasets = append(tried.Datasets, t.Dataset())
			if !look.over {
				look.at(ctx, t)
			}
		}
		out = append(out, *tried)
	}
	return out
}

// look is the trying of one account.
type look struct {
	sources *Sources
	into    *Tried
	tables  map[string][]catalog.Table // by schema
	over    bool                       // the account as a whole does not do
}

func (l *look) at(ctx context.Context, t plan.Trial) {
	q, err := t.Query()
	if err != nil {
		l.note(trouble.Record, t.Dataset(), "", fault.From(err).Message, err)
		return
	}
	source, release, err := l.sources.accounts.get(ctx, q.Root().Ref(0).Target())
	if err != nil {
		l.failed(t, err)
		return
	}
	defer release()
	if db, ok := source.(*database); ok && !l.fits(ctx, db, t, q.Root().Ref(0)) {
		return
	}
	err = source.Fetch(ctx, q, func(rows value.Rows) error {
		if rows.Next() { // one row will do
			return nil
		}
		return rows.Err()
	})
	if err != nil {
		l.failed(t, err)
	}
}

// fits compares the table with the dataset. Only what fits is asked for a row.
func (l *look) fits(ctx context.Context, db *database, t plan.Trial, ref plan.Ref) bool {
	tables, err := l.schema(ctx, db, ref.Schema())
	if err != nil {
		l.failed(t, err)
		return false
	}
	drift := t.Drift(tables)
	switch {
	case drift.Missing && len(tables) == 0:
		l.note(trouble.NoSchema, t.Dataset(), "", messages[trouble.NoSchema], nil)
	case drift.Missing:
		l.note(trouble.NoTable, t.Dataset(), "", "there is no table of that name that the account sees; make it, grant it to the account, or bind the dataset to another", nil)
	}
	for _, column := range slices.Sorted(maps.Keys(drift.Columns)) {
		kind := trouble.WrongType
		if drift.Lacks(column) {
			kind = trouble.NoColumn
		}
		l.note(kind, t.Dataset(), column, drift.Columns[column], nil)
	}
	return !drift.Differs()
}

func (l *look) schema(ctx context.Context, db *database, name string) ([]catalog.Table, error) {
	if tables, ok := l.tables[name]; ok {
		return tables, nil
	}
	ctx, cancel := deadline.Within(ctx, db.timeout)
	defer cancel()
	tables, err := tablesOf(ctx, db, cmp.Or(name, "main"))
	if err == nil {
		l.tables[name] = tables
	}
	return tables, err
}

// tablesOf lists the tables of a schema; of files, as they are now.
func tablesOf(ctx context.Context, db *database, schema string) (tables []catalog.Table, err error) {
	if looking, ok := db.db.(drift.Introspector); ok {
		return looking.Introspect(ctx, schema)
	}
	err = db.db.Session(ctx, false, func(session sqlexec.Session) (err error) {
		v := duckdb.VersionOf(session)
		if v == nil {
			return fault.Broken("a database that says nothing of its tables")
		}
		tables, err = v.Introspect(ctx, schema)
		return err
	})
	return tables, err
}

// Trouble says what is wrong with an account, and what to do, and nothing that a server said.
func Trouble(err error) string { return cmp.Or(messages[trouble.Of(err)], fault.From(err).Message) }

func (l *look) failed(t plan.Trial, err error) {
	kind := trouble.Of(err)
	switch {
	case kind == "" && fault.From(err).Code == fault.Forbidden:
		kind = trouble.Record
	case kind == "":
		kind = trouble.Other
	}
	message := Trouble(err)
	dataset := t.Dataset()
	if kind.OfAccount() { // nothing else can be said with it
		dataset, l.over = "", true
	}
	l.note(kind, dataset, "", message, err)
}

func (l *look) note(kind trouble.Kind, dataset, column, message string, cause error) {
	l.into.Findings = append(l.into.Findings, Finding{Kind: kind, Dataset: dataset, Column: column, Message: message, Cause: cause})
}

// messages say what to do to those who can do it.
var messages = map[trouble.Kind]string{
	trouble.Unreachable: "the server cannot be reached: there is no such name, nothing listens there, or it is silent; check host and port, and whether a firewall lets usher through",
	trouble.Address:     "the host has an address that is not public; name another, or have the source say `allow_private: true`",
	trouble.TLS:         "no secure connection can be made: the server offers no TLS, or a certificate that is not trusted or another host's; check its certificate, `sslmode` and `sslrootcert`",
	trouble.Login:       "the server does not accept the user, the password or the credentials; check them, and that they have not expired",
	trouble.NoConnect:   "the account may not connect to the database; GRANT CONNECT ON DATABASE to it",
	trouble.NoDatabase:  "there is no database of that name, or no such file; check the name, or make it",
	trouble.NoSchema:    "there is no schema of that name, or nothing in it that the account sees; check the schema, and what is granted to the account",
	trouble.NoTable:     "there is nothing where the rows should be; check the base URL and the path",
	trouble.NotReadable: "the account may not read it; grant it SELECT on the table, and USAGE on the schema",
	trouble.Busy:        "the server lacks room for another connection or has too much to do; try again",
}

// String is the finding in a line.
func (f Finding) String() string {
	at := ""
	if f.Dataset != "" {
		at = f.Dataset
		if f.Column != "" {
			at += "." + f.Column
		}
		at += ": "
	}
	return fmt.Sprintf("%s%s", at, f.Message)
}
