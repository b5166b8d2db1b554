package tenancy

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"usher/dashboard"
	"usher/fault"
	"usher/principal"
	"usher/query"
	"usher/tenancy/database"
)

// Dashboard is a dashboard that somebody sees. It is their tenant's own, or one that
// those who administer all tenants share with everybody.
type Dashboard struct {
	Name        string
	Title       string
	Description string
	Shared      bool // with all tenants
	Own         bool // the viewer's to change
	Version     int  // raised by each change; 0: it stands in a file
	Changed     time.Time
	Document    dashboard.Document // in a list empty, where it cannot be read: whoever opens it is told
}

// NewDashboard is what a dashboard says from now on.
type NewDashboard struct {
	Name     string
	Document query.Value
	Shared   bool // with all tenants: for those who administer all
	Version  int  // the one that is replaced; 0: there is none yet
}

const maxDashboards = 500 // of one owner

// DashboardJudge judges dashboards, of whose queries the store knows nothing, by what
// somebody sees.
type DashboardJudge interface {
	// CheckDashboard says why somebody may not keep a dashboard, which others run.
	CheckDashboard(writer principal.Principal, d dashboard.Document) error
	// ShowsDashboard tells whether a dashboard names only what somebody sees, and
	// HidesDashboard whether it names what others of the tenant may see and this one
	// does not.
	ShowsDashboard(viewer principal.Principal, d dashboard.Document) bool
	HidesDashboard(viewer principal.Principal, d dashboard.Document) bool
	// ShowsSome tells whether somebody who opens a dashboard sees the rows of a tile, or
	// it has none with rows.
	ShowsSome(viewer principal.Principal, d dashboard.Document) bool
	// HiddenTiles are the tiles whose rows somebody who opens a dashboard does not see.
	HiddenTiles(viewer principal.Principal, d dashboard.Document) []string
	// Findings are what is worth knowing of a dashboard that may be kept.
	Findings(viewer principal.Principal, d dashboard.Document, shared bool) []dashboard.Finding
}

func (allowsAll) CheckDashboard(principal.Principal, dashboard.Document) error { return nil }
func (allowsAll) ShowsDashboard(principal.Principal, dashboard.Document) bool  { return true }
func (allowsAll) HidesDashboard(principal.Principal, dashboard.Document) bool  { return false }
func (allowsAll) ShowsSome(principal.Principal, dashboard.Document) bool       { return true }
func (allowsAll) HiddenTiles(principal.Principal, dashboard.Document) []string { return nil }
func (allowsAll) Findings(principal.Principal, dashboard.Document, bool) []dashboard.Finding {
	return nil
}

type dashboardRow struct {
	Tenant      string `db:"tenant"`
	Name        string `db:"name"`
	Title       string `db:"title"`
	Description string `db:"description"`
	Document    string `db:"document"`
	Shared      bool   `db:"shared"`
	Version     int64  `db:"version"`
	Created     int64  `db:"created_at"`
	Changed     int64  `db:"changed_at"`
}

const (
	dashboardColumns = "tenant, name, title, description, shared, version, changed_at, document, created_at"

	// seen is which rows a principal may see: its tenant's, and those shared with all.
	// $1 is its tenant; who is of all is of the empty one.
	seen = "(tenant = $1 OR tenant = '' AND shared)"
)

// listed is a dashboard without its document, for somebody of a tenant.
func (r dashboardRow) listed(tenant string) Dashboard {
	return Dashboard{
		Name: r.Name, Title: r.Title, Description: r.Description, Shared: r.Shared, Own: r.Tenant == tenant, Version: int(r.Version), Changed: moment(r.Changed),
	}
}

func (r dashboardRow) read(p principal.Principal) (Dashboard, error) {
	d := r.listed(p.Tenant)
	var err error
	if d.Document, err = r.document(); err != nil {
		return Dashboard{}, fault.New(fault.Internal, "a dashboard in the control store cannot be read").Because(err)
	}
	return d, nil
}

// OfFile is a dashboard that stands in a file, which whoever runs the gateway shares
// with all tenants.
func OfFile(name string, d dashboard.Document) Dashboard {
	return Dashboard{Name: name, Title: d.Title, Description: d.Description, Shared: true, Document: d}
}

// mayRun refuses who may not look at a dashboard, whether there is one or not.
func mayRun(p principal.Principal, name string) error {
	switch {
	case (p.Tenant == "") != p.AllTenants:
		return fault.New(fault.Unauthenticated, "no valid token was shown")
	case p.Grant.SavedOnly:
		return forbidden("the token is for saved queries only")
	case p.Grant.Dashboards != nil && !slices.Contains(p.Grant.Dashboards, name):
		return forbidden("the token is for other dashboards")
	}
	return nil
}

// FindDashboard is a dashboard that a principal may look at, where there is a store
// (nil: there is none) and where there are files.
func FindDashboard(ctx context.Context, s *Store, files map[string]dashboard.Document, p principal.Principal, name string) (Dashboard, error) {
	if err := mayRun(p, name); err != nil {
		return Dashboard{}, err
	}
	if !dashboard.IsName(name) {
		return Dashboard{}, noDashboard(name)
	}
	if s != nil {
		return s.dashboard(ctx, p, name, files)
	}
	if d, ok := files[name]; ok {
		return OfFile(name, d), nil
	}
	return Dashboard{}, noDashboard(name)
}

func noDashboard(name string) error { return notFound("there is no dashboard %s", name) }

// dashboard finds one: the tenant's own hides what is shared, and a file the store's.
func (s *Store) dashboard(ctx context.Context, p principal.Principal, name string, files map[string]dashboard.Document) (Dashboard, error) {
	var row dashboardRow
	err := s.db.Get(ctx, &row, "SELECT "+dashboardColumns+" FROM store.dashboards WHERE "+seen+" AND name = $2 ORDER BY tenant DESC LIMIT 1", p.Tenant, name)
	if err != nil && !database.Missing(err) {
		return Dashboard{}, database.Translate(ctx, err)
	}
	if d, ofFile := files[name]; ofFile && row.Tenant == "" { // none of the tenant's own
		return OfFile(name, d), nil
	}
	if row.Name == "" {
		return Dashboard{}, noDashboard(name)
	}
	return row.read(p)
}

// Dashboard finds a dashboard that one sees, by name.
func (s *Store) Dashboard(ctx context.Context, p principal.Principal, name string) (Dashboard, error) {
	return FindDashboard(ctx, s, s.opts.Dashboards(), p, name)
}

// ListDashboards lists the dashboards that a principal may open, where there is a store
// (nil: there is none) and where there are files.
func ListDashboards(ctx context.Context, s *Store, files map[string]dashboard.Document, p principal.Principal) ([]Dashboard, error) {
	if s != nil {
		return s.Dashboards(ctx, p)
	}
	if (p.Tenant == "") != p.AllTenants {
		return nil, fault.New(fault.Unauthenticated, "no valid token was shown")
	}
	var all []Dashboard
	for _, name := range sortedKeys(files) {
		if mayRun(p, name) == nil {
			all = append(all, OfFile(name, files[name]))
		}
	}
	return all, nil
}

// Dashboards lists the dashboards that one may open, by name.
func (s *Store) Dashboards(ctx context.Context, p principal.Principal) ([]Dashboard, error) {
	if (p.Tenant == "") != p.AllTenants {
		return nil, fault.New(fault.Unauthenticated, "no valid token was shown")
	}
	found, err := s.seenBy(ctx, p.Tenant, dashboardColumns, func(row dashboardRow) Dashboard {
		d, err := row.read(p)
		if err != nil {
			return row.listed(p.Tenant)
		}
		return d
	})
	return slices.DeleteFunc(found, func(d Dashboard) bool { return mayRun(p, d.Name) != nil }), err
}

// TenantDashboards lists the dashboards that a token of a tenant may be for, by name, for
// who administers all tenants. Of what they say nothing is read.
func (s *Store) TenantDashboards(ctx context.Context, p principal.Principal, tenant string) ([]Dashboard, error) {
	if err := cmp.Or(act{global: true}.allowed(p), checkTenantID(tenant)); err != nil {
		return nil, err
	}
	if err := s.knownTenant(ctx, p, tenant); err != nil {
		return nil, err
	}
	return s.seenBy(ctx, tenant, "tenant, name, title, shared", func(row dashboardRow) Dashboard { return row.listed(tenant) })
}

// seenBy are the dashboards that a tenant sees, by name: its own hide what is shared, and
// files the store's.
func (s *Store) seenBy(ctx context.Context, tenant, columns string, read func(dashboardRow) Dashboard) ([]Dashboard, error) {
	var rows []dashboardRow
	err := s.db.List(ctx, &rows, "SELECT "+columns+" FROM store.dashboards WHERE "+seen+" ORDER BY tenant DESC, name", tenant)
	if err != nil {
		return nil, database.Translate(ctx, err)
	}
	files := s.opts.Dashboards()
	found := make(map[string]Dashboard, len(rows)+len(files))
	for _, row := range rows {
		if _, hidden := found[row.Name]; !hidden {
			found[row.Name] = read(row)
		}
	}
	for name, d := range files {
		if have, ok := found[name]; !ok || have.Shared {
			found[name] = OfFile(name, d)
		}
	}
	var all []Dashboard
	for _, name := range sortedKeys(found) {
		all = append(all, found[name])
	}
	return all, nil
}

// ShowsDashboard tells whether somebody who sees a dashboard may see its document
// too.
func (s *Store) ShowsDashboard(viewer principal.Principal, d Dashboard) bool {
	return s.opts.Operations.ShowsDashboard(viewer, d.Document)
}

// ShowsSome tells whether somebody who opens a dashboard of the list sees anything of it.
func (s *Store) ShowsSome(viewer principal.Principal, d Dashboard) bool {
	return s.opts.Operations.ShowsSome(viewer, d.Document)
}

// Findings are what is worth knowing of a dashboard, for somebody who may see its
// document.
func (s *Store) Findings(viewer principal.Principal, d Dashboard) []dashboard.Finding {
	return s.opts.Operations.Findings(viewer, d.Document, d.Shared)
}

// SaveDashboard keeps a dashboard: the tenant's own or, of who administers all
// tenants, one that they may share with them.
func (s *Store) SaveDashboard(ctx context.Context, p principal.Principal, n NewDashboard) (Dashboard, error) {
	a := act{operation: "saveDashboard", tenant: p.Tenant, detail: n.Name}
	d, err := s.checkDashboard(p, a, n)
	if err != nil {
		return Dashboard{}, s.refused(p, a, err)
	}
	return s.keepDashboard(ctx, p, a, n, d)
}

func (s *Store) checkDashboard(p principal.Principal, a act, n NewDashboard) (dashboard.Document, error) {
	if err := cmp.Or(a.allowed(p), unrestricted(p), dashboard.CheckName(n.Name)); err != nil {
		return dashboard.Document{}, err
	}
	_, ofFile := s.opts.Dashboards()[n.Name]
	switch {
	case n.Shared && !p.AllTenants:
		return dashboard.Document{}, forbidden("who administers all tenants shares dashboards with them; everybody of your tenant sees its own")
	case n.Version < 0:
		return dashboard.Document{}, unusable("the version is at least 1; leave it out for a new dashboard")
	case p.AllTenants && ofFile:
		return dashboard.Document{}, fault.New(fault.Conflict, "the dashboard %s stands in a file beside the configuration", n.Name).WithHint("Change it there, or choose another name.")
	}
	d, err := dashboard.Parse(n.Document)
	if err != nil {
		return dashboard.Document{}, err
	}
	return d, s.opts.Operations.CheckDashboard(p, d)
}

func (s *Store) keepDashboard(ctx context.Context, p principal.Principal, a act, n NewDashboard, d dashboard.Document) (Dashboard, error) {
	var kept Dashboard
	err := s.administer(ctx, p, a, func(t *tx) error {
		if err := unrestricted(p); err != nil {
			return err
		}
		old, err := t.ownDashboard(p, n.Name)
		switch {
		case err != nil && fault.From(err).Code != fault.NotFound:
			return err
		case err != nil && n.Version > 0:
			return err
		case err == nil && n.Version == 0:
			return fault.New(fault.Conflict, "there is a dashboard %s", n.Name).WithHint("Give its version to replace it, or choose another name.")
		case err == nil:
			if err := t.mayReplace(p, old, n.Version); err != nil {
				return err
			}
		default:
			var owned int
			if err := t.Get(&owned, "SELECT count(*) FROM store.dashboards WHERE tenant = $1", p.Tenant); err != nil {
				return err
			}
			if owned >= maxDashboards {
				return fault.New(fault.Conflict, "at most %d dashboards are kept for one tenant", maxDashboards)
			}
		}
		row := dashboardRow{
			Tenant: p.Tenant, Name: n.Name, Title: d.Title, Description: d.Description, Document: string(d.JSON()), Shared: n.Shared,
			Version: old.Version + 1, Created: cmp.Or(old.Created, micros(t.now)), Changed: micros(t.now),
		}
		if old.Version > 0 {
			_, err = t.Exec(`UPDATE store.dashboards SET title = $3, description = $4, document = $5, shared = $6, version = $7, changed_at = $8
				WHERE tenant = $1 AND name = $2`, row.Tenant, row.Name, row.Title, row.Description, row.Document, row.Shared, row.Version, row.Changed)
		} else {
			_, err = t.Exec("INSERT INTO store.dashboards ("+dashboardColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
				row.Tenant, row.Name, row.Title, row.Description, row.Shared, row.Version, row.Changed, row.Document, row.Created)
		}
		if database.Duplicate(err) {
			return changedMeanwhile(row.Name)
		}
		if err != nil {
			return err
		}
		kept = row.listed(p.Tenant)
		kept.Document = d
		return nil
	})
	return kept, err
}

// ownDashboard finds what a principal may change. Of several that change it, one waits
// for the other.
func (t *tx) ownDashboard(p principal.Principal, name string) (dashboardRow, error) {
	if err := t.lockDashboards(p.Tenant); err != nil {
		return dashboardRow{}, err
	}
	var row dashboardRow
	err := t.Get(&row, "SELECT "+dashboardColumns+" FROM store.dashboards WHERE tenant = $1 AND name = $2", p.Tenant, name)
	if database.Missing(err) {
		err = noDashboard(name)
	}
	return row, err
}

func (t *tx) lockDashboards(tenant string) error {
	return t.Lock("usher dashboards", tenant)
}

func changedMeanwhile(name string) error {
	return fault.New(fault.Conflict, "the dashboard %s has changed meanwhile", name).WithHint("Load it again, and make your change to that.")
}

// mayReplace refuses to change what has changed since, and what names more than who
// changes it sees: tokens may be bounded by it.
func (t *tx) mayReplace(p principal.Principal, old dashboardRow, version int) error {
	if old.Version != int64(version) {
		return changedMeanwhile(old.Name)
	}
	d, err := old.read(p)
	if err != nil {
		return err
	}
	if t.store.opts.Operations.HidesDashboard(p, d.Document) {
		return forbidden("the dashboard %s names what you do not see", old.Name)
	}
	return nil
}

// DeleteDashboard deletes one of one's own; what is shared under its name shows again.
func (s *Store) DeleteDashboard(ctx context.Context, p principal.Principal, name string, version int) error {
	a := act{operation: "deleteDashboard", tenant: p.Tenant, detail: name}
	return s.administer(ctx, p, a, func(t *tx) error {
		if err := unrestricted(p); err != nil {
			return err
		}
		old, err := t.ownDashboard(p, name)
		if err == nil {
			err = t.mayReplace(p, old, version)
		}
		if err != nil {
			return err
		}
		_, err = t.Exec("DELETE FROM store.dashboards WHERE tenant = $1 AND name = $2", p.Tenant, name)
		return err
	})
}

// CopyDashboard makes a dashboard of one's own of one that one sees. Under the same
// name it hides the one that is shared.
func (s *Store) CopyDashboard(ctx context.Context, p principal.Principal, name, as string) (Dashboard, error) {
	a := act{operation: "copyDashboard", tenant: p.Tenant, detail: strings.TrimSpace(name + " as " + as)}
	if err := cmp.Or(a.allowed(p), unrestricted(p)); err != nil {
		return Dashboard{}, s.refused(p, a, err)
	}
	from, err := s.Dashboard(ctx, p, name)
	if err != nil {
		return Dashboard{}, s.refused(p, a, err)
	}
	n := NewDashboard{Name: as, Document: from.Document.Value()}
	d, err := s.checkDashboard(p, a, n)
	if err != nil {
		return Dashboard{}, s.refused(p, a, err)
	}
	return s.keepDashboard(ctx, p, a, n, d)
}

// knownDashboards refuses names of dashboards that a tenant does not see: a token for
// one would be refused wherever it is shown, and for a misspelled one until somebody
// makes it.
func (t *tx) knownDashboards(tenant string, names []string) error {
	for _, name := range names {
		if _, ofFile := t.store.opts.Dashboards()[name]; ofFile {
			continue
		}
		var known int
		if err := t.Get(&known, "SELECT count(*) FROM store.dashboards WHERE "+seen+" AND name = $2", tenant, name); err != nil {
			return err
		}
		if known == 0 {
			return fault.New(fault.BadUserInput, "there is no dashboard %s", name).WithHint("Save it first, or put it into dashboards/%s.yml beside the configuration: a file that came later is served after `usher reload`.", name)
		}
	}
	return nil
}

// hidden are tiles of dashboards that a token does not show: for these it would be made in
// vain.
func (t *tx) hidden(p principal.Principal, names []string) ([]Hidden, error) {
	var hidden []Hidden
	for _, name := range names {
		d, ofFile := t.store.opts.Dashboards()[name]
		var row dashboardRow
		err := t.Get(&row, "SELECT "+dashboardColumns+" FROM store.dashboards WHERE "+seen+" AND name = $2 ORDER BY tenant DESC LIMIT 1", p.Tenant, name)
		switch {
		case err != nil && !database.Missing(err):
			return nil, err
		case row.Name != "" && (row.Tenant != "" || !ofFile):
			read, err := row.read(p)
			if err != nil {
				return nil, err
			}
			d = read.Document
		}
		if tiles := t.store.opts.Operations.HiddenTiles(p, d); len(tiles) > 0 {
			hidden = append(hidden, Hidden{Dashboard: name, Tiles: tiles, All: !t.store.opts.Operations.ShowsSome(p, d)})
		}
	}
	return hidden, nil
}
