package grants

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"usher/catalog"
	"usher/datasource/postgres"
	"usher/datasource/sqlexec"
	"usher/sqlgen"
	"usher/value"
)

// lackingText says what the account lacks of a privilege on a table: usage of the schema, or these columns. A table
// that is not there is told of elsewhere.
const lackingText = `SELECT current_user::text, has_schema_privilege(n.oid, 'USAGE'), m.columns::text,
	CASE WHEN $3::text = 'DELETE' THEN false ELSE has_any_column_privilege(c.oid, $3::text) END
FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = $2::text
CROSS JOIN LATERAL (SELECT coalesce(json_agg(a.attname ORDER BY a.attnum), '[]') AS columns, count(*) AS lacks FROM pg_attribute a
	WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY($4::text[])
	AND CASE WHEN $3::text = 'DELETE' THEN false ELSE NOT has_column_privilege(c.oid, a.attnum, $3::text) END) m
WHERE n.nspname = $1::text AND (NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, $3::text) AND (m.lacks > 0 OR $3::text = 'DELETE'))
	AND ($5::text <> 'one' OR $3::text = 'DELETE' OR NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_any_column_privilege(c.oid, $3::text))`

// sequencesText names the sequences that fill columns of a table where a row does not, and may not be used.
const sequencesText = `SELECT current_user::text, string_agg(DISTINCT format('%I.%I', sn.nspname, s.relname), ', ')
FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = $2::text
JOIN pg_attrdef f ON f.adrelid = c.oid
JOIN pg_depend p ON p.classid = 'pg_attrdef'::regclass AND p.objid = f.oid AND p.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = p.refobjid
JOIN pg_namespace sn ON sn.oid = s.relnamespace
WHERE n.nspname = $1::text AND CASE WHEN s.relkind = 'S' THEN NOT has_sequence_privilege(s.oid, 'USAGE, UPDATE') END
HAVING count(*) > 0`

// Lacks is what an account lacks that writes rows, each with the statement that grants it.
type Lacks struct {
	Writing []string // so that what the configuration offers is not done
	Some    []string // so that some of it is not: imports, and mutations whose answers ask for more
}

// Lacking asks what the account by which rows of a source are written lacks. Of one that is known for a tenant
// only it says no more than that its server is a standby.
func Lacking(ctx context.Context, cat *catalog.Catalog, source *catalog.Source) (lacks Lacks, err error) {
	needs, session := Of(cat, source.Name), catalog.Session{Role: source.Postgres.Session.Role}
	if source.Kind != catalog.Postgres || source.Template || len(needs) == 0 {
		return lacks, nil
	}
	if session.NamesTenant() { // whose the needs are is not known
		needs, session = nil, catalog.Session{}
	}
	server, _ := source.Postgres.WritingAt()
	db, err := postgres.Open(server, postgres.Options{Session: session})
	if err != nil {
		return lacks, err
	}
	defer func() { _ = db.Close() }() // nothing was written
	err = db.Session(postgres.Fresh(ctx), true, func(s sqlexec.Session) error {
		if err := lacks.standby(ctx, s, source.Name); err != nil || len(needs) == 0 {
			return err
		}
		return lacks.Ask(ctx, s, source.Name, needs)
	})
	return lacks, err
}

// standby says that nothing can be written where the server is one, whatever the account may do.
func (l *Lacks) standby(ctx context.Context, s sqlexec.Session, source string) error {
	is, err := sqlexec.FirstRow(ctx, s, "SELECT 1 WHERE pg_is_in_recovery()", nil, nil)
	if is {
		l.Some = append(l.Some, "sources."+source+": its server is a standby, to which nothing can be written; name the primary, too")
	}
	return err
}

// Ask adds what the account of a session lacks.
func (l *Lacks) Ask(ctx context.Context, s sqlexec.Session, source string, needs Needs) error {
	granting := make(map[string]bool)
	for _, n := range needs {
		into := &l.Writing
		if n.some {
			into = &l.Some
		}
		err := n.ask(ctx, s, func(what, grant string) {
			if !granting[grant] {
				*into = append(*into, n.place+": "+what+": "+grant)
			}
			granting[grant] = true
		})
		if err != nil {
			return err
		}
	}
	if err := l.unpolicied(ctx, s, needs); err != nil {
		return err
	}
	return Temporary(ctx, s, func(what, grant string) {
		l.Some = append(l.Some, "sources."+source+": "+what+", without which nothing is imported: "+grant)
	})
}

func (n *need) ask(ctx context.Context, s sqlexec.Session, say func(what, grant string)) error {
	table, one := sqlgen.Identifier(n.schema)+"."+sqlgen.Identifier(n.table), ""
	if n.one {
		one = "one"
	}
	var bad error
	_, err := sqlexec.FirstRow(ctx, s, lackingText, []string{n.schema, n.table, n.privilege, sqlgen.Postgres.List(n.columns), one}, func(row value.Rows) {
		role := string(row.Cell(0).Text)
		to := " TO " + sqlgen.Identifier(role) + ";"
		if !row.Cell(1).Bool {
			say(fmt.Sprintf("the role %s lacks USAGE on the schema %s", role, n.schema), "GRANT USAGE ON SCHEMA "+sqlgen.Identifier(n.schema)+to)
			return
		}
		grant := "GRANT " + n.privilege
		if n.one || row.Cell(3).Bool { // of some columns it has it, or some will do
			var columns []string
			bad = json.Unmarshal(row.Cell(2).Text, &columns)
			for i, column := range columns {
				columns[i] = sqlgen.Identifier(column)
			}
			grant += " (" + strings.Join(columns, ", ") + ")"
		}
		say(fmt.Sprintf("the role %s lacks %s on %s, %s", role, n.privilege, catalog.TableKey(n.schema, n.table), n.reason), grant+" ON "+table+to)
	})
	if err = errors.Join(err, bad); err != nil || n.privilege != "INSERT" {
		return err
	}
	_, err = sqlexec.FirstRow(ctx, s, sequencesText, []string{n.schema, n.table}, func(row value.Rows) {
		role, sequences := string(row.Cell(0).Text), string(row.Cell(1).Text)
		say(fmt.Sprintf("the role %s lacks USAGE on the sequence %s, which fills what a row does not give", role, sequences), "GRANT USAGE ON SEQUENCE "+sequences+" TO "+sqlgen.Identifier(role)+";")
	})
	return err
}
