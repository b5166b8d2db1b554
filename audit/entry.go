// Package audit owns what is noted of who did what: the entry; the queue of
// those that nobody waits for, which may lose some and counts them; the journal of
// those that have to be written; and the chains by which it is found out that
// somebody has changed, added or removed an entry. It refuses to hold anything up
// for longer than a moment. Where entries are kept is the control store's; an act
// and its entry are one transaction there.
package audit

import (
	"time"

	"usher/principal"
)

// Kind tells entries apart.
type Kind string

// The kinds.
const (
	Administration Kind = "administration"
	DataAccess     Kind = "data"
)

// Outcomes of what was not refused; a refusal's is its code.
const (
	Done    = "done"
	Intent  = "intent"  // rows will be changed in a moment, if nothing comes between
	Unknown = "unknown" // nobody knows whether rows were changed: the source did not say
)

// Entry is a line of the audit log. It holds names, never values.
type Entry struct {
	ID        string // grows with time
	At        time.Time
	Kind      Kind
	Subject   string
	Issuer    string
	TokenID   string
	Tenant    string // empty: all
	Acting    string // who acts as the tenant
	Reason    string // why they do
	Operation string // name
	Hash      string // of the operation's text
	Datasets  []string
	Strategy  string
	Source    string
	Rows      int64
	Duration  time.Duration
	Outcome   string
	Detail    string
}

// Of begins an entry with who asks.
func Of(p principal.Principal, kind Kind) Entry {
	e := Entry{Kind: kind, Subject: p.Subject, Issuer: p.Issuer, TokenID: p.TokenID, Tenant: p.Tenant}
	if p.Acting != nil {
		e.Acting, e.Reason = p.Acting.Subject, p.Acting.Reason
	}
	return e
}
