package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"usher/cli/term"
	"usher/config"
	"usher/dashboard"
	values "usher/query"
)

// DashboardCommands are those of `usher dashboard`.
type DashboardCommands struct {
	List   dashboardList   `cmd:"" help:"List the dashboards that the key sees, or that tokens of a tenant may be for." example:"usher dashboard list"`
	Show   dashboardShow   `cmd:"" help:"Show one dashboard." example:"usher dashboard show sales"`
	Save   dashboardSave   `cmd:"" help:"Keep a dashboard, as the tenant's own or of all tenants." example:"usher dashboard save sales --file sales.yml --from-version 3"`
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

	Findings []struct {
		Tile    *string  `json:"tile"`
		Path    []string `json:"path"`
		Message string   `json:"message"`
		Fails   bool     `json:"fails"`
	} `json:"findings,omitempty"`
}

const (
	dashboardEntry  = `name title description shared own version updatedAt`
	dashboardFields = `{ ` + dashboardEntry + ` document findings { tile path message fails } }`
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

type dashboardList struct {
	remote
	Tenant string `help:"Those that tokens of this tenant may be for; of a key for all tenants." placeholder:"TENANT"`
}

// Run lists the dashboards.
func (c dashboardList) Run(ctx context.Context, s *term.IO) error {
	if c.Tenant != "" {
		return c.ofTenant(ctx, s)
	}
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

func (c dashboardList) ofTenant(ctx context.Context, s *term.IO) error {
	var got struct {
		Dashboards []struct {
			Name   string `json:"name"`
			Title  string `json:"title"`
			Shared bool   `json:"shared"`
		}
	}
	if err := c.administer(ctx, s, query, "$tenant: String!", "dashboards(tenant: $tenant) { name title shared }", variables{"tenant": c.Tenant}, &got); err != nil {
		return err
	}
	return c.show(s, got.Dashboards, func(w io.Writer) {
		row(w, "NAME", "TITLE", "SHARED")
		for _, a := range got.Dashboards {
			row(w, a.Name, a.Title, strconv.FormatBool(a.Shared))
		}
	})
}

type dashboardShow struct {
	remote
	Name   string `arg:"" help:"The dashboard."`
	YAML   bool   `name:"yaml" help:"Print the document alone, in YAML, as save takes it again."`
	Output string `short:"o" help:"Write the document into a file, in YAML, as save takes it again; one that is there is replaced." placeholder:"FILE"`
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
	if !c.YAML && c.Output == "" {
		return c.show(s, got.Dashboard, got.Dashboard.text)
	}
	if len(got.Dashboard.Document) == 0 || string(got.Dashboard.Document) == "null" {
		return fmt.Errorf("the dashboard %s names what the key does not see, so its document is not shown", c.Name)
	}
	v, err := values.ReadJSON(got.Dashboard.Document)
	if err != nil {
		return fmt.Errorf("the document cannot be read: %w", err)
	}
	document, err := dashboard.Parse(v)
	if err != nil {
		return fmt.Errorf("the server's documents are of another version: %w", err)
	}
	if c.Output == "" {
		_, err := s.Stdout.Write(document.YAML())
		return err
	}
	if err := os.WriteFile(c.Output, document.YAML(), 0o600); err != nil {
		return fmt.Errorf("cannot write the file: %w", err)
	}
	fmt.Fprintf(s.Stderr, "written: version %d of %s\n", got.Dashboard.Version, c.Name)
	return nil
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
	document, err := config.ReadDashboard(c.File)
	if err != nil {
		return err
	}
	v := variables{"name": c.Name, "document": json.RawMessage(document.JSON()), "shared": c.Shared}
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
	for _, f := range got.Kept.Findings {
		where := strings.Join(f.Path, ".")
		if f.Tile != nil {
			where = "tile " + *f.Tile
		}
		what := "note"
		if f.Fails {
			what = "warning"
		}
		fmt.Fprintf(s.Stderr, "%s: %s: %s\n", what, where, f.Message)
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
