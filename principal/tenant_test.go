package principal_test

import (
	"strings"
	"testing"

	"usher/principal"
)

func TestTenantIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"acme", "7", "a_b-c", "default", "test", "nulls", "administrators", "00", "1", "na1", "00000000-0000-0000-0000-000000000001", strings.Repeat("a", 63)} {
		if err := principal.CheckTenantID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", "Acme", "-a", "_a", "a b", "a|b", "ä", "а", "acme\n", "a.b", strings.Repeat("a", 64)} {
		if principal.IsTenantID(id) || principal.CheckTenantID(id) == nil {
			t.Errorf("%q is taken for an id", id)
		}
	}
	for _, id := range []string{
		"no_tenant", "null", "undefined", "none", "system", "admin", "all", "root", "false",
		"undef", "void", "na", "n-a", "n_a", "missing", "empty", "unset", "0", "00000000-0000-0000-0000-000000000000", "no_tenants", "guest", "global", "public", "anyone",
	} {
		if err := principal.CheckTenantID(id); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("%s: %v", id, err)
		}
		if !principal.IsTenantID(id) {
			t.Errorf("%s has not the form of one", id)
		}
	}
}

func TestExternalIDs(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"org_9ybsU1dN2d", "42", "-7", "Acme GmbH & Co. KG", "acme", strings.Repeat("ä", 255), "default", "nulls"} {
		if err := principal.CheckExternalID(id); err != nil {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, id := range []string{"", " ", " a", "a ", "a\nb", "a\x00", "a\x7f", "\u2028", "\xff", "a\ufffd", strings.Repeat("ä", 256), "null", "NULL", "None", "undefined", "0", "no_tenant", "System", "ADMIN", "all"} {
		if err := principal.CheckExternalID(id); err == nil {
			t.Errorf("%q is an external id", id)
		}
	}
}
