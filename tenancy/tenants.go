package tenancy

import (
	"cmp"
	"context"
	"strings"
	"time"

	"usher/fault"
	"usher/principal"
)

// Status of a tenant or a user.
type Status string

// The statuses. Active and Disabled are those of users too.
const (
	Active    Status = "active"
	Suspended Status = "suspended" // of a tenant: all its tokens stop until it is resumed
	Deleted   Status = "deleted"   // of a tenant: for ever; its id and key are never another's
	Disabled  Status = "disabled"  // of a user
)

// Tenant is a tenant's record.
type Tenant struct {
	ID       string
	Key      string // value in tenant columns; given once, like the id
	Name     string
	Status   Status
	Strategy string // default strategy; empty: the configuration's
	Accounts []AccountKeys
	Created  time.Time
	Changed  time.Time
}

// NewTenant is what a tenant begins with.
type NewTenant struct {
	ID       string
	Key      string // default: the id
	Name     string // default: the id
	Strategy string
	Accounts map[string]principal.Account // by source
}

type tenantRow struct {
	ID       string `db:"id"`
	Key      string `db:"tenant_key"`
	Name     string `db:"name"`
	Status   Status `db:"status"`
	Strategy string `db:"strategy"`
	Accounts string `db:"accounts"`
	Created  int64  `db:"created_at"`
	Changed  int64  `db:"changed_at"`
}

const tenantColumns = "id, tenant_key, name, status, strategy, accounts, created_at, changed_at"

func accountRow(tenant string) string { return "tenants/" + tenant }

// home reads how the tenant's data is reached.
func (s *Store) home(row tenantRow) (principal.Home, error) {
	accounts, err := s.sealer.openAccounts(row.Accounts, accountRow(row.ID))
	return principal.Home{Strategy: row.Strategy, Accounts: accounts}, err
}

func (s *Store) tenant(row tenantRow) (Tenant, error) {
	home, err := s.home(row)
	if err != nil {
		return Tenant{}, err
	}
	return Tenant{
		ID: row.ID, Key: row.Key, Name: row.Name, Status: row.Status, Strategy: row.Strategy,
		Accounts: accountKeys(home.Accounts), Created: moment(row.Created), Changed: moment(row.Changed),
	}, nil
}

// checkHome has the catalog judge what the tenant's record says.
func (s *Store) checkHome(id, key string, home principal.Home) error {
	return s.opts.Check(recordOf(id, key, home))
}

// checkNewTenant refuses ids that stand for no tenant, or for all: one that was
// registered before they were reserved keeps what it has.
func checkNewTenant(id string) error {
	if err := checkTenantID(id); err != nil {
		return err
	}
	if err := principal.CheckTenantID(id); err != nil {
		return unusable("%s", err)
	}
	return nil
}

func checkKey(key string) error { return checkPresent("the tenant's key", key, maxName) }

func checkStrategy(name string) error { return checkLine("the strategy's name", name, maxName) }

func checkAccounts(accounts map[string]principal.Account) error {
	return checkNames("source", sortedKeys(accounts))
}

// CreateTenant registers a tenant. An id or key that was ever used is refused.
func (s *Store) CreateTenant(ctx context.Context, p principal.Principal, n NewTenant) (Tenant, error) {
	n.Key, n.Name = cmp.Or(n.Key, n.ID), cmp.Or(n.Name, n.ID)
	var made Tenant
	a := act{operation: "createTenant", tenant: n.ID, global: true}
	record := recordOf(n.ID, n.Key, principal.Home{Strategy: n.Strategy, Accounts: n.Accounts})
	var since int64
	if a.allowed(p) == nil {
		var err error
		if since, err = s.checkDisjoint(ctx, record); err != nil {
			return Tenant{}, err
		}
	}
	err := s.administer(ctx, p, a, func(t *tx) error {
		for _, err := range []error{
			checkNewTenant(n.ID), checkKey(n.Key), checkPresent("the tenant's name", n.Name, maxName),
			checkStrategy(n.Strategy), checkAccounts(n.Accounts),
			s.checkHome(n.ID, n.Key, principal.Home{Strategy: n.Strategy, Accounts: n.Accounts}),
		} {
			if err != nil {
				return err
			}
		}
		accounts, err := s.sealer.sealAccounts(n.Accounts, accountRow(n.ID))
		if err != nil {
			return err
		}
		generation, err := t.nextGeneration()
		if err != nil {
			return err
		}
		if err := t.checkDisjoint(record, since); err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO store.tenants (id, tenant_key, name, status, strategy, accounts, created_at, changed_at, generation)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8)`, n.ID, n.Key, n.Name, string(Active), n.Strategy, accounts, micros(t.now), generation)
		if duplicate(err) {
			return fault.New(fault.Conflict, "the id or the key is, or was, a tenant's").WithHint("Ids and keys are never used again.")
		}
		if err != nil {
			return err
		}
		made, err = s.readTenant(t, n.ID)
		return err
	})
	return made, err
}

func (s *Store) readTenant(t *tx, id string) (Tenant, error) {
	row, err := t.tenantRow(id)
	if err != nil {
		return Tenant{}, err
	}
	return s.tenant(row)
}

func (t *tx) tenantRow(id string) (tenantRow, error) {
	var row tenantRow
	err := t.get(&row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1", id)
	if missing(err) {
		return tenantRow{}, notFound("there is no tenant %s", id)
	}
	return row, err
}

// activeTenant is the record of a tenant that may get tokens.
func (t *tx) activeTenant(id string) (tenantRow, error) {
	row, err := t.tenantRow(id)
	if err == nil && row.Status != Active {
		return tenantRow{}, fault.New(fault.Conflict, "tenant %s is %s", id, row.Status)
	}
	return row, err
}

// Tenants lists tenants by id. What the search holds must occur in the id or,
// in any case, in the name.
func (s *Store) Tenants(ctx context.Context, p principal.Principal, search string, page Page) (tenants []Tenant, next string, err error) {
	if err := mayAdminister(p, everyTenant); err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err != nil {
		return nil, "", err
	}
	if err := checkLine("the search", search, maxName); err != nil {
		return nil, "", err
	}
	var rows []tenantRow
	err = s.list(ctx, &rows, "SELECT "+tenantColumns+` FROM store.tenants
		WHERE id > $1 AND ($2 = '' OR strpos(id, $2) > 0 OR strpos(lower(name), $2) > 0) ORDER BY id LIMIT $3`,
		page.After, strings.ToLower(search), limit+1)
	if err != nil {
		return nil, "", translate(ctx, err)
	}
	rows, next = cut(rows, limit, func(r tenantRow) string { return r.ID })
	for _, row := range rows {
		tenant, err := s.tenant(row)
		if err != nil {
			return nil, "", err
		}
		tenants = append(tenants, tenant)
	}
	return tenants, next, nil
}

// GetTenant returns a tenant's record, to its own administrators too.
func (s *Store) GetTenant(ctx context.Context, p principal.Principal, id string) (Tenant, error) {
	if err := mayAdminister(p, id); err != nil {
		return Tenant{}, err
	}
	var row tenantRow
	err := s.get(ctx, &row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1", id)
	if missing(err) {
		return Tenant{}, notFound("there is no tenant %s", id)
	}
	if err != nil {
		return Tenant{}, translate(ctx, err)
	}
	return s.tenant(row)
}

// RenameTenant changes the name, which is for people only.
func (s *Store) RenameTenant(ctx context.Context, p principal.Principal, id, name string) error {
	return s.administer(ctx, p, act{operation: "renameTenant", tenant: id}, func(t *tx) error {
		if err := checkPresent("the tenant's name", name, maxName); err != nil {
			return err
		}
		return t.changeTenant(id, func(row *tenantRow) error {
			row.Name = name
			return nil
		})
	})
}

// SetTenantStrategy changes the default strategy; empty is the configuration's.
func (s *Store) SetTenantStrategy(ctx context.Context, p principal.Principal, id, strategy string) error {
	return s.administer(ctx, p, act{operation: "setTenantStrategy", tenant: id, global: true}, func(t *tx) error {
		if err := checkStrategy(strategy); err != nil {
			return err
		}
		return t.changeTenant(id, func(row *tenantRow) error {
			row.Strategy = strategy
			home, err := s.home(*row)
			if err != nil {
				return err
			}
			return s.checkHome(row.ID, row.Key, home)
		})
	})
}

// SetTenantAccounts replaces the tenant's accounts.
func (s *Store) SetTenantAccounts(ctx context.Context, p principal.Principal, id string, accounts map[string]principal.Account) error {
	a := act{operation: "setTenantAccounts", tenant: id, global: true}
	var since int64
	if a.allowed(p) == nil {
		known, err := s.registered(ctx, id)
		if err != nil {
			return err
		}
		if known != nil {
			if since, err = s.checkDisjoint(ctx, recordOf(id, known.key, principal.Home{Accounts: accounts})); err != nil {
				return err
			}
		}
	}
	return s.administer(ctx, p, a, func(t *tx) error {
		if err := checkAccounts(accounts); err != nil {
			return err
		}
		return t.changeTenant(id, func(row *tenantRow) error {
			home := principal.Home{Strategy: row.Strategy, Accounts: accounts}
			if err := s.checkHome(row.ID, row.Key, home); err != nil {
				return err
			}
			if err := t.checkDisjoint(recordOf(row.ID, row.Key, home), since); err != nil {
				return err
			}
			var err error
			row.Accounts, err = s.sealer.sealAccounts(accounts, accountRow(id))
			return err
		})
	})
}

// SuspendTenant stops all tokens of the tenant: here at once, elsewhere within
// a second.
func (s *Store) SuspendTenant(ctx context.Context, p principal.Principal, id string) error {
	return s.setStatus(ctx, p, "suspendTenant", id, Suspended)
}

// ResumeTenant ends a suspension.
func (s *Store) ResumeTenant(ctx context.Context, p principal.Principal, id string) error {
	return s.setStatus(ctx, p, "resumeTenant", id, Active)
}

// DeleteTenant ends the tenant for ever. Its record stays, without accounts, so
// that neither its id nor its key becomes another's.
func (s *Store) DeleteTenant(ctx context.Context, p principal.Principal, id string) error {
	return s.setStatus(ctx, p, "deleteTenant", id, Deleted)
}

func (s *Store) setStatus(ctx context.Context, p principal.Principal, operation, id string, status Status) error {
	return s.administer(ctx, p, act{operation: operation, tenant: id, global: true}, func(t *tx) error {
		return t.changeTenant(id, func(row *tenantRow) error {
			row.Status = status
			if status == Deleted {
				row.Accounts = ""
				return t.purge(id)
			}
			return nil
		})
	})
}

// purge removes what belonged to a tenant, except its audit log.
func (t *tx) purge(tenant string) error {
	for _, statement := range []string{
		"DELETE FROM store.users WHERE tenant = $1",
		"DELETE FROM store.roles WHERE tenant = $1",
		"DELETE FROM store.saved WHERE tenant = $1",
		"DELETE FROM store.tokens WHERE tenant = $1",
	} {
		if _, err := t.exec(statement, tenant); err != nil {
			return err
		}
	}
	return t.invalidateRights()
}

// changeTenant changes the record of a tenant that is not deleted. Raising the
// generation first makes changes wait for one another.
func (t *tx) changeTenant(id string, change func(*tenantRow) error) error {
	generation, err := t.nextGeneration()
	if err != nil {
		return err
	}
	row, err := t.tenantRow(id)
	if err != nil {
		return err
	}
	if row.Status == Deleted {
		return fault.New(fault.Conflict, "tenant %s is deleted", id)
	}
	if err := change(&row); err != nil {
		return err
	}
	_, err = t.exec("UPDATE store.tenants SET name = $2, status = $3, strategy = $4, accounts = $5, changed_at = $6, generation = $7 WHERE id = $1",
		id, row.Name, string(row.Status), row.Strategy, row.Accounts, micros(t.now), generation)
	return err
}
