package cost_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"usher/datasource/cost"
)

// clock is what time it is.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func gather(t interface{ Fatal(args ...any) }, c prometheus.Collector) (series map[string]float64, sum float64) {
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	all, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series = make(map[string]float64)
	for _, m := range all[0].GetMetric() {
		series[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
		sum += m.GetCounter().GetValue()
	}
	return series, sum
}

// Few tenants have a series each, with all that they cost.
func TestFewTenants(t *testing.T) {
	t.Parallel()
	at := &clock{time.Unix(1e9, 0)}
	c := cost.New(at.now)
	for range 3 {
		c.Add("acme", time.Second)
		at.at = at.at.Add(time.Hour)
	}
	c.Add("globex", 500*time.Millisecond)
	c.Add("globex", -time.Second) // of a clock that was set
	c.Add("", 2*time.Second)
	c.Add(cost.Others, time.Second)
	c.Add("\xff", time.Second)
	series, _ := gather(t, c)
	want := map[string]float64{"acme": 3, "globex": .5, cost.Others: 0, cost.Everybodys: 2, "((others))": 1, "": 1}
	if fmt.Sprint(series) != fmt.Sprint(want) {
		t.Errorf("%v, not %v", series, want)
	}
}

// One who costs more than those who have a series gets one within a minute, and who has left
// goes on where it was.
func TestTheFirstChange(t *testing.T) {
	t.Parallel()
	at := &clock{time.Unix(1e9, 0)}
	c := cost.New(at.now)
	for i := range cost.Named {
		c.Add(fmt.Sprint("early", i), time.Duration(i+1)*time.Second)
	}
	c.Add("late", time.Second)
	if series, _ := gather(t, c); len(series) != cost.Named+1 || series[cost.Others] != 1 {
		t.Errorf("%v", series)
	}
	later := func(by time.Duration) {
		at.at = at.at.Add(by)
		c.Add("late", 0) // somebody is counted
	}
	c.Add("late", time.Minute)
	later(time.Minute) // who costs least is to make room, and is still shown
	c.Add("early0", time.Second)
	if series, _ := gather(t, c); series["early0"] != 1 || series[cost.Others] != 62 {
		t.Errorf("%v", series)
	}
	later(5 * time.Minute)
	c.Add("late", 3*time.Second)
	series, _ := gather(t, c)
	if _, ok := series["early0"]; ok || series["late"] != 3 || series[cost.Others] != 62 || len(series) != cost.Named+1 {
		t.Errorf("%v", series)
	}
	c.Add("early0", 500*time.Second) // it has left: this is the others'
	later(time.Minute)
	later(5 * time.Minute)
	c.Add("early0", 7*time.Second)
	if series, _ := gather(t, c); series["early0"] != 8 || series[cost.Others] != 562 || len(series) != cost.Named+1 {
		t.Errorf("%v", series)
	}
	// As long as nobody is clearly dearer, nobody changes places.
	names := func() string {
		series, _ := gather(t, c)
		return fmt.Sprint(slices.Sorted(maps.Keys(series)))
	}
	before := names()
	for range 20 {
		later(time.Minute)
		for i := range cost.Named {
			c.Add(fmt.Sprint("early", i), time.Second)
		}
		c.Add("same", 1400*time.Millisecond)
	}
	if after := names(); after != before {
		t.Errorf("%s, before %s", after, before)
	}
}

// Whatever happens: series are few, none goes back, and all that was ever shown is the whole.
func TestCounters(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := &clock{time.Unix(1e9, 0)}
		c := cost.New(at.now)
		many := rapid.IntRange(1, 900).Draw(t, "tenants")
		last, whole := map[string]float64{}, 0.0
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			hot := rapid.IntRange(0, many-1).Draw(t, "hot")
			for i := range rapid.IntRange(1, 500).Draw(t, "asked") {
				id, took := fmt.Sprint("t", (hot+i*i)%many), time.Duration(i%7)*time.Millisecond
				c.Add(id, took)
				whole += took.Seconds()
			}
			at.at = at.at.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "seconds")) * time.Second)
			series, _ := gather(t, c)
			if len(series) > cost.Named+1 {
				t.Fatalf("%d series", len(series))
			}
			for name, n := range series {
				if n < last[name] {
					t.Fatalf("%s goes back from %v to %v", name, last[name], n)
				}
				last[name] = n
			}
			if sum := total(last); math.Abs(sum-whole) > 1e-6 {
				t.Fatalf("%v of %v are counted", sum, whole)
			}
		}
	})
}

// total is what was ever shown: a series that has ended is a part of it.
func total(last map[string]float64) (sum float64) {
	for _, n := range last {
		sum += n
	}
	return sum
}

// Counting takes no memory for a tenant that is known, and a bounded one for those that are not:
// who is dear stays.
func TestMemory(t *testing.T) {
	c := cost.New(time.Now)
	for i := range 50_000 {
		c.Add("dear", time.Second)
		c.Add(fmt.Sprint("once", i), time.Millisecond)
	}
	if series, sum := gather(t, c); series["dear"] != 50_000 || math.Abs(sum-50_050) > 1e-3 {
		t.Errorf("%v, %v", series, sum)
	}
	if n := c.Known(); n > 2000 {
		t.Errorf("%d tenants are remembered", n)
	}
	c.Add("acme", time.Second)
	if n := testing.AllocsPerRun(100, func() { c.Add("acme", time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, tenants := range []int{1, 100, 100_000} {
		b.Run(fmt.Sprint(tenants), func(b *testing.B) {
			c, ids := cost.New(time.Now), make([]string, tenants)
			for i := range ids {
				ids[i] = fmt.Sprint("tenant", i)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Add(ids[i%tenants], time.Millisecond)
			}
		})
	}
}
