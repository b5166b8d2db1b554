package catalog

import (
	"strings"
	"testing"
	"time"
)

// Several hosts, as a DSN and as a list, become one text in the place of a host.
func TestHosts(t *testing.T) {
	t.Parallel()
	list := func(hosts ...HostSpec) SourceSpec {
		return SourceSpec{Kind: "postgres", Hosts: hosts, Database: "d", User: "u"}
	}
	for _, c := range []struct {
		spec SourceSpec
		want string // the host, or what the problem says
	}{
		{SourceSpec{DSN: "postgres://u:p%40:,@a,b:5433,[::1]:7/d"}, "a:5432,b:5433,[::1]:7"},
		{SourceSpec{DSN: "postgres://u:p@a:1/d?target_session_attrs=any"}, "a"},
		{SourceSpec{DSN: "postgres://u:p@a,b/d?target_session_attrs=primary&sslmode=disable"}, "a:5432,b:5432"},
		{SourceSpec{DSN: "postgres://u:p@a,b/d?target_session_attrs=prefer-standby"}, "a:5432/replica,b:5432/replica"},
		{SourceSpec{DSN: "postgres://u:p@a,b/d?target_session_attrs=standby"}, "prefer-standby"},
		{SourceSpec{DSN: "postgres://u:p@a,b/d?target_session_attrs=fast"}, "must be primary"},
		{SourceSpec{DSN: "postgres://u:p@a/d?target_session_attrs=primary"}, "there is one"},
		{SourceSpec{DSN: "postgres://u:p@a,,b/d"}, "cannot be used"},
		{SourceSpec{DSN: "postgres://u:p@a,b:0/d"}, "cannot be used"},
		{SourceSpec{DSN: "postgres://u:p@a,A:5432/d"}, "named twice"},
		{SourceSpec{DSN: "postgres://u:p@a,b/d?hosts=c"}, "not known"},
		{SourceSpec{DSN: "postgres://u:p@a/d", Hosts: []HostSpec{{Host: "b"}}}, "leave out"},
		{list(HostSpec{Host: "a"}), "a"},
		{list(HostSpec{Host: "a"}, HostSpec{Host: "b", Port: 7, Role: "replica"}), "a:5432,b:7/replica"},
		{list(HostSpec{Host: "a"}, HostSpec{Host: "a"}), "named twice"},
		{list(HostSpec{Host: "a,b"}), "one host name"},
		{list(HostSpec{Host: ""}), "one host name"},
		{list(HostSpec{Host: "a", Port: -1}), "must be from 1"},
		{list(HostSpec{Host: "a", Role: "standby"}), "primary or replica"},
		{SourceSpec{Host: "a", Database: "d", User: "u", MaxLag: new(time.Duration(1))}, "at least 2s"},
	} {
		c.spec.Kind = "postgres"
		sources, problems := Sources(Spec{Sources: map[string]SourceSpec{"s": c.spec}})
		if !Refused(problems) {
			if got := sources["s"].Postgres.Host; got != c.want {
				t.Errorf("%+v: %s", c.want, got)
			}
			continue
		}
		var all strings.Builder
		for _, p := range problems {
			all.WriteString(p.String())
		}
		if !strings.Contains(all.String(), c.want) || strings.Contains(all.String(), "p%40") {
			t.Errorf("%s: %s", c.want, all.String())
		}
	}
}
