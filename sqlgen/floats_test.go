package sqlgen_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/value"
)

// amounts are numbers of a group, as they are written into the tables.
type amounts struct {
	floats   []float64
	decimals []*big.Rat // of four digits after the point
	wholes   []int64
}

const sumsDatasets = `
  here: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, g: Int, f: Float, d: {type: Decimal, precision: 24, scale: 4}, w: BigInt}, relations: {},
    measures: {load: sum(f) - sum(d), twice: sum(f + f)}}
  there: {tenant: tenant, key: id, columns: {tenant: String!, id: Int!, g: Int, f: Float, d: {type: Decimal, precision: 24, scale: 4}, w: BigInt}, relations: {},
    measures: {load: sum(f) - sum(d), twice: sum(f + f)}}
`

// drawAmounts makes groups whose sums lie where the last digits decide: sums of
// 13 digits that end in 5, long ones that cancel out, numbers of all sizes.
func drawAmounts(r *rand.Rand) []amounts {
	groups := make([]amounts, 40)
	for g := range groups {
		a := &groups[g]
		n := 1 + r.IntN(60)
		for i := range n {
			a.wholes = append(a.wholes, r.Int64()>>r.IntN(63)*int64(1-2*r.IntN(2)))
			a.decimals = append(a.decimals, big.NewRat(r.Int64()>>r.IntN(63)*int64(1-2*r.IntN(2)), 10_000))
			switch g % 4 {
			case 0: // prices: the sum is a tie of 13 digits
				a.floats = append(a.floats, float64(r.IntN(1_000_000_000))/1e4)
			case 1:
				a.floats = append(a.floats, (r.Float64()-0.5)*math.Pow(10, float64(r.IntN(20)-6)))
			case 2: // much that cancels out
				x := float64(r.IntN(1_000_000_000_000)) / 7
				a.floats = append(a.floats, x, -x, 0.1)
			case 3:
				a.floats = append(a.floats, []float64{0.1, 0.2, 0.3, -0.6, 5e14, -5e14}[i%6])
			}
		}
		if g%4 == 0 { // bring it to 123456789.1235
			total := exactly(a.floats)
			rest, _ := new(big.Rat).Sub(big.NewRat(1_234_567_891_235, 10_000), total).Float64()
			rest, _ = strconv.ParseFloat(strconv.FormatFloat(rest, 'f', 4, 64), 64)
			a.floats = append(a.floats, rest)
		}
	}
	return groups
}

func exactly(list []float64) *big.Rat {
	total := new(big.Rat)
	for _, x := range list {
		total.Add(total, new(big.Rat).SetFloat64(x))
	}
	return total
}

// sumsTable writes the groups' rows in a random order.
func sumsTable(name string, groups []amounts, r *rand.Rand) string {
	var rows []string
	for g, a := range groups {
		for i := range max(len(a.floats), len(a.wholes)) {
			f, d, w := "NULL", "NULL", "NULL"
			if i < len(a.floats) {
				f = "'" + strconv.FormatFloat(a.floats[i], 'g', -1, 64) + "'"
			}
			if i < len(a.wholes) {
				d, w = a.decimals[i].FloatString(4), strconv.FormatInt(a.wholes[i], 10)
			}
			rows = append(rows, fmt.Sprintf("%d, %s, %s, %s)", g, f, d, w))
		}
	}
	r.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for i := range rows {
		rows[i] = fmt.Sprintf("('a', %d, %s", i, rows[i])
	}
	return "CREATE TABLE " + name + " (tenant text NOT NULL, id int PRIMARY KEY, g int, f float8, d numeric(24, 4), w bigint);\nINSERT INTO " + name + " VALUES " + strings.Join(rows, ",\n") + ";\n"
}

func number(r *big.Rat, rounded bool) string {
	f, _ := r.Float64()
	out, err := value.AppendJSON(nil, value.Of(value.Float), value.Cell{Kind: value.KindFloat, Float: f}, value.Style{Rounded: rounded})
	if err != nil {
		return err.Error()
	}
	return string(out)
}

// TestSumsInAnyOrder adds up the same numbers in two orders on both engines: what
// comes of doubles is the same to the last digit, and is the sum; averages and
// medians of exact numbers are the doubles nearest to what they are.
func TestSumsInAnyOrder(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 12))
	groups := drawAmounts(r)
	e := start(t, sumsTable("here", groups, r)+sumsTable("there", groups, r), sumsDatasets)
	var want []string
	for g, a := range groups {
		sum := exactly(a.floats)
		mean := new(big.Rat).Quo(sum, big.NewRat(int64(len(a.floats)), 1))
		wholes := make([]*big.Rat, len(a.wholes))
		for i, w := range a.wholes {
			wholes[i] = new(big.Rat).SetInt64(w)
		}
		want = append(want, fmt.Sprintf(`{"key":{"g":%d},"f":{"sum":%s,"avg":%s},"d":{"avg":%s,"median":%s},"w":{"avg":%s,"median":%s}}`,
			g, number(sum, true), number(mean, true), number(meanOf(a.decimals), false), number(medianOf(a.decimals), false), number(meanOf(wholes), false), number(medianOf(wholes), false)))
	}
	for _, dataset := range []string{"here", "there"} {
		e.same(dataset+"Aggregate { key { g } f { sum avg } d { avg median } w { avg median } }", "["+strings.Join(want, ",")+"]")
	}
	// What is built on sums is the same as well, and what compares them.
	for _, query := range []string{
		"%sAggregate { key { g } f { runningSum sumShare } load twice }",
		"%sAggregate(having: {f: {sum: {gte: 123456789.124}}}) { key { g } }",
		"%sAggregate(orderBy: [{f: {sum: DESC}}, {f: {avg: ASC}}], limit: 25) { key { g } f { sum } }",
		"%sAggregate { f { sum avg runningSum } load twice }",
	} {
		var answers []string
		for _, dataset := range []string{"here", "there"} {
			fromPostgres, fromDuckDB := e.both(fmt.Sprintf(query, dataset))
			answers = append(answers, fromPostgres, fromDuckDB)
		}
		if slices.Sort(answers); answers[0] != answers[3] || len(answers[0]) < 20 {
			t.Errorf("%s:\n%s", query, strings.Join(answers, "\n"))
		}
	}
}

func meanOf(list []*big.Rat) *big.Rat {
	total := new(big.Rat)
	for _, x := range list {
		total.Add(total, x)
	}
	return total.Quo(total, big.NewRat(int64(len(list)), 1))
}

func medianOf(list []*big.Rat) *big.Rat {
	list = slices.Clone(list)
	slices.SortFunc(list, (*big.Rat).Cmp)
	low, high := list[(len(list)-1)/2], list[len(list)/2]
	sum := new(big.Rat).Add(low, high)
	return sum.Quo(sum, big.NewRat(2, 1))
}

// TestSumsBeyond adds up what the exact way is not for: the engines' own sums,
// with nothing that fails.
func TestSumsBeyond(t *testing.T) {
	t.Parallel()
	e := start(t, `CREATE TABLE here (tenant text NOT NULL, id int PRIMARY KEY, g int, f float8, d numeric(24, 4), w bigint);
CREATE TABLE there (tenant text NOT NULL, id int PRIMARY KEY, g int, f float8, d numeric(24, 4), w bigint);
INSERT INTO here VALUES ('a', 1, 1, 1e300, NULL, NULL), ('a', 2, 1, 1e299, 99999999999999999999.9999, 9223372036854775807),
	('a', 3, 2, 1e-300, -99999999999999999999.9999, -9223372036854775808), ('a', 4, 2, 2e-300, 0.0001, -9223372036854775808),
	('a', 5, 3, 'NaN', 0, 0), ('a', 6, 4, 'Infinity', 0.0001, 1), ('a', 7, 5, NULL, NULL, NULL), ('a', 8, 6, -0.0, -0.0001, -1), ('a', 9, 6, 0, 0, 0),
	('a', 10, 7, 1125899906842623.9, 1, 1), ('a', 11, 7, 1125899906842623.9, 2, 2), ('a', 12, 8, 1125899906842624, 1, 1)`, sumsDatasets)
	for _, g := range []string{"3", "4"} { // which answers have as null
		e.same("hereAggregate(where: {g: {eq: "+g+"}}) { f { sum avg } }", "the value is not finite, which JSON cannot hold")
	}
	e.same("hereAggregate(where: {g: {notIn: [3, 4]}}) { key { g } f { sum avg } }", `[{"key":{"g":1},"f":{"sum":1.1e+300,"avg":5.5e+299}},{"key":{"g":2},"f":{"sum":3e-300,"avg":1.5e-300}},`+
		`{"key":{"g":5},"f":{"sum":null,"avg":null}},`+
		`{"key":{"g":6},"f":{"sum":0,"avg":0}},{"key":{"g":7},"f":{"sum":2251799813690000,"avg":1125899906840000}},{"key":{"g":8},"f":{"sum":1125899906840000,"avg":1125899906840000}}]`)
	e.same("hereAggregate { key { g } d { avg median } w { avg median } }", `[{"key":{"g":1},"d":{"avg":100000000000000000000,"median":100000000000000000000},"w":{"avg":9223372036854776000,"median":9223372036854776000}},`+
		`{"key":{"g":2},"d":{"avg":-50000000000000000000,"median":-50000000000000000000},"w":{"avg":-9223372036854776000,"median":-9223372036854776000}},`+
		`{"key":{"g":3},"d":{"avg":0,"median":0},"w":{"avg":0,"median":0}},{"key":{"g":4},"d":{"avg":0.0001,"median":0.0001},"w":{"avg":1,"median":1}},`+
		`{"key":{"g":5},"d":{"avg":null,"median":null},"w":{"avg":null,"median":null}},{"key":{"g":6},"d":{"avg":-0.00005,"median":-0.00005},"w":{"avg":-0.5,"median":-0.5}},`+
		`{"key":{"g":7},"d":{"avg":1.5,"median":1.5},"w":{"avg":1.5,"median":1.5}},{"key":{"g":8},"d":{"avg":1,"median":1},"w":{"avg":1,"median":1}}]`)
}
