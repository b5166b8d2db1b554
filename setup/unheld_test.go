package setup_test

import (
	"slices"
	"strings"
	"testing"

	"usher/setup"
)

// Columns are told by their names and by what they hold: lists of ids of whatever type, ids without a gap, keys of other
// names, other rows of the same table, and somebody; and no texts that only have the name of a table.
func TestColumnsThatLookLikeReferences(t *testing.T) {
	t.Parallel()
	const text = `
		CREATE TABLE customers (tenant text, id text PRIMARY KEY, key text, UNIQUE (tenant, key));
		CREATE TABLE labels (tenant text, id text PRIMARY KEY);
		CREATE TABLE prompts (tenant text, id text PRIMARY KEY);
		CREATE TABLE models (tenant text, id text PRIMARY KEY);
		CREATE TABLE traces (tenant text, id text PRIMARY KEY, label_ids text[], "scoreConfigIds" text[], labels text[], label_id text, customerid text, customer_key text, queue_key text,
			prompt text, model text, models json, duplicate_of text, kind_of text, assignee text, author text, reviewers text[], note text, tags text[], valid text, grid text, customer text, label_list json, label_idx int, stripe_customer_id text, "githubLabelIds" text[]);
		CREATE TABLE names (tenant text, id uuid PRIMARY KEY, external_ids text[], label_ids text[], assignee text, duplicate_of text)`
	const numbers = `
		CREATE TABLE customers (tenant text, customerid bigint PRIMARY KEY);
		CREATE TABLE labels (tenant text, id bigint PRIMARY KEY);
		CREATE TABLE customer_notes (tenant text, customerid bigint PRIMARY KEY);
		CREATE TABLE tickets (tenant text, id bigint PRIMARY KEY, customerid bigint, billing_customerid int, assignee bigint, duplicate_of bigint, as_of bigint, number_of int, reviewers bigint[], label_ids bigint[],
			labels bigint[], sizes bigint[], paid bigint, valid int, shopify_label_id bigint, label text, customer_key bigint);
		CREATE TABLE calls (tenant text, id uuid PRIMARY KEY, assignee bigint, duplicate_of uuid, watchers uuid[], duration int)`
	for _, c := range []struct {
		tables, table string
		want          []string
	}{
		{text, "traces", []string{
			"label_ids labels", "scoreConfigIds", "label_id labels id", "customerid customers id", "customer_key customers key", "duplicate_of traces id", "assignee", "reviewers",
		}},
		{text, "names", []string{"label_ids labels"}},
		{numbers, "customers", nil},
		{numbers, "customer_notes", []string{"customerid customers customerid"}},
		{numbers, "tickets", []string{
			"customerid customers customerid", "billing_customerid customers customerid", "assignee", "duplicate_of tickets id", "reviewers", "label_ids labels", "labels labels", "shopify_label_id labels id",
		}},
		{numbers, "calls", []string{"assignee", "duplicate_of calls id", "watchers"}},
	} {
		var got []string
		for _, p := range setup.NewPointing(source(t, c.tables).Tables).Unheld("main." + c.table) {
			got = append(got, strings.TrimSpace(p.Column+" "+strings.TrimPrefix(p.To, "main.")+" "+p.Key))
			got[len(got)-1] = strings.Join(strings.Fields(got[len(got)-1]), " ")
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.table, got, c.want)
		}
	}
}
