package pglink

import (
	"context"
	"database/sql/driver"

	"github.com/lib/pq"
)

// SignIn has the driver sign in on the link.
func (l *Link) SignIn(ctx context.Context, config pq.Config) (driver.Conn, error) {
	connector, err := pq.NewConnectorConfig(config)
	if err != nil {
		return nil, err
	}
	connector.Dialer(&dialer{server: l.server, link: l})
	return connector.Connect(ctx)
}
