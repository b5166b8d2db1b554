package control

import (
	"errors"
	"testing"

	"usher/catalog"
	"usher/fault"
	"usher/tenancy"
)

// What a key may grant must be there, except members of metadata.
func TestMayGrantIsThere(t *testing.T) {
	cat := &catalog.Catalog{
		Strategies: map[string]*catalog.Strategy{"silo": {}}, Sources: map[string]*catalog.Source{"main": {}},
		Parameters: map[string]*catalog.Parameter{"segments": {}},
	}
	check := CheckMayGrant(func() *catalog.Catalog { return cat })
	for _, good := range []tenancy.MayGrant{
		{},
		{Metadata: []string{"anything"}},
		{Strategies: []string{"silo"}, Accounts: []string{"main"}, Parameters: []string{"segments"}, Clear: []string{"segments"}},
	} {
		if err := check(good); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for want, m := range map[string]tenancy.MayGrant{
		`there is no parameter "segmnets" that the key could grant`: {Parameters: []string{"segments", "segmnets"}},
		`there is no parameter "segmnet" that the key could grant`:  {Clear: []string{"segmnet"}},
		`there is no strategy "main" that the key could grant`:      {Strategies: []string{"main"}},
		`there is no source "silo" that the key could grant`:        {Accounts: []string{"silo"}},
	} {
		var f *fault.Error
		if err := check(m); !errors.As(err, &f) || f.Code != fault.BadUserInput || f.Message != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
