package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"usher/cli/term"
)

// DashboardCommands are those of `usher dashboard`.
type DashboardCommands struct {
	List   dashboardList   `cmd:"" help:"List the dashboards that the key sees." example:"usher dashboard list"`
	Show   dashboardShow   `cmd:"" help:"Show one dashboard." example:"usher dashboard show sales"`
	Save   dashboardSave   `cmd:"" help:"Keep a dashboard, as the tenant's own or of all tenants." example:"usher dashboard save sales --file clerk.yml --from-version 3"`
	Copy   dashboardCopy   `cmd:"" help:"Make a dashboard of one's own of one that the key sees." example:"usher dashboard copy sales"`
	Delete dashboardDelete `cmd:"" help:"Delete a dashboard; one that is shared under its name is seen again." example:"usher dashboard delete sales --from-version 3"`
}

type dashboardAnswer struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description *string         `json:"description"`
	Shared      bool            `json:"shared"`
	Own         bool            `json:"own"`
	Version     int             `json:"version"`
	UpdatedAt   *string         `json:"updatedAt"`
	Document    json.RawMessage `json:"document,omitempty"`
}

const (
	dashboardEntry  = `name title description shared own version updatedAt`
	dashboardFields = `{ ` + dashboardEntry + ` document }`
)

func (a dashboardAnswer) text(w io.Writer) {
	row(w, "name", a.Name)
	row(w, "title", a.Title)
	row(w, "description", dash(a.Description))
	row(w, "shared", strconv.FormatBool(a.Shared))
	row(w, "own", strconv.FormatBool(a.Own))
	row(w, "version", strconv.Itoa(a.Version))
	row(w, "updated", dash(a.UpdatedAt))
	row(w, "document", given(a.Document))
}

type dashboardList struct{ remote }

// Run lists the dashboards.
func (c dashboardList) Run(ctx context.Context, s *term.IO) error {
	var got struct{ Dashboards []dashboardAnswer }
	if err := c.operate(ctx, s, query, "", "dashboards { "+dashboardEntry+" }", variables{}, &got); err != nil {
		return err
	}
	return c.show(s, got.Dashboards, func(w io.Writer) {
		row(w, "NAME", "TITLE", "SHARED", "OWN", "VERSION", "UPDATED")
		for _, a := range got.Dashboards {
			row(w, a.Name, a.Title, strconv.FormatBool(a.Shared), strconv.FormatBool(a.Own), strconv.Itoa(a.Version), dash(a.UpdatedAt))
		}
	})
}

type dashboardShow struct {
	remote
	Name string `arg:"" help:"The dashboard."`
}

// Run shows the dashboard.
func (c dashboardShow) Run(ctx context.Context, s *term.IO) error {
	var got struct{ Dashboard *dashboardAnswer }
	if err := c.operate(ctx, s, query, "$name: String!", "dashboard(name: $name) "+dashboardFields, variables{"name": c.Name}, &got); err != nil {
		return err
	}
	if got.Dashboard == nil {
		return fmt.Errorf("there is no dashboard %s that the key sees", c.Name)
	}
	return c.show(s, got.Dashboard, got.Dashboard.text)
}

type dashboardSave struct {
	remote
	Name    string `arg:"" help:"The dashboard."`
	File    string `required:"" help:"File with the document, in YAML or JSON." placeholder:"FILE"`
	Version int    `name:"from-version" help:"The version that is replaced; else there is none yet." placeholder:"N"`
	Shared  bool   `help:"All tenants see it; of a key for all tenants."`
}

// Run keeps the dashboard.
func (c dashboardSave) Run(ctx context.Context, s *term.IO) error {
	document, err := readDocument(c.File)
	if err != nil {
		return err
	}
	v := variables{"name": c.Name, "document": document, "shared": c.Shared}
	definitions, arguments := "$name: String!, $document: JSON!, $shared: Boolean!", "name: $name, document: $document, shared: $shared"
	if c.Version < 0 {
		return errors.New("--from-version is at least 1; leave it out for a new dashboard")
	}
	if c.Version > 0 {
		v["version"] = c.Version
		definitions, arguments = definitions+", $version: Int!", arguments+", version: $version"
	}
	return c.kept(ctx, s, definitions, "saveDashboard("+arguments+")", v)
}

func (r remote) kept(ctx context.Context, s *term.IO, definitions, change string, v variables) error {
	var got struct{ Kept dashboardAnswer }
	if err := r.operate(ctx, s, mutation, definitions, "kept: "+change+" "+dashboardFields, v, &got); err != nil {
		return err
	}
	return r.show(s, got.Kept, got.Kept.text)
}

type dashboardCopy struct {
	remote
	Name string `arg:"" help:"The dashboard."`
	As   string `help:"The name of the copy; else the same, which hides the one that is shared." placeholder:"NAME"`
}

// Run makes the copy.
func (c dashboardCopy) Run(ctx context.Context, s *term.IO) error {
	if c.As == "" {
		c.As = c.Name
	}
	return c.kept(ctx, s, "$name: String!, $as: String!", "copyDashboard(name: $name, as: $as)", variables{"name": c.Name, "as": c.As})
}

type dashboardDelete struct {
	remote
	Name    string `arg:"" help:"The dashboard."`
	Version int    `name:"from-version" required:"" help:"The version that is deleted." placeholder:"N"`
}

// Run deletes the dashboard.
func (c dashboardDelete) Run(ctx context.Context, s *term.IO) error {
	var got deletedAnswer
	if err := c.operate(ctx, s, mutation, "$name: String!, $version: Int!", "deleted: deleteDashboard(name: $name, version: $version)",
		variables{"name": c.Name, "version": c.Version}, &got); err != nil {
		return err
	}
	return c.deleted(s, c.Name, got)
}
