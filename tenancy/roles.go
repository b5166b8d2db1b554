package tenancy

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"usher/principal"
	"usher/tenancy/database"
)

// Role is a role that a tenant owns. It restricts: of what the holder's other
// roles show, it leaves a part. The roles of the configuration are not kept
// here.
type Role struct {
	Tenant  string
	Name    string
	Spec    json.RawMessage
	Created time.Time
	Changed time.Time
}

type roleRow struct {
	Tenant  string `db:"tenant"`
	Name    string `db:"name"`
	Spec    string `db:"spec"`
	Created int64  `db:"created_at"`
	Changed int64  `db:"changed_at"`
}

const maxSpec = 64 << 10

// PutRole makes or changes a tenant's own role. Who changes one covers whoever
// holds it.
func (s *Store) PutRole(ctx context.Context, p principal.Principal, tenant, name string, spec json.RawMessage) error {
	return s.administer(ctx, p, act{operation: "putRole", tenant: tenant, detail: name}, func(t *tx) error {
		if !nameForm.MatchString(name) {
			return unusable("a role's name must have the form %s", nameForm)
		}
		if err := checkText("the role", string(spec), maxSpec); err != nil {
			return err
		}
		if !json.Valid(spec) {
			return unusable("the role is not JSON")
		}
		if s.opts.CheckRole == nil {
			return unusable("tenants have no roles of their own here")
		}
		if err := s.opts.CheckRole(p, tenant, name, spec); err != nil {
			return err
		}
		if err := t.invalidateRights(); err != nil {
			return err
		}
		if _, err := t.activeTenant(tenant); err != nil {
			return err
		}
		if err := t.coversHolders(p, tenant, name); err != nil {
			return err
		}
		changed, err := t.Exec("UPDATE store.roles SET spec = $3, changed_at = $4 WHERE tenant = $1 AND name = $2", tenant, name, string(spec), micros(t.now))
		if err != nil || changed > 0 {
			return err
		}
		_, err = t.Exec("INSERT INTO store.roles (tenant, name, spec, created_at, changed_at) VALUES ($1, $2, $3, $4, $4)",
			tenant, name, string(spec), micros(t.now))
		return err
	})
}

// DeleteRole deletes a tenant's own role. Who holds it keeps the name, which
// then refuses them: what restricted them must not be missing unnoticed.
func (s *Store) DeleteRole(ctx context.Context, p principal.Principal, tenant, name string) error {
	return s.administer(ctx, p, act{operation: "deleteRole", tenant: tenant, detail: name}, func(t *tx) error {
		if err := t.invalidateRights(); err != nil {
			return err
		}
		if err := t.coversHolders(p, tenant, name); err != nil {
			return err
		}
		deleted, err := t.Exec("DELETE FROM store.roles WHERE tenant = $1 AND name = $2", tenant, name)
		if err != nil {
			return err
		}
		if deleted == 0 {
			return notFound("there is no role %s", name)
		}
		return nil
	})
}

// Roles lists a tenant's own roles by name.
func (s *Store) Roles(ctx context.Context, p principal.Principal, tenant string) ([]Role, error) {
	if err := mayAdminister(p, tenant); err != nil {
		return nil, err
	}
	if err := s.knownTenant(ctx, p, tenant); err != nil {
		return nil, err
	}
	return s.TenantRoles(ctx, tenant)
}

// ShowsRole tells whether somebody who administers a tenant may see what a role
// of it says: whoever could write it, and of all tenants whoever is not restricted.
func (s *Store) ShowsRole(viewer principal.Principal, r Role) bool {
	if viewer.AllTenants {
		return unrestricted(viewer) == nil
	}
	return s.opts.CheckRole != nil && s.opts.CheckRole(viewer, r.Tenant, r.Name, r.Spec) == nil
}

// TenantRoles are a tenant's own roles, for whoever compiles what they allow.
func (s *Store) TenantRoles(ctx context.Context, tenant string) ([]Role, error) {
	var rows []roleRow
	err := s.db.List(ctx, &rows, ownRoles, tenant)
	if err != nil {
		return nil, database.Translate(ctx, err)
	}
	var roles []Role
	for _, r := range rows {
		roles = append(roles, r.role())
	}
	return roles, nil
}

func (r roleRow) role() Role {
	return Role{Tenant: r.Tenant, Name: r.Name, Spec: json.RawMessage(r.Spec), Created: moment(r.Created), Changed: moment(r.Changed)}
}

const ownRoles = "SELECT tenant, name, spec, created_at, changed_at FROM store.roles WHERE tenant = $1 ORDER BY name"

// readOwnRoles puts the specs of those roles that the tenant owns into a
// principal that holds them. A name without a spec is left to the catalog,
// which refuses those that are none of its own.
func readOwnRoles(p *principal.Principal, read func(*[]roleRow, string) error) error {
	p.RoleSpecs = nil
	if p.Tenant == "" || len(p.Roles) == 0 {
		return nil
	}
	var rows []roleRow
	if err := read(&rows, p.Tenant); err != nil {
		return err
	}
	for _, r := range rows {
		if slices.Contains(p.Roles, r.Name) {
			if p.RoleSpecs == nil {
				p.RoleSpecs = make(map[string]string)
			}
			p.RoleSpecs[r.Name] = r.Spec
		}
	}
	return nil
}

// ownRoles is readOwnRoles within a transaction.
func (t *tx) ownRoles(p *principal.Principal) error {
	return readOwnRoles(p, func(rows *[]roleRow, tenant string) error { return t.List(rows, ownRoles, tenant) })
}
