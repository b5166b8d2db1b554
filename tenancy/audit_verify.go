package tenancy

import (
	"context"
	"crypto/hmac"
	"iter"

	"usher/audit"
	"usher/fault"
	"usher/tenancy/database"
)

// VerifyAudit reads the whole audit log and checks its chains, as they are at one moment.
// Seen is of an earlier report; read is told, now and then, how many entries were read.
func (s *Store) VerifyAudit(ctx context.Context, seen audit.Seen, read func(entries int64)) (audit.Report, error) {
	tx, err := s.db.Snapshot(ctx)
	if err != nil {
		return audit.Report{}, err
	}
	defer tx.Rollback()
	chains, err := s.chainsOf(tx)
	if err != nil {
		return audit.Report{}, database.Translate(ctx, err)
	}
	report, err := audit.Verify(s.auditKeys(), chains, seen, s.chained(tx, read))
	if err != nil {
		return audit.Report{}, database.Translate(ctx, err)
	}
	return report, database.Translate(ctx, s.unchained(tx, &report))
}

// unchained tells of entries that would stand in a chain if usher had written them: only
// what tells of data may stand in none. When it says that it was written does not matter,
// for whoever adds one says what they like.
func (s *Store) unchained(tx *database.Tx, report *audit.Report) error {
	for after := ""; ; {
		var page struct {
			Last string `db:"last"`
			Full bool   `db:"filled"`
		}
		err := tx.Get(&page, `SELECT coalesce(max(id), '') AS last, count(*) = $2 AS filled
			FROM (SELECT id FROM store.audit WHERE id > $1 ORDER BY id LIMIT $2) page`, after, perPage)
		if err != nil {
			return err
		}
		var outside []string
		if err := tx.List(&outside, `SELECT id FROM store.audit WHERE id > $1 AND id <= $2 AND kind <> $3 AND coalesce(chain, '') = '' ORDER BY id`,
			after, page.Last, string(audit.DataAccess)); err != nil {
			return err
		}
		for _, id := range outside {
			report.Problem("entry %s: it does not tell of data and stands in no chain", id)
		}
		if !page.Full {
			return nil
		}
		after = page.Last
	}
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

// sameKeys refuses keys that are not those which have sealed the log under their ids: what is sealed with
// another one would look as if somebody had changed it. That one of the last heads fits is enough, for each may have
// been changed.
func (s *Store) sameKeys(ctx context.Context) error {
	for id, key := range s.auditKeys() {
		if id == "" {
			continue
		}
		var heads []struct {
			Chain  string `db:"chain"`
			Seq    int64  `db:"seq"`
			Link   string `db:"link"`
			Sealed string `db:"sealed"`
		}
		if err := s.db.List(ctx, &heads, "SELECT chain, seq, link, sealed FROM store.audit_chains WHERE key_id = $1 ORDER BY last_at DESC LIMIT 16", id); err != nil {
			return err
		}
		fits := len(heads) == 0
		for _, h := range heads {
			fits = fits || hmac.Equal([]byte(key.SealHead(audit.Place{Chain: h.Chain, Seq: h.Seq, Link: h.Link})), []byte(h.Sealed))
		}
		if !fits {
			return fault.New(fault.Internal, "the control store's key %s is not the one that this store was used with under that id", id).
				WithHint("All gateways of a store have the same key. A new one has an id of its own, and the one before stands under control.old_keys.")
		}
	}
	return nil
}

func (s *Store) chainsOf(tx *database.Tx) (map[string]audit.Chain, error) {
	var rows []struct {
		Chain        string `db:"chain"`
		KeyID        string `db:"key_id"`
		Seq          int64  `db:"seq"`
		Link         string `db:"link"`
		Sealed       string `db:"sealed"`
		AnchorSeq    int64  `db:"anchor_seq"`
		AnchorLink   string `db:"anchor_link"`
		AnchorKeyID  string `db:"anchor_key_id"`
		AnchorSealed string `db:"anchor_sealed"`
	}
	err := tx.List(&rows, `SELECT chain, key_id, seq, link, sealed, anchor_seq, anchor_link, anchor_key_id, anchor_sealed
		FROM store.audit_chains`)
	if err != nil {
		return nil, err
	}
	chains := make(map[string]audit.Chain, len(rows))
	for _, r := range rows {
		chains[r.Chain] = audit.Chain{
			KeyID: r.KeyID, Head: audit.Place{Chain: r.Chain, Seq: r.Seq, Link: r.Link}, Sealed: r.Sealed,
			Anchor: audit.Place{Chain: r.Chain, Seq: r.AnchorSeq, Link: r.AnchorLink}, AnchorKeyID: r.AnchorKeyID, AnchorSealed: r.AnchorSealed,
		}
	}
	return chains, nil
}

// perPage is how many entries are read at once: a statement of the store has little time.
const perPage = 5000

// chained are the entries that stand in chains, one after the other.
func (s *Store) chained(tx *database.Tx, read func(int64)) iter.Seq2[audit.Line, error] {
	return func(yield func(audit.Line, error) bool) {
		for total, after := int64(0), (audit.Line{}); ; {
			page, err := s.chainedAfter(tx, after)
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

func (s *Store) chainedAfter(tx *database.Tx, after audit.Line) ([]audit.Line, error) {
	var rows []struct {
		auditRow
		Chain string `db:"chain"`
		Seq   int64  `db:"seq"`
		Link  string `db:"link"`
	}
	err := tx.List(&rows, "SELECT "+auditColumns+`, chain, seq, link FROM store.audit
		WHERE chain <> '' AND (chain, seq, id) > ($1, $2, $3) ORDER BY chain, seq, id LIMIT $4`, after.Chain, after.Seq, after.ID, perPage)
	lines := make([]audit.Line, len(rows))
	for i, r := range rows {
		lines[i] = audit.Line{ID: r.ID, Place: audit.Place{Chain: r.Chain, Seq: r.Seq, Link: r.Link}, Stored: r.stored()}
	}
	return lines, err
}
