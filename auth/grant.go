package auth

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are judged by the same table on every machine

	"usher/principal"
	"usher/query"
)

// principal turns the claims of a token whose signature was verified into a
// principal without its tenant key and expiry. One whose tenant the issuer calls by
// an external id is without its tenant, too.
func (i *issuer) principal(claims query.Object) (p principal.Principal, externalID string, err error) {
	tenant, all, err := i.scope(claims)
	if err != nil {
		return principal.Principal{}, "", err
	}
	if i.byExternalID {
		tenant, externalID = "", tenant
	}
	if err := i.checkNarrowing(claims); err != nil {
		return principal.Principal{}, "", err
	}
	c := &i.claims
	r := reading{claims: claims}
	p = principal.Principal{
		Subject:    take(&r, c.subject, text),
		Name:       take(&r, c.person, text),
		Email:      take(&r, c.email, text),
		Issuer:     i.name,
		TokenID:    take(&r, claim{name: "jti", path: []string{"jti"}}, text),
		Kind:       principal.JWT,
		Tenant:     tenant,
		AllTenants: all,
		Roles:      take(&r, c.roles, i.roles),
		Scopes:     i.scopes(),
		Grant: principal.Grant{
			Strategy:   take(&r, c.strategy, i.strategy),
			Strategies: take(&r, c.strategies, i.strategies),
			Filters:    take(&r, c.filters, filters),
			Parameters: take(&r, c.parameters, i.parameters),
			Cleared:    take(&r, c.clear, i.clear),
			Metadata:   take(&r, c.metadata, i.metadata),
			Accounts:   take(&r, c.accounts, i.accounts),
			Datasets:   i.capped(take(&r, c.datasets, i.datasets)),
			Dashboards: take(&r, c.dashboards, dashboards),
			Timezone:   take(&r, c.timezone, timezone),
		},
	}
	if r.err != nil {
		return principal.Principal{}, "", r.err
	}
	return p, externalID, nil
}

// scopes are what an issuer is trusted for.
func (i *issuer) scopes() []principal.Scope {
	scopes := []principal.Scope{principal.ReadData}
	if i.mayGrant.Write {
		scopes = append(scopes, principal.WriteData)
	}
	if i.mayGrant.Explain {
		scopes = append(scopes, principal.Explain)
	}
	if i.mayGrant.Export {
		scopes = append(scopes, principal.ExportData)
	}
	return scopes
}

// scope returns the one tenant, or the right to all of them. Neither and both
// are refused: the absence of a tenant never means all.
func (i *issuer) scope(claims query.Object) (tenant string, all bool, err error) {
	_, named, err := i.claims.tenant.value(claims)
	if err != nil {
		return "", false, err
	}
	if all, err = read(i.claims.allTenants, claims, i.allTenants); err != nil {
		return "", false, err
	}
	if named == all {
		return "", false, fmt.Errorf("%w: tenant given: %t, all tenants: %t", ErrTenant, named, all)
	}
	convert := tenantID
	if i.byExternalID {
		convert = externalTenant
	}
	tenant, err = read(i.claims.tenant, claims, convert)
	return tenant, all, err
}

// checkNarrowing refuses a token that restricts itself, or leads elsewhere, by
// claims the issuer's mapping does not read: ignoring them would grant more than
// was meant.
func (i *issuer) checkNarrowing(claims query.Object) error {
	for _, c := range []claim{i.claims.filters, i.claims.accounts, i.claims.datasets, i.claims.dashboards} {
		if c.path != nil {
			continue
		}
		for _, m := range claims {
			if strings.EqualFold(m.Name, c.name) {
				return fmt.Errorf("%w: the token has %s, but claims.%s is not mapped", ErrClaim, quote(m.Name), c.name)
			}
		}
	}
	return nil
}

// checkDefaults converts every default once, as a token without the claim will.
func (i *issuer) checkDefaults() []error {
	c := &i.claims
	none := query.Object{}
	tried := []error{
		tryDefault(c.tenant, none, tenantID),
		tryDefault(c.subject, none, text),
		tryDefault(c.person, none, text),
		tryDefault(c.email, none, text),
		tryDefault(c.roles, none, i.roles),
		tryDefault(c.strategy, none, i.strategy),
		tryDefault(c.strategies, none, i.strategies),
		tryDefault(c.filters, none, filters),
		tryDefault(c.parameters, none, i.parameters),
		tryDefault(c.clear, none, i.clear),
		tryDefault(c.metadata, none, i.metadata),
		tryDefault(c.accounts, none, i.accounts),
		tryDefault(c.datasets, none, i.datasets),
		tryDefault(c.dashboards, none, dashboards),
		tryDefault(c.timezone, none, timezone),
	}
	return slices.DeleteFunc(tried, func(err error) bool { return err == nil })
}

func tryDefault[T any](c claim, none query.Object, convert func(query.Value) (T, error)) error {
	if c.fallback == nil {
		return nil
	}
	if _, err := read(c, none, convert); err != nil {
		return fmt.Errorf("claims.%w", err)
	}
	return nil
}

// tenantID reads an id: a text, or a whole number as it is written. From 2^53 on an issuer that counts in doubles writes one
// number for several, so that it would be two tenants' id.
func tenantID(v query.Value) (string, error) {
	id, err := idText(v)
	if err != nil {
		return "", err
	}
	if _, number := v.(query.Number); number {
		if n, err := strconv.ParseInt(id, 10, 64); err != nil || n >= 1<<53 {
			return "", fmt.Errorf("%w: a number that is an id is below 2^53", ErrTenant)
		}
	}
	if err := principal.CheckTenantID(id); err != nil {
		return "", fmt.Errorf("%w: %w", ErrTenant, err)
	}
	return id, nil
}

// externalTenant reads what an issuer calls a tenant. Whose it is, the registry says.
func externalTenant(v query.Value) (string, error) {
	id, err := idText(v)
	if err != nil {
		return "", err
	}
	if err := principal.CheckExternalID(id); err != nil {
		return "", fmt.Errorf("%w: %w", ErrTenant, err)
	}
	return id, nil
}

// idText is a text, or a whole number as it is written.
func idText(v query.Value) (string, error) {
	switch v := v.(type) {
	case query.Text:
		return string(v), nil
	case query.Number:
		if !wholeNumber.MatchString(string(v)) {
			return "", fmt.Errorf("%w: a number is a whole one, written in digits", ErrTenant)
		}
		return string(v), nil
	}
	return "", fmt.Errorf("%w: an id is a string or a whole number", ErrTenant)
}

var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

func (i *issuer) allTenants(v query.Value) (bool, error) {
	all, ok := v.(query.Bool)
	if !ok {
		return false, fmt.Errorf("%w: neither true nor false", ErrTenant)
	}
	if bool(all) && !i.mayGrant.AllTenants {
		return false, fmt.Errorf("%w: all tenants", ErrGrant)
	}
	return bool(all), nil
}

func (i *issuer) roles(v query.Value) ([]string, error) {
	return namesWithin(v, i.mayGrant.Roles)
}

func (i *issuer) strategy(v query.Value) (string, error) {
	name, err := text(v)
	if err != nil {
		return "", err
	}
	return name, within(name, i.mayGrant.Strategies)
}

// strategies reads {"dataset": "strategy"}.
func (i *issuer) strategies(v query.Value) (map[string]string, error) {
	object, err := structuredObject(v)
	if err != nil {
		return nil, err
	}
	out := make(map[string]string, len(object))
	for _, m := range object {
		if out[m.Name], err = i.strategy(m.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// capped is the token's datasets or, when it names none, the issuer's; nil when
// neither restricts them.
func (i *issuer) capped(datasets []string) []string {
	if datasets == nil && len(i.mayGrant.Datasets) > 0 {
		return i.mayGrant.Datasets
	}
	return datasets
}

func (i *issuer) datasets(v query.Value) ([]string, error) {
	if len(i.mayGrant.Datasets) > 0 {
		return namesWithin(v, i.mayGrant.Datasets)
	}
	v, err := structured(v)
	if err != nil {
		return nil, err
	}
	return texts(v)
}

// dashboards reads names. Which there are is for the control store to say: an empty
// list shows none.
func dashboards(v query.Value) ([]string, error) {
	v, err := structured(v)
	if err != nil {
		return nil, err
	}
	return texts(v)
}

// filters reads [{"dataset": "orders", "where": {…}, "having": {…}}]. What they say is
// checked where its columns are known.
func filters(v query.Value) ([]principal.Filter, error) {
	v, err := structured(v)
	if err != nil {
		return nil, err
	}
	list, ok := v.(query.List)
	if !ok {
		return nil, fmt.Errorf("%w: not a list", ErrClaim)
	}
	filters := make([]principal.Filter, 0, len(list))
	for _, element := range list {
		f, err := filter(element)
		if err != nil {
			return nil, err
		}
		filters = append(filters, f)
	}
	return filters, nil
}

func filter(v query.Value) (principal.Filter, error) {
	object, ok := v.(query.Object)
	if !ok {
		return principal.Filter{}, fmt.Errorf("%w: not an object with dataset, where and having", ErrClaim)
	}
	var f principal.Filter
	for _, m := range object {
		switch m.Name {
		case "dataset":
			name, err := text(m.Value)
			if err != nil {
				return principal.Filter{}, err
			}
			f.Dataset = name
		case "where":
			where, ok := m.Value.(query.Object)
			if !ok || len(where) == 0 {
				return principal.Filter{}, fmt.Errorf("%w: where is not an object with a condition", ErrClaim)
			}
			f.Where = where
		case "having":
			having, ok := m.Value.(query.Object)
			if !ok || len(having) == 0 {
				return principal.Filter{}, fmt.Errorf("%w: having is not an object with a condition", ErrClaim)
			}
			f.Having = having
		default:
			return principal.Filter{}, fmt.Errorf("%w: a filter has no %s", ErrClaim, quote(m.Name))
		}
	}
	if f.Dataset == "" || f.Where == nil && f.Having == nil {
		return principal.Filter{}, fmt.Errorf("%w: a filter needs dataset, and where or having", ErrClaim)
	}
	return f, nil
}

// parameters reads {"name": value} with scalars and lists of scalars; their
// types are checked where they are declared.
func (i *issuer) parameters(v query.Value) (map[string]query.Value, error) {
	object, err := structuredObject(v)
	if err != nil {
		return nil, err
	}
	parameters := make(map[string]query.Value, len(object))
	for _, m := range object {
		if err := within(m.Name, i.mayGrant.Parameters); err != nil {
			return nil, err
		}
		elements, ok := m.Value.(query.List)
		if !ok {
			elements = query.List{m.Value}
		}
		if slices.ContainsFunc(elements, func(e query.Value) bool { return !scalar(e) }) {
			return nil, fmt.Errorf("%w: %s is neither a scalar nor a list of scalars", ErrClaim, quote(m.Name))
		}
		parameters[m.Name] = m.Value
	}
	return parameters, nil
}

func scalar(v query.Value) bool {
	switch v.(type) {
	case query.Bool, query.Number, query.Text:
		return true
	}
	return false
}

func (i *issuer) clear(v query.Value) ([]string, error) { return namesWithin(v, i.mayGrant.Clear) }

func (i *issuer) metadata(v query.Value) (map[string]query.Value, error) {
	object, err := structuredObject(v)
	if err != nil {
		return nil, err
	}
	metadata := make(map[string]query.Value, len(object))
	for _, m := range object {
		if err := within(m.Name, i.mayGrant.Metadata); err != nil {
			return nil, err
		}
		if _, null := m.Value.(query.Null); null {
			return nil, fmt.Errorf("%w: %s is null", ErrClaim, quote(m.Name))
		}
		metadata[m.Name] = m.Value
	}
	return metadata, nil
}

func timezone(v query.Value) (string, error) {
	name, err := text(v)
	if err != nil {
		return "", err
	}
	if name == "Local" {
		return "", fmt.Errorf("%w: a zone needs its own name", ErrClaim)
	}
	if _, err := time.LoadLocation(name); err != nil {
		return "", fmt.Errorf("%w: %w", ErrClaim, err)
	}
	return name, nil
}

// text reads a string that says something.
func text(v query.Value) (string, error) {
	s, ok := v.(query.Text)
	if !ok || strings.TrimSpace(string(s)) == "" {
		return "", fmt.Errorf("%w: not a string with text in it", ErrClaim)
	}
	return string(s), nil
}

// texts reads a list of strings, never nil.
func texts(v query.Value) ([]string, error) {
	list, ok := v.(query.List)
	if !ok {
		return nil, fmt.Errorf("%w: not a list of strings", ErrClaim)
	}
	out := make([]string, 0, len(list))
	for _, element := range list {
		s, err := text(element)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// structured understands claims that are JSON in a string, as issuers write
// them that only know flat claims.
func structured(v query.Value) (query.Value, error) {
	if s, ok := v.(query.Text); ok {
		v, err := parseJSON([]byte(s))
		if err == nil && query.HoldsNUL(v) {
			err = fmt.Errorf("%w: a text holds NUL, which no store keeps", ErrClaim)
		}
		return v, err
	}
	return v, nil
}

func structuredObject(v query.Value) (query.Object, error) {
	v, err := structured(v)
	if err != nil {
		return nil, err
	}
	object, ok := v.(query.Object)
	if !ok {
		return nil, fmt.Errorf("%w: not an object", ErrClaim)
	}
	return object, nil
}

func namesWithin(v query.Value, allowed []string) ([]string, error) {
	v, err := structured(v)
	if err != nil {
		return nil, err
	}
	names, err := texts(v)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := within(name, allowed); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func within(name string, allowed []string) error {
	if !slices.Contains(allowed, name) {
		return fmt.Errorf("%w: %s", ErrGrant, quote(name))
	}
	return nil
}
