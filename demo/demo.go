// Package demo owns the sample data: a burrito chain and the distributors that
// resell its burritos, one tenant each. It makes the data in three forms that
// hold the same rows: one database of all distributors, one database for each,
// and an HTTP API. Equal options make equal data on every machine. Data that
// was not made to its end is never used.
package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// DefaultOrders is how many orders the chain has unless told otherwise.
const DefaultOrders = 200_000

const (
	minOrders = 100
	maxOrders = 10_000_000
	freshFor  = 14 * 24 * time.Hour
)

// Options say what data to make.
type Options struct {
	Orders    int       // orders of all distributors together; 0: DefaultOrders
	Reference time.Time // orders end where this day (UTC) begins; usually now
	Progress  io.Writer // told what is being made when it takes long; nil: nobody
}

// Data is complete sample data in a directory.
type Data struct {
	Dir       string
	Orders    int
	Reference time.Time // midnight UTC; all orders were placed before it
	Tenants   []Tenant  // the distributors, the largest first
	Secret    []byte    // signs the demo's tokens; the text of SecretFile
}

// Shared is the database with the rows of all tenants and the common ones.
func (d *Data) Shared() string { return filepath.Join(d.Dir, sharedFile) }

// TenantFile is the database with the rows of one tenant.
func (d *Data) TenantFile(id string) string {
	return filepath.Join(d.Dir, tenantFolder, id+".duckdb")
}

// SecretFile holds the secret that signs the demo's tokens.
func (d *Data) SecretFile() string { return filepath.Join(d.Dir, secretFile) }

const (
	sharedFile   = "shared.duckdb"
	tenantFolder = "tenants"
	secretFile   = "secret"
	partial      = ".partial-"
)

// Prepare makes the sample data in dir, or finds it there: data with as many
// orders is used again for two weeks after its reference day. An interrupted
// Prepare leaves nothing that a later one takes for data.
func Prepare(ctx context.Context, dir string, o Options) (*Data, error) {
	if o.Orders == 0 {
		o.Orders = DefaultOrders
	}
	if o.Orders < minOrders || o.Orders > maxOrders {
		return nil, fmt.Errorf("sample data has %d to %d orders, not %d", minOrders, maxOrders, o.Orders)
	}
	if o.Reference.IsZero() {
		return nil, errors.New("sample data needs a reference day to end at")
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the data directory: %w", err)
	}
	d := &Data{Dir: dir, Orders: o.Orders, Reference: o.Reference.UTC().Truncate(24 * time.Hour), Tenants: tenants()}
	if err := d.findOrMake(ctx, o.Progress); err != nil {
		return nil, err
	}
	var err error
	if d.Secret, err = secret(d.SecretFile()); err != nil {
		return nil, err
	}
	return d, d.makeControlKey()
}

func (d *Data) findOrMake(ctx context.Context, progress io.Writer) error {
	if m, ok := d.complete(); ok {
		d.Reference = m.Reference
		return nil
	}
	if err := d.forget(); err != nil {
		return fmt.Errorf("cannot remove old sample data: %w", err)
	}
	tmp, err := os.MkdirTemp(d.Dir, partial)
	if err != nil {
		return fmt.Errorf("cannot make sample data: %w", err)
	}
	defer func() { _ = os.RemoveAll(tmp) }()
	if err := generate(ctx, tmp, d, progress); err != nil {
		return fmt.Errorf("cannot make sample data: %w", err)
	}
	for _, name := range []string{sharedFile, tenantFolder} {
		if err := os.Rename(filepath.Join(tmp, name), filepath.Join(d.Dir, name)); err != nil {
			return fmt.Errorf("cannot put sample data in place: %w", err)
		}
	}
	return d.writeManifest()
}

// forget removes what an earlier version, other options or an interrupted
// start left. The manifest goes first: without it nothing else counts.
func (d *Data) forget() error {
	names := []string{manifestFile, sharedFile, tenantFolder}
	found, err := os.ReadDir(d.Dir)
	if err != nil {
		return err
	}
	for _, f := range found {
		if strings.HasPrefix(f.Name(), partial) {
			names = append(names, f.Name())
		}
	}
	for _, name := range names {
		if err := os.RemoveAll(filepath.Join(d.Dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// secret reads the secret, which is made once: tokens stay valid over restarts.
func secret(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err == nil && len(bytes.TrimSpace(text)) >= 32 {
		return bytes.TrimSpace(text), nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot read the demo's secret: %w", err)
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	text = []byte(hex.EncodeToString(key))
	if err := writeFile(path, text); err != nil {
		return nil, fmt.Errorf("cannot keep the demo's secret: %w", err)
	}
	return text, nil
}
