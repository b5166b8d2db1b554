package tenancy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

type auditRow struct {
	ID        string     `db:"id"`
	Happened  int64      `db:"happened_at"`
	Kind      audit.Kind `db:"kind"`
	Subject   string     `db:"subject"`
	Issuer    string     `db:"issuer"`
	Token     string     `db:"token"`
	Tenant    string     `db:"tenant"`
	Acting    string     `db:"acting"`
	Reason    string     `db:"reason"`
	Operation string     `db:"operation"`
	Hash      string     `db:"hash"`
	Datasets  string     `db:"datasets"`
	Strategy  string     `db:"strategy"`
	Source    string     `db:"source"`
	Rows      int64      `db:"row_count"`
	Duration  int64      `db:"duration"` // microseconds
	Outcome   string     `db:"outcome"`
	Detail    string     `db:"detail"`
}

const auditColumns = `id, happened_at, kind, subject, issuer, token, tenant, acting, reason, operation, hash, datasets, strategy, source,
	row_count, duration, outcome, detail`

// entryRow is an entry as it is stored.
func entryRow(e audit.Entry) auditRow {
	return auditRow{
		ID: entryID(e.At), Happened: micros(e.At), Kind: e.Kind, Subject: storable(e.Subject), Issuer: storable(e.Issuer), Token: storable(e.TokenID),
		Tenant: storable(e.Tenant), Acting: storable(e.Acting), Reason: storable(e.Reason), Operation: storable(e.Operation), Hash: storable(e.Hash),
		Datasets: names(e.Datasets), Strategy: storable(e.Strategy), Source: storable(e.Source), Rows: e.Rows, Duration: e.Duration.Microseconds(),
		Outcome: storable(e.Outcome), Detail: storable(e.Detail),
	}
}

// stored is what a link of a chain is made of, and args are what is inserted.
func (r auditRow) stored() []string {
	return []string{
		r.ID, strconv.FormatInt(r.Happened, 10), string(r.Kind), r.Subject, r.Issuer, r.Token, r.Tenant, r.Acting, r.Reason, r.Operation, r.Hash,
		r.Datasets, r.Strategy, r.Source, strconv.FormatInt(r.Rows, 10), strconv.FormatInt(r.Duration, 10), r.Outcome, r.Detail,
	}
}

func (r auditRow) args() []any {
	return []any{
		r.ID, r.Happened, string(r.Kind), r.Subject, r.Issuer, r.Token, r.Tenant, r.Acting, r.Reason, r.Operation, r.Hash,
		r.Datasets, r.Strategy, r.Source, r.Rows, r.Duration, r.Outcome, r.Detail,
	}
}

// entryID grows with time; entries of one moment have no order.
func entryID(at time.Time) string { return fmt.Sprintf("%016x%s", micros(at), newID()) }

// storable makes any text one that can be stored: an entry is never refused.
func storable(text string) string {
	const most = 1000
	if len(text) > most {
		text = text[:most]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}

// record writes an entry with the transaction it is about, as a link of a chain.
func (t *tx) record(e audit.Entry) {
	if e.At.IsZero() {
		e.At = t.now
	}
	t.entries = append(t.entries, entryRow(e))
}

// insert writes entries in one statement, each with its place in a chain.
func (t *tx) insert(rows []auditRow, places []audit.Place) error {
	var text strings.Builder
	var args []any
	text.WriteString("INSERT INTO store.audit (" + auditColumns + ", chain, seq, link) VALUES ")
	for i, row := range rows {
		separator := ", ("
		if i == 0 {
			separator = "("
		}
		for _, arg := range append(row.args(), places[i].Chain, places[i].Seq, places[i].Link) {
			args = append(args, arg)
			fmt.Fprintf(&text, "%s$%d", separator, len(args))
			separator = ", "
		}
		text.WriteString(")")
	}
	_, err := t.Exec(text.String(), args...)
	return err
}

// Audit takes an entry of data that was read, and writes it soon.
func (s *Store) Audit(e audit.Entry) { s.audit.Add(e) }

// AuditNow writes an entry before it returns.
func (s *Store) AuditNow(ctx context.Context, e audit.Entry) error {
	return s.writeChained(ctx, []audit.Entry{e})
}

// writeEvery is how often that is written for which nobody waits.
const writeEvery = time.Second

func (s *Store) flush(ctx context.Context) {
	if err := s.writeTouches(ctx); err != nil && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "last uses of tokens were not written", "error", err)
	}
	s.audit.Flush(ctx)
}

// writeSoon writes entries that stand in no chain: some may have been lost.
func (s *Store) writeSoon(ctx context.Context, entries []audit.Entry) error {
	rows := make([]auditRow, len(entries))
	for i, e := range entries {
		rows[i] = entryRow(e)
	}
	return s.write(ctx, func(t *tx) error { return t.insert(rows, make([]audit.Place, len(rows))) })
}

// writeChained writes entries of which none may be lost.
func (s *Store) writeChained(ctx context.Context, entries []audit.Entry) error {
	return s.write(ctx, func(t *tx) error {
		for _, e := range entries {
			t.record(e)
		}
		return nil
	})
}

// AuditFilter says which entries to list. Empty members fit all.
type AuditFilter struct {
	Tenant    string
	Subject   string
	Kind      audit.Kind
	Operation string
	Outcome   string
	Search    string // occurs, in any case, in what the entry names
	ActedOnly bool   // by somebody who acted as a tenant
	From, To  time.Time
}

// Entries lists the audit log, the newest first. An administrator of one
// tenant sees that tenant's entries.
func (s *Store) Entries(ctx context.Context, p principal.Principal, f AuditFilter, page Page) (entries []audit.Entry, next string, err error) {
	if f.Tenant == "" {
		f.Tenant = p.Tenant
	}
	if err := mayAdminister(p, f.Tenant); err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err = cmp.Or(err, checkSearch(f.Search)); err != nil {
		return nil, "", err
	}
	if f.To.IsZero() {
		f.To = forever
	}
	var rows []auditRow
	err = s.db.List(ctx, &rows, "SELECT "+auditColumns+` FROM store.audit
		WHERE ($1 = '' OR id < $1) AND ($2 = '' OR tenant = $2) AND ($3 = '' OR subject = $3) AND ($4 = '' OR kind = $4)
			AND ($5 = '' OR operation = $5) AND ($6 = '' OR outcome = $6) AND (NOT $7 OR acting <> '')
			AND happened_at >= $8 AND happened_at < $9
			AND ($11 = '' OR strpos(lower(subject), $11) > 0 OR strpos(lower(operation), $11) > 0 OR strpos(lower(datasets), $11) > 0
				OR strpos(lower(source), $11) > 0 OR strpos(lower(detail), $11) > 0)
		ORDER BY id DESC LIMIT $10`,
		page.After, f.Tenant, f.Subject, string(f.Kind), f.Operation, f.Outcome, f.ActedOnly, micros(f.From), micros(f.To), limit+1, strings.ToLower(f.Search))
	if err != nil {
		return nil, "", database.Translate(ctx, err)
	}
	rows, next = cut(rows, limit, func(r auditRow) string { return r.ID })
	for _, r := range rows {
		e := audit.Entry{
			ID: r.ID, At: moment(r.Happened), Kind: r.Kind, Subject: r.Subject, Issuer: r.Issuer, TokenID: r.Token, Tenant: r.Tenant,
			Acting: r.Acting, Reason: r.Reason, Operation: r.Operation, Hash: r.Hash, Strategy: r.Strategy, Source: r.Source, Rows: r.Rows,
			Duration: time.Duration(r.Duration) * time.Microsecond, Outcome: r.Outcome, Detail: r.Detail,
		}
		if err := json.Unmarshal([]byte(r.Datasets), &e.Datasets); err != nil {
			return nil, "", fault.New(fault.Internal, "an entry of the audit log cannot be read").Because(err)
		}
		entries = append(entries, e)
	}
	return entries, next, nil
}
