package tenancy

import (
	"context"

	"usher/principal"
)

// Reload has an administrator of all tenants serve another configuration. No transaction
// is held meanwhile: what is to be served is compared with the store's tenants.
func (s *Store) Reload(ctx context.Context, p principal.Principal, serve func() error) error {
	a := act{operation: "reload", global: true}
	err := a.allowed(p)
	if err == nil {
		err = s.write(ctx, func(t *tx) error { return t.current(p) })
	}
	if err == nil {
		err = serve()
	}
	if err == nil {
		err = s.write(ctx, func(t *tx) error {
			t.record(a.entry(p))
			return nil
		})
	}
	return s.refused(p, a, err)
}
