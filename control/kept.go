package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"usher/catalog"
	"usher/config"
	"usher/fault"
	"usher/graph"
	"usher/principal"
	"usher/tenancy"
)

// Kept says what a control store keeps that names what the configuration does not have, or no longer has: records of
// tenants, their roles, who holds rights, queries and dashboards that others run. Usher starts all the same, and refuses
// each where it is used. At most so many of a kind are told of one by one. What cannot be judged yet is left out.
// What is refused is why usher would not start: other keys, tenants that the file has, too. Without a catalog nothing is compared with it.
// The store is opened for that, and nothing of it changes; one in a file is read while nobody has it open, and what is no such file is refused.
func Kept(ctx context.Context, cfg *config.Config, cat *catalog.Catalog, most int) (unfit []string, refused, err error) {
	opts := tenancy.Options{Log: slog.New(slog.DiscardHandler)}
	if err := seal(*cfg.Control, &opts); err != nil {
		return nil, nil, err
	}
	store, err := tenancy.Read(ctx, place(*cfg.Control), opts)
	switch {
	case errors.Is(err, tenancy.ErrNone): // and so nothing is kept
		return nil, nil, nil
	case errors.Is(err, tenancy.ErrInUse):
		return nil, nil, fmt.Errorf("its file cannot be read while a gateway has it open, whose log tells of records that do not fit: %w", err)
	case err != nil && cfg.Control.Path != "" && !errors.Is(err, tenancy.ErrOlder):
		return nil, fmt.Errorf("control: its file cannot be opened: %w", err), nil
	case err != nil:
		return nil, nil, err
	}
	defer func() { _ = store.Close() }() // nothing was written
	if refused = store.SameKeys(ctx); cat == nil {
		return nil, refused, nil
	}
	neighbors, _ := Configured(cat) // what is wrong among those of the file is no matter of the store
	refused = errors.Join(refused, CheckDisjoint(ctx, cfg, neighbors, store))
	engine, err := graph.NewEngine(cat, nil, nil, graph.Options{Administration: true, Limits: Limits(cfg.Server), Plans: Plans})
	if err != nil {
		return nil, refused, err
	}
	k := &kept{cfg: cfg, cat: cat, store: store, engine: engine, most: most, grants: CheckGrant(func() *catalog.Catalog { return cat }, time.Now)}
	for _, look := range []func(context.Context) ([]string, error){k.tenants, k.roles, k.dashboards, k.holders, k.queries} {
		lines, err := look(ctx)
		if err != nil {
			return nil, refused, err
		}
		k.out = append(k.out, lines...)
	}
	return k.out, refused, nil
}

type kept struct {
	cfg    *config.Config
	cat    *catalog.Catalog
	store  *tenancy.Reader
	engine *graph.Engine
	grants func(principal.Principal) error
	most   int
	out    []string

	records map[string]principal.Principal // of tenants that are not deleted
	unfit   map[[2]string]bool             // tenants, and roles of tenants: those who need them are not told of, too
	boards  map[[2]string]bool             // dashboards of tenants
}

// listing are lines about one kind of things, the first of them.
type listing struct {
	kind  string // in the plural
	most  int
	lines []string
	more  int
}

// add adds what is wrong, if that is known, and tells whether anything is.
func (t *listing) add(what string, err error) bool {
	switch {
	case err == nil || fault.From(err).Code == fault.Unavailable:
		return false
	case len(t.lines) == t.most:
		t.more++
	default:
		t.lines = append(t.lines, what+" of the control store: "+strings.ReplaceAll(fault.From(err).Message, "\n", "; "))
	}
	return true
}

func (t *listing) all() []string {
	if t.more > 0 {
		t.lines = append(t.lines, fmt.Sprintf("and %d more %s of the control store", t.more, t.kind))
	}
	return t.lines
}

func of(what, tenant string) string {
	if tenant == "" {
		return what + " of all tenants"
	}
	return what + " of tenant " + tenant
}

func (k *kept) tenants(ctx context.Context) ([]string, error) {
	t := &listing{kind: "tenants", most: k.most}
	k.records, k.unfit = make(map[string]principal.Principal), make(map[[2]string]bool)
	for record, err := range k.store.Routings(ctx) {
		if err != nil {
			return nil, err
		}
		k.records[record.Tenant] = record
		if t.add("tenant "+record.Tenant, k.grants(record)) {
			k.unfit[[2]string{record.Tenant, ""}] = true
		}
	}
	return t.all(), nil
}

func (k *kept) roles(ctx context.Context) ([]string, error) {
	t := &listing{kind: "roles", most: k.most}
	for r, err := range k.store.Roles(ctx) {
		if err != nil {
			return nil, err
		}
		if _, there := k.records[r.Tenant]; !there {
			continue
		}
		if _, err := catalog.CompileRole(k.cat, r.Tenant, r.Name, r.Spec); t.add(of("role "+r.Name, r.Tenant), notYet(k.cat.Unreached.AwaitsOf, string(r.Spec), err)) {
			k.unfit[[2]string{r.Tenant, r.Name}] = true
		}
	}
	return t.all(), nil
}

func (k *kept) dashboards(ctx context.Context) ([]string, error) {
	t := &listing{kind: "dashboards", most: k.most}
	k.boards = make(map[[2]string]bool)
	for d, err := range k.store.Dashboards(ctx) {
		if err != nil {
			return nil, err
		}
		k.boards[[2]string{d.Tenant, d.Name}] = true
		what := of("dashboard "+d.Name, d.Tenant)
		if d.Err != nil {
			t.add(what, fault.New(fault.Internal, "it cannot be read"))
			continue
		}
		wrong, err := k.engine.CheckWhole(d.Document)
		if err != nil {
			return nil, err
		}
		for i, tile := range d.Document.Tiles {
			if t.add(what+", tile "+tile.ID, wrong[i]) {
				break
			}
		}
	}
	return t.all(), nil
}

// holders are those whose roles, filters, strategies, accounts or dashboards are no longer there.
func (k *kept) holders(ctx context.Context) ([]string, error) {
	t := &listing{kind: "users, keys and tokens", most: k.most}
	for h, err := range k.store.Holders(ctx) {
		if err != nil {
			return nil, err
		}
		if h.Tenant != "" {
			record, there := k.records[h.Tenant]
			if !there || k.unfit[[2]string{h.Tenant, ""}] || slices.ContainsFunc(h.Roles, func(role string) bool { return k.unfit[[2]string{h.Tenant, role}] }) {
				continue
			}
			h.TenantKey, h.Routing = record.TenantKey, record.Routing
		}
		err := k.grants(h.Principal)
		if err == nil {
			err = CheckMayGrant(func() *catalog.Catalog { return k.cat })(h.MayGrant)
		}
		for _, name := range h.Grant.Dashboards {
			if _, file := k.cfg.Dashboards[name]; err == nil && !file && !k.boards[[2]string{h.Tenant, name}] && !k.boards[[2]string{"", name}] {
				err = fault.New(fault.BadUserInput, "there is no dashboard %s", name)
			}
		}
		t.add(of(h.What, h.Tenant), err)
	}
	return t.all(), nil
}

func (k *kept) queries(ctx context.Context) ([]string, error) {
	t := &listing{kind: "saved queries", most: k.most}
	for q, err := range k.store.SavedQueries(ctx) {
		if err != nil {
			return nil, err
		}
		if _, there := k.records[q.Tenant]; there || q.Tenant == "" {
			t.add(of("saved query "+q.Name, q.Tenant), k.engine.CheckSavedWhole(q.Document))
		}
	}
	return t.all(), nil
}
