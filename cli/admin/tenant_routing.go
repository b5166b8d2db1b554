package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"usher/cli/term"
)

type strategyAnswer struct {
	Dataset  string `json:"dataset"`
	Strategy string `json:"strategy"`
}

// readStrategies reads DATASET=STRATEGY.
func readStrategies(list []string, input variables) error {
	var out []map[string]any
	for _, text := range list {
		dataset, strategy, ok := strings.Cut(text, "=")
		if !ok || dataset == "" || strategy == "" {
			return fmt.Errorf("%q is not of the form DATASET=STRATEGY", text)
		}
		out = append(out, map[string]any{"dataset": dataset, "strategy": strategy})
	}
	if out != nil {
		input["strategies"] = out
	}
	return nil
}

// textRouting are the rows of how a tenant's data is reached.
func (t tenantAnswer) textRouting(w io.Writer) {
	for _, s := range t.Strategies {
		row(w, "strategy of "+s.Dataset, s.Strategy)
	}
	textBindings(w, t.Bindings)
	if len(t.ExternalIDs) > 0 {
		row(w, "external ids", strings.Join(t.ExternalIDs, ", "))
	}
	if !slices.Equal(t.AllowHosts, []string{"*"}) {
		row(w, "allowed hosts", strings.Join(t.AllowHosts, ", "))
	}
}

type tenantStrategy struct {
	remote
	ID              string   `arg:"" help:"The tenant."`
	Strategy        string   `help:"By which its data is reached from now on, if not by the configuration's default."`
	DatasetStrategy []string `sep:"none" help:"A dataset that is reached in another way; may be repeated." placeholder:"DATASET=STRATEGY"`
}

// Run replaces the tenant's strategies.
func (c tenantStrategy) Run(ctx context.Context, s *term.IO) error {
	v := variables{"id": c.ID, "strategies": []string{}}
	if err := readStrategies(c.DatasetStrategy, v); err != nil {
		return err
	}
	declared, given := "", ""
	if c.Strategy != "" { // left out it is the default, and a null is refused
		v["strategy"], declared, given = c.Strategy, ", $strategy: String!", ", strategy: $strategy"
	}
	return c.changed(ctx, s, "$id: String!, $strategies: [DatasetStrategyInput!]!"+declared, "setTenantStrategy(id: $id, strategies: $strategies"+given+")", v)
}

type tenantExternalIDs struct {
	remote
	ID   string   `arg:"" help:"The tenant."`
	IDs  []string `arg:"" optional:"" name:"external" help:"What identity providers call it from now on."`
	None bool     `help:"Nothing, from now on."`
}

// Run replaces what identity providers call the tenant.
func (c tenantExternalIDs) Run(ctx context.Context, s *term.IO) error {
	list, err := allOrNone(c.IDs, c.None)
	if err != nil {
		return err
	}
	return c.changed(ctx, s, "$id: String!, $list: [String!]!", "setTenantExternalIds(id: $id, externalIds: $list)",
		variables{"id": c.ID, "list": list})
}

type tenantAllowHosts struct {
	remote
	ID    string   `arg:"" help:"The tenant."`
	Hosts []string `arg:"" optional:"" help:"Hosts and base URLs where its accounts may lead, of what the sources allow; '*' is all of that."`
	None  bool     `help:"Nowhere, from now on: accounts that name a host or a base URL are refused. Those that name a database, a login or a key alone are served, since they lead where the source says; to stop a tenant, suspend it."`
}

// Run replaces where the tenant's accounts may lead.
func (c tenantAllowHosts) Run(ctx context.Context, s *term.IO) error {
	list, err := allOrNone(c.Hosts, c.None)
	if err != nil {
		return err
	}
	return c.changed(ctx, s, "$id: String!, $list: [String!]!", "setTenantAllowHosts(id: $id, allowHosts: $list)",
		variables{"id": c.ID, "list": list})
}

// allOrNone refuses a list that is empty without being meant so, as a variable of a
// shell is that was forgotten.
func allOrNone(list []string, none bool) ([]string, error) {
	switch {
	case none && len(list) > 0:
		return nil, errors.New("--none and a list exclude each other")
	case none:
		return []string{}, nil
	case len(list) == 0:
		return nil, errors.New("the list is empty; if that is meant, say --none")
	}
	return list, nil
}

type tenantTest struct {
	remote
	ID string `arg:"" optional:"" help:"The tenant; else that of the key."`
}

type accountTestAnswer struct {
	Source   string   `json:"source"`
	Datasets []string `json:"datasets"`
	OK       bool     `json:"ok"`
	Problems []struct {
		Kind    string  `json:"kind"`
		Dataset *string `json:"dataset"`
		Column  *string `json:"column"`
		Message string  `json:"message"`
	} `json:"problems"`
}

// errAccounts ends a test whose problems are printed already.
var errAccounts = errors.New("the tenant's accounts have problems")

// Run tries the tenant's accounts and prints what is wrong with them.
func (c tenantTest) Run(ctx context.Context, s *term.IO) error {
	declared, given, v := "", "", variables{}
	if c.ID != "" {
		v["tenant"], declared, given = c.ID, "$tenant: String!", "(tenant: $tenant)"
	}
	var got struct{ Tests []accountTestAnswer }
	fields := "tests: testAccount" + given + " { source datasets ok problems { kind dataset column message } }"
	if err := c.administer(ctx, s, mutation, declared, fields, v, &got); err != nil {
		return err
	}
	err := c.show(s, got.Tests, func(w io.Writer) {
		row(w, "SOURCE", "DATASET", "COLUMN", "STATE", "")
		for _, t := range got.Tests {
			if t.OK {
				row(w, t.Source, strings.Join(t.Datasets, ", "), "", "ok", "")
			}
			for _, p := range t.Problems {
				row(w, t.Source, dash(p.Dataset), dash(p.Column), strings.ToLower(strings.ReplaceAll(p.Kind, "_", " ")), p.Message)
			}
		}
	})
	if err == nil && slices.ContainsFunc(got.Tests, func(t accountTestAnswer) bool { return !t.OK }) {
		return errAccounts
	}
	return err
}
