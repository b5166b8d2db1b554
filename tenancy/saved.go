package tenancy

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"

	"usher/audit"
	"usher/fault"
	"usher/principal"
	"usher/tenancy/database"
)

// SavedQuery is a GraphQL operation kept under a name. With what a page needs to show
// it again it is an exploration. It is a user's, their tenant's or, of those who
// administer all tenants, one that they share with everybody: a template.
type SavedQuery struct {
	ID          string
	Tenant      string // empty: of those who administer all
	Owner       string // subject of its user; empty: the tenant's own
	Name        string
	Document    string
	Variables   json.RawMessage // a JSON object; nil: none
	Shown       json.RawMessage // how a page shows it, a JSON object; nil: it is a text alone
	Description string
	Shared      bool // a user's own: seen by the whole tenant; of those who administer all: by all tenants
	Own         bool // of the viewer's tenant; else it is a template
	Version     int  // raised by each change
	Created     time.Time
	Changed     time.Time
}

// NewSavedQuery is what a saved query says.
type NewSavedQuery struct {
	Name        string
	Document    string
	Variables   json.RawMessage
	Shown       json.RawMessage
	Description string
	OfTenant    bool // the tenant's own, for which one administers it; else the user's
	Shared      bool
	Version     int // the one that is replaced; 0: whichever there is
}

const (
	maxDocument    = 64 << 10
	maxVariables   = 64 << 10
	maxShown       = 64 << 10
	maxDescription = 4 << 10
	maxSaved       = 1000 // of one owner
)

func (n NewSavedQuery) check(p principal.Principal) error {
	if !nameForm.MatchString(n.Name) {
		return unusable("a saved query's name must have the form %s", nameForm)
	}
	if n.OfTenant && n.Shared && !p.AllTenants {
		return forbidden("who administers all tenants shares queries with them; what is the tenant's own is seen by the whole tenant anyway")
	}
	if n.Version < 0 {
		return unusable("the version is at least 1; leave it out to replace whichever there is")
	}
	for _, err := range []error{
		checkText("the operation", n.Document, maxDocument), checkText("the variables", string(n.Variables), maxVariables),
		checkText("the description", n.Description, maxDescription), checkText("the view", string(n.Shown), maxShown),
	} {
		if err != nil {
			return err
		}
	}
	if n.Document == "" {
		return unusable("the operation is missing")
	}
	if !isObject(n.Variables) {
		return unusable("the variables are not a JSON object")
	}
	if !isObject(n.Shown) {
		return unusable("the view is not a JSON object")
	}
	return nil
}

func isObject(text json.RawMessage) bool {
	var object map[string]json.RawMessage
	return len(text) == 0 || json.Unmarshal(text, &object) == nil && object != nil
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
	Shown       string `db:"shown"`
	Version     int64  `db:"version"`
}

const savedColumns = "id, tenant, owner, name, document, variables, description, shared, created_at, changed_at, shown, version"

func (r savedRow) query(p principal.Principal) SavedQuery {
	q := SavedQuery{
		ID: r.ID, Tenant: r.Tenant, Owner: r.Owner, Name: r.Name, Document: r.Document, Description: r.Description, Shared: r.Shared,
		Own: r.Tenant == p.Tenant, Version: int(r.Version), Created: moment(r.Created), Changed: moment(r.Changed),
	}
	if r.Variables != "" {
		q.Variables = json.RawMessage(r.Variables)
	}
	if r.Shown != "" {
		q.Shown = json.RawMessage(r.Shown)
	}
	return q
}

const (
	// visible is which rows a principal may see: of its tenant, those the tenant
	// owns and, unless its token is for the tenant's only, its own and the shared,
	// and the templates. What a token for the tenant's queries runs is what the
	// tenant has saved: a template counts once the tenant has copied it.
	visible = "(tenant = $1 AND (owner = '' OR NOT $2 AND (owner = $3 OR shared)) OR " + template + " AND NOT $2)"

	template = "(tenant = '' AND owner = '' AND shared)"

	// unhidden is false for templates of whose name there is one of the viewer's or of
	// their tenant.
	unhidden = "(tenant = $1 OR NOT EXISTS (SELECT 1 FROM store.saved o WHERE o.tenant = $1 AND o.owner IN ('', $3) AND o.name = s.name))"
)

// visibleTo are the arguments of visible.
func visibleTo(p principal.Principal) ([]any, error) {
	if p.Grant.Dashboards != nil {
		return nil, forbidden("the token is for dashboards only")
	}
	if (p.Tenant == "") != p.AllTenants {
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
	case ofTenant, p.AllTenants:
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
	return s.createSaved(ctx, p, n, "createSavedQuery")
}

func (s *Store) createSaved(ctx context.Context, p principal.Principal, n NewSavedQuery, operation string) (SavedQuery, error) {
	if err := mayKeep(p, n.OfTenant); err != nil {
		return SavedQuery{}, err
	}
	if err := n.check(p); err != nil {
		return SavedQuery{}, err
	}
	if err := s.checkWritten(p, n, false); err != nil {
		return SavedQuery{}, err
	}
	row := savedRow{
		ID: newID(), Tenant: p.Tenant, Owner: ownerOf(p, n.OfTenant), Name: n.Name, Document: n.Document, Variables: string(n.Variables),
		Description: n.Description, Shared: n.Shared, Shown: string(n.Shown), Version: 1,
	}
	err := s.write(ctx, func(t *tx) error {
		var kept int
		if err := t.Get(&kept, "SELECT count(*) FROM store.saved WHERE tenant = $1 AND owner = $2", row.Tenant, row.Owner); err != nil {
			return err
		}
		if kept >= maxSaved {
			return fault.New(fault.Conflict, "at most %d queries are kept for one owner", maxSaved)
		}
		row.Created, row.Changed = micros(t.now), micros(t.now)
		_, err := t.Exec("INSERT INTO store.saved ("+savedColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
			row.ID, row.Tenant, row.Owner, row.Name, row.Document, row.Variables, row.Description, row.Shared, row.Created, row.Changed, row.Shown, row.Version)
		if database.Duplicate(err) {
			return fault.New(fault.Conflict, "there is a saved query of that name")
		}
		if err != nil {
			return err
		}
		t.record(savedEntry(p, operation, row))
		return nil
	})
	if err != nil {
		return SavedQuery{}, err
	}
	return row.query(p), nil
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
	err := s.changeSaved(ctx, p, id, n.Version, "updateSavedQuery", func(t *tx, row savedRow) error {
		n.OfTenant = row.Owner == ""
		if err := n.check(p); err != nil {
			return err
		}
		if err := s.checkWritten(p, n, row.Owner != p.Subject); err != nil {
			return err
		}
		row.Name, row.Document, row.Variables, row.Description, row.Shared = n.Name, n.Document, string(n.Variables), n.Description, n.Shared
		row.Changed, row.Shown, row.Version = micros(t.now), string(n.Shown), row.Version+1
		changed = row
		_, err := t.Exec("UPDATE store.saved SET name = $2, document = $3, variables = $4, description = $5, shared = $6, changed_at = $7, shown = $8, version = $9 WHERE id = $1",
			id, row.Name, row.Document, row.Variables, row.Description, row.Shared, row.Changed, row.Shown, row.Version)
		if database.Duplicate(err) {
			return fault.New(fault.Conflict, "there is a saved query of that name")
		}
		return err
	})
	if err != nil {
		return SavedQuery{}, err
	}
	return changed.query(p), nil
}

// CopySavedQuery makes a query of one's own, or of one's tenant, of one that one sees
// and may read; as nil: under the same name, where it hides the template.
func (s *Store) CopySavedQuery(ctx context.Context, p principal.Principal, id string, as *string, ofTenant bool) (SavedQuery, error) {
	if err := mayKeep(p, ofTenant); err != nil {
		return SavedQuery{}, err
	}
	from, err := s.SavedQueryByID(ctx, p, id)
	if err != nil {
		return SavedQuery{}, err
	}
	// The text of one's own is shown to oneself: a copy shows no more than what it is of.
	if !s.ShowsDocument(p, from) {
		return SavedQuery{}, forbidden("the query %s names what you do not see", from.Name)
	}
	n := NewSavedQuery{
		Name: from.Name, Document: from.Document, Variables: from.Variables, Shown: from.Shown, Description: from.Description, OfTenant: ofTenant,
	}
	if as != nil {
		n.Name = *as
	}
	return s.createSaved(ctx, p, n, "copySavedQuery")
}

// DeleteSavedQuery deletes a query of one's own, or, as administrator, any of
// the tenant's that one sees; version 0: whichever there is. A template of its name
// shows again.
func (s *Store) DeleteSavedQuery(ctx context.Context, p principal.Principal, id string, version int) error {
	return s.changeSaved(ctx, p, id, version, "deleteSavedQuery", func(t *tx, row savedRow) error {
		_, err := t.Exec("DELETE FROM store.saved WHERE id = $1", row.ID)
		return err
	})
}

// changeSaved finds a query that the principal sees and may change. Another's
// or the tenant's changes who covers its owner and sees what it names: tokens may
// be bounded by it.
func (s *Store) changeSaved(ctx context.Context, p principal.Principal, id string, version int, operation string, change func(*tx, savedRow) error) error {
	args, err := visibleTo(p)
	if err != nil {
		return err
	}
	return s.write(ctx, func(t *tx) error {
		var row savedRow
		err := t.Get(&row, "SELECT "+savedColumns+" FROM store.saved WHERE "+visible+" AND id = $4", append(args, id)...)
		if database.Missing(err) {
			return notFound("there is no such saved query")
		}
		if err != nil {
			return err
		}
		if row.Tenant != p.Tenant {
			return forbidden("the query %s is shared with all tenants; make a copy to change", row.Name)
		}
		anothers := row.Owner != p.Subject || p.Subject == ""
		if err := mayKeep(p, anothers); err != nil {
			return err
		}
		if anothers && s.opts.Operations.Hides(p, row.query(p)) {
			return forbidden("the query %s names what you do not see", row.Name)
		}
		if row.Owner != "" && row.Owner != p.Subject {
			if err := t.coversOwner(p, row.Tenant, row.Owner); err != nil {
				return err
			}
		}
		if version != 0 && row.Version != int64(version) {
			return fault.New(fault.Conflict, "the query %s has changed meanwhile", row.Name).WithHint("Load it again, and make your change to that.")
		}
		if err := change(t, row); err != nil {
			return err
		}
		t.record(savedEntry(p, operation, row))
		return nil
	})
}

// SavedQueries lists the queries one sees, by id. What the search holds must occur in
// the name or the description, in any case.
func (s *Store) SavedQueries(ctx context.Context, p principal.Principal, search string, page Page) (queries []SavedQuery, next string, err error) {
	args, err := visibleTo(p)
	if err != nil {
		return nil, "", err
	}
	limit, err := page.limit()
	if err != nil {
		return nil, "", err
	}
	if err := checkSearch(search); err != nil {
		return nil, "", err
	}
	var rows []savedRow
	err = s.db.List(ctx, &rows, "SELECT "+savedColumns+" FROM store.saved s WHERE "+visible+" AND "+unhidden+
		" AND id > $4 AND ($5 = '' OR strpos(lower(name), $5) > 0 OR strpos(lower(description), $5) > 0) ORDER BY id LIMIT $6",
		append(args, page.After, strings.ToLower(search), limit+1)...)
	if err != nil {
		return nil, "", database.Translate(ctx, err)
	}
	rows, next = cut(rows, limit, func(r savedRow) string { return r.ID })
	for _, row := range rows {
		queries = append(queries, row.query(p))
	}
	return queries, next, nil
}

// SavedQuery finds a query by name: one's own, else the tenant's own, else the
// only one of that name that somebody shares, else the template: what a name means in
// a tenant does not change because others publish something.
func (s *Store) SavedQuery(ctx context.Context, p principal.Principal, name string) (SavedQuery, error) {
	args, err := visibleTo(p)
	if err != nil {
		return SavedQuery{}, err
	}
	var rows []savedRow
	err = s.db.List(ctx, &rows, "SELECT "+savedColumns+" FROM store.saved WHERE "+visible+` AND name = $4
		ORDER BY CASE WHEN owner = $3 AND owner <> '' THEN 0 WHEN tenant = $1 AND owner = '' THEN 1 WHEN tenant = $1 THEN 2 ELSE 3 END LIMIT 2`, append(args, name)...)
	switch {
	case err != nil:
		return SavedQuery{}, database.Translate(ctx, err)
	case len(rows) == 0:
		return SavedQuery{}, notFound("there is no saved query %s", name)
	case len(rows) == 2 && rows[0].Owner != "" && rows[0].Owner != p.Subject && rows[1].Tenant == p.Tenant:
		return SavedQuery{}, fault.New(fault.Conflict, "several users share a query of that name").WithHint("Name it by its id.")
	}
	return rows[0].query(p), nil
}

// SavedQueryByID finds a query that one sees.
func (s *Store) SavedQueryByID(ctx context.Context, p principal.Principal, id string) (SavedQuery, error) {
	args, err := visibleTo(p)
	if err != nil {
		return SavedQuery{}, err
	}
	var row savedRow
	err = s.db.Get(ctx, &row, "SELECT "+savedColumns+" FROM store.saved WHERE "+visible+" AND id = $4", append(args, id)...)
	if database.Missing(err) {
		return SavedQuery{}, notFound("there is no such saved query")
	}
	if err != nil {
		return SavedQuery{}, database.Translate(ctx, err)
	}
	return row.query(p), nil
}
