package tenancy

import (
	"context"
	"fmt"

	"usher/audit"
	"usher/principal"
)

// The first keys that still live: nobody's token was shown when they were made.
const firstKeys = "SELECT id FROM store.tokens WHERE kind = 'sk' AND minter_issuer = 'usher' AND minter_subject = 'bootstrap' AND minter_token = '' AND revoked_at = 0"

// Recover makes another first key, for whoever has lost it and can open the
// store itself. Earlier first keys end, since what is lost may have been found;
// what was made with them goes on. It returns how many have ended.
func (s *Store) Recover(ctx context.Context, name string) (made Issued, ended int, err error) {
	r := KeyRequest{Name: name, AllTenants: true, Scopes: knownScopes()}
	err = s.write(ctx, func(t *tx) error {
		if err := r.check(t.now); err != nil {
			return err
		}
		// Two at once wait for each other here.
		if _, err := t.nextGeneration(); err != nil {
			return err
		}
		var lost []string
		if err := t.List(&lost, firstKeys); err != nil {
			return err
		}
		for _, id := range lost {
			if _, err := t.revoke(revocationKey{Issuer: Issuer, Token: id}, forever, narrowed); err != nil {
				return err
			}
		}
		ended = len(lost)
		var err error
		if made, err = t.createKey(principal.Principal{Issuer: Issuer, Subject: "bootstrap"}, parent{}, r); err != nil {
			return err
		}
		t.record(audit.Entry{
			Kind: audit.Administration, Subject: "bootstrap", Issuer: Issuer, Operation: "recover",
			Detail: fmt.Sprintf("%s; earlier first keys that ended: %d", name, ended), Outcome: audit.Done,
		})
		return nil
	})
	return made, ended, err
}
