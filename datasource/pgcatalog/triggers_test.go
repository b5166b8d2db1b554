package pgcatalog_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestTriggersThatReach: a trigger is told unless its function is known to do nothing but to the row that it is run for.
func TestTriggersThatReach(t *testing.T) {
	t.Parallel()
	var made strings.Builder
	var want []string
	made.WriteString(`CREATE TABLE others (id int, name text); CREATE TABLE watched (id int, name text, at timestamptz); CREATE FUNCTION mine(int) RETURNS int LANGUAGE sql AS 'SELECT $1';`)
	for i, c := range []struct {
		body    string
		reaches bool
	}{
		{`BEGIN NEW.at := now(); RETURN NEW; END`, false},
		{`BEGIN IF (TG_OP = 'UPDATE' AND NEW.name IS DISTINCT FROM OLD.name) THEN NEW.name = upper(NEW.name); END IF; RETURN NEW; END`, false},
		{`BEGIN -- don't update others
			NEW.name := 'it''s'; /* SELECT 'x' */ NEW.name := E'a\'b' || format('%s', NEW.id); RETURN NEW; END`, false},
		{`BEGIN IF NEW.id > 5 THEN RAISE EXCEPTION 'cannot insert %', NEW.id; END IF; RETURN NEW; END`, false},
		{`BEGIN NEW.id := extract(epoch from clock_timestamp())::int; RETURN NEW; END`, false},
		{`BEGIN SELECT DISTINCT upper(unnest(ARRAY[NEW.name])) INTO NEW.name; RETURN NEW; END`, false},
		{`BEGIN PERFORM mine(NEW.id); RETURN NEW; END`, true},
		{`BEGIN UPDATE others SET name = NEW.name WHERE id = NEW.id; RETURN NEW; END`, true},
		{`BEGIN -- it's here
			DELETE FROM others; /* isn't */ RETURN NEW; END`, true},
		{`BEGIN NEW.name := (SELECT name FROM others WHERE id = NEW.id); RETURN NEW; END`, true},
		{`BEGIN NEW.name := name FROM others WHERE id = NEW.id; RETURN NEW; END`, true},
		{`BEGIN EXECUTE 'UPDATE others SET name = 1'; RETURN NEW; END`, true},
		{`BEGIN NEW.id := mine(NEW.id); RETURN NEW; END`, true},
		{`BEGIN NEW.id := "mine"(NEW.id); RETURN NEW; END`, true},
	} {
		name := fmt.Sprintf("t%02d", i)
		fmt.Fprintf(&made, "CREATE FUNCTION %[1]s() RETURNS trigger LANGUAGE plpgsql AS $body$ %[2]s $body$; CREATE TRIGGER %[1]s BEFORE INSERT OR UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION %[1]s();", name, c.body)
		if c.reaches {
			want = append(want, name)
		}
	}
	made.WriteString(`CREATE TRIGGER same BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
		CREATE TRIGGER off BEFORE INSERT ON watched FOR EACH ROW EXECUTE FUNCTION t06(); ALTER TABLE watched DISABLE TRIGGER off;
		CREATE TABLE parts (id int, name text) PARTITION BY LIST (id); CREATE TABLE part PARTITION OF parts DEFAULT;
		CREATE TRIGGER everywhere AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION t06(); CREATE TRIGGER here AFTER INSERT ON part FOR EACH ROW EXECUTE FUNCTION t06();`)
	found := make(map[string][]string)
	for _, table := range introspect(t, open(t, specOf(database(t, made.String()))), "public") {
		found[table.Name] = table.Reaching
	}
	if !slices.Equal(found["watched"], want) {
		t.Errorf("%v are told, want %v", found["watched"], want)
	}
	if got := found["parts"]; !slices.Equal(got, []string{"everywhere", "here"}) {
		t.Errorf("of a partitioned table %v are told", got)
	}
}
