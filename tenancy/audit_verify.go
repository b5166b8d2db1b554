package tenancy

import (
	"context"
	"database/sql"
	"iter"
	"time"

	"github.com/jmoiron/sqlx"

	"usher/audit"
)

// settled is for how long gateways of a version that knows no chains may still have
// written after the first chain began: an upgrade takes them one after another.
const settled = time.Hour

// VerifyAudit reads the whole audit log and checks its chains, as they are at one moment.
// Seen are heads of an earlier report; read is told, now and then, how many entries were read.
func (s *Store) VerifyAudit(ctx context.Context, seen []audit.Place, read func(entries int64)) (audit.Report, error) {
	tx, err := s.db.BeginTxx(ctx, s.oneMoment())
	if err != nil {
		return audit.Report{}, translate(ctx, err)
	}
	defer func() { _ = tx.Rollback() }()
	chains, begun, err := s.chainsOf(ctx, tx)
	if err != nil {
		return audit.Report{}, translate(ctx, err)
	}
	report, err := audit.Verify(s.auditKeys(), chains, seen, s.chained(ctx, tx, read))
	if err != nil {
		return audit.Report{}, translate(ctx, err)
	}
	if len(chains) == 0 {
		return report, nil
	}
	var outside []string
	err = tx.SelectContext(ctx, &outside, s.sql(`SELECT id FROM store.audit WHERE kind = $1 AND coalesce(chain, '') = '' AND happened_at > $2 ORDER BY id`),
		string(audit.Administration), begun+settled.Microseconds())
	if err != nil {
		return audit.Report{}, translate(ctx, err)
	}
	for _, id := range outside {
		report.Problem("entry %s: it tells of administration and stands in no chain", id)
	}
	return report, nil
}

// oneMoment is of a transaction that sees the store as it is at its first statement.
func (s *Store) oneMoment() *sql.TxOptions {
	if s.dsn == nil {
		return nil // DuckDB's transactions are so anyway
	}
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// auditKeys are the keys with which chains were made, by their ids.
func (s *Store) auditKeys() map[string]audit.Key {
	keys := map[string]audit.Key{"": {}}
	for _, k := range append([]SealKey{s.opts.Key}, s.opts.OldKeys...) {
		if k.ID != "" {
			keys[k.ID] = audit.NewKey(k.Secret)
		}
	}
	return keys
}

// chainsOf reads the chains, and when the first one was begun.
func (s *Store) chainsOf(ctx context.Context, tx *sqlx.Tx) (map[string]audit.Chain, int64, error) {
	var rows []struct {
		Chain        string `db:"chain"`
		KeyID        string `db:"key_id"`
		Seq          int64  `db:"seq"`
		Link         string `db:"link"`
		Sealed       string `db:"sealed"`
		Begun        int64  `db:"begun_at"`
		AnchorSeq    int64  `db:"anchor_seq"`
		AnchorLink   string `db:"anchor_link"`
		AnchorKeyID  string `db:"anchor_key_id"`
		AnchorSealed string `db:"anchor_sealed"`
	}
	err := tx.SelectContext(ctx, &rows, s.sql(`SELECT chain, key_id, seq, link, sealed, begun_at, anchor_seq, anchor_link, anchor_key_id, anchor_sealed
		FROM store.audit_chains ORDER BY begun_at DESC`))
	if err != nil {
		return nil, 0, err
	}
	chains := make(map[string]audit.Chain, len(rows))
	var begun int64
	for _, r := range rows {
		begun = r.Begun
		chains[r.Chain] = audit.Chain{
			KeyID: r.KeyID, Head: audit.Place{Chain: r.Chain, Seq: r.Seq, Link: r.Link}, Sealed: r.Sealed,
			Anchor: audit.Place{Chain: r.Chain, Seq: r.AnchorSeq, Link: r.AnchorLink}, AnchorKeyID: r.AnchorKeyID, AnchorSealed: r.AnchorSealed,
		}
	}
	return chains, begun, nil
}

// perPage is how many entries are read at once: a statement of the store has little time.
const perPage = 5000

// chained are the entries that stand in chains, one after the other.
func (s *Store) chained(ctx context.Context, tx *sqlx.Tx, read func(int64)) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		for total, after := int64(0), (audit.Line{}); ; {
			page, err := s.chainedAfter(ctx, tx, after)
			if err != nil {
				yield(audit.Line{}, err)
				return
			}
			for _, line := range page {
				if !yield(line, nil) {
					return
				}
			}
			if len(page) < perPage {
				return
			}
			total, after = total+perPage, page[perPage-1]
			read(total)
		}
	}
}

func (s *Store) chainedAfter(ctx context.Context, tx *sqlx.Tx, after audit.Line) ([]audit.Line, error) {
	var rows []struct {
		auditRow
		Chain string `db:"chain"`
		Seq   int64  `db:"seq"`
		Link  string `db:"link"`
	}
	err := tx.SelectContext(ctx, &rows, s.sql("SELECT "+auditColumns+`, chain, seq, link FROM store.audit
		WHERE chain <> '' AND (chain, seq, id) > ($1, $2, $3) ORDER BY chain, seq, id LIMIT $4`), after.Chain, after.Seq, after.ID, perPage)
	lines := make([]audit.Line, len(rows))
	for i, r := range rows {
		lines[i] = audit.Line{ID: r.ID, Place: audit.Place{Chain: r.Chain, Seq: r.Seq, Link: r.Link}, Stored: r.stored()}
	}
	return lines, err
}
