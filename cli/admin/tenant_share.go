package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"usher/cli/term"
)

// limitsAnswer are limits of a minute; null: nothing is said.
type limitsAnswer struct {
	Requests             *int64 `json:"requests"`
	DatabaseMilliseconds *int64 `json:"databaseMilliseconds"`
	Rows                 *int64 `json:"rows"`
	Bytes                *int64 `json:"bytes"`
}

// textShare are the rows of what is the tenant's of what all have in common.
func (t tenantAnswer) textShare(w io.Writer) {
	if t.Weight != nil {
		row(w, "weight", fmt.Sprint(*t.Weight))
	}
	for _, limit := range t.Limits.texts() {
		row(w, "limit", limit+" a minute")
	}
}

// texts say each limit.
func (l limitsAnswer) texts() (all []string) {
	count := func(n *int64, what string) {
		if n != nil {
			all = append(all, fmt.Sprintf("%d %s", *n, what))
		}
	}
	count(l.Requests, "requests")
	if n := l.DatabaseMilliseconds; n != nil {
		all = append(all, (time.Duration(*n)*time.Millisecond).String()+" of database time")
	}
	count(l.Rows, "rows")
	count(l.Bytes, "bytes")
	return all
}

type tenantWeight struct {
	remote
	ID     string `arg:"" help:"The tenant."`
	Weight *int   `arg:"" optional:"" help:"From 1 to 100."`
	None   bool   `help:"As the configuration says, from now on."`
}

// Run changes the tenant's weight.
func (c tenantWeight) Run(ctx context.Context, s *term.IO) error {
	if (c.Weight == nil) != c.None {
		return errors.New("say the weight, or --none")
	}
	v := variables{"id": c.ID}
	if c.Weight != nil {
		v["weight"] = *c.Weight
	}
	return c.changed(ctx, s, "$id: String!, $weight: Int", "setTenantWeight(id: $id, weight: $weight)", v)
}

// minuteLimits are the flags of what there is for a minute.
type minuteLimits struct {
	Requests     *int64         `help:"Requests a minute." placeholder:"COUNT"`
	DatabaseTime *time.Duration `help:"For how long databases and APIs may be at work for it in a minute." placeholder:"TIME"`
	Rows         *int64         `help:"Rows a minute that are read and written." placeholder:"COUNT"`
	Bytes        *int64         `help:"Bytes of them." placeholder:"COUNT"`
}

// read are the limits that are said.
func (l minuteLimits) read() (variables, error) {
	limits := variables{}
	count := func(name string, n *int64) {
		if n != nil {
			limits[name] = *n
		}
	}
	count("requests", l.Requests)
	count("rows", l.Rows)
	count("bytes", l.Bytes)
	if l.DatabaseTime != nil {
		if *l.DatabaseTime%time.Millisecond != 0 {
			return nil, errors.New("--database-time is counted in milliseconds")
		}
		limits["databaseMilliseconds"] = l.DatabaseTime.Milliseconds()
	}
	return limits, nil
}

type tenantLimits struct {
	remote
	minuteLimits
	ID   string `arg:"" help:"The tenant."`
	None bool   `help:"All as the configuration says, from now on."`
}

// Run replaces the tenant's limits; those that are not said are as the configuration says.
func (c tenantLimits) Run(ctx context.Context, s *term.IO) error {
	limits, err := c.read()
	if err != nil {
		return err
	}
	if (len(limits) == 0) != c.None {
		return errors.New("say all limits that the tenant has from now on, or --none")
	}
	return c.changed(ctx, s, "$id: String!, $limits: MinuteLimitsInput!", "setTenantLimits(id: $id, limits: $limits)", variables{"id": c.ID, "limits": limits})
}
