package tenancy

import (
	"context"
	"fmt"

	"usher/audit"
	"usher/fault"
	"usher/tenancy/database"
)

// resealPage is how many rows are read at once.
const resealPage = 500

// Reseal encrypts with the current key what is encrypted with another one, and returns how
// many rows that were. What changes meanwhile is encrypted with the current key anyway.
func (s *Store) Reseal(ctx context.Context) (resealed int, err error) {
	if s.sealer.current == "" {
		return 0, fault.New(fault.BadUserInput, "the control store has no key").WithHint("Configure the control store's key.")
	}
	for _, rows := range []struct {
		table string
		name  func(id string) string
	}{{"tenants", accountRow}, {"tokens", tokenRowName}} {
		n, err := s.reseal(ctx, rows.table, rows.name)
		if resealed += n; err != nil {
			return resealed, err
		}
	}
	return resealed, s.AuditNow(ctx, audit.Entry{
		Kind: audit.Administration, Subject: "reseal", Issuer: Issuer, Operation: "reseal",
		Detail: fmt.Sprintf("with key %s; rows that had another: %d", s.sealer.current, resealed), Outcome: audit.Done,
	})
}

func (s *Store) reseal(ctx context.Context, table string, name func(id string) string) (resealed int, err error) {
	for after := ""; ; {
		var rows []struct {
			ID       string `db:"id"`
			Accounts string `db:"accounts"`
		}
		if err := s.db.List(ctx, &rows, "SELECT id, accounts FROM store."+table+" WHERE id > $1 AND starts_with(accounts, $2) AND NOT starts_with(accounts, $3) ORDER BY id LIMIT $4",
			after, sealedPrefix, sealedPrefix+s.sealer.current+".", resealPage); err != nil {
			return resealed, database.Translate(ctx, err)
		}
		if len(rows) == 0 {
			return resealed, nil
		}
		for _, row := range rows {
			accounts, err := s.sealer.openAccounts(row.Accounts, name(row.ID))
			if err != nil {
				return resealed, err
			}
			sealed, err := s.sealer.sealAccounts(accounts, name(row.ID))
			if err != nil {
				return resealed, err
			}
			var changed int64
			if err := s.write(ctx, func(t *tx) error {
				changed, err = t.Exec("UPDATE store."+table+" SET accounts = $3 WHERE id = $1 AND accounts = $2", row.ID, row.Accounts, sealed)
				return err
			}); err != nil {
				return resealed, err
			}
			resealed += int(changed)
		}
		after = rows[len(rows)-1].ID
	}
}
