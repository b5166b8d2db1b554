package tenancy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
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
	Cell     string // of sources that have cells
	Accounts []AccountKeys
	Created  time.Time
	Changed  time.Time

	Strategies  map[string]string // of single datasets, by dataset
	Bindings    map[string]string // names of those that datasets are read by, by dataset
	ExternalIDs []string          // what identity providers call it
	AllowHosts  []string          // where its accounts may lead, of what the sources allow; nil: to all of that

	Share principal.Share // of what tenants have in common; what is 0 is as the configuration says
}

// NewTenant is what a tenant begins with.
type NewTenant struct {
	ID       string
	Key      string // default: the id
	Name     string // default: the id
	Strategy string
	Cell     string
	Accounts map[string]principal.Account // by source

	Strategies  map[string]string
	Bindings    map[string]string
	ExternalIDs []string
	AllowHosts  []string // nil: all that the sources allow

	Share principal.Share
}

func (n NewTenant) routing() principal.Routing {
	return principal.Routing{Strategy: n.Strategy, Strategies: n.Strategies, Bindings: n.Bindings, Accounts: n.Accounts, AllowHosts: n.AllowHosts, Cell: n.Cell, Share: n.Share}
}

type tenantRow struct {
	ID       string `db:"id"`
	Key      string `db:"tenant_key"`
	Name     string `db:"name"`
	Status   Status `db:"status"`
	Strategy string `db:"strategy"`
	Cell     string `db:"cell"`
	Accounts string `db:"accounts"`
	Created  int64  `db:"created_at"`
	Changed  int64  `db:"changed_at"`

	Strategies string `db:"strategies"`
	AllowHosts string `db:"allow_hosts"`
	External   string `db:"external_ids"`
	Bindings   string `db:"bindings"`
	Share      string `db:"share"`

	Released int64 `db:"released_at"` // when the places of a deleted one were; 0: they are not
}

const tenantColumns = `id, tenant_key, name, status, strategy, accounts, created_at, changed_at, strategies, allow_hosts, external_ids, cell, bindings, share, released_at`

func accountRow(tenant string) string { return "tenants/" + tenant }

// routing reads how the tenant's data is reached.
func (s *Store) routing(row tenantRow) (principal.Routing, error) {
	accounts, err := s.sealer.openAccounts(row.Accounts, accountRow(row.ID))
	if err != nil {
		return principal.Routing{}, err
	}
	r := principal.Routing{Strategy: row.Strategy, Accounts: accounts, Cell: row.Cell}
	if err := errors.Join(readList(row.Strategies, &r.Strategies), readList(row.Bindings, &r.Bindings), readList(row.AllowHosts, &r.AllowHosts), readShare(row.Share, &r.Share)); err != nil {
		return principal.Routing{}, unreadableTenant(err)
	}
	return r, nil
}

func unreadableTenant(err error) error {
	return fault.New(fault.Internal, "a tenant in the control store cannot be read").Because(err)
}

// readList reads JSON, or nothing. What is there and is no JSON is an error: it
// may have restricted something.
func readList[T any](text string, into *T) error {
	if text == "" {
		return nil
	}
	return json.Unmarshal([]byte(text), into)
}

// writeList is empty for nil, which is not the same as an empty list.
func writeList[T ~map[string]string | ~[]string](list T) (string, error) {
	if list == nil {
		return "", nil
	}
	text, err := json.Marshal(list)
	return string(text), err
}

func (r tenantRow) externalIDs() (ids []string, err error) {
	if err := readList(r.External, &ids); err != nil {
		return nil, unreadableTenant(err)
	}
	return ids, nil
}

func (s *Store) tenant(row tenantRow) (Tenant, error) {
	routing, err := s.routing(row)
	if err != nil {
		return Tenant{}, err
	}
	if row.Status == Deleted {
		routing.Accounts = nil // what is kept of them is for comparing
	}
	external, err := row.externalIDs()
	return Tenant{
		ID: row.ID, Key: row.Key, Name: row.Name, Status: row.Status, Strategy: row.Strategy, Cell: row.Cell,
		Accounts: AccountsOf(routing.Accounts), Created: moment(row.Created), Changed: moment(row.Changed),
		Strategies: routing.Strategies, Bindings: routing.Bindings, ExternalIDs: external, AllowHosts: routing.AllowHosts,
		Share: routing.Share,
	}, err
}

// checkRouting has the catalog judge what the tenant's record says.
func (s *Store) checkRouting(id, key string, routing principal.Routing) error {
	return s.opts.Check(recordOf(id, key, routing))
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

// checkStrategies refuses strategies of single datasets that name nothing.
func checkStrategies(by map[string]string) error {
	if err := checkNames("dataset", sortedKeys(by)); err != nil {
		return err
	}
	for _, dataset := range sortedKeys(by) {
		if err := checkPresent("the strategy of dataset "+dataset, by[dataset], maxName); err != nil {
			return err
		}
	}
	return nil
}

// maxHosts is how many places one record may allow.
const maxHosts = 1000

func checkHosts(list []string) error {
	if len(list) > maxHosts {
		return unusable("a tenant's record allows at most %d hosts and base URLs", maxHosts)
	}
	return checkNames("host", list)
}

func checkAccounts(accounts map[string]principal.Account) error {
	return checkNames("source", sortedKeys(accounts))
}

// CreateTenant registers a tenant. An id or key that was ever used, as either, is
// refused; of two that are registered at the same time, the second sees the first.
func (s *Store) CreateTenant(ctx context.Context, p principal.Principal, n NewTenant) (Tenant, error) {
	n.Key, n.Name = cmp.Or(n.Key, n.ID), cmp.Or(n.Name, n.ID)
	var made Tenant
	a := act{operation: "createTenant", tenant: n.ID, global: true}
	record := recordOf(n.ID, n.Key, n.routing())
	var since int64
	if a.allowed(p) == nil {
		var err error
		if since, err = s.checkDisjoint(ctx, record); err != nil {
			return Tenant{}, s.refused(p, a, err)
		}
	}
	err := s.administer(ctx, p, a, func(t *tx) error {
		for _, err := range []error{
			checkNewTenant(n.ID), checkKey(n.Key), checkPresent("the tenant's name", n.Name, maxName),
			checkStrategy(n.Strategy), checkCell(n.Cell), checkStrategies(n.Strategies), checkBindings(n.Bindings), checkAccounts(n.Accounts), checkExternalIDs(n.ExternalIDs), checkHosts(n.AllowHosts), checkShare(n.Share),
			s.checkRouting(n.ID, n.Key, n.routing()),
		} {
			if err != nil {
				return err
			}
		}
		accounts, err := s.sealer.sealAccounts(n.Accounts, accountRow(n.ID))
		if err != nil {
			return err
		}
		strategies, err := writeList(n.Strategies)
		if err != nil {
			return err
		}
		bindings, err := writeList(n.Bindings)
		if err != nil {
			return err
		}
		external, err := writeList(n.ExternalIDs)
		if err != nil {
			return err
		}
		hosts, err := writeList(n.AllowHosts)
		if err != nil {
			return err
		}
		share, err := writeShare(n.Share)
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
		for _, name := range []string{n.ID, n.Key} {
			var known int
			if err := t.Get(&known, taken, name); err != nil {
				return err
			}
			if known > 0 {
				return fault.New(fault.Conflict, "the id or the key is, or was, a tenant's id or key, or is an external id").
					WithHint("Ids and keys are never used again, nor one for the other.")
			}
		}
		_, err = t.Exec(`INSERT INTO store.tenants (id, tenant_key, name, status, strategy, accounts, created_at, changed_at, generation, strategies, allow_hosts, external_ids, cell, bindings, share)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10, $11, $12, $13, $14)`,
			n.ID, n.Key, n.Name, string(Active), n.Strategy, accounts, micros(t.now), generation, strategies, hosts, external, n.Cell, bindings, share)
		if err != nil {
			return err
		}
		if err := t.setExternalIDs(n.ID, nil, n.ExternalIDs); err != nil {
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
	err := t.Get(&row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1", id)
	if database.Missing(err) && t.store.opts.Configured != nil && t.store.opts.Configured(id) {
		f := fault.New(fault.NotFound, "the control store has no tenant %s: the configuration registers it", id)
		return tenantRow{}, f.WithHint("Change it in usher.yml.")
	}
	if database.Missing(err) {
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
// in any case, in the name or an external id.
func (s *Store) Tenants(ctx context.Context, p principal.Principal, search string, page Page) (tenants []Tenant, next string, err error) {
	if err := mayAdminister(p, everyTenant); err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err != nil {
		return nil, "", err
	}
	if err := checkSearch(search); err != nil {
		return nil, "", err
	}
	var rows []tenantRow
	err = s.db.List(ctx, &rows, "SELECT "+tenantColumns+` FROM store.tenants
		WHERE id > $1 AND ($2 = '' OR strpos(id, $2) > 0 OR strpos(lower(name), $2) > 0
			OR EXISTS (SELECT 1 FROM store.external_ids x WHERE x.tenant = tenants.id AND strpos(lower(x.external_id), $2) > 0)) ORDER BY id LIMIT $3`,
		page.After, strings.ToLower(search), limit+1)
	if err != nil {
		return nil, "", database.Translate(ctx, err)
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
	err := s.db.Get(ctx, &row, "SELECT "+tenantColumns+" FROM store.tenants WHERE id = $1", id)
	if database.Missing(err) {
		return Tenant{}, notFound("there is no tenant %s", id)
	}
	if err != nil {
		return Tenant{}, database.Translate(ctx, err)
	}
	return s.tenant(row)
}
