package answer_test

import (
	"fmt"
	"testing"

	"usher/answer"
	"usher/held"
	"usher/value"
)

// TestRelease: what an answer took of the share goes back with it, and its text
// is one, in however many pieces it was written.
func TestRelease(t *testing.T) {
	t.Parallel()
	const n = 10_000
	lists := make([][]any, n)
	want := []byte{'['}
	for i := range lists {
		lists[i] = []any{100_000 + i, 0.5}
		want = fmt.Appendf(want, `{"number":%d,"weight":0.5},`, 100_000+i)
	}
	want[len(want)-1] = ']'
	budget := held.New(64 << 20)
	_, share := budget.Begin(t.Context())
	defer share.End()
	encoder := answer.NewEncoder(planned(t, fmt.Sprintf(`orders(limit: %d) { number: id weight }`, n)), answer.Writing{Key: "orders"})
	for range 3 {
		a, err := encoder.Encode(share, rows(2, lists...), answer.Seals{})
		if err != nil {
			t.Fatal(err)
		}
		if got := a.AppendTo(nil); string(got) != string(want) || a.Len() != len(want) || string(a.JSON()) != string(want) {
			t.Fatalf("%d bytes are not the %d that were expected", a.Len(), len(want))
		}
		if got := budget.Used(); got != int64(len(want)) {
			t.Errorf("%d bytes of the share for an answer of %d", got, len(want))
		}
		a.Release()
		if got := budget.Used(); got != 0 || a.Len() != 0 {
			t.Errorf("%d bytes are held after the release", got)
		}
	}
}

func TestNull(t *testing.T) {
	t.Parallel()
	null, word := answer.Null(), answer.Of([]byte(`"null"`))
	none, err := answer.Encode(planned(t, `ordersByPk(id: 1) { id }`), &value.Result{Rows: value.NewBuffer(1)}, answer.Writing{})
	if !null.IsNull() || word.IsNull() || !none.IsNull() || err != nil {
		t.Errorf("%v %v %v %v", null.IsNull(), word.IsNull(), none.IsNull(), err)
	}
}
