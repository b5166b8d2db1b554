package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"usher/catalog"
	"usher/config"
	"usher/dashboard"
	"usher/fault"
	"usher/graph"
	"usher/plan"
	"usher/principal"
	"usher/query"
	"usher/tenancy"
)

// Those who administer all tenants know the whole catalog, whatever roles they have.
func knowsAll(p principal.Principal) bool {
	return p.AllTenants && p.Acting == nil && slices.Contains(p.Scopes, principal.Administer)
}

func (o operations) CheckDashboard(writer principal.Principal, d dashboard.Document) error {
	if !knowsAll(writer) {
		return o.engine().CheckDashboard(writer, d)
	}
	wrong, err := o.engine().CheckWhole(d)
	for i := range d.Tiles {
		if err == nil {
			err = wrong[i]
		}
	}
	return err
}

func (o operations) ShowsDashboard(viewer principal.Principal, d dashboard.Document) bool {
	return knowsAll(viewer) || o.engine().ShowsValues(viewer, d) && !slices.ContainsFunc(askedBy(d), func(q tenancy.SavedQuery) bool { return !o.Shows(viewer, q) })
}

func (o operations) HidesDashboard(viewer principal.Principal, d dashboard.Document) bool {
	return !knowsAll(viewer) && (o.engine().HidesValues(viewer, d) || slices.ContainsFunc(askedBy(d), func(q tenancy.SavedQuery) bool { return o.Hides(viewer, q) }))
}

func (o operations) ShowsSome(viewer principal.Principal, d dashboard.Document) bool {
	return showsSome(o.engine(), viewer, d)
}

func showsSome(engine *graph.Engine, viewer principal.Principal, d dashboard.Document) bool {
	asks := false
	for _, t := range d.Tiles {
		if t.Query != "" {
			asks = true
			if engine.ShowsTile(viewer, t) {
				return true
			}
		}
	}
	return !asks
}

func (o operations) HiddenTiles(viewer principal.Principal, d dashboard.Document) []string {
	var hidden []string
	for _, t := range d.Tiles {
		if !o.engine().ShowsTile(viewer, t) {
			hidden = append(hidden, t.ID)
		}
	}
	return hidden
}

func (o operations) Findings(viewer principal.Principal, d dashboard.Document, shared bool) []dashboard.Finding {
	var found []dashboard.Finding
	var err error
	if knowsAll(viewer) {
		found, err = o.engine().FindingsWhole(&viewer, d, shared)
	} else {
		found, err = o.engine().Findings(viewer, d, shared)
	}
	if err != nil { // such as a source that is not reached: saving says so by itself
		return nil
	}
	return found
}

// Plans tells why a request would be refused before any source is asked.
func Plans(cat *catalog.Catalog, who principal.Principal, r query.Request) error {
	_, err := plan.Build(r, cat, who, time.Now())
	return err
}

// askedBy are the queries of a dashboard's tiles, with the values that are kept with
// them.
func askedBy(d dashboard.Document) []tenancy.SavedQuery {
	defaults := d.Defaults()
	var all []tenancy.SavedQuery
	for _, t := range d.Tiles {
		if t.Query != "" {
			all = append(all, tenancy.SavedQuery{Document: t.Query, Variables: query.AppendJSON(nil, t.With(defaults))})
		}
	}
	return all
}

// Dashboards run the dashboards of the store, if there is one, and of files.
type Dashboards struct {
	Store  *tenancy.Store // nil: there is none
	Files  map[string]dashboard.Document
	Engine *graph.Engine
}

// List are the dashboards that whoever asks may open, and whether their token shows
// nothing else.
func (d Dashboards) List(ctx context.Context) (json.RawMessage, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	found, err := tenancy.ListDashboards(ctx, d.Store, d.Files, who)
	if err != nil {
		return nil, err
	}
	all := make(query.List, len(found))
	for i, one := range found {
		entry := query.Object{
			{Name: "name", Value: query.Text(one.Name)},
			{Name: "title", Value: query.Text(one.Title)},
			{Name: "shared", Value: query.Bool(one.Shared)},
			{Name: "own", Value: query.Bool(one.Own)},
			{Name: "version", Value: query.Number(strconv.Itoa(one.Version))},
			{Name: "shows", Value: query.Bool(showsSome(d.Engine, who, one.Document))},
		}
		if one.Description != "" {
			entry = append(entry, query.Member{Name: "description", Value: query.Text(one.Description)})
		}
		all[i] = entry
	}
	return query.AppendJSON(nil, query.Object{{Name: "only", Value: query.Bool(who.Grant.Dashboards != nil)}, {Name: "dashboards", Value: all}}), nil
}

// Page is what is drawn of a dashboard, for whoever asks.
func (d Dashboards) Page(ctx context.Context, name string) (json.RawMessage, error) {
	found, who, err := d.find(ctx, name)
	if err != nil {
		return nil, err
	}
	return d.page(found, who), nil
}

// Run answers tiles of a dashboard as one operation; nil ids are all of them.
func (d Dashboards) Run(ctx context.Context, name string, parameters query.Object, ids []string) (page json.RawMessage, tiles []string, answers []*graph.TileAnswer, err error) {
	found, who, err := d.find(ctx, name)
	if err != nil {
		return nil, nil, nil, err
	}
	meaning, err := d.Engine.Meaning(who)
	if err != nil {
		return nil, nil, nil, err
	}
	values, err := found.Document.Values(parameters, meaning)
	if err != nil {
		return nil, nil, nil, err
	}
	some, err := found.Document.Some(ids)
	if err != nil {
		return nil, nil, nil, err
	}
	var asked []graph.Tile
	for _, t := range some {
		if t.Query != "" {
			tiles, asked = append(tiles, t.ID), append(asked, graph.Tile{
				Query: t.Query, Variables: t.With(values), Trusted: found.Shared,
				Kept: func(variable string) bool { return found.Document.Kept(variable, parameters) },
			})
		}
	}
	if answers, err = d.Engine.Tiles(ctx, name, asked); err != nil {
		return nil, nil, nil, err
	}
	return d.page(found, who), tiles, answers, nil
}

func (d Dashboards) find(ctx context.Context, name string) (tenancy.Dashboard, principal.Principal, error) {
	who, err := principal.From(ctx)
	if err != nil {
		return tenancy.Dashboard{}, who, err
	}
	found, err := tenancy.FindDashboard(ctx, d.Store, d.Files, who, name)
	return found, who, err
}

func (d Dashboards) page(found tenancy.Dashboard, who principal.Principal) json.RawMessage {
	return found.Document.Page(who.Grant.Timezone, d.Engine.Viewed(who, found.Document))
}

// CheckDashboards says which tiles of the files' dashboards ask for what the catalog
// does not have, or show an error to whoever opens them, and what else is worth knowing.
func CheckDashboards(cat *catalog.Catalog, cfg *config.Config) (wrong, notes error) {
	if len(cfg.Dashboards) == 0 {
		return nil, nil
	}
	engine, err := graph.NewEngine(cat, nil, nil, graph.Options{Administration: cfg.Control != nil, Limits: Limits(cfg.Server), Plans: Plans})
	if err != nil {
		return nil, nil // whoever checks the schema says so
	}
	for name := range cfg.DashboardNames() {
		problems, worth, err := checkDashboard(engine, cfg.Dashboards[name])
		if err != nil {
			return fmt.Errorf("dashboard %s: %w", name, err), notes
		}
		wrong = errors.Join(wrong, cfg.LocateInDashboard(name, problems))
		notes = errors.Join(notes, cfg.LocateInDashboard(name, worth))
	}
	return wrong, notes
}

func checkDashboard(engine *graph.Engine, d dashboard.Document) (problems, worth []dashboard.Problem, err error) {
	wrong, err := engine.CheckWhole(d)
	if err != nil {
		return nil, nil, err
	}
	for i, err := range wrong {
		problems = append(problems, dashboard.Problem{Path: []string{"tiles", strconv.Itoa(i), "query"}, Message: fault.From(err).Message})
	}
	found, err := engine.FindingsWhole(nil, d, true)
	if err != nil {
		return nil, nil, err
	}
	for _, f := range found {
		id, ofTile := d.Tile(f.Path)
		if ofTile {
			f.Message = "tile " + id + ": " + f.Message
		}
		switch {
		case ofTile && told(wrong, f.Path[1]):
		case f.Fails:
			problems = append(problems, f.Problem)
		default:
			worth = append(worth, f.Problem)
		}
	}
	return problems, worth, nil
}

func told(wrong map[int]error, tile string) bool {
	n, err := strconv.Atoi(tile)
	return err == nil && wrong[n] != nil
}

// Limits are how much one operation may ask.
func Limits(s config.Server) graph.Limits {
	return graph.Limits{
		Tokens: s.MaxTokens, Depth: s.MaxDepth, Aliases: s.MaxAliases, RootFields: s.MaxRootFields,
		Items: s.MaxItems, Conditions: s.MaxConditions, Bytes: int(s.MaxBody),
	}
}
