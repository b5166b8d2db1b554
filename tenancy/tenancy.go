// Package tenancy owns the control store: tenants, users and the roles assigned
// to them, embed tokens, service keys, sessions, revocations, saved
// queries and the audit log. Its database is reached below it.
//
// It verifies the opaque tokens it has made. A verified token is remembered;
// each use compares revocations and the tenant's status in memory. Every
// change that matters raises a generation in its own transaction; each process
// asks for the generation twice a second and reads what has changed since. Of a
// store that has gone back, as one that was restored, all is read anew. A
// store that has been silent for too long answers nothing from memory.
//
// It refuses to grant more than the one who asks holds, to give a deleted
// tenant's id to another, to keep a credential unencrypted, and to return one.
// Every method that administers takes who asks first and judges their right
// itself. What only the catalog can judge, such as whether a filter names an
// existing column, is injected.
package tenancy

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"usher/audit"
	"usher/dashboard"
	"usher/fault"
	"usher/lru"
	"usher/principal"
	"usher/quota"
	"usher/tenancy/database"
)

// Issuer is the issuer of every token the store makes.
const Issuer = "usher"

// Options are the store's bounds and what it uses of its surroundings. Zero
// values mean the defaults.
type Options struct {
	// Check judges a grant's names and values against the catalog before it
	// becomes a token, a user or a tenant's record; its error is the caller's
	// answer. Nil accepts all.
	Check func(principal.Principal) error
	// KnownIssuer and KnownTenant tell what the configuration knows beside the store: its
	// issuers, and tenants that it registers or, where an issuer is named, whose ids that one
	// is trusted with. Nil: all.
	KnownIssuer func(name string) bool
	KnownTenant func(id, issuer string) bool
	// Configured tells whether a text is the id, the key or an external id of a tenant that
	// the configuration registers. Nil: none is.
	Configured func(name string) bool
	// Places judge whether a tenant's record, or the accounts of a token, lead to the place of another tenant. Nil accepts all.
	Places Places
	// CheckMinted judges the filters and the strategies of datasets that a minter
	// adds to a token, in the minter's own view: the principal it gets is the
	// token with the minter's roles, datasets and filters. Its error is the
	// caller's answer. Nil accepts all.
	CheckMinted func(minter, token principal.Principal, added principal.Grant) error
	// CheckMayGrant judges whether there is what a key may grant. Nil accepts all.
	CheckMayGrant func(MayGrant) error
	// CheckRole judges the right spec of a role that a tenant owns, and that
	// its name is no system role's, for whoever writes it. Nil refuses such roles.
	CheckRole func(writer principal.Principal, tenant, name string, spec json.RawMessage) error
	// Operations judges the texts of saved queries, and dashboards, by what somebody
	// sees. Nil accepts and shows all.
	Operations Operations
	// Dashboards are those that stand in files now: whoever runs the gateway shares them
	// with all tenants. Nil: there are none.
	Dashboards func() map[string]dashboard.Document

	Key     SealKey   // encrypts credentials at rest; none: storing one is refused
	OldKeys []SealKey // with which credentials may still be encrypted

	Clock   func() time.Time // of expiry; default that of the store's server, and of a store in a file the machine's
	Machine func() time.Time // the clock of this machine; default time.Now
	Log     *slog.Logger     // default slog.Default

	TokenLife    time.Duration // of an embed token that does not say; default 24 h
	MaxTokenLife time.Duration // default and most: a year
	SessionLife  time.Duration // default 12 h
	SessionIdle  time.Duration // default 30 min

	Wait     time.Duration // how long Open waits for a store that does not answer; default: not at all
	Poll     time.Duration // how often the generation is asked for; default 500 ms
	Patience time.Duration // how long a request waits for the store to say what is left of a budget; default: as its answers take
	MaxStale time.Duration // silence after which tokens are refused; default 10 s

	Tenants  int // records kept in memory; default 4096
	Verified int // verified tokens kept in memory; default 16384

	Password       PasswordCost
	MinPassword    int           // characters; default 12
	Logins         int           // that hash a password at the same time; default 4
	FreeAttempts   int           // failures of one name before waiting begins; default 5
	AddressFree    int           // failures of one address before waiting begins; default 50
	MaxLockout     time.Duration // default 15 min
	AuditQueue     int           // entries of data access waiting to be written; default 4096
	AuditRetention time.Duration // default 400 days; negative: for ever
	ReadsRetention time.Duration // of entries that tell of questions; default and most: AuditRetention
}

const year = 365 * 24 * time.Hour

func (o Options) withDefaults() Options {
	if o.Check == nil {
		o.Check = func(principal.Principal) error { return nil }
	}
	if o.CheckMinted == nil {
		o.CheckMinted = func(principal.Principal, principal.Principal, principal.Grant) error { return nil }
	}
	if o.CheckMayGrant == nil {
		o.CheckMayGrant = func(MayGrant) error { return nil }
	}
	if o.Configured == nil {
		o.Configured = func(string) bool { return false }
	}
	if o.Operations == nil {
		o.Operations = allowsAll{}
	}
	if o.Machine == nil {
		o.Machine = time.Now
	}
	if o.Dashboards == nil {
		o.Dashboards = func() map[string]dashboard.Document { return nil }
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.TokenLife = cmp.Or(o.TokenLife, 24*time.Hour)
	o.MaxTokenLife = min(cmp.Or(o.MaxTokenLife, year), year)
	o.TokenLife = min(o.TokenLife, o.MaxTokenLife)
	o.SessionLife = cmp.Or(o.SessionLife, 12*time.Hour)
	o.SessionIdle = cmp.Or(o.SessionIdle, 30*time.Minute)
	o.Poll = cmp.Or(o.Poll, 500*time.Millisecond)
	o.MaxStale = cmp.Or(o.MaxStale, 10*time.Second)
	o.Tenants = cmp.Or(o.Tenants, 4096)
	o.Verified = cmp.Or(o.Verified, 16384)
	o.Password = o.Password.withDefaults()
	o.MinPassword = cmp.Or(o.MinPassword, 12)
	o.Logins = cmp.Or(o.Logins, 4)
	o.FreeAttempts = cmp.Or(o.FreeAttempts, 5)
	o.AddressFree = cmp.Or(o.AddressFree, 50)
	o.MaxLockout = cmp.Or(o.MaxLockout, 15*time.Minute)
	o.AuditQueue = cmp.Or(o.AuditQueue, 4096)
	o.AuditRetention = cmp.Or(o.AuditRetention, 400*24*time.Hour)
	return o
}

// Store is an open control store. It is safe for concurrent use.
type Store struct {
	db     *database.DB
	opts   Options
	sealer sealer

	tenants     *tenantCache
	verified    *lru.Cache[[32]byte, *verified]
	budgets     *quota.Keeper
	revocations *revocations
	rights      atomic.Int64                 // counts how often users and roles have changed, or everything was forgotten
	changed     atomic.Pointer[func(Change)] // what is done with changes of rows; nil: nothing yet
	gateway     string                       // this process, among those that share the store

	polling sync.Mutex
	seen    standing     // under polling
	settled settling     // under polling
	reached atomic.Int64 // the generation that was seen
	astray  atomic.Bool  // the store has gone back, and was not read anew yet
	heard   atomic.Int64 // when the store last answered, on the process's own clock
	started time.Time
	clock   clock

	touches touches
	audit   *audit.Queue   // of data that was read
	journal *audit.Journal // of what was refused
	chains  *chains
	upkeep  upkeep
	unread  atomic.Pointer[fault.Error] // why the store cannot be read; nil: it can
	hashing chan struct{}
	decoy   string // a password hash that belongs to nobody

	stop       context.CancelFunc
	background sync.WaitGroup
}

func (s *Store) now() time.Time {
	if s.opts.Clock != nil {
		return s.opts.Clock()
	}
	return s.clock.now(s.opts.Machine())
}

// Now is the time by which the store judges what has ended.
func (s *Store) Now() time.Time { return s.now() }

// micros is a moment as it is stored: 0 means none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// newID makes a text key.
func newID() string { return spell(randomBytes(10)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: the program ends instead
	return b
}
