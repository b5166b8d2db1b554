package gateway_test

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"usher/config"
	"usher/gateway"
	"usher/pgtest"
	"usher/test/program"
)

// Where one column says of what kind the owner is that another one names, a user may have the id of a tenant. What leads to
// such a row is the tenant's only where the same holds, for reading and for writing.
func TestOwnersOfSeveralKinds(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE assets (id int PRIMARY KEY, owner_type text NOT NULL, owner_id text NOT NULL);
		CREATE TABLE asset_versions (id int PRIMARY KEY, asset_id int NOT NULL REFERENCES assets, note text);
		CREATE TABLE asset_shares (id int PRIMARY KEY, version_id int NOT NULL REFERENCES asset_versions, note text);
		INSERT INTO assets VALUES (1, 'Team', '1'), (2, 'Team', '2'), (3, 'User', '1');
		INSERT INTO asset_versions VALUES (1, 1, 'of team 1'), (2, 2, 'of team 2'), (3, 3, 'of user 1');
		INSERT INTO asset_shares SELECT id, id, note FROM asset_versions`)
	text := fmt.Sprintf(`
sources: {pg: {kind: postgres, host: %q, port: %d, database: %q, user: %q, password: {env: PG}, sslmode: disable}}
strategies: {shared: {kind: shared, source: pg}}
issuers:
  tests: {issuer: tests, audience: [usher], algorithms: [HS256], keys: {secret: {file: secret}}, tenants: trusted, claims: {tenant: /tenant}, may_grant: {write: true}}
datasets:
  assets: {tenant: owner_id, key: id, filter: {owner_type: {eq: Team}}}
  asset_versions: {tenant: {through: asset}, key: id, writable: true, global_keys: true, filter: {asset: {owner_type: {eq: Team}}}}
  asset_shares: {tenant: {through: version}, key: id, writable: true, global_keys: true, filter: {version: {asset: {owner_type: {eq: Team}}}}}
`, db.Host, db.Port, db.Name, db.User)

	dir := t.TempDir()
	g := openConfigured(t, dir, text, db)
	team := program.Sign(t, `{"tenant": "1"}`)
	for query, want := range map[string]string{
		`{ asset_versions { id } asset_shares { id } }`:                                                                `200 {"data":{"asset_versions":[{"id":1}],"asset_shares":[{"id":1}]}}`,
		`{ asset_versionsAggregate { count } asset_sharesByPk(id: 3) { note } asset_sharesConnection { totalCount } }`: `200 {"data":{"asset_versionsAggregate":[{"count":1}],"asset_sharesByPk":null,"asset_sharesConnection":{"totalCount":1}}}`,
		`{ asset_shares(where: {version: {note: {contains: "user"}}}) { id } assets { id } }`:                          `200 {"data":{"asset_shares":[],"assets":[{"id":1}]}}`,
	} {
		if got := g.query(t, team, query); got != want {
			t.Errorf("%s\n is  %s\nwant %s", query, got, want)
		}
	}
	for _, mutation := range []string{
		`mutation { updateAssetVersionsByPk(id: 3, set: {note: "mine"}) { id } }`, `mutation { deleteAssetSharesByPk(id: 3) { id } }`,
		`mutation { updateAssetShares(where: {id: {gt: 0}}, set: {note: "mine"}) { affected } }`, `mutation { deleteAssetShares(where: {id: {eq: 3}}) { affected } }`,
		`mutation { insertAssetVersionsOne(row: {id: 9, asset_id: 3, note: "mine"}) { id } }`,
		`mutation { insertAssetSharesOne(row: {id: 9, version_id: 3, note: "mine"}) { id } }`,
		`mutation { updateAssetVersionsByPk(id: 1, set: {asset_id: 3}) { id } }`,
	} {
		t.Log(mutation, g.query(t, team, mutation)) // what it is told is told elsewhere; what becomes of the rows is below
	}
	var theirs string
	if err := db.Open(t).QueryRowContext(t.Context(), `SELECT string_agg(concat_ws(' ', v.id, v.asset_id, v.note, s.id, s.version_id, s.note), ', ' ORDER BY v.id) FROM asset_versions v FULL JOIN asset_shares s ON s.version_id = v.id`).Scan(&theirs); err != nil {
		t.Fatal(err)
	}
	if want := "1 1 of team 1 1 1 mine, 2 2 of team 2 2 2 of team 2, 3 3 of user 1 3 3 of user 1"; theirs != want {
		t.Errorf("the rows are %s\nwant %s", theirs, want)
	}

	// Filters of parents do not count, nor what is about something else of the parent.
	for _, filter := range []string{"", ", filter: {version: {id: {gt: 0}}}", ", filter: {note: {neq: x}}"} {
		cfg, err := config.Parse(filepath.Join(dir, "usher.yml"), []byte(strings.Replace(text, ", filter: {version: {asset: {owner_type: {eq: Team}}}}", filter, 1)), controlledEnv(db))
		if err == nil {
			_, err = gateway.New(t.Context(), cfg, gateway.Options{Log: slog.New(slog.DiscardHandler)})
		}
		if err == nil || !strings.Contains(err.Error(), "Say `filter: {version: {asset: {owner_type: {…}}}}` here as well") {
			t.Errorf("with %q: %v", filter, err)
		}
	}
}
