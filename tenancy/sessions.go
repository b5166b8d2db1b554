package tenancy

import (
	"context"
	"errors"
	"strings"

	"usher/audit"
	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// Credentials are what a person logs in with.
type Credentials struct {
	Tenant   string // may stand in the username instead, or as well: acme|alice
	Username string
	Password string
	Address  string // where the request comes from, for counting failures
}

// nobody is neither a tenant's id nor a username.
const nobody = "\u2014"

// identity is the tenant and the canonical username. What cannot be either
// fails like one who does not exist.
func (c Credentials) identity() (tenant, username string) {
	tenant, username = c.Tenant, c.Username
	if tenant == "" {
		tenant, username = splitLogin(username)
	} else {
		username = strings.TrimPrefix(username, tenant+separator) // who gives both may give the whole name
	}
	if tenant != "" && !principal.IsTenantID(tenant) {
		tenant = nobody
	}
	name, err := canonical(username)
	if err != nil {
		name = nobody
	}
	return tenant, name
}

// wrongLogin is the one answer to a wrong tenant, user or password.
const wrongLogin = "tenant, username or password is wrong"

// Login makes a session. Whatever is wrong, the answer and the time it takes
// are the same; after some failures of a name, or from an address, on whichever
// gateway, nothing is tried for a growing while.
func (s *Store) Login(ctx context.Context, c Credentials) (Issued, error) {
	tenant, username := c.identity()
	if err := s.Ready(); err != nil {
		return Issued{}, err
	}
	user, counted, err := s.tryPassword(ctx, tenant, username, c.Password, c.Address)
	entry := audit.Entry{Kind: audit.Administration, Issuer: Issuer, Subject: username, Tenant: tenant, Operation: "login", Outcome: audit.Done, Detail: c.Address}
	if err != nil {
		if fault.From(err).Code == fault.Unauthenticated {
			entry.Outcome = string(fault.Unauthenticated)
			s.journal.Add(entry)
		}
		return Issued{}, err
	}
	var made Issued
	err = s.write(ctx, func(t *tx) error {
		if made, err = t.startSession(user); err != nil {
			return err
		}
		if err := t.resetAttempts(counted); err != nil {
			return err
		}
		t.record(entry)
		return nil
	})
	return made, err
}

// identify finds the user of the password. It hashes once, whatever it finds.
func (s *Store) identify(ctx context.Context, tenant, username, password string) (userRow, error) {
	var row userRow
	err := s.db.Get(ctx, &row, "SELECT "+userColumns+" FROM store.users WHERE tenant = $1 AND username = $2", tenant, username)
	if err != nil && !database.Missing(err) {
		return userRow{}, database.Translate(ctx, err)
	}
	cause := err
	active := tenant == ""
	if !active {
		record, err := s.registered(ctx, tenant)
		if err != nil {
			return userRow{}, err
		}
		active = record != nil && record.status == Active
	}
	hash := row.Password
	if hash == "" {
		hash = s.decoy
	}
	done, err := s.turn(ctx)
	if err != nil {
		return userRow{}, err
	}
	right, err := verifyPassword(password[:min(len(password), maxPassword+1)], hash)
	done()
	switch {
	case err != nil:
		return userRow{}, fault.New(fault.Internal, "the user's password cannot be compared").Because(err)
	case cause == nil && !right:
		cause = errors.New("the password is wrong")
	case cause == nil && !active:
		cause = ErrTenant
	case cause == nil && row.Status != Active:
		cause = ErrDisabled
	}
	if cause != nil || !right {
		return userRow{}, fault.New(fault.Unauthenticated, wrongLogin).Because(cause)
	}
	return row, nil
}

// startSession makes the session; what it grants is read from the user each
// time it is verified. Another password given meanwhile is not missed.
func (t *tx) startSession(user userRow) (Issued, error) {
	if err := t.issuing(); err != nil {
		return Issued{}, err
	}
	var hash string
	err := t.Get(&hash, "SELECT password FROM store.users WHERE id = $1", user.ID)
	if database.Missing(err) || err == nil && hash != user.Password {
		return Issued{}, fault.New(fault.Unauthenticated, wrongLogin).Because(errors.New("the user has changed meanwhile"))
	}
	if err != nil {
		return Issued{}, err
	}
	p := principal.Principal{Subject: user.Username, Issuer: Issuer, Tenant: user.Tenant, AllTenants: user.Tenant == ""}
	return t.issue(issue{
		kind: Session, principal: p, userID: user.ID, minter: principal.Principal{Issuer: Issuer, Subject: user.Username},
		expires: t.now.Add(t.store.opts.SessionLife), inactivity: t.store.opts.SessionIdle,
	})
}

// ChangePassword gives the user who is logged in another password and ends
// their other sessions and what was minted with those.
func (s *Store) ChangePassword(ctx context.Context, p principal.Principal, old, password string) error {
	if p.Issuer != Issuer || p.TokenID == "" || p.Acting != nil {
		return forbidden("only a user who is logged in has a password")
	}
	var session tokenRow
	err := s.db.Get(ctx, &session, "SELECT "+tokenColumns+" FROM store.tokens WHERE id = $1 AND revoked_at = 0", p.TokenID)
	if database.Missing(err) || err == nil && session.UserID == "" {
		return forbidden("only a user who is logged in has a password")
	}
	if err != nil {
		return database.Translate(ctx, err)
	}
	_, counted, err := s.tryPassword(ctx, p.Tenant, p.Subject, old, "")
	if err != nil {
		if fault.From(err).Code == fault.Unauthenticated {
			return forbidden("the old password is wrong")
		}
		return err
	}
	if err := s.write(ctx, func(t *tx) error { return t.resetAttempts(counted) }); err != nil {
		return err
	}
	hash, err := s.newPassword(ctx, p.Subject, password)
	if err != nil {
		return err
	}
	entry := audit.Of(p, audit.Administration)
	entry.Operation, entry.Outcome = "changePassword", audit.Done
	return s.write(ctx, func(t *tx) error {
		if err := t.invalidateRights(); err != nil {
			return err
		}
		row, err := t.user(p.Tenant, p.Subject)
		if err != nil {
			return err
		}
		row.Password = hash
		if err := t.endUser(row.ID, p.TokenID); err != nil {
			return err
		}
		if err := t.storeUser(row); err != nil {
			return err
		}
		t.record(entry)
		return nil
	})
}
