package resolvers

import (
	"maps"
	"slices"
	"strings"
	"time"

	"usher/audit"
	"usher/catalog"
	"usher/graph"
	"usher/principal"
	"usher/tenancy"
)

// What of the control store's records is shown: none of them has a secret, and
// none of these adds one.

func describeTenant(t tenancy.Tenant) graph.AdminTenant {
	return graph.AdminTenant{
		ID: t.ID, Key: t.Key, Name: t.Name, Status: tenantStatus[t.Status], Strategy: optional(t.Strategy), Cell: optional(t.Cell),
		Accounts: each(t.Accounts, describeAccount), CreatedAt: t.Created, ChangedAt: t.Changed,
		Strategies: describeStrategies(t.Strategies), Bindings: describeBindings(t.Bindings), ExternalIds: always(t.ExternalIDs), AllowHosts: describeHosts(t.AllowHosts),
		Weight: positive(t.Share.Weight), Limits: describeLimits(t.Share.Limits),
	}
}

func describeStrategies(by map[string]string) []graph.DatasetStrategy {
	return each(slices.Sorted(maps.Keys(by)), func(dataset string) graph.DatasetStrategy {
		return graph.DatasetStrategy{Dataset: dataset, Strategy: by[dataset]}
	})
}

func describeBindings(by map[string]string) []graph.DatasetBinding {
	return each(slices.Sorted(maps.Keys(by)), func(dataset string) graph.DatasetBinding {
		return graph.DatasetBinding{Dataset: dataset, Binding: by[dataset]}
	})
}

func describeHosts(list []string) []string {
	if list == nil {
		return []string{catalog.AllDestinations}
	}
	return list
}

var tenantStatus = map[tenancy.Status]graph.TenantStatus{
	tenancy.Active:    graph.TenantStatusActive,
	tenancy.Suspended: graph.TenantStatusSuspended,
	tenancy.Deleted:   graph.TenantStatusDeleted,
}

func describeAccount(a tenancy.AccountKeys) graph.AccountKeys {
	return graph.AccountKeys{Source: a.Source, Set: always(a.Set)}
}

func describeIssued(i tenancy.Issued) graph.IssuedToken {
	out := graph.IssuedToken{ID: i.ID, Token: i.Token, ExpiresAt: instant(i.Expires), Findings: []string{}}
	const do = "give it roles and datasets that see what they ask for; groups and aggregates are shown by roles with `aggregate: true`"
	for _, h := range i.Hidden {
		if h.All {
			out.Findings = append(out.Findings, "the token shows no tile of the dashboard "+h.Dashboard+": "+do)
		} else {
			out.Findings = append(out.Findings, "the token does not show these tiles of the dashboard "+h.Dashboard+": "+strings.Join(h.Tiles, ", ")+"; "+do)
		}
	}
	return out
}

func describeToken(t tenancy.Token) graph.AdminToken {
	out := graph.AdminToken{
		ID: t.ID, Kind: graph.TokenKindEmbed, Tenant: optional(t.Tenant), Subject: t.Subject, Name: optional(t.Name), Email: optional(t.Email),
		Roles: always(t.Roles), Scopes: scopesOut(t.Scopes), Strategy: optional(t.Strategy), Strategies: describeStrategies(t.Strategies), Datasets: t.Datasets, Filtered: always(t.Filtered),
		Parameters: always(t.Parameters), Cleared: always(t.Cleared), Metadata: always(t.Metadata), Accounts: each(t.Accounts, describeAccount), SavedOnly: t.SavedOnly, Dashboards: t.Dashboards,
		Rate: positive(t.Rate), Limits: describeLimits(t.Limits), InactivitySeconds: positive(int(t.Inactivity / time.Second)), MintedBy: t.MintedBy,
		CreatedAt: t.Created, ExpiresAt: instant(t.Expires), LastUsedAt: instant(t.LastUsed), RevokedAt: instant(t.Revoked),
	}
	if t.Kind == tenancy.Session {
		out.Kind = graph.TokenKindSession
	}
	if t.Acting != nil {
		out.ActedBy, out.Reason = optional(t.Acting.Subject), optional(t.Acting.Reason)
	}
	return out
}

func describeKey(t tenancy.Token) graph.ServiceKey {
	return graph.ServiceKey{
		ID: t.ID, Name: t.Name, Tenant: optional(t.Tenant), Roles: always(t.Roles), Scopes: scopesOut(t.Scopes), Datasets: t.Datasets, Dashboards: t.Dashboards,
		MayGrant: &graph.MayGrant{
			Strategies: always(t.MayGrant.Strategies), Accounts: always(t.MayGrant.Accounts),
			Parameters: always(t.MayGrant.Parameters), Clear: always(t.MayGrant.Clear), Metadata: always(t.MayGrant.Metadata),
		},
		Rate: positive(t.Rate), Limits: describeLimits(t.Limits),
		MintedBy: t.MintedBy, CreatedAt: t.Created, ExpiresAt: instant(t.Expires), LastUsedAt: instant(t.LastUsed), RevokedAt: instant(t.Revoked),
	}
}

func describeUser(u tenancy.User) graph.AdminUser {
	out := graph.AdminUser{
		ID: u.ID, Tenant: optional(u.Tenant), Username: u.Username, Login: u.Login(), Name: optional(u.Name), Email: optional(u.Email),
		Status: graph.UserStatusActive, Roles: always(u.Roles), Scopes: scopesOut(u.Scopes), CreatedAt: u.Created, ChangedAt: u.Changed,
		LockedUntil: instant(u.LockedUntil),
	}
	if u.Status == tenancy.Disabled {
		out.Status = graph.UserStatusDisabled
	}
	return out
}

// describeRole leaves out what names more than the viewer sees.
func describeRole(store *tenancy.Store, viewer principal.Principal) func(tenancy.Role) graph.AdminRole {
	return func(r tenancy.Role) graph.AdminRole {
		out := graph.AdminRole{Tenant: r.Tenant, Name: r.Name, CreatedAt: r.Created, ChangedAt: r.Changed}
		if store.ShowsRole(viewer, r) {
			out.Spec = &graph.JSON{Encoded: r.Spec}
		}
		return out
	}
}

// describeSavedQuery leaves out a text that names more than the viewer sees.
func describeSavedQuery(store *tenancy.Store, viewer principal.Principal) func(tenancy.SavedQuery) graph.SavedQuery {
	return func(q tenancy.SavedQuery) graph.SavedQuery {
		out := graph.SavedQuery{
			ID: q.ID, Name: q.Name, Owner: optional(q.Owner), Description: optional(q.Description), Shared: q.Shared, Own: q.Own, Version: q.Version,
			CreatedAt: q.Created, ChangedAt: q.Changed,
		}
		if !store.ShowsDocument(viewer, q) {
			return out
		}
		out.Document = &q.Document
		if q.Variables != nil {
			out.Variables = &graph.JSON{Encoded: q.Variables}
		}
		if q.Shown != nil {
			out.View = &graph.JSON{Encoded: q.Shown}
		}
		return out
	}
}

func describeDashboardEntry(store *tenancy.Store, viewer principal.Principal) func(tenancy.Dashboard) graph.DashboardEntry {
	return func(d tenancy.Dashboard) graph.DashboardEntry {
		return graph.DashboardEntry{
			Name: d.Name, Title: d.Title, Description: optional(d.Description), Shared: d.Shared, Own: d.Own, Version: d.Version, UpdatedAt: instant(d.Changed),
			Shows: store.ShowsSome(viewer, d),
		}
	}
}

func describeTenantDashboard(d tenancy.Dashboard) graph.TenantDashboard {
	return graph.TenantDashboard{Name: d.Name, Title: d.Title, Shared: d.Shared}
}

// describeDashboard leaves out a document that names more than the viewer sees.
func describeDashboard(store *tenancy.Store, viewer principal.Principal) func(tenancy.Dashboard) graph.Dashboard {
	return func(d tenancy.Dashboard) graph.Dashboard {
		out := graph.Dashboard{
			Name: d.Name, Title: d.Title, Description: optional(d.Description), Shared: d.Shared, Own: d.Own, Version: d.Version, UpdatedAt: instant(d.Changed),
			Findings: []graph.DashboardFinding{},
		}
		if store.ShowsDashboard(viewer, d) {
			out.Document = &graph.JSON{Encoded: d.Document.JSON()}
			out.Findings = findingsOf(store, viewer, d)
		}
		return out
	}
}

func findingsOf(store *tenancy.Store, viewer principal.Principal, d tenancy.Dashboard) []graph.DashboardFinding {
	out := []graph.DashboardFinding{}
	for _, f := range store.Findings(viewer, d) {
		told := graph.DashboardFinding{Path: f.Path, Message: f.Message, Fails: f.Fails}
		if id, ok := d.Document.Tile(f.Path); ok {
			told.Tile = &id
		}
		out = append(out, told)
	}
	return out
}

func describeEntry(e audit.Entry) graph.AuditEntry {
	out := graph.AuditEntry{
		ID: e.ID, At: e.At, Kind: graph.AuditKindAdministration, Subject: e.Subject, Issuer: e.Issuer, TokenID: optional(e.TokenID),
		Tenant: optional(e.Tenant), ActedBy: optional(e.Acting), Reason: optional(e.Reason), Operation: optional(e.Operation), Hash: optional(e.Hash),
		Datasets: always(e.Datasets), Strategy: optional(e.Strategy), Source: optional(e.Source), Rows: bounded(e.Rows),
		DurationMs: float64(e.Duration) / float64(time.Millisecond), Outcome: e.Outcome, Detail: optional(e.Detail),
	}
	if e.Kind == audit.DataAccess {
		out.Kind = graph.AuditKindData
	}
	return out
}
