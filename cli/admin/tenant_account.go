package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"usher/cli/term"
)

type tenantAccount struct {
	remote
	ID   string `arg:"" help:"The tenant."`
	File string `arg:"" help:"File with the account, as JSON: {\"source\": \"silo\", \"user\": …, \"password\": …}."`
}

// Run replaces the account. Credentials are no arguments, which others could see.
func (c tenantAccount) Run(ctx context.Context, s *term.IO) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("cannot read the account: %w", err)
	}
	var account map[string]any
	if err := json.Unmarshal(text, &account); err != nil || account == nil {
		return fmt.Errorf("%s does not hold an account, as a JSON object", c.File)
	}
	return c.changed(ctx, s, "$id: String!, $account: AccountInput!", "setTenantAccount(id: $id, account: $account)", variables{"id": c.ID, "account": account})
}

type tenantNoAccount struct {
	remote
	ID     string `arg:"" help:"The tenant."`
	Source string `arg:"" help:"The source whose own account it is to have from now on."`
}

// Run removes the account.
func (c tenantNoAccount) Run(ctx context.Context, s *term.IO) error {
	return c.changed(ctx, s, "$id: String!, $source: String!", "removeTenantAccount(id: $id, source: $source)", variables{"id": c.ID, "source": c.Source})
}
