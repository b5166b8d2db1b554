package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"usher/cli/term"
	"usher/fault"
	"usher/tenancy"
)

// KeyCommands are those of `usher key`.
type KeyCommands struct {
	Create    keyCreate    `cmd:"" help:"Make a service key, for a backend." example:"usher key create backend --tenant acme --scope tokens:create --scope data:read --role viewer --expires-in 90d"`
	List      keyList      `cmd:"" help:"List service keys, without their text." example:"usher key list --tenant acme --living"`
	Revoke    keyRevoke    `cmd:"" help:"End a service key and what it has minted, everywhere within a second." example:"usher key revoke 8f2kq0w1c5h7n3jd"`
	Reseal    keyReseal    `cmd:"" help:"Encrypt the accounts in the control store with its key, if they are with one of its old keys." example:"usher key reseal -c usher.yml"`
	Bootstrap keyBootstrap `cmd:"" help:"Make the first administrator's key, in a control store that has no key and no user." example:"usher key bootstrap -c usher.yml"`
}

type keyCreate struct {
	remote
	Name              string        `arg:"" help:"Of the backend."`
	Tenant            string        `xor:"whose" required:"" help:"The tenant it is for."`
	AllTenants        bool          `xor:"whose" required:"" help:"For all tenants."`
	Scope             []string      `required:"" enum:"tokens:create,data:read,data:write,data:export,admin,explain" help:"tokens:create, data:read, data:write, data:export, admin or explain; may be repeated."`
	Role              []string      `sep:"none" help:"A role; may be repeated."`
	Dataset           []string      `sep:"none" help:"A dataset it reaches, if not all that the roles allow; may be repeated."`
	Dashboard         []string      `sep:"none" help:"A dashboard that it shows, and nothing else; may be repeated."`
	MayGrantStrategy  []string      `sep:"none" help:"A strategy it may put into tokens; may be repeated."`
	MayGrantAccount   []string      `sep:"none" help:"A source whose account it may replace in tokens; may be repeated." placeholder:"SOURCE"`
	MayGrantParameter []string      `sep:"none" help:"A parameter it may give in tokens; may be repeated." placeholder:"NAME"`
	MayGrantClear     []string      `sep:"none" help:"A parameter whose conditions it may clear in tokens; may be repeated." placeholder:"NAME"`
	MayGrantMetadata  []string      `sep:"none" help:"A member of metadata it may put into tokens; may be repeated." placeholder:"NAME"`
	ExpiresIn         time.Duration `help:"How long it lives, such as 90d; else until it is revoked." placeholder:"DURATION"`
	Rate              int           `help:"Requests a minute, of the key and of all that is made with it." placeholder:"COUNT"`
	minuteLimits
}

// Run makes the key.
func (c keyCreate) Run(ctx context.Context, s *term.IO) error {
	mayGrant := variables{}
	mayGrant.list("strategies", c.MayGrantStrategy)
	mayGrant.list("accounts", c.MayGrantAccount)
	mayGrant.list("parameters", c.MayGrantParameter)
	mayGrant.list("clear", c.MayGrantClear)
	mayGrant.list("metadata", c.MayGrantMetadata)
	input := variables{"name": c.Name, "allTenants": c.AllTenants, "scopes": scopeNames(c.Scope), "mayGrant": mayGrant}
	input.set("tenant", c.Tenant)
	input.list("roles", c.Role)
	input.list("datasets", c.Dataset)
	input.list("dashboards", c.Dashboard)
	if c.ExpiresIn != 0 {
		input["expiresAt"] = time.Now().Add(c.ExpiresIn).UTC().Format(time.RFC3339)
	}
	if c.Rate != 0 {
		input["rate"] = c.Rate
	}
	limits, err := c.minuteLimits.read()
	if err != nil {
		return err
	}
	if len(limits) > 0 {
		input["limits"] = limits
	}
	var got struct{ Issued issuedAnswer }
	if err := c.administer(ctx, s, mutation, "$input: NewServiceKey!", "issued: createServiceKey(input: $input) "+issuedFields,
		variables{"input": input}, &got); err != nil {
		return err
	}
	return c.issued(s, got.Issued)
}

type keyList struct {
	remote
	paging
	Tenant string `help:"Of one tenant."`
	Living bool   `help:"Only those that are neither revoked nor expired."`
}

type keyAnswer struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Tenant     *string  `json:"tenant"`
	Roles      []string `json:"roles"`
	Scopes     []string `json:"scopes"`
	Datasets   []string `json:"datasets"`
	MintedBy   string   `json:"mintedBy"`
	CreatedAt  string   `json:"createdAt"`
	ExpiresAt  *string  `json:"expiresAt"`
	LastUsedAt *string  `json:"lastUsedAt"`
	RevokedAt  *string  `json:"revokedAt"`
}

// Run lists the keys.
func (c keyList) Run(ctx context.Context, s *term.IO) error {
	v := c.variables()
	v.set("tenant", c.Tenant)
	v["living"] = c.Living
	var got struct {
		ServiceKeys struct {
			Items []keyAnswer `json:"items"`
			Next  *string     `json:"next"`
		}
	}
	if err := c.administer(ctx, s, query, "$tenant: String, $living: Boolean!, $after: String, $limit: Int!",
		`serviceKeys(tenant: $tenant, living: $living, after: $after, limit: $limit) {
			items { id name tenant roles scopes datasets mintedBy createdAt expiresAt lastUsedAt revokedAt } next }`, v, &got); err != nil {
		return err
	}
	defer more(s, got.ServiceKeys.Next)
	return c.show(s, got.ServiceKeys, func(w io.Writer) {
		row(w, "ID", "NAME", "TENANT", "SCOPES", "ROLES", "EXPIRES", "LAST USED", "REVOKED")
		for _, k := range got.ServiceKeys.Items {
			tenant := "(all)"
			if k.Tenant != nil {
				tenant = *k.Tenant
			}
			row(w, k.ID, k.Name, tenant, scopeTexts(k.Scopes), strings.Join(k.Roles, ","), dash(k.ExpiresAt), dash(k.LastUsedAt), dash(k.RevokedAt))
		}
	})
}

type keyRevoke struct {
	remote
	ID         string `arg:"" help:"The key."`
	KeepMinted bool   `help:"Leave the tokens that it has minted."`
}

// Run revokes the key.
func (c keyRevoke) Run(ctx context.Context, s *term.IO) error {
	return c.revoke(ctx, s, "service key "+c.ID, "$id: String!, $keep: Boolean!", "revokeServiceKey(id: $id, keepMinted: $keep)",
		variables{"id": c.ID, "keep": c.KeepMinted})
}

type keyBootstrap struct {
	Config string `short:"c" default:"usher.yml" env:"USHER_CONFIG" help:"The configuration file (${default})." placeholder:"FILE"`
	JSON   bool   `help:"Print JSON."`
	Name   string `arg:"" default:"admin" help:"Of whoever administers (${default})."`

	Recover bool `help:"The first key is lost: make another one, in a store that has keys and users already. Earlier first keys are revoked; what was made with them goes on."`
}

// Run opens the control store itself: nobody has a key, yet or any longer, to
// ask the server with.
func (c keyBootstrap) Run(ctx context.Context, s *term.IO) (err error) {
	store, err := openStore(ctx, s, c.Config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	var made tenancy.Issued
	ended := 0
	if c.Recover {
		made, ended, err = store.Recover(ctx, c.Name)
	} else {
		made, err = store.Bootstrap(ctx, c.Name)
	}
	if err != nil {
		f := fault.From(err)
		return fmt.Errorf("%s: %s", f.Message, strings.TrimSuffix(f.Hint, "."))
	}
	if ended > 0 {
		fmt.Fprintf(s.Stderr, "revoked, everywhere within a second: %d earlier first keys; what was made with them goes on\n", ended)
	}
	answer := issuedAnswer{ID: made.ID, Token: made.Token}
	return remote{JSON: c.JSON}.show(s, answer, answer.text)
}
