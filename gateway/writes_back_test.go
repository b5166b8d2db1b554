package gateway_test

import (
	"testing"

	"usher/pgtest"
)

const backed = `
control: {path: %[4]q, key: {id: a, secret: {env: KEY}}}
sources: {shop: {kind: postgres, host: 127.0.0.1, port: %[3]d, database: %[1]q, user: %[2]q, password: {env: PG}, sslmode: disable}}
strategies: {all: {kind: shared, source: shop}}
default_strategy: all
datasets:
  envelopes:
    tenant: tenant
    key: id
    writable: true
    global_keys: true
    columns: {tenant: String!, id: Int!, content_id: Int}
    relations: {content: {to: contents, on: {content_id: id}}}
  contents:
    tenant: {through: envelope}
    key: id
    writable: true
    global_keys: true
    columns: {id: Int!, text: String}
    relations: {envelope: {to: envelopes, on: {id: content_id}}}
`

// Rows that are a tenant's by those that refer to them are changed, and not inserted: none could be there after the other.
func TestRowsOfThoseThatReferToThem(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE contents (id int PRIMARY KEY, text text);
		CREATE TABLE envelopes (tenant text NOT NULL, id int PRIMARY KEY, content_id int UNIQUE REFERENCES contents);
		INSERT INTO contents VALUES (1, 'of a'), (2, 'of b'), (3, 'nobody''s'); INSERT INTO envelopes VALUES ('a', 1, 1), ('b', 2, 2)`)
	g := openWritingOf(t, db, backed)
	g.check(t, g.root, `mutation { admin { createTenant(input: {id: "a"}) { id } } }`, `200 {"data":{"admin":{"createTenant":{"id":"a"}}}}`)
	ann := g.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	for _, line := range []struct{ text, want string }{
		{`mutation { insertContentsOne(row: {id: 9, text: "new"}) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Cannot query field "insertContentsOne" on type "Mutation".`},
		{`mutation { insertEnvelopesOne(row: {id: 9, content: {insert: {id: 9}}}) { id } }`, ` GRAPHQL_VALIDATION_FAILED: Field "insert" is not defined by type "EnvelopesContentReference".`},
		{`mutation { insertEnvelopesOne(row: {id: 9}) { id } }`, `{"insertEnvelopesOne":{"id":9}}`},
		{`mutation { updateContentsByPk(id: 1, set: {text: "newer"}) { text } }`, `{"updateContentsByPk":{"text":"newer"}}`},
	} {
		if got := short(t, g.query(t, ann, line.text)); got != line.want {
			t.Errorf("%s\n got %s\nwant %s", line.text, got, line.want)
		}
	}
}
