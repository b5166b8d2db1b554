package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"usher/cli/term"
)

// TokenCommands are those of `usher token`.
type TokenCommands struct {
	Create tokenCreate `cmd:"" help:"Make an embed token, for a browser." example:"usher token create --tenant acme --subject ann --role viewer --filter 'orders={\"region\": {\"eq\": \"EU\"}}' --expires-in 7d"`
	Narrow tokenNarrow `cmd:"" help:"Make a token that grants less than the one in USHER_KEY, and ends with it." example:"usher token narrow --dataset orders --expires-in 10m"`
	List   tokenList   `cmd:"" help:"List tokens or sessions, without their secrets and values." example:"usher token list --tenant acme --living"`
	Revoke tokenRevoke `cmd:"" help:"End tokens, everywhere within a second." example:"usher token revoke --tenant acme --subject ann"`
}

type tokenCreate struct {
	remote
	lifetime
	Subject         string   `required:"" help:"Who uses it, within the tenant." placeholder:"WHO"`
	Tenant          string   `help:"Whose data it shows; else that of the key."`
	Name            string   `help:"Shown, and told to plugins that ask for it."`
	Email           string   `help:"Likewise."`
	Role            []string `sep:"none" help:"A role; may be repeated."`
	Strategy        string   `help:"By which data is reached, if not by the tenant's."`
	DatasetStrategy []string `sep:"none" help:"A dataset that is reached in another way; may be repeated." placeholder:"DATASET=STRATEGY"`
	Dataset         []string `sep:"none" help:"A dataset it reaches, if not all that the roles allow; may be repeated."`
	Filter          []string `sep:"none" help:"Restricts a dataset's rows: 'orders={\"region\": {\"eq\": \"EU\"}}'; may be repeated." placeholder:"DATASET=WHERE"`
	Having          []string `sep:"none" help:"Restricts a dataset to groups: 'orders={\"count\": {\"gte\": 5}}'; may be repeated." placeholder:"DATASET=HAVING"`
	Clear           []string `sep:"none" help:"A parameter whose conditions shall not apply; may be repeated." placeholder:"NAME"`
	Parameter       []string `sep:"none" help:"A parameter's value in JSON: 'distributor=[\"acme\"]'; may be repeated." placeholder:"NAME=JSON"`
	Metadata        []string `sep:"none" help:"Metadata for sources that name it, as text; may be repeated." placeholder:"NAME=TEXT"`
	JSON            []string `name:"metadata-json" sep:"none" help:"Metadata in JSON: 'client_id=1234'; may be repeated." placeholder:"NAME=JSON"`
	Accounts        string   `help:"File with accounts to use, as JSON: [{\"source\": \"silo\", \"user\": …, \"password\": …}]." placeholder:"FILE"`
	SavedOnly       bool     `help:"Only the tenant's saved queries."`
	Dashboard       []string `sep:"none" help:"A dashboard that it shows, and nothing else; may be repeated."`
	Write           bool     `help:"It may change datasets, as far as its roles may; the key needs data:write."`
	Timezone        string   `help:"An IANA name."`
}

// Run makes the token.
func (c tokenCreate) Run(ctx context.Context, s *term.IO) error {
	input := variables{"subject": c.Subject, "savedOnly": c.SavedOnly, "write": c.Write}
	input.list("cleared", c.Clear)
	for name, text := range map[string]string{"tenant": c.Tenant, "name": c.Name, "email": c.Email, "strategy": c.Strategy, "timezone": c.Timezone} {
		input.set(name, text)
	}
	input.list("roles", c.Role)
	input.list("datasets", c.Dataset)
	input.list("dashboards", c.Dashboard)
	if err := errors.Join(
		readStrategies(c.DatasetStrategy, input),
		readFilters(c.Filter, c.Having, input),
		readParameters(c.Parameter, input),
		readMetadata(c.Metadata, c.JSON, input),
		readAccounts(c.Accounts, input),
		c.lifetime.read(input),
	); err != nil {
		return err
	}
	return c.issue(ctx, s, `mutation($input: NewToken!) { issued: createToken(input: $input) `+issuedFields+` }`, input)
}

// issue asks for a token or a key and prints it, this once.
func (r remote) issue(ctx context.Context, s *term.IO, mutation string, input variables) error {
	var got struct{ Issued issuedAnswer }
	if err := r.ask(ctx, s, mutation, variables{"input": input}, &got); err != nil {
		return err
	}
	return r.issued(s, got.Issued)
}

// lifetime says how long a token lives and how much it is used.
type lifetime struct {
	ExpiresIn  time.Duration `help:"How long it lives, such as 8h; a day if not said." placeholder:"DURATION"`
	Inactivity time.Duration `help:"Unused for so long it ends; 2m at least." placeholder:"DURATION"`
	Rate       int           `help:"Requests a minute." placeholder:"COUNT"`
	minuteLimits
}

func (l lifetime) read(input variables) error {
	if l.ExpiresIn < 0 {
		return errors.New("--expires-in is negative")
	}
	if l.ExpiresIn > 0 {
		input["expiresAt"] = time.Now().Add(l.ExpiresIn).UTC().Format(time.RFC3339)
	}
	if l.Inactivity%time.Second != 0 {
		return errors.New("--inactivity is in whole seconds")
	}
	if l.Inactivity != 0 {
		input["inactivitySeconds"] = int(l.Inactivity / time.Second)
	}
	if l.Rate != 0 {
		input["rate"] = l.Rate
	}
	limits, err := l.minuteLimits.read()
	if len(limits) > 0 {
		input["limits"] = limits
	}
	return err
}

// jsonText is a value in JSON, with the digits of its numbers.
func jsonText(text string) (json.RawMessage, error) {
	var out bytes.Buffer
	err := json.Compact(&out, []byte(text))
	return out.Bytes(), err
}

// pairs reads a list of name=value.
func pairs(flag string, list []string, each func(name, text string) error) error {
	for _, pair := range list {
		name, text, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return fmt.Errorf("--%s %q has not the form name=value", flag, pair)
		}
		if err := each(name, text); err != nil {
			return fmt.Errorf("--%s %s=… holds no JSON; quote it for the shell", flag, name)
		}
	}
	return nil
}

func readFilters(where, having []string, input variables) error {
	var filters []any
	read := func(flag, member string, list []string) error {
		return pairs(flag, list, func(dataset, text string) error {
			condition, err := jsonText(text)
			filters = append(filters, variables{"dataset": dataset, member: condition})
			return err
		})
	}
	err := errors.Join(read("filter", "where", where), read("having", "having", having))
	if len(filters) > 0 {
		input["filters"] = filters
	}
	return err
}

func readParameters(list []string, input variables) error {
	var parameters []any
	err := pairs("parameter", list, func(name, text string) error {
		v, err := jsonText(text)
		parameters = append(parameters, variables{"name": name, "value": v})
		return err
	})
	if len(parameters) > 0 {
		input["parameters"] = parameters
	}
	return err
}

func readMetadata(texts, values []string, input variables) error {
	var metadata []any
	err := errors.Join(pairs("metadata", texts, func(name, text string) error {
		metadata = append(metadata, variables{"name": name, "value": text})
		return nil
	}), pairs("metadata-json", values, func(name, text string) error {
		v, err := jsonText(text)
		metadata = append(metadata, variables{"name": name, "value": v})
		return err
	}))
	if len(metadata) > 0 {
		input["metadata"] = metadata
	}
	return err
}

type tokenNarrow struct {
	remote
	lifetime
	Name      string   `help:"Shown only."`
	Role      []string `sep:"none" help:"A role it keeps, if not all; may be repeated."`
	Dataset   []string `sep:"none" help:"A dataset it keeps, if not all; may be repeated."`
	Filter    []string `sep:"none" help:"Restricts a dataset's rows further; may be repeated." placeholder:"DATASET=WHERE"`
	Having    []string `sep:"none" help:"Restricts a dataset to groups, further; may be repeated." placeholder:"DATASET=HAVING"`
	SavedOnly bool     `help:"Only the tenant's saved queries."`
	Dashboard []string `sep:"none" help:"A dashboard that it shows, and nothing else; may be repeated."`
	Write     bool     `help:"It may change datasets, as far as its roles may; the token needs data:write."`
}

// Run makes the token.
func (c tokenNarrow) Run(ctx context.Context, s *term.IO) error {
	input := variables{"savedOnly": c.SavedOnly, "write": c.Write}
	input.set("name", c.Name)
	input.list("roles", c.Role)
	input.list("datasets", c.Dataset)
	input.list("dashboards", c.Dashboard)
	if err := errors.Join(readFilters(c.Filter, c.Having, input), c.lifetime.read(input)); err != nil {
		return err
	}
	return c.issue(ctx, s, `mutation($input: TokenNarrowing!) { issued: narrowToken(input: $input) `+issuedFields+` }`, input)
}

type tokenList struct {
	remote
	paging
	Tenant   string `help:"Of one tenant."`
	Subject  string `help:"Of one subject." placeholder:"WHO"`
	Living   bool   `help:"Only those that are neither revoked nor expired."`
	Sessions bool   `help:"Sessions of users, instead of embed tokens."`
}

type tokenAnswer struct {
	ID         string          `json:"id"`
	Tenant     *string         `json:"tenant"`
	Subject    string          `json:"subject"`
	Name       *string         `json:"name"`
	Roles      []string        `json:"roles"`
	Strategy   *string         `json:"strategy"`
	Datasets   []string        `json:"datasets"`
	Dashboards []string        `json:"dashboards"`
	Filtered   []string        `json:"filtered"`
	Parameters []string        `json:"parameters"`
	Metadata   []string        `json:"metadata"`
	Accounts   []accountAnswer `json:"accounts"`
	SavedOnly  bool            `json:"savedOnly"`
	Limits     limitsAnswer    `json:"limits"`
	MintedBy   string          `json:"mintedBy"`
	CreatedAt  string          `json:"createdAt"`
	ExpiresAt  *string         `json:"expiresAt"`
	LastUsedAt *string         `json:"lastUsedAt"`
	RevokedAt  *string         `json:"revokedAt"`
}

// Run lists the tokens.
func (c tokenList) Run(ctx context.Context, s *term.IO) error {
	v := c.variables()
	v.set("tenant", c.Tenant)
	v.set("subject", c.Subject)
	v["living"], v["kind"] = c.Living, "EMBED"
	if c.Sessions {
		v["kind"] = "SESSION"
	}
	var got struct {
		Tokens struct {
			Items []tokenAnswer `json:"items"`
			Next  *string       `json:"next"`
		}
	}
	if err := c.administer(ctx, s, query, "$kind: TokenKind!, $tenant: String, $subject: String, $living: Boolean!, $after: String, $limit: Int!", `tokens(kind: $kind, tenant: $tenant, subject: $subject, living: $living, after: $after, limit: $limit) {
			items { id tenant subject name roles strategy datasets filtered parameters metadata accounts { source set } savedOnly limits { requests databaseMilliseconds rows bytes } dashboards mintedBy createdAt expiresAt lastUsedAt revokedAt }
			next }`, v, &got); err != nil {
		return err
	}
	defer more(s, got.Tokens.Next)
	return c.show(s, got.Tokens, func(w io.Writer) {
		row(w, "ID", "TENANT", "SUBJECT", "ROLES", "FILTERED", "A MINUTE", "MINTED BY", "EXPIRES", "REVOKED")
		for _, t := range got.Tokens.Items {
			row(w, t.ID, dash(t.Tenant), t.Subject, strings.Join(t.Roles, ","), strings.Join(slices.Sorted(slices.Values(t.Filtered)), ","), cmp.Or(strings.Join(t.Limits.texts(), ", "), "-"), t.MintedBy,
				dash(t.ExpiresAt), dash(t.RevokedAt))
		}
	})
}

type tokenRevoke struct {
	remote
	ID         string    `arg:"" optional:"" help:"One token or session."`
	Subject    string    `help:"All of a subject." placeholder:"WHO"`
	Tenant     string    `help:"All of a tenant."`
	Issuer     string    `help:"All of an issuer of the configuration; usher's own tokens: usher."`
	Before     time.Time `help:"All issued before a time, such as 2026-01-31T00:00:00Z." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	KeepMinted bool      `help:"Leave what was minted with them."`
}

// Run revokes what all that is said fits.
func (c tokenRevoke) Run(ctx context.Context, s *term.IO) error {
	by := variables{}
	for name, text := range map[string]string{"token": c.ID, "subject": c.Subject, "tenant": c.Tenant, "issuer": c.Issuer} {
		by.set(name, text)
	}
	if !c.Before.IsZero() {
		by["issuedBefore"] = c.Before.UTC().Format(time.RFC3339)
	}
	if len(by) == 0 {
		return errors.New("say which tokens: an id, --subject, --tenant, --issuer or --before")
	}
	what := ""
	if c.ID != "" && (c.Issuer == "" || c.Issuer == ownIssuer) {
		what = "token or session " + c.ID
	}
	by["keepMinted"] = c.KeepMinted
	return c.revoke(ctx, s, what, "$by: Revocation!", "revokeTokens(by: $by)", variables{"by": by})
}

// ownIssuer is what usher calls itself where an issuer is named.
const ownIssuer = "usher"

// revoke asks for a revocation. What it names by an id, if it does, is of
// usher's own: when nothing has ended, the id was wrong, and whoever asks must
// not believe that it was right.
func (r remote) revoke(ctx context.Context, s *term.IO, what, definitions, field string, v variables) error {
	var got struct {
		Revoked int `json:"revoked"`
	}
	if err := r.administer(ctx, s, mutation, definitions, "revoked: "+field, v, &got); err != nil {
		return err
	}
	if got.Revoked == 0 && what != "" {
		return fmt.Errorf("nothing was revoked: there is no living %s; the lists show the ids, with --living those that can still be used", what)
	}
	return r.show(s, got, func(w io.Writer) { fmt.Fprintf(w, "revoked: %d of usher's own\n", got.Revoked) })
}
