package admin

import (
	"context"
	"fmt"
	"io"
	"strings"

	"usher/cli/term"
)

type bindingAnswer struct {
	Dataset string `json:"dataset"`
	Binding string `json:"binding"`
}

// readBindings reads DATASET=BINDING.
func readBindings(list []string, input variables) error {
	var out []map[string]any
	for _, text := range list {
		dataset, binding, ok := strings.Cut(text, "=")
		if !ok || dataset == "" || binding == "" {
			return fmt.Errorf("%q is not of the form DATASET=BINDING", text)
		}
		out = append(out, map[string]any{"dataset": dataset, "binding": binding})
	}
	if out != nil {
		input["bindings"] = out
	}
	return nil
}

func textBindings(w io.Writer, bindings []bindingAnswer) {
	for _, b := range bindings {
		row(w, "binding of "+b.Dataset, b.Binding)
	}
}

type tenantBindings struct {
	remote
	ID       string   `arg:"" help:"The tenant."`
	Bindings []string `arg:"" optional:"" name:"binding" help:"DATASET=BINDING: a dataset, and the binding of the configuration by which it is read from now on." sep:"none"`
	None     bool     `help:"None, from now on."`
}

// Run replaces the tenant's bindings.
func (c tenantBindings) Run(ctx context.Context, s *term.IO) error {
	list, err := allOrNone(c.Bindings, c.None)
	if err != nil {
		return err
	}
	v := variables{"id": c.ID, "bindings": []string{}}
	if err := readBindings(list, v); err != nil {
		return err
	}
	return c.changed(ctx, s, "$id: String!, $bindings: [DatasetBindingInput!]!", "setTenantBindings(id: $id, bindings: $bindings)", v)
}
