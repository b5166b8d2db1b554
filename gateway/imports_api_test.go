package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"usher/test/program"
)

// stopped is what an import that did not end says of its rows.
type stopped struct {
	Errors []struct {
		Message    string
		Extensions struct {
			Code                    string
			Line, Rows              int64
			Unknown                 bool
			Hint                    string
			Beyond, Refused, Unsure []int64
		}
	}
}

func openAPIImports(t *testing.T, p *partner, change func(string) string) importing {
	t.Helper()
	i := importing{writing: openCalled(t, p, "gateway", "tenant", change)}
	i.serve(t)
	return i
}

// stops sends a file that is not written as a whole.
func (i importing) stops(t *testing.T, token, path, body string, header ...string) (out stopped) {
	t.Helper()
	status, text := i.send(t.Context(), t, token, path, strings.NewReader(body), header...)
	if err := json.Unmarshal([]byte(text), &out); err != nil || len(out.Errors) != 1 || status == http.StatusOK {
		t.Fatalf("%d %s %v", status, text, err)
	}
	if strings.Contains(text, "poison") {
		t.Errorf("the API's words are repeated: %s", text)
	}
	return out
}

// goesOn is the path by which what stopped goes on, once the rows of which nobody knows were looked for.
func (s stopped) goesOn(there func(row int64) bool) string {
	at := s.Errors[0].Extensions
	beyond := at.Beyond
	for _, n := range at.Unsure {
		if there(n) {
			beyond = append(beyond, n)
		}
	}
	path := "/import/orders?format=csv&batch=20&from=" + strconv.FormatInt(at.Rows, 10)
	if beyond = slices.DeleteFunc(beyond, func(n int64) bool { return n <= at.Rows }); len(beyond) > 0 {
		path += "&beyond=" + strings.Trim(strings.ReplaceAll(fmt.Sprint(beyond), " ", ","), "[]")
	}
	return path
}

func (p *partner) has(id string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rows[id] != nil
}

func (p *partner) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.rows)
}

// ordersOf are lines of orders n1, n2 and so on, one of which has another status.
func ordersOf(from, to, odd int, status string) string {
	var b strings.Builder
	b.WriteString("id,status,customer_id\n")
	for n := from; n <= to; n++ {
		if n == odd {
			fmt.Fprintf(&b, "n%d,%s,1\n", n, status)
		} else {
			fmt.Fprintf(&b, "n%d,open,1\n", n)
		}
	}
	return b.String()
}

// Rows go into an API in batches, each looked at before its first call, and it is told of each row what became of it.
func TestImportsIntoAPIs(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	i := openAPIImports(t, p, nil)
	ann := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA")
	all := i.text(t, i.root, `mutation { admin { createServiceKey(input: {name: "all", allTenants: true, scopes: [READ_DATA, WRITE_DATA]}) { token } } }`, "token")
	const batch = "/import/orders?format=csv&batch=20"
	for _, c := range []struct{ token, path, body, want string }{
		{ann, "/import/orders?format=csv", "id\nz\n", failed(400, "rows of orders are in an API, where nothing is undone: they are imported in batches only", `,"hint":"Say how many rows are checked before the first of them is written, such as batch=1000.","rows":0`)},
		{ann, batch, "id,customer_id\nz1,1\nz2,3\n", failed(404, "customer_id leads to no row of customers", `,"line":3,"rows":0`)}, // another's
		{ann, batch, "id,customer_id\nz1,1\nz2,99\n", failed(404, "customer_id leads to no row of customers", `,"line":3,"rows":0`)},
		{ann, batch, "id,status\nz1,open\nz2,hidden\n", failed(403, "what would be written to orders is not what you may write there", `,"line":3,"rows":0`)},
		{ann, batch, "id\nz1\nz1\n", failed(400, "two rows have the same key", `,"line":3,"rows":0`)},
		{ann, batch, "id,amount\nz1,1\nz2,x\n", failed(400, "amount: expected Decimal: a number of at most 38 digits", `,"line":3,"rows":0`)},
		{ann, batch, "id,tenant\nz1,b\n", failed(400, "tenant of orders cannot be written", `,"line":1,"rows":0`)},
		{ann, batch, "id,created_by\nz1,eve\n", failed(400, "created_by of orders cannot be written", `,"line":1,"rows":0`)},
		{ann, batch + "&tenant=b", "id\nz1\n", failed(403, "whose rows are written is not for you to name", `,"rows":0`)},
		{all, batch, "id\nz1\n", failed(403, "rows of orders are written as one tenant", `,"hint":"name the tenant whose rows they are: tenant=…","rows":0`)},
		{i.keyOf(t, "eve", "a", "READ_DATA"), batch, "id\nz1\n", failed(403, "nothing that you hold inserts rows of orders", `,"rows":0`)},
		{ann, batch + "&from=2&beyond=2", "id\nz1\n", failed(400, "the parameter beyond names rows behind those of from", "")},
		{ann, batch + "&beyond=", "id\nz1\n", failed(400, "the parameter beyond is numbers of rows, with commas between", "")},
		{ann, "/import/customers?format=csv&batch=2&beyond=1", "id\n9\n", failed(400, "rows of customers go in in the order of the file: none is beyond one that is not", `,"rows":0`)},
		{ann, batch, "", failed(400, "the file is empty: its first line names the columns", `,"rows":0`)},
		{ann, batch, "id\n", `200 {"rows":0}`},
	} {
		if got := i.load(t, c.token, c.path, c.body); got != c.want {
			t.Errorf("%s %q\n got %s\nwant %s", c.path, c.body, got, c.want)
		}
	}
	if got := p.said(); got != "" {
		t.Errorf("before anything was right these were called: %s", got)
	}
	if status, text := i.send(t.Context(), t, ann, batch, strings.NewReader("id\nz\n"), "Idempotency-Key", "k"); status != 501 || p.said() != "" {
		t.Errorf("a key that the API does not keep: %d %s", status, text)
	}

	// All of several batches, with what usher writes into rows; and without keys, which the API makes.
	if got := i.load(t, ann, batch, ordersOf(1, 50, 0, "")); got != `200 {"rows":50}` {
		t.Error(got)
	}
	calls := strings.Split(p.said(), "\n")
	if slices.Sort(calls); len(calls) != 50 || calls[0] != `POST /orders a {"created_by":"ann","customer_id":1,"id":"n1","status":"open","tenant":"a"}` {
		t.Errorf("%d calls: %s", len(calls), calls[0])
	}
	if got := i.load(t, ann, "/import/orders?format=ndjson&batch=2", "{\"status\":\"made\",\"tags\":[\"x\",null],\"doc\":{\"a\":[1]}}\n{\"status\":null,\"tags\":null,\"doc\":null}\n{\"status\":\"\",\"tags\":[],\"doc\":0}\n"); got != `200 {"rows":3}` {
		t.Error(got)
	}
	if got := short(t, i.query(t, ann, `{ orders(where: {id: {in: ["101", "102", "103"]}}, orderBy: [{id: ASC}]) { status tags doc created_by } }`)); strings.Count(got, `"created_by":"ann"`) != 3 || strings.Count(got, `{"status":null,"tags":null,"doc":null`) != 1 || strings.Count(got, `{"status":"","tags":[],"doc":0`) != 1 {
		t.Error(got)
	}
	if got := i.load(t, all, batch+"&tenant=b", "id,customer_id\nb1,3\n"); got != `200 {"rows":1}` {
		t.Error(got)
	}
	if got := fmt.Sprint(p.rows["b1"]["tenant"], p.rows["2"]["status"]); got != "bopen" {
		t.Errorf("the other tenant's rows are %s", got)
	}

	// A row that is refused, and one of which nobody knows: the import goes on behind what is in, and writes nothing twice.
	p.said()
	s := i.stops(t, ann, batch, ordersOf(100, 159, 130, "bad"))
	if at := s.Errors[0]; at.Message != "the API does not take this row of orders" || at.Extensions.Line != 32 || at.Extensions.Rows != 30 || at.Extensions.Unknown || !slices.Equal(at.Extensions.Refused, []int64{31}) {
		t.Errorf("%+v", at)
	}
	written := 30 + len(s.Errors[0].Extensions.Beyond)
	if calls := strings.Count(p.said(), "POST"); calls != written+1 || calls > 30+mostAhead {
		t.Errorf("%d calls of %d rows", calls, written)
	}
	there := func(row int64) bool { return p.has("n" + strconv.FormatInt(99+row, 10)) }
	if got := i.load(t, ann, s.goesOn(there), ordersOf(100, 159, 0, "")); got != `200 {"rows":60}` {
		t.Errorf("going on: %s", got)
	}
	var unsure string
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if r.Method == http.MethodPost && nth == 5 { // whatever row it is
			unsure = "asked"
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	})
	s = i.stops(t, ann, batch, ordersOf(200, 239, 0, ""))
	if at := s.Errors[0].Extensions; unsure == "" || !at.Unknown || len(at.Unsure) != 1 || at.Unsure[0] <= at.Rows || at.Line != at.Unsure[0]+1 || len(at.Refused) > 0 {
		t.Errorf("%+v", at)
	}
	p.answerInstead(nil)
	there = func(row int64) bool { return p.has("n" + strconv.FormatInt(199+row, 10)) }
	if got := i.load(t, ann, s.goesOn(there), ordersOf(200, 239, 0, "")); got != `200 {"rows":40}` {
		t.Errorf("going on: %s", got)
	}

	// An API that has too much to do is waited for.
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if r.Method != http.MethodPost || nth != 3 {
			return false
		}
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	if got := i.load(t, ann, batch, ordersOf(300, 309, 0, "")); got != `200 {"rows":10}` {
		t.Error(got)
	}
	// What the API makes of a row is looked at when it is there.
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		if r.Method == http.MethodPost && nth == 2 {
			p.rows["x"] = map[string]any{"id": "x", "tenant": "a", "status": "hidden"}
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprint(w, `{"id": "x", "tenant": "a"}`)
			return true
		}
		return false
	})
	if got := i.load(t, ann, "/import/orders?format=csv&batch=5", "status\nopen\nopen\nopen\n"); !strings.HasPrefix(got, "403 ") || !strings.Contains(got, `"rows":3`) {
		t.Error(got)
	}
	program.Soon(t, program.Patience, "imports are in the audit log", func() bool {
		answer := i.query(t, i.root, `{ admin { auditLog(filter: {kind: DATA}, limit: 200) { items { tenant subject datasets source rows outcome detail } } } }`)
		return strings.Contains(answer, `{"tenant":"a","subject":"ann","datasets":["orders"],"source":"partner","rows":50,"outcome":"done","detail":"import of csv"}`) &&
			strings.Contains(answer, fmt.Sprintf(`"source":"partner","rows":%d,"outcome":"BAD_USER_INPUT","detail":"import of csv"}`, written)) &&
			strings.Contains(answer, `"tenant":"b","subject":"all"`)
	})
	program.Soon(t, program.Patience, "nothing is held", func() bool { return i.Held() == 0 })
}

// mostAhead is how many rows are tried from the first that is not in.
const mostAhead = 32

// Where the API tells calls apart by keys an import with one is sent again as it is: what is in is made under the
// same keys, which are its sender's own, and a row that was mended is another one.
func TestImportsIntoAPIsUnderAKey(t *testing.T) {
	t.Parallel()
	p := newPartner(t)
	i := openAPIImports(t, p, func(text string) string {
		return strings.Replace(text, "insert: {}", "idempotency_key: Idempotency-Key\n          insert: {}", 1)
	})
	ann, bob := i.keyOf(t, "ann", "a", "READ_DATA, WRITE_DATA"), i.keyOf(t, "bob", "a", "READ_DATA, WRITE_DATA")
	made := make(map[string]string) // rows by key, as an API keeps them
	seen := make(map[string]bool)
	p.answerInstead(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || key == "" {
			return false
		}
		if first := !seen[key]; first && len(seen)%10 == 9 { // nobody is told whether it was written
			seen[key] = true
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
		if seen[key] = true; made[key] == "" {
			p.next++
			made[key] = strconv.Itoa(p.next)
			p.rows[made[key]] = map[string]any{"id": made[key], "tenant": "a", "status": "open"}
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"id": %q, "tenant": "a"}`, made[key])
		return true
	})
	file := "status\n" + strings.Repeat("open\n", 40) // equal rows are not one
	send := func(who, key, path, file string) string {
		status, text := i.send(t.Context(), t, who, "/import/orders?format=csv&batch=10"+path, strings.NewReader(file), "Idempotency-Key", key)
		return fmt.Sprint(status, " ", text)
	}
	for _, c := range []struct {
		who, key, path, file, want string
		rows                       int
	}{
		{ann, "k", "", file, `200 {"rows":40}`, 40},
		{ann, "k", "", file, `200 {"rows":40}`, 40},
		{ann, "k", "&from=35", file, `200 {"rows":40}`, 40},
		{ann, "k", "", strings.Replace(file, "open", "paid", 1), `200 {"rows":40}`, 41},
		{bob, "k", "", file, `200 {"rows":40}`, 81},
		{ann, "other", "", "status\nopen\n", `200 {"rows":1}`, 82},
	} {
		if got := send(c.who, c.key, c.path, c.file); got != c.want {
			t.Errorf("%s: %s", c.path, got)
		}
		p.mu.Lock()
		if len(made) != c.rows {
			t.Errorf("%d rows were made, want %d", len(made), c.rows)
		}
		p.mu.Unlock()
	}

	// One that ends in a failure of which nobody knows what it has left, with and without a key, says what is in, of which row
	// nobody knows, and how it goes on.
	for _, key := range []string{"k5xx", ""} {
		lost, left, rows := "", 2, p.count()
		p.answerInstead(func(w http.ResponseWriter, r *http.Request, nth int) bool {
			key := r.Header.Get("Idempotency-Key")
			if r.Method != http.MethodPost {
				return false
			}
			row := ""
			if key != "" {
				row = made[key]
			}
			if row == "" {
				p.next++
				row = strconv.Itoa(p.next)
				p.rows[row] = map[string]any{"id": row, "tenant": "a", "status": "open"}
				if key != "" {
					made[key] = row
				}
			}
			if nth == 4 { // which was written all the same, though its sender is not told
				lost = row
			}
			if lost == row && left > 0 { // a call with a key is repeated once
				left--
				w.WriteHeader(http.StatusServiceUnavailable)
				_, _ = fmt.Fprint(w, "poison")
				return true
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"id": %q, "tenant": "a"}`, row)
			return true
		})
		var header []string
		hint := "look whether it is there before you try again"
		if key != "" {
			header = []string{"Idempotency-Key", key}
			hint = "send the same again with the same idempotency key: what was written is not written twice"
		}
		s := i.stops(t, ann, "/import/orders?format=csv&batch=10", file, header...)
		at := s.Errors[0]
		if at.Message != "the API of orders failed, and nobody knows whether it wrote the row" || at.Extensions.Code != "UNAVAILABLE" || !at.Extensions.Unknown || at.Extensions.Hint != hint ||
			len(at.Extensions.Unsure) != 1 || at.Extensions.Line != at.Extensions.Unsure[0]+1 || at.Extensions.Rows != at.Extensions.Unsure[0]-1 || len(at.Extensions.Refused) > 0 {
			t.Errorf("with the key %q: %+v", key, at)
		}
		path := ""
		if key == "" { // whoever looks finds the row
			path = s.goesOn(func(int64) bool { return true })
			path = path[strings.Index(path, "&from="):]
		}
		status, text := i.send(t.Context(), t, ann, "/import/orders?format=csv&batch=10"+path, strings.NewReader(file), header...)
		if got := fmt.Sprint(status, " ", text); got != `200 {"rows":40}` {
			t.Errorf("with the key %q going on%s: %s", key, path, got)
		}
		if n := p.count() - rows; n != 40 {
			t.Errorf("with the key %q %d rows were made", key, n)
		}
	}
	if got := send(ann, "a b", "", file); !strings.HasPrefix(got, "400 ") {
		t.Error(got)
	}
}
