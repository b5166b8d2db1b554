package tenancy

import (
	"context"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // zones are judged by the same table on every machine

	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/tenancy/database"
)

// TokenRequest is what an embed token shall grant.
type TokenRequest struct {
	Tenant     string // default: the minter's
	Subject    string // who uses it, within the tenant
	Name       string // shown only
	Email      string // shown only
	Roles      []string
	Strategy   string
	Strategies map[string]string // of single datasets, by dataset
	Filters    []principal.Filter
	Parameters map[string]query.Value
	Cleared    []string // parameters whose conditions do not apply
	Metadata   map[string]query.Value
	Accounts   map[string]principal.Account // by source
	Datasets   []string                     // nil: all that the roles allow
	SavedOnly  bool
	Dashboards []string      // nil: not restricted; else it runs these and nothing else
	Write      bool          // may change datasets
	Timezone   string        // IANA name
	ExpiresAt  time.Time     // default: in 24 hours, and not after the minter's
	Inactivity time.Duration // unused for so long it ends; 0: it does not
	Rate       int           // requests a minute; 0: not limited
	Limits     principal.Budget
}

const (
	minInactivity = 120 * time.Second
	maxRate       = 1_000_000
	maxMetadata   = 4096 // bytes of one member of the metadata
	maxListed     = 1000 // filters, parameters, datasets, … of one token
)

// check judges the request by itself.
func (r TokenRequest) check(now time.Time, longest time.Duration) error {
	if r.Tenant == "" {
		return unusable("say which tenant the token is for")
	}
	if err := checkTenantID(r.Tenant); err != nil {
		return err
	}
	if max(len(r.Roles), len(r.Strategies), len(r.Filters), len(r.Parameters), len(r.Cleared), len(r.Metadata), len(r.Accounts), len(r.Datasets), len(r.Dashboards)) > maxListed {
		return unusable("a token has at most %d of each", maxListed)
	}
	for _, err := range []error{
		checkPresent("the subject", r.Subject, maxName),
		checkShown("the name", r.Name), checkShown("the email address", r.Email),
		checkNames("role", r.Roles), checkNames("dataset", r.Datasets), checkNames("dashboard", r.Dashboards), checkStrategy(r.Strategy), checkStrategies(r.Strategies),
		checkNames("parameter", sortedKeys(r.Parameters)), checkNames("parameter", r.Cleared), checkMetadata(r.Metadata), checkAccounts(r.Accounts),
		checkFilters(r.Filters), checkTimezone(r.Timezone), checkBudget(r.Limits),
	} {
		if err != nil {
			return err
		}
	}
	switch {
	case r.SavedOnly && r.Dashboards != nil:
		return unusable("a token is for saved queries or for dashboards, and not for both")
	case r.Write && r.Dashboards != nil:
		return unusable("a token for dashboards changes nothing: leave out write")
	case !r.ExpiresAt.After(now):
		return unusable("the token would have expired already")
	case r.ExpiresAt.After(now.Add(longest)):
		return unusable("the token would live longer than %s", spoken(longest))
	case r.Inactivity != 0 && r.Inactivity < minInactivity:
		return unusable("the inactivity interval must be at least %d seconds", int(minInactivity.Seconds()))
	case r.Inactivity > longest:
		return unusable("the inactivity interval is longer than any token lives")
	}
	return checkRate(r.Rate)
}

func checkRate(rate int) error {
	if rate < 0 || rate > maxRate {
		return unusable("the rate must be from 1 to %d requests a minute", maxRate)
	}
	return nil
}

// scopes are those of the token: none is handed on that is not asked for.
func (r TokenRequest) scopes() []principal.Scope {
	if r.Write {
		return []principal.Scope{principal.ReadData, principal.WriteData}
	}
	return []principal.Scope{principal.ReadData}
}

// spoken is how long a token lives at most, as people say it.
func spoken(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == year:
		return "a year"
	case d > day && d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

// checkMetadata bounds metadata, which may be any JSON but null: a member that
// is not there and one without a value are the same to whoever reads it.
func checkMetadata(metadata map[string]query.Value) error {
	for _, name := range sortedKeys(metadata) {
		if _, null := metadata[name].(query.Null); null {
			return unusable("metadata %s is null; leave it out", name)
		}
		text, err := writeValue(metadata[name])
		if err != nil {
			return unusable("metadata %s cannot be stored: %s", name, reason(err))
		}
		if len(text) > maxMetadata {
			return unusable("metadata %s has more than %d bytes as JSON", name, maxMetadata)
		}
	}
	return checkNames("metadata member", sortedKeys(metadata))
}

func checkTimezone(name string) error {
	if name == "" {
		return nil
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return unusable("there is no time zone %s", fault.Quote(name))
	}
	return nil
}

// lifetime is when a token ends that does not say: a day from now, and not
// after the minter's own.
func (s *Store) lifetime(asked time.Time, own principal.Principal) time.Time {
	if !asked.IsZero() {
		return asked
	}
	ends := s.now().Add(s.opts.TokenLife)
	if !own.Expires.IsZero() && own.Expires.Before(ends) {
		return own.Expires
	}
	return ends
}

const createToken = "createToken"

// names says what a request names, and no value of it.
func (r TokenRequest) names() string {
	text := "for " + r.Subject
	for _, part := range []struct {
		what  string
		names []string
	}{
		{"roles", r.Roles},
		{"strategy", []string{r.Strategy}},
		{"strategies of", sortedKeys(r.Strategies)},
		{"parameters", sortedKeys(r.Parameters)},
		{"cleared", r.Cleared},
		{"metadata", sortedKeys(r.Metadata)},
		{"accounts of", sortedKeys(r.Accounts)},
		{"datasets", r.Datasets},
		{"dashboards", r.Dashboards},
	} {
		if named := strings.Join(part.names, ", "); named != "" {
			text += "; " + part.what + " " + named
		}
	}
	if r.Write {
		text += "; " + string(principal.WriteData)
	}
	return text
}

// Mint makes an embed token. It grants at most what the minter holds; whatever
// is wrong with the request is refused now, not when the token is used.
func (s *Store) Mint(ctx context.Context, p principal.Principal, r TokenRequest) (Issued, error) {
	if r.Tenant == "" {
		r.Tenant = p.Tenant
	}
	return s.mint(ctx, p, createToken, r, func(*tx) error {
		if !has(p, principal.CreateTokens) {
			return forbidden("this needs the scope %s", principal.CreateTokens)
		}
		return nil
	})
}

// Narrowing is what a narrowed token shall have less than the holder's.
type Narrowing struct {
	Name       string
	Roles      []string           // nil: all of the holder's
	Filters    []principal.Filter // in addition to the holder's
	Datasets   []string           // nil: all of the holder's
	SavedOnly  bool
	Dashboards []string // nil: as the holder's
	Write      bool
	ExpiresAt  time.Time // default: in 24 hours, and not after the holder's
	Inactivity time.Duration
	Rate       int
	Limits     principal.Budget
}

// Narrow makes an embed token of the holder's own that grants no more than
// the one shown. It ends with it, also when that is revoked; therefore the
// token shown must be one that the store has made.
func (s *Store) Narrow(ctx context.Context, holder principal.Principal, n Narrowing) (Issued, error) {
	r := TokenRequest{
		Tenant: holder.Tenant, Subject: holder.Subject, Name: n.Name, Roles: n.Roles, Filters: n.Filters, Datasets: n.Datasets,
		Cleared: holder.Grant.Cleared, SavedOnly: n.SavedOnly, Dashboards: n.Dashboards, Write: n.Write, ExpiresAt: n.ExpiresAt, Inactivity: n.Inactivity, Rate: n.Rate, Limits: n.Limits,
	}
	if r.Roles == nil {
		r.Roles = holder.Roles
	}
	return s.mint(ctx, holder, "narrowToken", r, func(*tx) error {
		switch {
		case holder.Issuer != Issuer || holder.TokenID == "":
			return forbidden("only a token that usher has made can be narrowed; have your issuer make a narrower one")
		case holder.AllTenants:
			return forbidden("only a token of one tenant can be narrowed")
		}
		return nil
	})
}

// mint is the way of every embed token: who asks, what is asked, whether the
// one covers the other, and what the catalog says.
func (s *Store) mint(ctx context.Context, p principal.Principal, operation string, r TokenRequest, allowed func(*tx) error) (Issued, error) {
	a := act{operation: operation, tenant: r.Tenant}
	made, err := s.makeToken(ctx, p, a, r, allowed)
	if err != nil {
		a.detail = r.names()
		s.noteRefusal(p, a.entry(p), err, operation == createToken && has(p, principal.CreateTokens))
	}
	return made, err
}

func (s *Store) makeToken(ctx context.Context, p principal.Principal, a act, r TokenRequest, allowed func(*tx) error) (Issued, error) {
	r.ExpiresAt = s.lifetime(r.ExpiresAt, p)
	if len(r.Accounts) > 0 {
		if _, err := s.readPlaces(ctx); err != nil {
			return Issued{}, err
		}
	}
	var made Issued
	err := s.write(ctx, func(t *tx) error {
		if (p.Tenant == "") != p.AllTenants {
			return fault.New(fault.Unauthenticated, "no valid token was shown")
		}
		if err := allowed(t); err != nil {
			return err
		}
		if err := r.check(t.now, s.opts.MaxTokenLife); err != nil {
			return err
		}
		parent, err := t.parent(p)
		if err != nil {
			return err
		}
		var owned []string
		if err := t.List(&owned, "SELECT name FROM store.roles WHERE tenant = $1", r.Tenant); err != nil {
			return err
		}
		by := minter{p, parent.MayGrant, owned}
		grant, err := covers(by, r)
		if err != nil {
			return err
		}
		tenant, err := t.activeTenant(r.Tenant)
		if err != nil {
			return err
		}
		routing, err := s.routing(tenant)
		if err != nil {
			return err
		}
		allowances, err := parent.allowed(r.Limits)
		if err != nil {
			return err
		}
		rate, err := parent.rate(r.Rate)
		if err != nil {
			return err
		}
		wanted := principal.Principal{
			Subject: r.Subject, Name: r.Name, Email: r.Email, Issuer: Issuer, Tenant: r.Tenant, TenantKey: tenant.Key, Routing: routing,
			Roles: r.Roles, Scopes: r.scopes(), Acting: p.Acting, Grant: grant, Allowances: allowances, Issued: t.now, Expires: r.ExpiresAt,
		}
		if err := t.ownRoles(&wanted); err != nil {
			return err
		}
		if err := coversOwnRoles(p, wanted); err != nil {
			return err
		}
		if err := s.checkAdded(by, wanted, r); err != nil {
			return err
		}
		if err := s.opts.Check(wanted); err != nil {
			return err
		}
		if err := t.knownDashboards(r.Tenant, r.Dashboards); err != nil {
			return err
		}
		if err := t.checkPlaces(wanted); err != nil {
			return err
		}
		made, err = t.issue(issue{
			kind: EmbedToken, principal: wanted, name: r.Name, email: r.Email, minter: p, expires: r.ExpiresAt,
			inactivity: shorter(r.Inactivity, parent.inactivity), rate: rate,
		})
		if err != nil {
			return err
		}
		if made.Hidden, err = t.hidden(wanted, r.Dashboards); err != nil {
			return err
		}
		a.detail = made.ID + " for " + r.Subject
		if len(r.Cleared) > 0 { // it shows more than others of its roles do
			a.detail += "; cleared " + strings.Join(r.Cleared, ", ")
		}
		t.record(a.entry(p))
		return nil
	})
	return made, err
}

// checkAdded judges what a minter restricts a token by, and which datasets it names.
// Who may grant anything may compare anything; all others compare what they see.
func (s *Store) checkAdded(by minter, token principal.Principal, added TokenRequest) error {
	if by.administersAll() {
		return nil
	}
	seen := token
	seen.Roles, seen.RoleSpecs = by.Roles, by.RoleSpecs
	seen.Grant.Datasets, seen.Grant.Filters = by.Grant.Datasets, by.Grant.Filters
	return s.opts.CheckMinted(seen, token, principal.Grant{Filters: added.Filters, Strategies: added.Strategies})
}

// parent is what the store knows of the token that the minter has shown: it
// must still be good, and its bounds hold for what is made with it.
type parent struct {
	body
	id         string
	inactivity time.Duration
}

func (t *tx) parent(p principal.Principal) (parent, error) {
	if err := t.issuing(); err != nil {
		return parent{}, err
	}
	if t.store.Revoked(p) {
		return parent{}, refuse(ErrRevoked)
	}
	if p.Issuer != Issuer {
		return parent{}, nil // of another issuer, whose bounds the principal carries
	}
	row, err := t.token(p.TokenID)
	if database.Missing(err) || err == nil && (row.Revoked != 0 || row.expired(t.now)) {
		return parent{}, refuse(ErrRevoked)
	}
	if err != nil {
		return parent{}, err
	}
	if err := t.currentUser(p, row.UserID); err != nil {
		return parent{}, err
	}
	b, err := readBody(row.Body)
	return parent{body: b, id: row.ID, inactivity: time.Duration(row.Inactivity) * time.Microsecond}, err
}

// maxLimited bounds how many limits hold for a token of those that it is made with: each request is counted in all.
const maxLimited = 16

// rate is that of what is made with a token: all of it takes from the allowance of each token on the way
// that is limited.
func (p parent) rate(own int) (rate, error) {
	theirs := p.body.rate()
	r := rate{own: slower(own, theirs.own), of: theirs.of}
	if theirs.counts() {
		r.of = append([]rated{{p.id, theirs.own}}, theirs.of...)
	}
	if len(r.of) > maxLimited {
		return rate{}, tooLimited
	}
	return r, nil
}

var tooLimited = unusable("%d tokens that this one is made with are limited each; that is the most", maxLimited)

// allowed is what may be used by what is made with a token: its own, and of all that that one may.
// So nothing is had by making more of them, and limits that are wider mean nothing.
func (p parent) allowed(own principal.Budget) ([]principal.Allowance, error) {
	all := p.allowances(p.id)
	if len(all) > maxLimited {
		return nil, tooLimited
	}
	if own != (principal.Budget{}) {
		all = append([]principal.Allowance{{Limits: own}}, all...)
	}
	return all, nil
}

// shorter and slower take 0 for no bound.
func shorter(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func slower(a, b int) int {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
