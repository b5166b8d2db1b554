package tenancy_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"usher/fault"
	"usher/pgtest"
	"usher/pgtest/lies"
	"usher/tenancy"
	"usher/tenancy/database"
)

// Whatever says that it is the control store's server: an error in time, no
// panic and no memory to speak of.
func TestLies(t *testing.T) {
	const patience = 100*time.Millisecond + time.Second // its time, and a second
	other := open(t, postgresOf(pgtest.Start(t).Database(t)), tenancy.Options{})
	borne := 0
	bear := func(lie lies.Lie, sslMode string) {
		t.Run(string(lie.At)+"/"+lie.Name, func(t *testing.T) {
			spec := database.Spec{Postgres: &database.Postgres{
				Hosts: []database.Host{{Name: "127.0.0.1", Port: lies.Serve(t, lie)}}, Database: "d", User: "u", Password: "secret", SSLMode: sslMode, Timeout: 100 * time.Millisecond,
			}}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			s, err := tenancy.Open(ctx, spec, tenancy.Options{Password: cheap, Key: key})
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if err == nil {
				_ = s.Close()
				t.Fatal("it was opened")
			}
			if f := (*fault.Error)(nil); !errors.As(err, &f) {
				t.Errorf("%v: want a fault", err)
			}
			if took > 500*time.Millisecond+patience {
				t.Errorf("it took %s", took)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
				t.Errorf("it took %d MiB of memory", used>>20)
			}
			if text := err.Error(); len(text) > 4<<10 || strings.ContainsAny(text, "\x00\x1b\r") {
				t.Errorf("an error of %d bytes: %.200q", len(text), text)
			}
			if strings.Contains(err.Error(), "driver panicked") {
				t.Errorf("the driver has read it: %v", err)
			}
			borne++
			tenant(t, other, "tenant"+strconv.Itoa(borne)) // the real one answers
		})
	}
	for _, lie := range lies.All() {
		bear(lie, "disable")
	}
	for _, lie := range lies.AboutTLS() {
		bear(lie, "require")
	}
	if borne < 55 {
		t.Errorf("%d lies were borne", borne)
	}
}
