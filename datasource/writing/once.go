package writing

import (
	"context"
	"fmt"
	"slices"
	"time"

	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/fault"
	"usher/value"
)

// A mutation with a key is made once, however often it is sent. The key is a row of
// usher.idempotency in the source that is changed, in the transaction of the changes: what
// is committed has its key, and what has its key was committed. Whoever sends it again waits
// for one that is under way, and is given what that has answered.

// Once names a mutation or an import that is to be made once.
type Once struct {
	Tenant, Subject, Key string
	Asked                string // tells what was asked from anything else

	now time.Time // when it began, by the clock of the source where that has one
}

// maxKept bounds what is kept with a key.
const maxKept = 1 << 20

// onceIn is what sources spell differently of keys.
type onceIn struct {
	there   string        // whether there is a table that this account may use so, and microseconds since 1970 by the source's clock; 0: it has none
	held    string        // what is kept, while others with the key are kept away
	forgets string        // ends keys that are older
	old     func() string // how old they are by then, as forgets has it
}

var (
	onceInPostgres = onceIn{
		there: `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = 'usher' AND c.relname = 'idempotency' AND c.relkind = 'r' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
	AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
	AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND pg_catalog.has_table_privilege(c.oid, 'DELETE')),
	(extract(epoch FROM pg_catalog.now()) * 1000000)::bigint`,
		held: onceKept + ` FOR UPDATE`,
		// Of whoever; what somebody uses at this moment is left for the next time.
		forgets: `DELETE FROM usher.idempotency WHERE (tenant, subject, key) IN (SELECT tenant, subject, key FROM usher.idempotency
	WHERE made_at < pg_catalog.now() - $1::text::interval LIMIT 1000 FOR UPDATE SKIP LOCKED) RETURNING 1`,
		old: func() string { return fmt.Sprintf("%.0f seconds", onceFor.Seconds()) },
	}
	// A file has one writer at a time.
	onceInFile = onceIn{
		there: `SELECT count(*) > 0, 0::bigint FROM duckdb_tables() WHERE database_name = current_database()
	AND schema_name = 'usher' AND table_name = 'idempotency' AND NOT temporary`,
		held:    onceKept,
		forgets: `DELETE FROM usher.idempotency WHERE made_at < $1::text::timestamptz RETURNING 1`,
		old:     func() string { return onceAt(time.Now().Add(-onceFor)) },
	}
)

const (
	onceKept = `SELECT answer FROM usher.idempotency WHERE tenant = $1::text AND subject = $2::text AND key = $3::text`

	// What is a day old is no more. In a server it waits for another transaction with the key.
	onceBegins = `INSERT INTO usher.idempotency AS i (tenant, subject, key, asked, made_at) VALUES ($1::text, $2::text, $3::text, $4::text, $5::text::timestamptz)
	ON CONFLICT (tenant, subject, key) DO UPDATE SET asked = excluded.asked, answer = NULL, made_at = excluded.made_at
	WHERE i.made_at < $6::text::timestamptz RETURNING 1`

	onceFound = `SELECT asked = $4::text, answer FROM usher.idempotency WHERE tenant = $1::text AND subject = $2::text AND key = $3::text`

	onceEnds = `UPDATE usher.idempotency SET answer = $4::text, made_at = $5::text::timestamptz WHERE tenant = $1::text AND subject = $2::text AND key = $3::text RETURNING 1`
)

// onceFor is how long a key is kept.
const onceFor = 24 * time.Hour

// onceAt is a moment as statements have it.
func onceAt(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// errNoKeys refuses a key: it must not be taken for one that is kept.
func errNoKeys() error {
	return fault.New(fault.NotImplemented, "idempotency keys are not kept where these rows are, and nothing was changed").
		WithHint("Send it without a key, or have usher.idempotency made there: the manual of writing has its statement.")
}

// errAPIKeepsNone refuses a key where an API would not be told of it.
func errAPIKeepsNone() error {
	return fault.New(fault.NotImplemented, "the API of these rows takes no idempotency keys, and nothing was changed").
		WithHint("Send it without a key. Where the API tells a repeated call by a header, its binding names that: writes.idempotency_key.")
}

// sentAgain is the error of a mutation with a key: where nobody knows whether it was made, whoever sends it again does.
func sentAgain(err error) error {
	f := fault.From(err)
	if !f.Unknown {
		return err
	}
	return insteadOf(err, f.WithHint("send the same again with the same idempotency key: what was made is not made twice"))
}

// begin takes the key, or returns what is kept under it.
func (o *Once) begin(ctx context.Context, s sqlexec.Session, in *onceIn) (kept []byte, err error) {
	there := false
	o.now = time.Now()
	if _, err := sqlexec.FirstRow(ctx, s, in.there, nil, func(row value.Rows) {
		if there = row.Cell(0).Bool; row.Cell(1).Int != 0 { // by the server's clock, which all gateways have
			o.now = time.UnixMicro(row.Cell(1).Int)
		}
	}); err != nil {
		return nil, err
	}
	if !there {
		return nil, errNoKeys()
	}
	args := []string{o.Tenant, o.Subject, o.Key, o.Asked}
	taken, err := sqlexec.FirstRow(ctx, s, onceBegins, append(slices.Clone(args), onceAt(o.now), onceAt(o.now.Add(-onceFor))), nil)
	if err != nil || taken {
		return nil, err
	}
	same := false
	found, err := sqlexec.FirstRow(ctx, s, onceFound, args, func(row value.Rows) {
		same = row.Cell(0).Bool
		kept = append([]byte(nil), row.Cell(1).Text...)
	})
	switch {
	case err != nil:
		return nil, err
	case found && !same:
		return nil, fault.New(fault.Conflict, "the idempotency key stands for something else").WithHint("Make a new key for each mutation and each import, and send the same one only to send the same again.")
	case !found || len(kept) == 0: // forgotten meanwhile
		return nil, fault.New(fault.Conflict, "the idempotency key is in use at this moment").WithHint("Send it again.")
	}
	return kept, nil
}

// end keeps what was answered.
func (o *Once) end(ctx context.Context, s sqlexec.Session, answer []byte) error {
	if len(answer) > maxKept {
		return fault.New(fault.TooComplex, "the answer is larger than the %d bytes that are kept with an idempotency key, and nothing was changed", maxKept).
			WithHint("Ask for fewer rows or fields of what is changed.")
	}
	done, err := sqlexec.FirstRow(ctx, s, onceEnds, []string{o.Tenant, o.Subject, o.Key, string(answer), onceAt(o.now)}, nil)
	if err == nil && !done {
		err = fault.New(fault.Internal, "the idempotency key is gone")
	}
	return err
}

// forgetEvery is how often keys are forgotten, while some are used.
const forgetEvery = time.Minute

// forget ends keys that are a day old. What fails is done the next time.
func (d *Database) forget(ctx context.Context) {
	last, now := d.forgot.Load(), time.Now().UnixNano()
	if now-last < int64(forgetEvery) || !d.forgot.CompareAndSwap(last, now) {
		return
	}
	_ = d.write(ctx, postgres.Transaction{}, func(s sqlexec.Session) error {
		_, err := sqlexec.FirstRow(ctx, s, d.keys.forgets, []string{d.keys.old()}, nil)
		return err
	})
}
