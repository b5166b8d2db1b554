package auth

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"usher/query"
)

// mapping is a ClaimsSpec ready to use.
type mapping struct {
	tenant, allTenants, roles, strategy, strategies, filters, parameters, clear, metadata, accounts, datasets, dashboards, timezone, subject, person, email claim
}

// claim reads one part of a principal.
type claim struct {
	name     string
	path     []string // nil: not mapped
	required bool
	fallback query.Value // nil: none
}

func newMapping(spec ClaimsSpec) (mapping, []error) {
	var problems []error
	compile := func(name string, spec Claim) claim {
		c, err := newClaim(name, spec)
		if err != nil {
			problems = append(problems, fmt.Errorf("claims.%s: %w", name, err))
		}
		return c
	}
	if spec.Subject.Pointer == "" {
		spec.Subject.Pointer = "/sub"
	}
	m := mapping{
		tenant:     compile("tenant", spec.Tenant),
		allTenants: compile("all_tenants", spec.AllTenants),
		roles:      compile("roles", spec.Roles),
		strategy:   compile("strategy", spec.Strategy),
		strategies: compile("strategies", spec.Strategies),
		filters:    compile("filters", spec.Filters),
		parameters: compile("parameters", spec.Parameters),
		clear:      compile("clear", spec.Clear),
		metadata:   compile("metadata", spec.Metadata),
		accounts:   compile("accounts", spec.Accounts),
		datasets:   compile("datasets", spec.Datasets),
		dashboards: compile("dashboards", spec.Dashboards),
		timezone:   compile("timezone", spec.Timezone),
		subject:    compile("subject", spec.Subject),
		person:     compile("name", spec.Name),
		email:      compile("email", spec.Email),
	}
	if m.allTenants.fallback != nil {
		problems = append(problems, errors.New("claims.all_tenants: may not have a default; a token must ask for all tenants itself"))
	}
	if m.tenant.fallback != nil && m.allTenants.path != nil {
		problems = append(problems, errors.New("claims.tenant: a default and claims.all_tenants exclude each other"))
	}
	if !m.tenant.mapped() && m.allTenants.path == nil {
		problems = append(problems, errors.New("claims.tenant: missing; give the JSON pointer to the tenant id, such as /tenant"))
	}
	return m, problems
}

func newClaim(name string, spec Claim) (claim, error) {
	c := claim{name: name, required: spec.Required, fallback: spec.Default}
	var err error
	if spec.Pointer != "" {
		if c.path, err = parsePointer(spec.Pointer); err != nil {
			return c, err
		}
	}
	switch {
	case spec.Map == "":
	case name != "tenant":
		return c, errors.New("map: only tenants are looked up")
	case spec.Map != MapRegistry:
		return c, fmt.Errorf("map: %q is not registry", spec.Map)
	case c.path == nil:
		return c, errors.New("map: without a pointer there is nothing to look up")
	case c.fallback != nil:
		return c, errors.New("map: a default and map exclude each other; a token must say itself whose it is")
	}
	if c.required && c.fallback != nil {
		return c, errors.New("required and default exclude each other")
	}
	if c.required && c.path == nil {
		return c, errors.New("required, but without a pointer")
	}
	return c, nil
}

func parsePointer(text string) ([]string, error) {
	pointer := jsontext.Pointer(text)
	switch {
	case !strings.HasPrefix(text, "/"):
		return nil, fmt.Errorf("%q is not a JSON pointer; it begins with a slash, as in /tenant", text)
	case !pointer.IsValid():
		return nil, fmt.Errorf("%q is not a JSON pointer; a ~ is written ~0", text)
	}
	return slices.Collect(pointer.Tokens()), nil
}

func (c claim) mapped() bool { return c.path != nil || c.fallback != nil }

// value follows the pointer. On the way it refuses case variants of each
// name: another reader of the token could take them for it.
func (c claim) value(claims query.Object) (query.Value, bool, error) {
	var at query.Value = claims
	found := c.path != nil
	for _, step := range c.path {
		object, ok := at.(query.Object)
		if !ok {
			return nil, false, fmt.Errorf("%w: %s: its pointer leads through something that is not an object", ErrClaim, c.name)
		}
		if err := checkNames(object, []string{step}); err != nil {
			return nil, false, err
		}
		if at, found = object.Get(step); !found {
			break
		}
	}
	switch {
	case found:
		return at, true, nil
	case c.fallback != nil:
		return c.fallback, true, nil
	case c.required:
		return nil, false, fmt.Errorf("%w: %s is missing", ErrClaim, c.name)
	}
	return nil, false, nil
}

// read converts a claim; one that is absent is the zero value.
func read[T any](c claim, claims query.Object, convert func(query.Value) (T, error)) (T, error) {
	var zero T
	v, ok, err := c.value(claims)
	if err != nil || !ok {
		return zero, err
	}
	t, err := convert(v)
	if err != nil {
		return zero, fmt.Errorf("%s: %w", c.name, err)
	}
	return t, nil
}

// reading reads the parts of a principal one by one and keeps the first error.
type reading struct {
	claims query.Object
	err    error
}

func take[T any](r *reading, c claim, convert func(query.Value) (T, error)) T {
	var zero T
	if r.err != nil {
		return zero
	}
	t, err := read(c, r.claims, convert)
	r.err = err
	return t
}
