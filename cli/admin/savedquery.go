package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"usher/cli/term"
)

// SavedQueryCommands are those of `usher saved-query`.
type SavedQueryCommands struct {
	Create savedCreate `cmd:"" help:"Keep a query under a name, as the tenant's own." example:"usher saved-query create sales --file sales.graphql --variables '{\"year\": 2026}'"`
	List   savedList   `cmd:"" help:"List the saved queries that the key sees." example:"usher saved-query list"`
	Show   savedShow   `cmd:"" help:"Show one saved query." example:"usher saved-query show sales"`
	Update savedUpdate `cmd:"" help:"Change a saved query; whose it is stays." example:"usher saved-query update sales --file sales.graphql"`
	Copy   savedCopy   `cmd:"" help:"Make a saved query of the tenant's own of one that the key sees." example:"usher saved-query copy sales --as our_sales"`
	Delete savedDelete `cmd:"" help:"Delete a saved query." example:"usher saved-query delete sales"`
}

type savedAnswer struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Owner       *string         `json:"owner"`
	Description *string         `json:"description"`
	Document    *string         `json:"document"`
	Variables   json.RawMessage `json:"variables"`
	View        json.RawMessage `json:"view"`
	Shared      bool            `json:"shared"`
	CreatedAt   string          `json:"createdAt"`
	ChangedAt   string          `json:"changedAt"`
}

const savedFields = `{ id name owner description document variables view shared createdAt changedAt }`

func (a savedAnswer) text(w io.Writer) {
	row(w, "id", a.ID)
	row(w, "name", a.Name)
	row(w, "owner", a.whose())
	row(w, "description", dash(a.Description))
	row(w, "shared", strconv.FormatBool(a.Shared))
	row(w, "created", a.CreatedAt)
	row(w, "changed", a.ChangedAt)
	row(w, "variables", given(a.Variables))
	fmt.Fprintf(w, "\n%s\n", cmp.Or(dash(a.Document), "-"))
}

func (a savedAnswer) whose() string {
	if a.Owner == nil {
		return "(tenant)"
	}
	return *a.Owner
}

// given is JSON that is not null, or nothing.
func given(text json.RawMessage) string {
	if string(text) == "null" {
		return ""
	}
	return string(text)
}

// find asks for the query by its name or else by its id: a name of one may be
// another's id, and whoever typed it meant the name.
func (r remote) findSaved(ctx context.Context, s *term.IO, named string) (*savedAnswer, error) {
	for _, by := range []string{"name", "id"} {
		var got struct{ SavedQuery *savedAnswer }
		if err := r.operate(ctx, s, query, "$by: String!", "savedQuery("+by+": $by) "+savedFields, variables{"by": named}, &got); err != nil {
			return nil, err
		}
		if got.SavedQuery != nil {
			return got.SavedQuery, nil
		}
	}
	return nil, fmt.Errorf("there is no saved query %s that the key sees", named)
}

type savedCreate struct {
	remote
	Name        string `arg:"" help:"Of the query."`
	File        string `required:"" help:"File with the text of the operation." placeholder:"FILE"`
	Variables   string `help:"Values of its variables to keep, as JSON." placeholder:"JSON"`
	Description string `help:"For people."`
	Own         bool   `help:"The key's own, not the tenant's."`
	Shared      bool   `help:"A query of one's own is seen by the whole tenant; one of who administers all tenants by all of them."`
}

// Run keeps the query.
func (c savedCreate) Run(ctx context.Context, s *term.IO) error {
	input := variables{"name": c.Name, "ofTenant": !c.Own, "shared": c.Shared}
	input.set("description", c.Description)
	if err := readSaved(c.File, c.Variables, input); err != nil {
		return err
	}
	return c.savedAs(ctx, s, "$input: SavedQueryInput!", "createSavedQuery(input: $input)", variables{"input": input})
}

// readSaved puts the document and its variables into an input.
func readSaved(file, values string, input variables) error {
	if file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("cannot read the query: %w", err)
		}
		input["document"] = string(text)
	}
	if values != "" {
		v, err := jsonText(values)
		if err != nil {
			return errors.New("--variables holds no JSON; quote it for the shell")
		}
		input["variables"] = v
	}
	return nil
}

func (r remote) savedAs(ctx context.Context, s *term.IO, definitions, change string, v variables) error {
	var got struct{ Saved savedAnswer }
	if err := r.operate(ctx, s, mutation, definitions, "saved: "+change+" "+savedFields, v, &got); err != nil {
		return err
	}
	return r.show(s, got.Saved, got.Saved.text)
}

type savedList struct {
	remote
	paging
}

// Run lists the queries.
func (c savedList) Run(ctx context.Context, s *term.IO) error {
	var got struct {
		SavedQueries struct {
			Items []savedAnswer `json:"items"`
			Next  *string       `json:"next"`
		}
	}
	if err := c.operate(ctx, s, query, "$after: String, $limit: Int!", "savedQueries(after: $after, limit: $limit) { items "+savedFields+" next }",
		c.variables(), &got); err != nil {
		return err
	}
	defer more(s, got.SavedQueries.Next)
	return c.show(s, got.SavedQueries, func(w io.Writer) {
		row(w, "ID", "NAME", "OWNER", "SHARED", "CHANGED", "DESCRIPTION")
		for _, a := range got.SavedQueries.Items {
			row(w, a.ID, a.Name, a.whose(), strconv.FormatBool(a.Shared), a.ChangedAt, dash(a.Description))
		}
	})
}

type savedShow struct {
	remote
	Query string `arg:"" help:"Name or id."`
}

// Run shows the query.
func (c savedShow) Run(ctx context.Context, s *term.IO) error {
	a, err := c.findSaved(ctx, s, c.Query)
	if err != nil {
		return err
	}
	return c.show(s, a, a.text)
}

type savedUpdate struct {
	remote
	Query       string `arg:"" help:"Name or id."`
	Name        string `help:"Its name from now on."`
	File        string `help:"File with the text of the operation from now on." placeholder:"FILE"`
	Variables   string `help:"Values of its variables from now on, as JSON." placeholder:"JSON"`
	Description string `help:"For people."`
	Shared      *bool  `negatable:"" help:"Whether a query of one's own is seen by the whole tenant."`
}

// Run changes what is said, and leaves the rest as it is.
func (c savedUpdate) Run(ctx context.Context, s *term.IO) error {
	if c.Name == "" && c.File == "" && c.Variables == "" && c.Description == "" && c.Shared == nil {
		return errors.New("say what to change: --name, --file, --variables, --description, --shared or --no-shared")
	}
	a, err := c.findSaved(ctx, s, c.Query)
	if err != nil {
		return err
	}
	input := variables{"name": cmp.Or(c.Name, a.Name), "shared": a.Shared}
	if c.Shared != nil {
		input["shared"] = *c.Shared
	}
	input.set("description", cmp.Or(c.Description, dash(a.Description)))
	input.set("document", dash(a.Document))
	if given(a.Variables) != "" {
		input["variables"] = a.Variables
	}
	if given(a.View) != "" {
		input["view"] = a.View
	}
	if err := readSaved(c.File, c.Variables, input); err != nil {
		return err
	}
	if input["document"] == nil {
		return errors.New("the key does not see the text that the query has, so it cannot leave it as it is: give it with --file")
	}
	return c.savedAs(ctx, s, "$id: String!, $input: SavedQueryInput!", "updateSavedQuery(id: $id, input: $input)", variables{"id": a.ID, "input": input})
}

type savedCopy struct {
	remote
	Query string `arg:"" help:"Name or id."`
	As    string `help:"Name of the copy. Left out: the same, by which it hides one that is shared with all tenants."`
	Own   bool   `help:"The key's own, not the tenant's."`
}

// Run makes the copy.
func (c savedCopy) Run(ctx context.Context, s *term.IO) error {
	a, err := c.findSaved(ctx, s, c.Query)
	if err != nil {
		return err
	}
	return c.savedAs(ctx, s, "$id: String!, $as: String!, $ofTenant: Boolean!", "copySavedQuery(id: $id, as: $as, ofTenant: $ofTenant)",
		variables{"id": a.ID, "as": cmp.Or(c.As, a.Name), "ofTenant": !c.Own})
}

type savedDelete struct {
	remote
	Query string `arg:"" help:"Name or id."`
}

// Run deletes the query.
func (c savedDelete) Run(ctx context.Context, s *term.IO) error {
	a, err := c.findSaved(ctx, s, c.Query)
	if err != nil {
		return err
	}
	var got deletedAnswer
	if err := c.operate(ctx, s, mutation, "$id: String!", "deleted: deleteSavedQuery(id: $id)", variables{"id": a.ID}, &got); err != nil {
		return err
	}
	return c.deleted(s, a.Name, got)
}
