package tenancy

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"usher/audit"
)

// chains are this process's chains of the audit log. Nobody else writes them, so their
// heads are known without asking; there are a few, so that acts need not wait for
// each other's COMMIT.
type chains struct {
	free  chan *ownChain
	id    string // of the process
	count atomic.Int64
	key   audit.Key
	keyID string
}

type ownChain struct{ audit.Place }

// parallelChains is how many acts are committed at the same time.
const parallelChains = 4

func newChains(id string, key SealKey) *chains {
	c := &chains{free: make(chan *ownChain, parallelChains), id: id, key: audit.NewKey(key.Secret), keyID: key.ID}
	for range parallelChains {
		c.put(&ownChain{c.another()})
	}
	return c
}

// another is the beginning of a chain that nobody has written.
func (c *chains) another() audit.Place {
	return audit.Place{Chain: fmt.Sprintf("%s.%d", c.id, c.count.Add(1))}
}

func (c *chains) take(ctx context.Context) (*ownChain, error) {
	select {
	case chain := <-c.free:
		return chain, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *chains) put(chain *ownChain) { c.free <- chain }

// chain writes the transaction's entries behind a place, and where the chain ends then.
func (t *tx) chain(at audit.Place) (audit.Place, error) {
	key := t.store.chains.key
	places := make([]audit.Place, len(t.entries))
	for i, row := range t.entries {
		at = key.Next(at, row.stored())
		places[i] = at
	}
	if err := t.insert(t.entries, places); err != nil {
		return at, err
	}
	_, err := t.Exec(`INSERT INTO store.audit_chains (chain, key_id, seq, link, sealed, begun_at, last_at, anchor_seq, anchor_link, anchor_key_id, anchor_sealed)
		VALUES ($1, $2, $3, $4, $5, $6, $6, 0, '', '', '')
		ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, link = excluded.link, sealed = excluded.sealed, last_at = excluded.last_at`,
		at.Chain, t.store.chains.keyID, at.Seq, at.Link, key.SealHead(at), micros(t.now))
	return at, err
}

// outOfOrder bounds by how much an entry of a chain may be older than the one before it:
// they are in the order of their commits, and have the times at which their acts began.
const outOfOrder = time.Hour

// pruneQuestions removes entries from before a time that tell of questions: of data, without
// a detail, by nobody who acts as a tenant, and in no chain.
func (t *tx) pruneQuestions(before time.Time) error {
	return t.pruneSome("SELECT id FROM store.audit WHERE happened_at < $1 AND coalesce(chain, '') = '' AND kind = '"+string(audit.DataAccess)+"' AND detail = '' AND acting = ''", before)
}

// pruneSome removes the entries that a query finds, so many at once that a statement's time
// is enough.
func (t *tx) pruneSome(found string, before time.Time) error {
	const portion = 10_000
	for {
		var removed int64
		err := t.Get(&removed, "SELECT count(*) FROM ("+found+" LIMIT $2) portion", micros(before), portion)
		if err == nil && removed > 0 {
			_, err = t.Exec("DELETE FROM store.audit WHERE id IN ("+found+" ORDER BY happened_at, id LIMIT $2)", micros(before), portion)
		}
		if err != nil || removed < portion {
			return err
		}
	}
}

// pruneAudit removes entries from before a time. Of a chain the place where it goes on is
// kept, sealed: so what had its time is told apart from what somebody has removed.
func (t *tx) pruneAudit(before time.Time) error {
	if err := t.pruneSome("SELECT id FROM store.audit WHERE happened_at < $1 AND coalesce(chain, '') = ''", before); err != nil {
		return err
	}
	var ends []struct {
		Chain string `db:"chain"`
		Seq   int64  `db:"seq"`
		Link  string `db:"link"`
	}
	if err := t.List(&ends, `SELECT a.chain, a.seq, a.link FROM store.audit a
		JOIN (SELECT chain, max(seq) AS seq FROM store.audit WHERE happened_at < $1 AND chain <> '' GROUP BY chain) old ON old.chain = a.chain AND old.seq = a.seq
		WHERE a.happened_at < $1 ORDER BY a.chain`, micros(before)); err != nil {
		return err
	}
	for _, end := range ends {
		at := audit.Place{Chain: end.Chain, Seq: end.Seq, Link: end.Link}
		if _, err := t.Exec("UPDATE store.audit_chains SET anchor_seq = $2, anchor_link = $3, anchor_key_id = $4, anchor_sealed = $5 WHERE chain = $1 AND anchor_seq < $2",
			at.Chain, at.Seq, at.Link, t.store.chains.keyID, t.store.chains.key.SealAnchor(at)); err != nil {
			return err
		}
		if _, err := t.Exec("DELETE FROM store.audit WHERE chain = $1 AND seq <= $2 AND happened_at < $3", at.Chain, at.Seq, micros(before.Add(outOfOrder))); err != nil {
			return err
		}
	}
	// Of chains that have ended long ago nothing is left to be checked.
	_, err := t.Exec("DELETE FROM store.audit_chains WHERE anchor_seq = seq AND last_at < $1", micros(before.Add(-t.store.opts.AuditRetention)))
	return err
}
