package tenancy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// Revocation says which tokens end: those of the store and of trusted issuers
// on which all members that are set fit, and all that was minted with them.
type Revocation struct {
	TokenID      string
	Subject      string
	Tenant       string
	Issuer       string    // default with TokenID: usher
	IssuedBefore time.Time // default: now
	KeepMinted   bool      // leave what was minted with them; what is narrowed from them ends in any case
}

// forever is later than any token is issued.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// Revoke ends tokens: here at once, elsewhere within a second. It returns how
// many of the store's own it has ended, as the audit log tells too. None may be
// right: of an issuer's tokens, and of those that have ended already.
func (s *Store) Revoke(ctx context.Context, p principal.Principal, r Revocation) (int, error) {
	// Before a tenant is filled in: to say nothing is not to mean all of one's own.
	said, named := r.says(), r
	if r.Tenant == "" {
		r.Tenant = p.Tenant
	}
	var ended int
	a := act{
		operation: "revoke", tenant: r.Tenant, detail: r.describe(),
		result: func() string { return fmt.Sprintf("%d of usher's own", ended) },
	}
	err := s.administer(ctx, p, a, func(t *tx) error {
		if !said {
			return unusable("say what to revoke: a token, subject, tenant, issuer, or all issued before a time")
		}
		k, before, err := r.key(t.now)
		if err != nil {
			return err
		}
		if err := t.known(p, named); err != nil {
			return err
		}
		if err := t.coversEnded(p, k, micros(before)); err != nil {
			return err
		}
		with := everything
		if r.KeepMinted {
			with = narrowed
		}
		ended, err = t.revoke(k, before, with)
		return err
	})
	return ended, err
}

// says tells whether anything is named that is to end.
func (r Revocation) says() bool {
	r.KeepMinted = false
	return r != Revocation{}
}

// known refuses what there is not: whoever misspells it must not believe that
// something has ended. Of tokens the store knows its own. A tenant that nobody has
// registered is known to an issuer alone, and named with it. An issuer that the
// configuration has forgotten is known by what it has minted. Subjects are free.
func (t *tx) known(p principal.Principal, r Revocation) error {
	o := t.store.opts
	if err := t.knownTenant(p, r.Tenant, r.Issuer); err != nil {
		return err
	}
	if r.TokenID != "" && (r.Issuer == "" || r.Issuer == Issuer) {
		row, err := t.token(r.TokenID)
		if err != nil && !database.Missing(err) {
			return err
		}
		of := cmp.Or(r.Tenant, p.Tenant)
		if err != nil || of != "" && row.Tenant != of || r.Subject != "" && row.Subject != r.Subject {
			return fault.New(fault.NotFound, "nothing was revoked: there is no such token, key or session of usher's own").
				WithHint("The lists show the ids. A JWT is named by its jti, together with its issuer.")
		}
	}
	if r.Issuer == "" || r.Issuer == Issuer || o.KnownIssuer == nil || o.KnownIssuer(r.Issuer) {
		return nil
	}
	var minted int
	if err := t.Get(&minted, "SELECT count(*) FROM store.tokens WHERE minter_issuer = $1", r.Issuer); err != nil {
		return err
	}
	if minted == 0 {
		return notFound("there is no issuer %s", r.Issuer)
	}
	return nil
}

// knownTenant refuses a tenant that there is not, to who is of another or of all.
// An issuer that is named with it may be trusted with ids that nobody registers.
func (t *tx) knownTenant(p principal.Principal, id, issuer string) error {
	return t.store.ofKnown(p, id, issuer, t.Get)
}

// knownTenant is that outside of a transaction: of what the store keeps itself.
func (s *Store) knownTenant(ctx context.Context, p principal.Principal, id string) error {
	return database.Translate(ctx, s.ofKnown(p, id, "", func(into any, text string, args ...any) error { return s.db.Get(ctx, into, text, args...) }))
}

func (s *Store) ofKnown(p principal.Principal, id, issuer string, get func(into any, text string, args ...any) error) error {
	known := s.opts.KnownTenant
	if id == "" || id == p.Tenant || known == nil || known(id, issuer) {
		return nil
	}
	var records int
	if err := get(&records, "SELECT count(*) FROM store.tenants WHERE id = $1", id); err != nil || records > 0 {
		return err
	}
	return fault.New(fault.NotFound, "there is no tenant %s", id).
		WithHint("One that only an issuer knows has no users, roles and tokens here; its JWTs are revoked with tenant and issuer together.")
}

func (r Revocation) describe() string {
	text := ""
	for _, part := range []struct{ what, value string }{
		{"token", r.TokenID}, {"subject", r.Subject}, {"tenant", r.Tenant}, {"issuer", r.Issuer},
	} {
		if part.value != "" {
			text += part.what + " " + part.value + " "
		}
	}
	if !r.IssuedBefore.IsZero() {
		text += "issued before " + r.IssuedBefore.UTC().Format(time.RFC3339)
	}
	return strings.TrimSpace(text)
}

func (r Revocation) key(now time.Time) (revocationKey, time.Time, error) {
	for _, err := range []error{
		checkLine("the token's id", r.TokenID, maxName), checkLine("the subject", r.Subject, maxName), checkLine("the issuer", r.Issuer, maxName),
	} {
		if err != nil {
			return revocationKey{}, time.Time{}, err
		}
	}
	k := revocationKey{Issuer: r.Issuer, Tenant: r.Tenant, Subject: r.Subject, Token: r.TokenID}
	if r.IssuedBefore.After(now) {
		return revocationKey{}, time.Time{}, unusable("the time before which tokens were issued is in the future")
	}
	before := r.IssuedBefore
	if before.IsZero() {
		before = now.Add(time.Microsecond) // those of this very moment too
	}
	if k.Token != "" {
		before = forever
		if k.Issuer == "" {
			k.Issuer = Issuer
		}
	}
	return k, before, nil
}

// The store's own tokens on which a key fits.
const revokedByKey = `
	(created_at < $1 AND ($2 = '' OR $2 = 'usher') AND ($3 = '' OR tenant = $3) AND ($4 = '' OR subject = $4) AND ($5 = '' OR id = $5))`

// reach is what ends with a token, of all that was made with it and in turn with that.
type reach int

const (
	everything reach = iota
	allButKeys       // not service keys, and so nothing that those have made
	narrowed         // only what is its holder's own: narrowed tokens, and sessions of who acts
)

// The ids of the tokens that end with a revocation: those it fits, those that tokens
// of another issuer it fits have minted, and in turn what was made with any of
// them, as far as it reaches ($6). A token of its minter's own subject and
// tenant is narrowed, or no different from one that is.
const gone = `
	WITH RECURSIVE gone AS (
		SELECT id FROM store.tokens WHERE ` + revokedByKey + ` OR created_at < $1 AND $6 = 0 AND $2 <> '' AND $2 <> 'usher' AND minter_issuer = $2
			AND ($3 = '' OR tenant = $3) AND ($4 = '' OR minter_subject = $4) AND ($5 = '' OR minter_token = $5)
		UNION
		SELECT t.id FROM store.tokens t JOIN gone g ON t.minter_token = g.id JOIN store.tokens m ON m.id = g.id
		WHERE t.minter_issuer = 'usher'
			AND ($6 = 0 OR t.kind = 'st' OR t.kind = 'et' AND ($6 = 1 OR t.subject = m.subject AND t.tenant = m.tenant))
	)
	SELECT id FROM gone`

// revoke keeps the revocation, and one for each token that ends with those it fits.
func (t *tx) revoke(k revocationKey, before time.Time, with reach) (int, error) {
	generation, err := t.nextGeneration()
	if err != nil {
		return 0, err
	}
	if err := t.revoking(); err != nil {
		return 0, err
	}
	ends, err := t.revocationEnd(k)
	if err != nil {
		return 0, err
	}
	_, err = t.Exec(`INSERT INTO store.marks (id, issuer, tenant, subject, token, issued_before, expires_at, generation)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, newID(), k.Issuer, k.Tenant, k.Subject, k.Token, micros(before), ends, generation)
	if err != nil {
		return 0, err
	}
	fits := []any{micros(before), k.Issuer, k.Tenant, k.Subject, k.Token, int(with)}
	if err := t.revokeEach("NOT "+revokedByKey+" AND id IN ("+gone+")", fits...); err != nil {
		return 0, err
	}
	ended, err := t.Exec("UPDATE store.tokens SET revoked_at = $7 WHERE revoked_at = 0 AND id IN ("+gone+")", append(fits, micros(t.now))...)
	return int(ended), err
}

// RevokeOwn ends the token that is shown, and the tokens and sessions made with it.
// Service keys stay: a backend's key outlives the session it was made in. It is how
// a session is logged out and how an embed token ends early.
func (s *Store) RevokeOwn(ctx context.Context, p principal.Principal) error {
	if p.Issuer != Issuer || p.TokenID == "" {
		return fault.New(fault.BadUserInput, "only a token that usher has made can be ended here")
	}
	entry := audit.Of(p, audit.Administration)
	entry.Operation, entry.Outcome = "logout", audit.Done
	return s.write(ctx, func(t *tx) error {
		if _, err := t.revoke(revocationKey{Issuer: Issuer, Token: p.TokenID}, forever, allButKeys); err != nil {
			return err
		}
		t.record(entry)
		return nil
	})
}

// RevokeSessions ends all sessions of the user who is logged in, the one that is shown
// too, and the tokens and sessions made with them. Service keys stay, as when one
// session is logged out. It returns how many have ended.
func (s *Store) RevokeSessions(ctx context.Context, p principal.Principal) (int, error) {
	if p.Issuer != Issuer || p.TokenID == "" || p.Acting != nil {
		return 0, forbidden("only a user who is logged in has sessions")
	}
	entry := audit.Of(p, audit.Administration)
	entry.Operation, entry.Outcome = "logoutEverywhere", audit.Done
	ended := 0
	err := s.write(ctx, func(t *tx) error {
		shown, err := t.token(p.TokenID)
		if database.Missing(err) || err == nil && shown.UserID == "" {
			return forbidden("only a user who is logged in has sessions")
		}
		if err != nil {
			return err
		}
		if ended, err = t.endSessions(shown.UserID); err != nil {
			return err
		}
		entry.Detail = fmt.Sprintf("%d tokens and sessions", ended)
		t.record(entry)
		return nil
	})
	return ended, err
}

// EndUserSessions does the same for a user, whom somebody administers.
func (s *Store) EndUserSessions(ctx context.Context, p principal.Principal, tenant, username string) (ended int, err error) {
	a := act{operation: "endUserSessions", tenant: tenant, detail: username}
	a.result = func() string { return fmt.Sprintf("%d tokens and sessions", ended) }
	err = s.administer(ctx, p, a, func(t *tx) error {
		row, err := t.target(p, tenant, username)
		if err != nil {
			return err
		}
		ended, err = t.endSessions(row.ID)
		return err
	})
	return ended, err
}

// endSessions ends a user's sessions, and tokens and sessions made with them.
func (t *tx) endSessions(user string) (ended int, err error) {
	if _, err := t.nextGeneration(); err != nil {
		return 0, err
	}
	if err := t.revoking(); err != nil {
		return 0, err
	}
	var living []string
	if err := t.List(&living, "SELECT id FROM store.tokens WHERE user_id = $1 AND revoked_at = 0 AND expires_at > $2 ORDER BY id", user, micros(t.now)); err != nil {
		return 0, err
	}
	for _, id := range living {
		n, err := t.revoke(revocationKey{Issuer: Issuer, Token: id}, forever, allButKeys)
		if err != nil {
			return 0, err
		}
		ended += n
	}
	return ended, nil
}

// revocationLeeway is how long a revocation outlives its token: gateways' clocks differ.
const revocationLeeway = 5 * time.Minute

// latestRevocationEnd is the end of a revocation whose tokens' ends the store does not
// know: they may live for the longest time.
func (t *tx) latestRevocationEnd() int64 { return micros(t.now.Add(year + 24*time.Hour)) }

// revocationEnd is how long a revocation is of any use. Of one token of the store's
// own that is until the token would have ended anyway, so that people who log in
// and out leave nothing behind for long.
func (t *tx) revocationEnd(k revocationKey) (int64, error) {
	if k.Issuer != Issuer || k.Token == "" {
		return t.latestRevocationEnd(), nil
	}
	var ends int64
	err := t.Get(&ends, "SELECT expires_at FROM store.tokens WHERE id = $1", k.Token)
	switch {
	case database.Missing(err):
		return micros(t.now.Add(revocationLeeway)), nil // there is no such token
	case err != nil:
		return 0, err
	case ends == 0:
		return t.latestRevocationEnd(), nil
	}
	return ends + revocationLeeway.Microseconds(), nil
}

// revokeEach keeps a revocation for each token of the store on which a condition
// fits and that is not revoked yet.
func (t *tx) revokeEach(condition string, args ...any) error {
	generation, err := t.nextGeneration()
	if err != nil {
		return err
	}
	n := len(args)
	text := fmt.Sprintf(`INSERT INTO store.marks (id, issuer, tenant, subject, token, issued_before, expires_at, generation)
		SELECT 'token ' || id, 'usher', '', '', id, CAST($%d AS BIGINT), CASE WHEN expires_at = 0 THEN CAST($%d AS BIGINT) ELSE expires_at + CAST($%d AS BIGINT) END,
			CAST($%d AS BIGINT) FROM store.tokens WHERE revoked_at = 0 AND `, n+1, n+2, n+3, n+4)
	_, err = t.Exec(text+condition, append(slices.Clone(args), micros(forever), t.latestRevocationEnd(), revocationLeeway.Microseconds(), generation)...)
	return err
}
