package cli_test

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"usher/pgtest"
	"usher/test/program"
)

// seenBy is what a tenant sees of the configuration, by the token that init has printed.
func seenBy(t *testing.T, file, printed, query string) (tenant, body string) {
	t.Helper()
	u := program.Start(t, "serve", "-c", file, "--listen", "127.0.0.1:0")
	status, answer := program.Fetch(t, u.Ask(t, printedToken.FindStringSubmatch(printed)[1], query))
	if status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	return regexp.MustCompile(`token of the tenant (\w+)`).FindStringSubmatch(printed)[1], string(answer)
}

// uncommented is the configuration with the # of a dataset gone, and without those of its lines that hold one of these.
func uncommented(t *testing.T, text, dataset string, without ...string) string {
	t.Helper()
	before, rest, found := strings.Cut(text, "  # "+dataset+":\n")
	if !found {
		t.Fatalf("%s is not proposed:\n%s", dataset, text)
	}
	body, after, _ := strings.Cut(rest, "\n\n")
	out := before + "  " + dataset + ":\n"
lines:
	for line := range strings.Lines(body) {
		for _, text := range without {
			if strings.Contains(line, text) {
				continue lines
			}
		}
		out += "  " + strings.TrimPrefix(line, "  # ")
	}
	return out + "\n\n" + after
}

// What an account may not read is named with the statement that helps, and a table is nobody's to show whose tenant
// column, or whatever else may tell of it, the account does not see.
func TestInitNamesWhatItMayNotRead(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL, text text, margin text, "Odd Name" text);
		CREATE TABLE plans (id int PRIMARY KEY, tenant_id int, name text);
		CREATE TABLE sizes (id int PRIMARY KEY, name text, maker text);
		CREATE TABLE unit_types (id int PRIMARY KEY, name text);
		CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL, plan_id int REFERENCES plans, size_id int REFERENCES sizes, unit_id int REFERENCES unit_types);
		CREATE TABLE drafts (id int PRIMARY KEY, tenant_id int NOT NULL);
		CREATE VIEW "Sums" AS SELECT tenant_id, count(*) FROM drafts GROUP BY 1;
		INSERT INTO notes VALUES (1, 7, 'seven');
		INSERT INTO plans VALUES (1, 8, 'of eight')`)
	reader := db.Role(t, "")
	user := reader.User
	db.Exec(t, `GRANT SELECT (id, tenant_id, text) ON notes TO `+user+`; GRANT SELECT (id, name) ON plans, sizes TO `+user+`; GRANT SELECT ON unit_types, orders TO `+user)
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", reader.URL)
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, file)
	grants := []string{
		`GRANT SELECT ("margin", "Odd Name") ON "public"."notes" TO "` + user + `";`, `GRANT SELECT ("tenant_id") ON "public"."plans" TO "` + user + `";`,
		`GRANT SELECT ON "public"."Sums" TO "` + user + `";`, `GRANT SELECT ON "public"."drafts" TO "` + user + `";`,
	}
	for _, grant := range grants {
		if !strings.Contains(text, "#   "+grant+"\n") || !strings.Contains(printed, "            "+grant+"\n") {
			t.Errorf("%s is not in both of\n%s\n%s", grant, text, printed)
		}
	}
	for _, want := range []string{
		"UNREAD    Sums, drafts, notes (margin, Odd Name), plans (tenant_id), sizes (maker)\n", "COMMON    unit_types\n", "Confined  notes, orders\n",
		"Left out  plans: the account may not read its column tenant_id, which says whose a row is\n", "Left out  sizes: it has no column tenant_id, and the account may not read its column maker",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("init does not print %q:\n%s", want, printed)
		}
	}
	if want := "      # the account may not read margin, Odd Name: see the end of the file\n"; !strings.Contains(text, want) {
		t.Errorf("the file does not say %q:\n%s", want, text)
	}
	if strings.Contains(text, "plans:\n  #   common: true") || strings.Contains(text, "sizes:\n  #   common: true") {
		t.Errorf("what the account does not see whole is proposed for everybody:\n%s", text)
	}
	db.Exec(t, strings.Join(grants, "\n"))
	if printed, err = program.Command(t, "init", "--out", file, "--force", "--dsn", reader.URL); err != nil || strings.Contains(printed, "notes (") || !strings.Contains(printed, "Confined  drafts, notes, orders, plans\n") {
		t.Errorf("with the grants: %v\n%s", err, printed)
	}
}

// An account that sees no table, or not the column that says whose rows are, is told which there are.
func TestInitOfAnAccountWithoutRights(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, "CREATE TABLE tasks (id int PRIMARY KEY, tenant_id int NOT NULL)")
	reader := db.Role(t, "")
	out := filepath.Join(t.TempDir(), "usher.yml")
	_, err := program.Command(t, "init", "--out", out, "--dsn", reader.URL)
	if want := `GRANT SELECT ON "public"."tasks" TO "` + reader.User + `";`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("init says %v, not %s", err, want)
	}
	db.Exec(t, "GRANT SELECT (id) ON tasks TO "+reader.User)
	for _, args := range [][]string{nil, {"--tenant", "tenant_id"}} {
		_, err = program.Command(t, append([]string{"init", "--out", out, "--dsn", reader.URL}, args...)...)
		if want := "it lacks tasks (tenant_id)"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("init says %v, not %s", err, want)
		}
	}
}

// Rows without a tenant are told of, with how many the statistics believe in, and may be shown to everybody by what stands
// behind the #, which shows no row of a tenant, nothing deleted and nothing personal.
func TestInitOfRowsWithoutATenant(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE roles (id int PRIMARY KEY, tenant_id int, name text NOT NULL, email text, signing_key text, deleted_at timestamptz);
		CREATE TABLE members (id int PRIMARY KEY, tenant_id int NOT NULL, role_id int REFERENCES roles);
		CREATE TABLE fresh (id int PRIMARY KEY, tenant_id int); CREATE TABLE jobs (id int PRIMARY KEY, tenant_id int, member_id int);
		INSERT INTO roles VALUES (1, NULL, 'admin'), (2, NULL, 'clerk'), (3, 7, 'of seven'), (4, 8, 'of eight'); INSERT INTO roles VALUES (5, NULL, 'old', NULL, NULL, now());
		INSERT INTO members VALUES (1, 7, 1), (2, 8, 4);
		ANALYZE roles; ANALYZE members`)
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", db.URL)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Nobody's  fresh, jobs, roles (about 3)\n"; !strings.Contains(printed, want) {
		t.Errorf("init does not print %q:\n%s", want, printed)
	}
	text := read(t, file)
	for _, want := range []string{
		"  roles:\n    tenant: tenant_id   # it may be null; see below\n", "  members:\n    tenant: tenant_id\n",
		"  # Rows of roles whose tenant_id is null are shown to no tenant (the database's statistics: about 3).\n", "  # Rows of jobs whose tenant_id is null are shown to no tenant.\n  # They look like somebody's", "  # Rows of fresh whose tenant_id is null are shown to no tenant.\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the file does not say %q:\n%s", want, text)
		}
	}
	program.WriteFile(t, file, uncommented(t, text, "roles_for_all"))
	tenant, body := seenBy(t, file, printed, `{ roles { name } roles_for_all(orderBy: [{id: ASC}]) { name } shown: __type(name: "RolesForAll") { fields { name } } }`)
	want := map[string]string{"7": "of seven", "8": "of eight"}[tenant]
	want = `{"data":{"roles":[{"name":"` + want + `"}],"roles_for_all":[{"name":"admin"},{"name":"clerk"}],"shown":{"fields":[`
	if !strings.HasPrefix(body, want) || strings.Contains(body, "email") || strings.Contains(body, "signing") {
		t.Errorf("%s sees %s\nwant %s", tenant, body, want)
	}
}

// Rows that may be a tenant's or somebody else's, by a column that says which, are proposed for the tenants with a filter on
// it, and never for everybody.
func TestInitOfRowsOfTeamsAndOfPeople(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TYPE owned AS ENUM ('USER', 'TEAM');
		CREATE TABLE teams (id int PRIMARY KEY, name text);
		CREATE TABLE projects (id int PRIMARY KEY, "teamID" int NOT NULL REFERENCES teams);
		CREATE TABLE users (uid int PRIMARY KEY, email text);
		CREATE TABLE mocks (id int PRIMARY KEY, "ownerType" owned NOT NULL, "ownerID" int NOT NULL, "creatorUid" int REFERENCES users);
		CREATE TABLE pictures (id int PRIMARY KEY, record_type text NOT NULL, record_id int NOT NULL);
		CREATE TABLE shorts (id int PRIMARY KEY, note text, "creatorUid" int REFERENCES users);
		CREATE TABLE marks (id int PRIMARY KEY, "creatorUid" int);
		CREATE TABLE pairs (id int PRIMARY KEY, one int REFERENCES users, two int REFERENCES users);
		INSERT INTO teams VALUES (7, 'seven'), (8, 'eight'); INSERT INTO projects VALUES (1, 7), (2, 8); INSERT INTO users VALUES (7);
		INSERT INTO mocks VALUES (1, 'TEAM', 7, 7), (2, 'USER', 7, 7), (3, 'TEAM', 8, NULL), (4, 'USER', 8, NULL);
		INSERT INTO pictures VALUES (1, 'Team', 7), (2, 'User', 7), (3, 'Team', 8), (4, 'User', 8)`)
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", db.URL, "--tenant", "teamID")
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, file)
	if strings.Contains(text, "common: true\n") {
		t.Errorf("what is somebody's is proposed for everybody:\n%s", text)
	}
	for _, want := range []string{
		"  # shorts:\n  #   tenant: {through: creator}   # users (by creatorUid), once that is served; a row without one is nobody's\n",
		"  #   tenant: {through: creator}   # users (by creatorUid), once that is served; a row without one is nobody's\n  #   relations:\n",
		"  #     user: {to: users, on: {one: uid}}\n  #     user_by_two: {to: users, on: {two: uid}}\n", "  # marks:\n  #   tenant: COLUMN ", "  # users:\n  #   tenant: COLUMN ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the file does not say %q:\n%s", want, text)
		}
	}
	program.WriteFile(t, file, uncommented(t, text, "marks"))
	if checked, err := program.Command(t, "check", "-c", file); err == nil || !strings.Contains(checked+err.Error(), "COLUMN") {
		t.Errorf("without a column in the place of COLUMN, check says: %v\n%s", err, checked)
	}
	ready := uncommented(t, uncommented(t, text, "mocks", "through: ", "relations:", "creator:"), "pictures")
	program.WriteFile(t, file, ready)
	tenant, body := seenBy(t, file, printed, `{ mocks { id } pictures { id } }`)
	want := map[string]string{"7": `{"data":{"mocks":[{"id":1}],"pictures":[{"id":1}]}}`, "8": `{"data":{"mocks":[{"id":3}],"pictures":[{"id":3}]}}`}[tenant]
	if body != want {
		t.Errorf("%s sees %s\nwant %s\n%s", tenant, body, want, ready)
	}
}

// Deleted rows are shown to nobody: not where an account does not see which they are, nor where that is a flag, nor by what is
// uncommented.
func TestInitOfDeletedRows(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL, deleted_at timestamptz);
		CREATE TABLE posts (id int PRIMARY KEY, tenant_id int NOT NULL, text text, is_deleted boolean);
		CREATE TABLE lines (id int PRIMARY KEY, note_id int NOT NULL REFERENCES notes);
		CREATE TABLE marks (id int PRIMARY KEY, tenant_id int NOT NULL, is_deleted boolean NOT NULL, discarded_at timestamp);
		CREATE TABLE flags (id int PRIMARY KEY, tenant_id int NOT NULL, deleted smallint, is_removed boolean, erased_at timestamptz, removed_at date);
		CREATE TABLE roles (id int PRIMARY KEY, tenant_id int, name text, email text, is_deleted boolean NOT NULL);
		INSERT INTO notes VALUES (1, 7, NULL), (2, 7, now()); INSERT INTO lines VALUES (1, 1); INSERT INTO posts VALUES (1, 7, 'here', false), (2, 7, 'gone', true), (3, 7, 'here', NULL);
		INSERT INTO marks VALUES (1, 7, false, NULL), (2, 7, true, NULL), (3, 7, false, now());
		INSERT INTO flags VALUES (1, 7, NULL, NULL, NULL, NULL), (2, 7, 0, false, NULL, NULL), (3, 7, 1, NULL, NULL, NULL), (4, 7, 0, true, NULL, NULL), (5, 7, 0, false, now(), NULL), (6, 7, 0, false, NULL, now());
		INSERT INTO roles VALUES (1, 7, 'seven', NULL, false), (2, NULL, 'all', NULL, false), (3, NULL, 'gone', NULL, true)`)
	reader := db.Role(t, "")
	db.Exec(t, strings.ReplaceAll(`GRANT SELECT (id, tenant_id) ON notes TO reader; GRANT SELECT (id, tenant_id, text) ON posts TO reader; GRANT SELECT ON lines, marks, flags, roles TO reader`, "reader", reader.User))
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", reader.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Left out  notes: the account may not read its column deleted_at, which says which rows are deleted\n", "Left out  posts: the account may not read its column is_deleted, which says which rows are deleted\n",
		"Left out  lines: it has no column tenant_id, and references notes, which is left out\n", "Confined  flags, marks, roles\n",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("init does not print %q:\n%s", want, printed)
		}
	}
	if text := read(t, file); strings.Contains(text, "# notes:\n") || strings.Contains(text, "# posts:\n") {
		t.Errorf("what may show deleted rows is proposed:\n%s", text)
	}
	if printed, err = program.Command(t, "init", "--out", file, "--force", "--dsn", db.URL); err != nil {
		t.Fatal(err)
	}
	program.WriteFile(t, file, uncommented(t, read(t, file), "roles_for_all"))
	_, body := seenBy(t, file, printed, `{ notes { id } posts(orderBy: [{id: ASC}]) { id } lines { id } marks { id } flags(orderBy: [{id: ASC}]) { id } roles { name } roles_for_all { name } }`)
	want := `{"data":{"notes":[{"id":1}],"posts":[{"id":1},{"id":3}],"lines":[{"id":1}],"marks":[{"id":1}],"flags":[{"id":1},{"id":2}],"roles":[{"name":"seven"}],"roles_for_all":[{"name":"all"}]}}`
	if body != want {
		t.Errorf("a tenant sees %s\nwant %s\n%s", body, want, read(t, file))
	}
}

// What leads to tables that the account may not read is left out with the names of all of them, those first that lead to the
// tenant, and no other way is taken in place of theirs.
func TestInitOfReferencesThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	db := pgtest.Start(t).Database(t)
	db.Exec(t, `CREATE TABLE people (id int PRIMARY KEY, name text);
		CREATE TABLE projects (id int PRIMARY KEY, tenant_id int NOT NULL);
		CREATE TABLE members (id int PRIMARY KEY, tenant_id int NOT NULL);
		CREATE TABLE orders (id int PRIMARY KEY, tenant_id int NOT NULL, member_id int REFERENCES members);
		CREATE TABLE tasks (id int PRIMARY KEY, person_id int REFERENCES people, other_id int REFERENCES people, project_id int NOT NULL REFERENCES projects);
		CREATE TABLE steps (id int PRIMARY KEY, project_id int NOT NULL REFERENCES projects);
		CREATE TABLE visits (id int PRIMARY KEY, member_id int NOT NULL REFERENCES members, project_id int NOT NULL REFERENCES projects);
		CREATE TABLE member_notes (id int PRIMARY KEY, member_id int NOT NULL REFERENCES members, project_id int REFERENCES projects)`)
	reader := db.Role(t, "")
	db.Exec(t, "GRANT SELECT ON members, orders, tasks, steps, visits, member_notes TO "+reader.User)
	file := filepath.Join(t.TempDir(), "usher.yml")
	printed, err := program.Command(t, "init", "--out", file, "--dsn", reader.URL, "--tenant", "tenant_id")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Left out  tasks: it has no column tenant_id, and references public.projects (by project_id) and public.people (by other_id, person_id), which the account may not read; the column tenant_id is in public.projects\n",
		"Left out  steps: it has no column tenant_id, and references public.projects, which the account may not read\n",
		"Left out  visits: a row may be that of projects (by project_id), which the account may not read, rather than that of members (by member_id)\n",
		"Confined  member_notes, members, orders\n",
	} {
		if !strings.Contains(printed, want) {
			t.Errorf("init does not print %q:\n%s", want, printed)
		}
	}
}
