package demo

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Control is what the configuration says of the control store, which keeps the people
// and what is made in the console; it is no part of the sample data.
const Control = `
control:                             # keeps tenants, people, tokens and what is made in the console
  path: control.duckdb
  key: {id: demo, secret: {file: control.key}}
`

// Password is everybody's who signs in to the demo. It is no secret: whoever reaches the
// demo is offered its tokens, too.
const Password = "extra-guacamole"

// Person signs in to the demo with the password.
type Person struct {
	Name     string `json:"name"`
	Tenant   string `json:"tenant"` // empty: all tenants
	Username string `json:"username"`
	Does     string `json:"does"`
	Password string `json:"password"`
	// Administers: whoever does not only reads.
	Administers bool `json:"-"`
}

// People are one of each kind: who operates all of it, who administers a tenant, and
// who reads its data.
func People(d *Data) []Person {
	first := d.Tenants[0]
	return []Person{
		{Name: "Olga", Username: "olga", Does: "operates the chain: all tenants", Password: Password, Administers: true},
		{Name: "Ann", Tenant: first.ID, Username: "ann", Does: "administers " + first.Name, Password: Password, Administers: true},
		{Name: "Ben", Tenant: first.ID, Username: "ben", Does: "sells for " + first.Name + ", and reads", Password: Password},
	}
}

// makeControlKey makes the key under which the control store encrypts, once.
func (d *Data) makeControlKey() error {
	path := filepath.Join(d.Dir, "control.key")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	if err := writeFile(path, []byte(base64.StdEncoding.EncodeToString(key))); err != nil {
		return fmt.Errorf("cannot keep the key of the demo's control store: %w", err)
	}
	return nil
}
