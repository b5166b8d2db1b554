package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// dataset says how much data there is. The same numbers make the same rows.
type dataset struct {
	name     string
	tenants  int
	orders   int // of all tenants
	largest  int // of tenant 0; the others share the rest, the first ones more
	rotation int // tenants the requests rotate over
}

const (
	products     = 200
	smallest     = 1000                 // orders of a tenant at least: W5 asks for as many
	span         = 731 * 24 * time.Hour // two years
	referenceLen = 8
)

// origin is when the first order was made.
var origin = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// version changes when the rows do, so that data of an older one is not reused.
const version = 5

// tenant is the id of a tenant, and its key.
func tenant(i int) string { return fmt.Sprintf("t%04d", i) }

// large is the tenant with the most rows.
func (d dataset) large() string { return tenant(0) }

// rotated are the tenants of requests: of every size but the largest.
func (d dataset) rotated() []string {
	out := make([]string, d.rotation)
	for i := range out {
		out[i] = tenant(1 + i*(d.tenants-1)/d.rotation)
	}
	return out
}

// siloed are the tenants that have databases of their own: the largest, and
// some of the rotated ones.
func (d dataset) siloed(n int) []string {
	out := []string{d.large()}
	rotated := d.rotated()
	for i := range n {
		out = append(out, rotated[i*len(rotated)/n])
	}
	return out
}

// sizes is how many orders each tenant has.
func (d dataset) sizes() []int {
	weight := func(i int) float64 { return 1 / math.Sqrt(float64(i+20)) }
	var sum float64
	for i := 1; i < d.tenants; i++ {
		sum += weight(i)
	}
	sizes := make([]int, d.tenants)
	sizes[0] = d.largest
	spare := d.orders - d.largest - smallest*(d.tenants-1)
	left := spare
	for i := d.tenants - 1; i > 0; i-- {
		share := int(float64(spare) * weight(i) / sum)
		if i == 1 {
			share = left
		}
		sizes[i] = smallest + share
		left -= share
	}
	return sizes
}

var (
	regions    = []string{"north", "south", "east", "west", "central"}
	statuses   = []string{"open", "paid", "shipped", "returned"}
	categories = []string{"Burritos", "Tacos", "Bowls", "Drinks", "Salads", "Sides", "Desserts", "Sauces"}
	letters    = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
)

// write writes the rows of all tables as files for COPY. Tenants' rows lie
// between each other's, as they do where everybody writes at once.
func (d dataset) write(folder string) error {
	random := rand.New(rand.NewPCG(1, version)) //nolint:gosec // the same rows each time
	if err := writeFile(folder, "products", func(w *bufio.Writer) error { return writeProducts(w, random) }); err != nil {
		return err
	}
	owners := make([]int, 0, d.orders)
	for i, size := range d.sizes() {
		for range size {
			owners = append(owners, i)
		}
	}
	random.Shuffle(len(owners), func(i, j int) { owners[i], owners[j] = owners[j], owners[i] })
	return writeFile(folder, "orders", func(orders *bufio.Writer) error {
		return writeFile(folder, "items", func(items *bufio.Writer) error { return writeOrders(orders, items, owners, random) })
	})
}

func writeProducts(w *bufio.Writer, random *rand.Rand) error {
	for i := range products {
		if _, err := fmt.Fprintf(w, "%d\tProduct %03d\t%s\t%d.%02d\n", i+1, i+1, categories[i%len(categories)],
			3+random.IntN(20), random.IntN(100)); err != nil {
			return err
		}
	}
	return nil
}

func writeOrders(orders, items *bufio.Writer, owners []int, random *rand.Rand) error {
	step := span / time.Duration(len(owners))
	var line []byte
	item := int64(0)
	for i, owner := range owners {
		id, name := int64(i+1), tenant(owner)
		line = appendOrder(line[:0], id, name, origin.Add(time.Duration(i)*step), random)
		if _, err := orders.Write(line); err != nil {
			return err
		}
		line = line[:0]
		for range 1 + random.IntN(2) {
			item++
			line = appendItem(line, item, name, id, random)
		}
		if _, err := items.Write(line); err != nil {
			return err
		}
	}
	return nil
}

func appendOrder(line []byte, id int64, tenant string, at time.Time, random *rand.Rand) []byte {
	tab := func() { line = append(line, '\t') }
	line = strconv.AppendInt(line, id, 10)
	tab()
	line = append(line, tenant...)
	tab()
	for range referenceLen {
		line = append(line, letters[random.IntN(len(letters))])
	}
	tab()
	// A few customers come often.
	line = append(line, "Customer "...)
	line = strconv.AppendInt(line, 1000+int64(300*math.Pow(random.Float64(), 2)), 10)
	tab()
	if random.IntN(20) == 0 {
		line = append(line, `\N`...)
	} else {
		line = append(line, regions[random.IntN(len(regions))]...)
	}
	tab()
	line = append(line, statuses[min(random.IntN(len(statuses)), random.IntN(len(statuses)))]...)
	tab()
	line = appendCents(line, 100+random.IntN(50_000))
	tab()
	line = strconv.AppendInt(line, int64(1+random.IntN(10)), 10)
	tab()
	line = strconv.AppendInt(line, 1+int64(products*math.Pow(random.Float64(), 1.5)), 10)
	tab()
	line = at.AppendFormat(line, "2006-01-02 15:04:05.999999Z07:00")
	return append(line, '\n')
}

func appendItem(line []byte, id int64, tenant string, order int64, random *rand.Rand) []byte {
	line = strconv.AppendInt(line, id, 10)
	line = append(append(line, '\t'), tenant...)
	line = strconv.AppendInt(append(line, '\t'), order, 10)
	line = append(line, "\tSKU-"...)
	line = strconv.AppendInt(line, int64(10_000+random.IntN(5000)), 10)
	line = strconv.AppendInt(append(line, '\t'), int64(1+random.IntN(5)), 10)
	line = appendCents(append(line, '\t'), 100+random.IntN(5000))
	return append(line, '\n')
}

func appendCents(line []byte, cents int) []byte {
	line = strconv.AppendInt(line, int64(cents/100), 10)
	return append(line, '.', byte('0'+cents/10%10), byte('0'+cents%10))
}

// table is the file of a table's rows.
func tableFile(folder, table string) string { return filepath.Join(folder, table+".tsv") }

func writeFile(folder, table string, fill func(*bufio.Writer) error) (err error) {
	file, err := os.Create(tableFile(folder, table))
	if err != nil {
		return err
	}
	defer func() {
		if closing := file.Close(); err == nil {
			err = closing
		}
	}()
	w := bufio.NewWriterSize(file, 1<<20)
	if err := fill(w); err != nil {
		return err
	}
	return w.Flush()
}
