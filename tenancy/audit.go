package tenancy

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
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
	Duration  int64      `db:"duration"`
	Outcome   string     `db:"outcome"`
	Detail    string     `db:"detail"`
}

const auditColumns = `id, happened_at, kind, subject, issuer, token, tenant, acting, reason, operation, hash, datasets, strategy, source,
	row_count, duration, outcome, detail`

const auditMembers = 18

func entryArgs(e audit.Entry) []any {
	return []any{
		entryID(e.At), micros(e.At), string(e.Kind), storable(e.Subject), storable(e.Issuer), storable(e.TokenID), storable(e.Tenant), storable(e.Acting), storable(e.Reason),
		storable(e.Operation), storable(e.Hash), names(e.Datasets), storable(e.Strategy), storable(e.Source), e.Rows, e.Duration.Microseconds(), storable(e.Outcome), storable(e.Detail),
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

// record writes an entry with the transaction it is about.
func (t *tx) record(e audit.Entry) error {
	e.At = t.now
	return t.insert([]audit.Entry{e})
}

// insert writes entries in one statement.
func (t *tx) insert(entries []audit.Entry) error {
	var text strings.Builder
	args := make([]any, 0, len(entries)*auditMembers)
	text.WriteString("INSERT INTO store.audit (" + auditColumns + ") VALUES ")
	for i, e := range entries {
		if i > 0 {
			text.WriteString(", ")
		}
		for j := range auditMembers {
			open := ", "
			if j == 0 {
				open = "("
			}
			fmt.Fprintf(&text, "%s$%d", open, i*auditMembers+j+1)
		}
		text.WriteString(")")
		args = append(args, entryArgs(e)...)
	}
	_, err := t.exec(text.String(), args...)
	return err
}

// Audit takes an entry and writes it soon.
func (s *Store) Audit(e audit.Entry) { s.audit.Add(e) }

// AuditNow writes an entry before it returns.
func (s *Store) AuditNow(ctx context.Context, e audit.Entry) error {
	if e.At.IsZero() {
		e.At = s.now()
	}
	return s.writeEntries(ctx, []audit.Entry{e})
}

// Dropped is how many entries were lost since the store was opened.
func (s *Store) Dropped() int64 { return s.audit.Dropped() }

// writeEvery is how often that is written for which nobody waits.
const writeEvery = time.Second

func (s *Store) flush(ctx context.Context) {
	if err := s.writeTouches(ctx); err != nil && ctx.Err() == nil {
		s.opts.Log.WarnContext(ctx, "last uses of tokens were not written", "error", err)
	}
	s.audit.Flush(ctx)
}

func (s *Store) writeEntries(ctx context.Context, entries []audit.Entry) error {
	return s.write(ctx, func(t *tx) error { return t.insert(entries) })
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
	err = s.list(ctx, &rows, "SELECT "+auditColumns+` FROM store.audit
		WHERE ($1 = '' OR id < $1) AND ($2 = '' OR tenant = $2) AND ($3 = '' OR subject = $3) AND ($4 = '' OR kind = $4)
			AND ($5 = '' OR operation = $5) AND ($6 = '' OR outcome = $6) AND (NOT $7 OR acting <> '')
			AND happened_at >= $8 AND happened_at < $9
			AND ($11 = '' OR strpos(lower(subject), $11) > 0 OR strpos(lower(operation), $11) > 0 OR strpos(lower(datasets), $11) > 0
				OR strpos(lower(source), $11) > 0 OR strpos(lower(detail), $11) > 0)
		ORDER BY id DESC LIMIT $10`,
		page.After, f.Tenant, f.Subject, string(f.Kind), f.Operation, f.Outcome, f.ActedOnly, micros(f.From), micros(f.To), limit+1, strings.ToLower(f.Search))
	if err != nil {
		return nil, "", translate(ctx, err)
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
