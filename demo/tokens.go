package demo

import (
	"encoding/json"
	"fmt"
	"time"

	"usher/auth"
)

// TokenLife is how long the demo's tokens are accepted.
const TokenLife = 24 * time.Hour

// Token is a token to try, and what it stands for.
type Token struct {
	Name     string `json:"name"`
	Tenant   string `json:"tenant"` // empty: all tenants
	Strategy string `json:"strategy"`
	Token    string `json:"token"`
}

// TokenFile is what the demo's tokens.json holds.
type TokenFile struct {
	GraphQL string  `json:"graphql"`
	Tokens  []Token `json:"tokens"`
	Queries []Query `json:"queries"`
	// People are those who sign in with a password.
	People []Person `json:"people,omitempty"`
}

// Tokens signs a token for every tenant under every strategy, and first one
// for the chain itself, which may see all tenants.
func Tokens(d *Data, now time.Time) ([]Token, error) {
	var out []Token
	add := func(name, tenant, strategy string) error {
		claims := map[string]any{
			"iss": "usher-demo", "aud": "usher", "sub": "demo|" + tenant, "strategy": strategy,
			"iat": now.Unix(), "exp": now.Add(TokenLife).Unix(),
		}
		if tenant == "" {
			claims["sub"], claims["all_tenants"] = "demo|chain", true
		} else {
			claims["tenant"] = tenant
		}
		signed, err := auth.SignHS256(d.Secret, claims)
		out = append(out, Token{Name: fmt.Sprintf("%s (%s)", name, strategy), Tenant: tenant, Strategy: strategy, Token: signed})
		return err
	}
	if err := add("The chain, all tenants", "", "shared"); err != nil {
		return nil, err
	}
	for _, t := range d.Tenants {
		for _, strategy := range []string{"shared", "database", "api", "api_scoped"} {
			if err := add(t.Name, t.ID, strategy); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// WriteTokens writes a tokens.json: where usher answers, tokens, sample queries.
// The file holds secrets and is readable by its owner only.
func WriteTokens(path string, d *Data, graphqlURL string, now time.Time) error {
	tokens, err := Tokens(d, now)
	if err != nil {
		return fmt.Errorf("cannot sign the demo's tokens: %w", err)
	}
	text, err := json.MarshalIndent(TokenFile{GraphQL: graphqlURL, Tokens: tokens, Queries: Queries(d)}, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(path, append(text, '\n')); err != nil {
		return fmt.Errorf("cannot write the demo's tokens: %w", err)
	}
	return nil
}
