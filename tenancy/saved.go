package tenancy

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
)

// SavedQuery is a GraphQL operation kept under a name.
type SavedQuery struct {
	ID          string
	Tenant      string
	Owner       string // subject of its user; empty: the tenant's own
	Name        string
	Document    string
	Variables   json.RawMessage // a JSON object; nil: none
	Description string
	Shared      bool // a user's own: seen by the whole tenant
	Created     time.Time
	Changed     time.Time
}

// NewSavedQuery is what a saved query says.
type NewSavedQuery struct {
	Name        string
	Document    string
	Variables   json.RawMessage
	Description string
	OfTenant    bool // the tenant's own, for which one administers it; else the user's
	Shared      bool
}

const (
	maxDocument    = 64 << 10
	maxVariables   = 64 << 10
	maxDescription = 4 << 10
	maxSaved       = 1000 // of one owner
)

func (n NewSavedQuery) check() error {
	if !nameForm.MatchString(n.Name) {
		return unusable("a saved query's name must have the form %s", nameForm)
	}
	if n.OfTenant && n.Shared {
		return unusable("what is the tenant's own is seen by the whole tenant anyway")
	}
	for _, err := range []error{
		checkText("the operation", n.Document, maxDocument), checkText("the variables", string(n.Variables), maxVariables),
		checkText("the description", n.Description, maxDescription),
	} {
		if err != nil {
			return err
		}
	}
	if n.Document == "" {
		return unusable("the operation is missing")
	}
	var object map[string]json.RawMessage
	if len(n.Variables) > 0 && (json.Unmarshal(n.Variables, &object) != nil || object == nil) {
		return unusable("the variables are not a JSON object")
	}
	return nil
}

// Operations judges texts of operations, of which the store knows nothing, by
// what somebody sees. What it says of a query may be said to them.
type Operations interface {
	// CheckWritten says why somebody may not write a document that others run;
	// closed: also tokens that run nothing but the tenant's queries.
	CheckWritten(writer principal.Principal, document string, closed bool) error
	// Shows tells whether a query names only what somebody sees.
	Shows(viewer principal.Principal, q SavedQuery) bool
	// Hides tells whether a query names what others of the tenant may see and
	// this one does not.
	Hides(viewer principal.Principal, q SavedQuery) bool

	DashboardJudge
}

// allowsAll stands for Operations where there are none.
type allowsAll struct{}

func (allowsAll) CheckWritten(principal.Principal, string, bool) error { return nil }
func (allowsAll) Shows(principal.Principal, SavedQuery) bool           { return true }
func (allowsAll) Hides(principal.Principal, SavedQuery) bool           { return false }

// ShowsDocument tells whether somebody who sees a query may see its text and
// variables too: it is their own, or names only what they see.
func (s *Store) ShowsDocument(viewer principal.Principal, q SavedQuery) bool {
	return q.Owner != "" && q.Owner == viewer.Subject || s.opts.Operations.Shows(viewer, q)
}

type savedRow struct {
	ID          string `db:"id"`
	Tenant      string `db:"tenant"`
	Owner       string `db:"owner"`
	Name        string `db:"name"`
	Document    string `db:"document"`
	Variables   string `db:"variables"`
	Description string `db:"description"`
	Shared      bool   `db:"shared"`
	Created     int64  `db:"created_at"`
	Changed     int64  `db:"changed_at"`
}

const savedColumns = "id, tenant, owner, name, document, variables, description, shared, created_at, changed_at"

func (r savedRow) query() SavedQuery {
	q := SavedQuery{
		ID: r.ID, Tenant: r.Tenant, Owner: r.Owner, Name: r.Name, Document: r.Document, Description: r.Description, Shared: r.Shared,
		Created: moment(r.Created), Changed: moment(r.Changed),
	}
	if r.Variables != "" {
		q.Variables = json.RawMessage(r.Variables)
	}
	return q
}

// visible is which rows a principal may see: of its tenant, those the tenant
// owns and, unless its token is for the tenant's only, its own and the shared.
const visible = "tenant = $1 AND (owner = '' OR NOT $2 AND (owner = $3 OR shared))"

// visibleTo are the arguments of visible.
func visibleTo(p principal.Principal) ([]any, error) {
	if p.Grant.Dashboards != nil {
		return nil, forbidden("the token is for dashboards only")
	}
	if p.Tenant == "" || p.AllTenants {
		return nil, forbidden("saved queries are a tenant's; act as one")
	}
	return []any{p.Tenant, p.Grant.SavedOnly, p.Subject}, nil
}

// mayKeep judges who keeps a query for whom.
func mayKeep(p principal.Principal, ofTenant bool) error {
	if _, err := visibleTo(p); err != nil {
		return err
	}
	switch {
	case ofTenant:
		return cmp.Or(mayAdminister(p, p.Tenant), unrestricted(p))
	case p.Acting != nil && !has(p, principal.WriteData):
		return forbidden("who acts as a tenant to read does not save queries")
	case p.Grant.SavedOnly:
		return forbidden("the token is for the tenant's saved queries only")
	case p.Subject == "":
		return forbidden("the token does not say whose the query would be")
	}
	return nil
}

func ownerOf(p principal.Principal, ofTenant bool) string {
	if ofTenant {
		return ""
	}
	return p.Subject
}

// CreateSavedQuery keeps a query under a name that its owner has not used.
func (s *Store) CreateSavedQuery(ctx context.Context, p principal.Principal, n NewSavedQuery) (SavedQuery, error) {
	if err := mayKeep(p, n.OfTenant); err != nil {
		return SavedQuery{}, err
	}
	if err := n.check(); err != nil {
		return SavedQuery{}, err
	}
	if err := s.checkWritten(p, n, false); err != nil {
		return SavedQuery{}, err
	}
	row := savedRow{
		ID: newID(), Tenant: p.Tenant, Owner: ownerOf(p, n.OfTenant), Name: n.Name, Document: n.Document, Variables: string(n.Variables),
		Description: n.Description, Shared: n.Shared,
	}
	err := s.write(ctx, func(t *tx) error {
		var kept int
		if err := t.get(&kept, "SELECT count(*) FROM store.saved WHERE tenant = $1 AND owner = $2", row.Tenant, row.Owner); err != nil {
			return err
		}
		if kept >= maxSaved {
			return fault.New(fault.Conflict, "at most %d queries are kept for one owner", maxSaved)
		}
		row.Created, row.Changed = micros(t.now), micros(t.now)
		_, err := t.exec("INSERT INTO store.saved ("+savedColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
			row.ID, row.Tenant, row.Owner, row.Name, row.Document, row.Variables, row.Description, row.Shared, row.Created, row.Changed)
		if duplicate(err) {
			return fault.New(fault.Conflict, "there is a saved query of that name")
		}
		if err != nil {
			return err
		}
		t.record(savedEntry(p, "createSavedQuery", row))
		return nil
	})
	if err != nil {
		return SavedQuery{}, err
	}
	return row.query(), nil
}

// checkWritten judges what others will run: the tenant's queries, those that are
// shared, and those of somebody else.
func (s *Store) checkWritten(writer principal.Principal, n NewSavedQuery, anothers bool) error {
	if !n.OfTenant && !n.Shared && !anothers {
		return nil
	}
	return s.opts.Operations.CheckWritten(writer, n.Document, n.OfTenant)
}

func savedEntry(p principal.Principal, operation string, row savedRow) audit.Entry {
	e := audit.Of(p, audit.Administration)
	e.Operation, e.Detail, e.Outcome = operation, row.Name, audit.Done
	return e
}

// UpdateSavedQuery replaces what a query says; whose it is stays.
func (s *Store) UpdateSavedQuery(ctx context.Context, p principal.Principal, id string, n NewSavedQuery) (SavedQuery, error) {
	var changed savedRow
	err := s.changeSaved(ctx, p, id, "updateSavedQuery", func(t *tx, row savedRow) error {
		n.OfTenant = row.Owner == ""
		if err := n.check(); err != nil {
			return err
		}
		if err := s.checkWritten(p, n, row.Owner != p.Subject); err != nil {
			return err
		}
		row.Name, row.Document, row.Variables, row.Description, row.Shared = n.Name, n.Document, string(n.Variables), n.Description, n.Shared
		row.Changed = micros(t.now)
		changed = row
		_, err := t.exec("UPDATE store.saved SET name = $2, document = $3, variables = $4, description = $5, shared = $6, changed_at = $7 WHERE id = $1",
			id, row.Name, row.Document, row.Variables, row.Description, row.Shared, row.Changed)
		if duplicate(err) {
			return fault.New(fault.Conflict, "there is a saved query of that name")
		}
		return err
	})
	if err != nil {
		return SavedQuery{}, err
	}
	return changed.query(), nil
}

// DeleteSavedQuery deletes a query of one's own, or, as administrator, any of
// the tenant's that one sees.
func (s *Store) DeleteSavedQuery(ctx context.Context, p principal.Principal, id string) error {
	return s.changeSaved(ctx, p, id, "deleteSavedQuery", func(t *tx, row savedRow) error {
		_, err := t.exec("DELETE FROM store.saved WHERE id = $1", row.ID)
		return err
	})
}

// changeSaved finds a query that the principal sees and may change. Another's
// or the tenant's changes who covers its owner and sees what it names: tokens may
// be bounded by it.
func (s *Store) changeSaved(ctx context.Context, p principal.Principal, id, operation string, change func(*tx, savedRow) error) error {
	args, err := visibleTo(p)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		var row savedRow
		err := t.get(&row, "SELECT "+savedColumns+" FROM store.saved WHERE "+visible+" AND id = $4", append(args, id)...)
		if missing(err) {
			return notFound("there is no such saved query")
		}
		if err != nil {
			return err
		}
		anothers := row.Owner != p.Subject || p.Subject == ""
		if err := mayKeep(p, anothers); err != nil {
			return err
		}
		if anothers && s.opts.Operations.Hides(p, row.query()) {
			return forbidden("the query %s names what you do not see", row.Name)
		}
		if row.Owner != "" && row.Owner != p.Subject {
			if err := t.coversOwner(p, row.Tenant, row.Owner); err != nil {
				return err
			}
		}
		if err := change(t, row); err != nil {
			return err
		}
		t.record(savedEntry(p, operation, row))
		return nil
	})
}

// SavedQueries lists the queries one sees, by id.
func (s *Store) SavedQueries(ctx context.Context, p principal.Principal, page Page) (queries []SavedQuery, next string, err error) {
	args, err := visibleTo(p)
	if err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err != nil {
		return nil, "", err
	}
	var rows []savedRow
	err = s.list(ctx, &rows, "SELECT "+savedColumns+" FROM store.saved WHERE "+visible+" AND id > $4 ORDER BY id LIMIT $5",
		append(args, page.After, limit+1)...)
	if err != nil {
		return nil, "", translate(ctx, err)
	}
	rows, next = cut(rows, limit, func(r savedRow) string { return r.ID })
	for _, row := range rows {
		queries = append(queries, row.query())
	}
	return queries, next, nil
}

// SavedQuery finds a query by name: one's own, else the tenant's own, else the
// only one of that name that somebody shares.
func (s *Store) SavedQuery(ctx context.Context, p principal.Principal, name string) (SavedQuery, error) {
	args, err := visibleTo(p)
	if err != nil {
		return SavedQuery{}, err
	}
	var rows []savedRow
	err = s.list(ctx, &rows, "SELECT "+savedColumns+" FROM store.saved WHERE "+visible+` AND name = $4
		ORDER BY CASE WHEN owner = $3 AND owner <> '' THEN 0 WHEN owner = '' THEN 1 ELSE 2 END LIMIT 2`, append(args, name)...)
	switch {
	case err != nil:
		return SavedQuery{}, translate(ctx, err)
	case len(rows) == 0:
		return SavedQuery{}, notFound("there is no saved query %s", name)
	case len(rows) == 2 && rows[0].Owner != "" && rows[0].Owner != p.Subject:
		return SavedQuery{}, fault.New(fault.Conflict, "several users share a query of that name").WithHint("Name it by its id.")
	}
	return rows[0].query(), nil
}

// SavedQueryByID finds a query that one sees.
func (s *Store) SavedQueryByID(ctx context.Context, p principal.Principal, id string) (SavedQuery, error) {
	args, err := visibleTo(p)
	if err != nil {
		return SavedQuery{}, err
	}
	var row savedRow
	err = s.get(ctx, &row, "SELECT "+savedColumns+" FROM store.saved WHERE "+visible+" AND id = $4", append(args, id)...)
	if missing(err) {
		return SavedQuery{}, notFound("there is no such saved query")
	}
	if err != nil {
		return SavedQuery{}, translate(ctx, err)
	}
	return row.query(), nil
}
