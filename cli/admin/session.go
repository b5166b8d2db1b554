package admin

import (
	"context"

	"usher/cli/term"
)

// SessionCommands are those of `usher session`. Sessions of users are made by
// logging in, which is for browsers.
type SessionCommands struct {
	Act    sessionAct    `cmd:"" help:"Be one tenant for a while, as an administrator of all of them: a session that administers nothing." example:"usher session act acme --reason 'ticket 4711' --minutes 15"`
	List   sessionList   `cmd:"" help:"List sessions, without their secrets." example:"usher session list --tenant acme --living"`
	Revoke sessionRevoke `cmd:"" help:"End a session and what was minted in it, everywhere within a second." example:"usher session revoke 8f2kq0w1c5h7n3jd"`
}

type sessionAct struct {
	remote
	Tenant  string   `arg:"" help:"The tenant to be."`
	Reason  string   `required:"" help:"For the audit log." placeholder:"TEXT"`
	Minutes int      `default:"15" help:"How long, 60 at most (${default})."`
	Write   bool     `help:"It may change data; else it only reads."`
	Role    []string `sep:"none" help:"A role, if not the administrator's own; may be repeated."`
}

// Run makes the session.
func (c sessionAct) Run(ctx context.Context, s *term.IO) error {
	v := variables{"tenant": c.Tenant, "reason": c.Reason, "minutes": c.Minutes, "write": c.Write}
	definitions, arguments := "$tenant: String!, $reason: String!, $minutes: Int!, $write: Boolean!", "tenant: $tenant, reason: $reason, minutes: $minutes, write: $write"
	if len(c.Role) > 0 {
		v["roles"] = c.Role
		definitions, arguments = definitions+", $roles: [String!]!", arguments+", roles: $roles"
	}
	var got struct{ Issued issuedAnswer }
	if err := c.operate(ctx, s, mutation, definitions, "issued: actAs("+arguments+") "+issuedFields, v, &got); err != nil {
		return err
	}
	return c.issued(s, got.Issued)
}

type sessionList struct {
	remote
	paging
	Tenant  string `help:"Of one tenant."`
	Subject string `help:"Of one subject." placeholder:"WHO"`
	Living  bool   `help:"Only those that are neither revoked nor expired."`
}

// Run lists the sessions.
func (c sessionList) Run(ctx context.Context, s *term.IO) error {
	return tokenList{remote: c.remote, paging: c.paging, Tenant: c.Tenant, Subject: c.Subject, Living: c.Living, Sessions: true}.Run(ctx, s)
}

type sessionRevoke struct {
	remote
	ID         string `arg:"" help:"The session."`
	KeepMinted bool   `help:"Leave what was minted in it."`
}

// Run revokes the session.
func (c sessionRevoke) Run(ctx context.Context, s *term.IO) error {
	return tokenRevoke{remote: c.remote, ID: c.ID, KeepMinted: c.KeepMinted}.Run(ctx, s)
}
