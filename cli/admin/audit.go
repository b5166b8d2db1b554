package admin

import (
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"usher/cli/term"
)

// AuditCommands are those of `usher audit`.
type AuditCommands struct {
	List   auditList   `cmd:"" help:"List what was done and by whom, the newest first." example:"usher audit list --tenant acme --kind administration --since 7d"`
	Verify auditVerify `cmd:"" help:"Check that of the log nothing was changed, added or removed but by usher." example:"usher audit verify -c usher.yml --seen heads.json --heads heads.json"`
}

type auditList struct {
	remote
	paging
	Tenant    string        `help:"Of one tenant."`
	Subject   string        `help:"By one subject." placeholder:"WHO"`
	Kind      string        `enum:",administration,data" default:"" help:"administration, which changes who may what, or data; else both."`
	Operation string        `help:"Such as createToken." placeholder:"NAME"`
	Outcome   string        `help:"done, or the code of the refusal."`
	Acted     bool          `help:"Only what was done by somebody who acted as a tenant."`
	Since     time.Duration `xor:"from" help:"Of the time up to now, such as 7d." placeholder:"DURATION"`
	From      time.Time     `xor:"from" help:"From a time on, such as 2026-01-31T00:00:00Z." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
	To        time.Time     `help:"Before a time." format:"2006-01-02T15:04:05Z07:00" placeholder:"TIME"`
}

type auditAnswer struct {
	ID         string   `json:"id"`
	At         string   `json:"at"`
	Kind       string   `json:"kind"`
	Subject    string   `json:"subject"`
	Issuer     string   `json:"issuer"`
	TokenID    *string  `json:"tokenId"`
	Tenant     *string  `json:"tenant"`
	ActedBy    *string  `json:"actedBy"`
	Reason     *string  `json:"reason"`
	Operation  *string  `json:"operation"`
	Hash       *string  `json:"hash"`
	Datasets   []string `json:"datasets"`
	Strategy   *string  `json:"strategy"`
	Source     *string  `json:"source"`
	Rows       int      `json:"rows"`
	DurationMs float64  `json:"durationMs"`
	Outcome    string   `json:"outcome"`
	Detail     *string  `json:"detail"`
}

// Run lists the entries.
func (c auditList) Run(ctx context.Context, s *term.IO) error {
	filter := variables{"acted": c.Acted}
	for name, text := range map[string]string{
		"tenant": c.Tenant, "subject": c.Subject, "kind": strings.ToUpper(c.Kind), "operation": c.Operation, "outcome": c.Outcome,
	} {
		filter.set(name, text)
	}
	if c.Since != 0 {
		c.From = time.Now().Add(-c.Since)
	}
	for name, at := range map[string]time.Time{"from": c.From, "to": c.To} {
		if !at.IsZero() {
			filter[name] = at.UTC().Format(time.RFC3339)
		}
	}
	v := c.variables()
	v["filter"] = filter
	var got struct {
		AuditLog struct {
			Items []auditAnswer `json:"items"`
			Next  *string       `json:"next"`
		}
	}
	if err := c.administer(ctx, s, query, "$filter: AuditFilter, $after: String, $limit: Int!", `auditLog(filter: $filter, after: $after, limit: $limit) {
		items { id at kind subject issuer tokenId tenant actedBy reason operation hash datasets strategy source rows durationMs outcome detail } next }`,
		v, &got); err != nil {
		return err
	}
	defer more(s, got.AuditLog.Next)
	return c.show(s, got.AuditLog, func(w io.Writer) {
		row(w, "AT", "SUBJECT", "TENANT", "OPERATION", "OUTCOME", "DETAIL")
		for _, e := range got.AuditLog.Items {
			tenant := "(all)"
			if e.Tenant != nil {
				tenant = *e.Tenant
			}
			row(w, e.At, e.Subject, tenant, dash(e.Operation), e.Outcome, cmp.Or(dash(e.Detail), strings.Join(e.Datasets, ", ")))
		}
	})
}
