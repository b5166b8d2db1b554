package demo

import (
	"context"
	"database/sql"
	"embed"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

//go:embed sql
var scripts embed.FS

// generate makes all files of d below dir.
func generate(ctx context.Context, dir string, d *Data, w io.Writer) error {
	if err := os.Mkdir(filepath.Join(dir, tenantFolder), 0o700); err != nil {
		return err
	}
	conn, end, err := engine(ctx)
	if err != nil {
		return err
	}
	defer end()

	p := startProgress(w, progressEvery)
	defer p.stop()
	m := maker{ctx: ctx, conn: conn, progress: p}
	m.shared(filepath.Join(dir, sharedFile), d)
	for _, t := range d.Tenants {
		m.tenant(filepath.Join(dir, tenantFolder, t.ID+".duckdb"), t)
	}
	m.exec(`USE memory`)
	m.exec(`DETACH shared`)
	return m.err
}

// maker runs statements on one connection until the first fails.
type maker struct {
	ctx      context.Context
	conn     *sql.Conn
	progress *progress
	err      error
}

func (m *maker) exec(statement string, args ...any) {
	if m.err == nil {
		_, m.err = m.conn.ExecContext(m.ctx, statement, args...)
	}
}

// script runs one of the embedded files.
func (m *maker) script(name string) {
	text, err := fs.ReadFile(scripts, "sql/"+name)
	if err != nil && m.err == nil {
		m.err = err
	}
	m.exec(string(text))
}

// shared makes the database of all tenants and leaves it attached.
func (m *maker) shared(path string, d *Data) {
	all := distributors()
	m.progress.step("the chain's products and promotions")
	m.exec(`SET VARIABLE orders = ?`, d.Orders)
	m.exec(`SET VARIABLE reference = ?`, d.Reference.Format(time.DateOnly))
	m.exec(`SET VARIABLE smallest = ?`, all[len(all)-1].ID)
	m.script("functions.sql")
	m.exec(attach(path, "shared"))
	m.exec(`USE shared`)
	m.script("tenant.sql")
	m.script("common.sql")
	m.distributors(all)
	m.script("products.sql")
	m.script("promotions.sql")
	m.progress.step("orders")
	m.script("drafts.sql")
	m.progress.step("order items")
	m.script("items.sql")
	m.progress.step("order sums")
	m.script("orders.sql")
	m.progress.step("reviews")
	m.script("reviews.sql")
}

// distributors fills their table, and chain with their shares of the orders.
func (m *maker) distributors(all []distributor) {
	m.exec(`CREATE TEMP TABLE chain (id VARCHAR, region VARCHAR, lots_from INTEGER, lots_until INTEGER)`)
	lots := 0
	for _, d := range all {
		joined, err := d.joinedOn()
		if err != nil && m.err == nil {
			m.err = err
		}
		seats := sql.NullInt64{Int64: int64(d.seats), Valid: d.seats > 0}
		m.exec(`INSERT INTO distributors VALUES (?, ?, ?, ?, ?, ?)`, d.ID, d.Name, d.city, d.region, seats, joined)
		m.exec(`INSERT INTO chain VALUES (?, ?, ?, ?)`, d.ID, d.region, lots, lots+d.share)
		lots += d.share
	}
}

// tenant copies the rows of one tenant into a database of its own.
func (m *maker) tenant(path string, t Tenant) {
	m.progress.step("the database of " + t.Name)
	m.exec(attach(path, "tenant"))
	m.exec(`USE tenant`)
	m.script("tenant.sql")
	m.exec(`INSERT INTO distributors FROM shared.distributors WHERE id = ?`, t.ID)
	m.exec(`INSERT INTO orders FROM shared.orders WHERE distributor_id = ? ORDER BY id`, t.ID)
	m.exec(`INSERT INTO order_items FROM shared.order_items WHERE distributor_id = ? ORDER BY id`, t.ID)
	m.exec(`INSERT INTO reviews FROM shared.reviews WHERE distributor_id = ? ORDER BY id`, t.ID)
	m.exec(`USE shared`)
	m.exec(`DETACH tenant`)
}
