package stage_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"usher/stage"
)

// Measuring costs no memory, with and without anybody who looks.
func TestTook(t *testing.T) {
	times, began := stage.New(), time.Now().Add(-time.Second)
	for _, each := range []*stage.Times{times, nil} {
		if got := testing.AllocsPerRun(100, func() { each.Took(t.Context(), stage.Encode, began) }); got != 0 {
			t.Errorf("%v allocations", got)
		}
		if took := each.Took(t.Context(), stage.Plan, began); took < time.Second {
			t.Errorf("it took %v", took)
		}
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(times); err != nil {
		t.Fatal(err)
	}
	all, err := registry.Gather()
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	counts := make(map[string]uint64)
	for _, m := range all[0].GetMetric() {
		counts[m.GetLabel()[0].GetValue()] = m.GetHistogram().GetSampleCount()
	}
	if len(counts) != 5 || counts["encode"] != 101 || counts["plan"] != 1 || counts["source"] != 0 {
		t.Errorf("%v", counts)
	}
}
