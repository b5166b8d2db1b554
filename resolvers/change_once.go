package resolvers

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"usher/answer"
	"usher/datasource/sqlexec"
	"usher/datasource/writing"
	"usher/fault"
	"usher/graph"
	"usher/principal"
	"usher/query"
)

// onceOf is under what a mutation with a key is found again: by its tenant and who sent it,
// if it asks the same, and with the same rights. What somebody with others was
// answered could show what these do not.
func onceOf(who principal.Principal, key, text string) (*writing.Once, error) {
	rights, err := rightsOf(who)
	if err != nil {
		return nil, fault.Broken("%w", err)
	}
	return &writing.Once{
		Tenant: who.Tenant, Subject: digest(who.Issuer, who.Subject), Key: key, Asked: digest(text, rights),
	}, nil
}

// digest is one of texts that nobody mistakes for others.
func digest(texts ...string) string {
	joined, _ := json.Marshal(texts) // of texts there is always JSON
	sum := sha256.Sum256(joined)
	return hex.EncodeToString(sum[:])
}

// rightsOf is all that decides on what a principal sees and writes, but for the
// configuration. Passwords and headers are none of it.
func rightsOf(who principal.Principal) (string, error) {
	accounts := make(map[string][]any)
	for _, of := range []map[string]principal.Account{who.Routing.Accounts, who.Grant.Accounts} {
		for source, a := range of {
			accounts[source] = append(accounts[source], a.Host, a.Port, a.Database, a.Schema, a.User, a.BaseURL)
		}
	}
	g := who.Grant
	var filters []any
	for _, f := range g.Filters {
		filters = append(filters, []any{f.Dataset, valueKey(f.Where), valueKey(f.Having)})
	}
	said := []any{
		who.TenantKey, who.AllTenants, who.Roles, who.RoleSpecs, who.Scopes, who.Acting, who.Routing.Strategy, who.Routing.Strategies, who.Routing.Cell, accounts,
		g.Strategy, g.Strategies, filters, valueKeys(g.Parameters), g.Cleared, valueKeys(g.Metadata), g.Datasets, g.SavedOnly, g.Dashboards, g.Timezone,
	}
	if len(who.Routing.Bindings) > 0 { // else it reads as before there were any
		said = append(said, who.Routing.Bindings)
	}
	text, err := json.Marshal(said)
	return string(text), err
}

func valueKey(v query.Value) []byte {
	if v == nil {
		return nil
	}
	return query.AppendKey(nil, v)
}

func valueKeys(of map[string]query.Value) map[string][]byte {
	out := make(map[string][]byte, len(of))
	for name, v := range of {
		out[name] = valueKey(v)
	}
	return out
}

// keptOutcome is what is kept of the answer of one change.
type keptOutcome struct {
	Answer    json.RawMessage `json:"answer"` // as it was sent: numbers keep their digits
	Rows      int             `json:"rows"`
	Errors    []keptError     `json:"errors,omitempty"`
	Truncated []ast.Path      `json:"truncated,omitempty"`
}

type keptError struct {
	Code    fault.Code `json:"code"`
	Message string     `json:"message"`
	Hint    string     `json:"hint,omitempty"`
	Path    ast.Path   `json:"path"`
}

// keep writes the answers before COMMIT, as they are sent and as they are kept. What
// cannot be answered is not done.
func (m *mutation) keep(ctx context.Context, changed []sqlexec.Changed) ([]byte, error) {
	for i := range m.outcomes { // of a transaction that was undone
		m.outcomes[i].Release()
	}
	m.outcomes = m.answer(ctx, changed)
	all := make([]keptOutcome, len(m.outcomes))
	for i := range m.outcomes {
		o := &m.outcomes[i]
		if o.Err != nil {
			return nil, o.Err
		}
		all[i] = keptOutcome{Answer: o.JSON(), Rows: o.Rows, Truncated: o.Truncated}
		for _, e := range o.Errors {
			f := fault.From(e)
			all[i].Errors = append(all[i].Errors, keptError{Code: f.Code, Message: f.Message, Hint: f.Hint, Path: e.Path})
		}
	}
	var text bytes.Buffer
	to := json.NewEncoder(&text)
	to.SetEscapeHTML(false) // what is answered again is the same to the byte
	if err := to.Encode(all); err != nil {
		return nil, fault.Broken("%w", err)
	}
	return text.Bytes(), nil
}

// outcomesOf are those of a mutation that was made before.
func outcomesOf(text []byte, n int) []graph.Outcome {
	var all []keptOutcome
	if err := json.Unmarshal(text, &all); err != nil || len(all) != n {
		return failed(n, fault.New(fault.Internal, "what was kept of the mutation cannot be read").Because(err))
	}
	out := make([]graph.Outcome, n)
	for i, k := range all {
		out[i].Answer, out[i].Rows = answer.Of(k.Answer), k.Rows
		out[i].Truncated = k.Truncated
		for _, e := range k.Errors {
			out[i].Errors = append(out[i].Errors, &gqlerror.Error{Err: fault.New(e.Code, "%s", e.Message).WithHint("%s", e.Hint), Path: e.Path})
		}
	}
	return out
}
