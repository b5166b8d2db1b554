package equivalence

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"

	"usher/pgtest"
)

var (
	checks = flag.Int("equivalence.checks", 90, "how often each property is tried")
	seed   = flag.Uint64("equivalence.seed", 1, "what the operations are drawn from; 0 draws others in each run")
)

func TestMain(m *testing.M) {
	flag.Parse()
	// The package's own flags say how much is drawn, and a run without any
	// draws the same as the one before.
	for name, text := range map[string]string{
		"rapid.checks": strconv.Itoa(*checks), "rapid.seed": strconv.FormatUint(*seed, 10), "rapid.nofailfile": "true",
	} {
		if err := flag.Set(name, text); err != nil {
			panic(err)
		}
	}
	pgtest.Main(m)
}

// TestOneAnswer holds what is true of every way to a tenant's rows. They are
// made once; nothing changes them.
func TestOneAnswer(t *testing.T) {
	w := newWorld()
	alone := slices.Concat(embedded(t, w), served(t, w), mixed(t, w))
	ways := slices.Concat(alone, distributed(t, w))
	t.Run("Equivalence", func(t *testing.T) { equivalence(t, w, ways) })
	t.Run("Complement", func(t *testing.T) { complement(t, w, ways) })
	t.Run("Tiles", func(t *testing.T) { tiles(t, w, alone) }) // Citus refuses outer joins beside a condition that is a constant
	t.Run("AddUp", func(t *testing.T) { addsUp(t, w, ways) })
	t.Run("Prepared", func(t *testing.T) { prepared(t, w, ways) })
	t.Run("PreparedTexts", func(t *testing.T) { preparedTexts(t, w, ways) })
	t.Run("Pages", func(t *testing.T) { pages(t, w, ways) })
}

// equivalence: the same question of the same tenant has the same answer
// whichever way its rows are reached.
func equivalence(t *testing.T, w *world, ways []way) {
	t.Helper()
	asked := ways[0].gateway.schema
	covered := newCoverage()
	rapid.Check(t, func(t *rapid.T) {
		// What is drawn depends on what was asked in checks before. Once one fails
		// that stays as it is, so that smaller examples can be looked for.
		equal := false
		defer func() { covered.closed = covered.closed || !equal }()
		tenant := rapid.SampledFrom(tenants).Draw(t, "tenant")
		var answered []func()
		for range 4 {
			op, hits := draw(t, asked, w, tenant, covered.hits)
			answers := askAll(t.Context(), ways, tenant, op)
			for i, answer := range answers {
				if !ways[i].answers(op) {
					continue
				}
				broken(t, ways[i], op, answer)
				same(t, tenant, op, ways[0].name, answers[0], ways[i].name, answer)
			}
			answered = append(answered, func() { covered.add(hits, answers[0]) })
		}
		equal = true
		for _, count := range answered {
			count()
		}
	})
	covered.check(t, asked)
}

// askAll asks an operation in every way, some of them at the same time.
func askAll(ctx context.Context, ways []way, tenant string, op operation) [][]byte {
	answers := make([][]byte, len(ways))
	var group errgroup.Group
	group.SetLimit(2)
	for i, way := range ways {
		group.Go(func() error {
			answers[i] = way.ask(ctx, tenant, op)
			return nil
		})
	}
	_ = group.Wait() // the functions return no errors
	return answers
}

// broken fails on answers that no caller may cause, equal or not.
func broken(t *rapid.T, by way, op operation, answer []byte) {
	t.Helper()
	if !json.Valid(answer) || bytes.Contains(answer, []byte(`"code":"INTERNAL"`)) || bytes.Contains(answer, []byte(`"code":"UNAVAILABLE"`)) {
		t.Fatalf("an answer that no caller may cause, from %s: %s\n%s\nthe log ends:\n%s", by.name, answer, op, by.gateway.log)
	}
}

func same(t *rapid.T, tenant string, op operation, name string, answer []byte, otherName string, other []byte) {
	t.Helper()
	if bytes.Equal(answer, other) {
		return
	}
	at := 0
	for at < min(len(answer), len(other)) && answer[at] == other[at] {
		at++
	}
	around := func(text []byte) string {
		return strings.ToValidUTF8(string(text[max(0, at-150):min(len(text), at+150)]), "?")
	}
	t.Fatalf("%s and %s answer %s differently from byte %d on:\n…%s…\n…%s…\n%s",
		name, otherName, tenant, at, around(answer), around(other), op)
}
