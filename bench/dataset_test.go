package main

import (
	"bytes"
	"os"
	"testing"
)

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, d := range []dataset{full.data, quick.data} {
		sum := 0
		for i, size := range d.sizes() {
			sum += size
			if size < smallest {
				t.Errorf("%s: tenant %d has %d orders, fewer than W5 asks for", d.name, i, size)
			}
		}
		if sum != d.orders {
			t.Errorf("%s: all tenants have %d orders, not %d", d.name, sum, d.orders)
		}
		if d.sizes()[0] != d.largest {
			t.Errorf("%s: the largest tenant has %d orders", d.name, d.sizes()[0])
		}
	}
}

func TestRotatedTenantsDiffer(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, name := range full.data.rotated() {
		if seen[name] || name == full.data.large() {
			t.Errorf("%s is asked for twice, or is the largest", name)
		}
		seen[name] = true
	}
	if len(seen) != full.data.rotation {
		t.Errorf("%d tenants", len(seen))
	}
}

func TestRowsAreTheSameEachTime(t *testing.T) {
	t.Parallel()
	d := dataset{name: "test", tenants: 5, orders: 10_000, largest: 3000, rotation: 2}
	a, b := t.TempDir(), t.TempDir()
	for _, folder := range []string{a, b} {
		if err := d.write(folder); err != nil {
			t.Fatal(err)
		}
	}
	for _, table := range []string{"products", "orders", "items"} {
		first, err := os.ReadFile(tableFile(a, table))
		if err != nil {
			t.Fatal(err)
		}
		second, err := os.ReadFile(tableFile(b, table))
		if err != nil {
			t.Fatal(err)
		}
		if len(first) == 0 || !bytes.Equal(first, second) {
			t.Errorf("%s: %d bytes and %d bytes", table, len(first), len(second))
		}
	}
}
