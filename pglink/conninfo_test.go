package pglink

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	for _, name := range append(LibpqNames, "PGPASSWORD", "PGPORT", "PGSSLMODE", "PGSERVICEFILE") {
		t.Setenv(name, "") // and unset again at the end
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	services := filepath.Join(t.TempDir(), "services")
	if err := os.WriteFile(services, []byte("[shop]\nhost=svc\ndbname=shop\nuser=ann\npassword=hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGSERVICEFILE", services)
	t.Setenv("PGPORT", "6000")
	for dsn, want := range map[string]Place{
		"host=db dbname=shop user=ann password='a b'":     {Host: "db", Port: 6000, Database: "shop", User: "ann", Password: "a b"},
		"host=db user=ann sslmode=prefer":                 {Host: "db", Port: 6000, Database: "ann", User: "ann"},
		"postgres://ann@db:7000/shop?sslmode=verify-full": {Host: "db", Port: 7000, Database: "shop", User: "ann", SSLMode: "verify-full"},
		"service=shop":                                      {Host: "svc", Port: 6000, Database: "shop", User: "ann", Password: "hunter2"},
		"hostaddr=10.0.0.1 user=u dbname=d":                 {Host: "10.0.0.1", Port: 6000, Database: "d", User: "u"},
		"host=/run/pg user=u dbname=d":                      {Host: "/run/pg", Port: 6000, Database: "d", User: "u", SSLMode: "disable"},
		"host=db user=u dbname=d sslrootcert=/etc/root.crt": {Host: "db", Port: 6000, Database: "d", User: "u", RootCert: "/etc/root.crt", SSLMode: "verify-full"},
	} {
		got, err := Resolve(dsn)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", dsn, err, diff)
		}
	}
	for dsn, want := range map[string]string{
		"host db password hunter2":                     "neither",
		"mysql://ann:hunter2@db/shop":                  "neither",
		"host=a,b password=hunter2":                    "several hosts",
		"host=a password=hunter2 search_path=x":        "settings",
		"host=a password=hunter2 sslcert=/x sslkey=/y": "certificate",
		"service=other password=hunter2":               "service",
	} {
		if _, err := Resolve(dsn); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
