package console_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"usher/console"
	"usher/test/noderun"
)

// portal is an application with pages, and beside it an usher of canned answers,
// of another origin: what the elements do is judged by what both are asked.
type portal struct {
	pages, usher *httptest.Server
	release      chan struct{}

	mu      sync.Mutex
	minted  map[string]int // tokens, by who asked
	revoked map[string]bool
	refused map[string]bool // tokens
	lame    bool            // nobody gets a token for now
	shown   map[string]map[string]bool
	failing int
	how     string // it fails
	runs    int
	asked   json.RawMessage // the parameters of the last run
}

const portalPolicy = "default-src 'none'; script-src 'self' %[1]s; connect-src 'self' %[1]s; style-src 'self'; img-src data:"

var portalPages = map[string]string{
	"kinds":  `<usher-dashboard id="all" name="kinds" token-url="/token?who=left"></usher-dashboard>`,
	"states": `<usher-dashboard id="all" name="states" token-url="/token?who=left"></usher-dashboard>`,
	"setup": `<usher-dashboard id="nameless" token-url="/token?who=left"></usher-dashboard>
		<usher-chart id="changing" query="mutation { logout }" token-url="/token?who=left"></usher-chart>
		<usher-chart id="covered" query='# mutation&#10;&#xfeff; query A($a: I = {b: "}"}) { a(t: """{""") { b } } fragment F on T { c } , mutation B { logout }' token-url="/token?who=left"></usher-chart>
		<usher-chart id="called" kind="bar" query='query mutation { ordersAggregate { key { region } mutation: revenue } } # mutation { logout }' token-url="/token?who=left"></usher-chart>
		<usher-chart id="questionless" token-url="/token?who=left"></usher-chart>
		<usher-dashboard id="unread" name="who" parameters="{region: 'EU'}" token-url="/token?who=left"></usher-dashboard>
		<usher-dashboard id="listed" name="who" parameters="[1]" token-url="/token?who=left"></usher-dashboard>
		<usher-dashboard id="tokenless" name="who"></usher-dashboard>
		<usher-dashboard id="nowhere" name="who" token-url="/no-such-route"></usher-dashboard>
		<usher-dashboard id="html" name="who" token-url="/answers?text=%3C!doctype%20html%3E"></usher-dashboard>
		<usher-dashboard id="empty" name="who" token-url="/answers"></usher-dashboard>
		<usher-dashboard id="errors" name="who" token-url="/answers?text=%7B%22errors%22%3A%5B%5D%7D"></usher-dashboard>
		<usher-dashboard id="broken" name="who" token-url="/answers?text=%7B%22token"></usher-dashboard>
		<usher-dashboard id="failing" name="failing" token-url="/token?who=left"></usher-dashboard>
		<usher-chart id="words" chart='{"kind": "text", "text": "Hello"}' token-url="/token?who=left"></usher-chart>`,
	"missing":  `<usher-dashboard name="missing" token-url="/token?who=left"></usher-dashboard>`,
	"select":   `<usher-dashboard id="all" name="select" timezone="America/Chicago" token-url="/token?who=left"></usher-dashboard>`,
	"chart":    `<usher-chart id="one" heading="Regions" kind="bar" query="{ordersAggregate{key{region}revenue}}" token-url="/token?who=left"></usher-chart>`,
	"controls": `<usher-dashboard id="all" name="controls" token-url="/token?who=left"></usher-dashboard>`,
	"paper":    `<usher-dashboard id="all" name="paper" token-url="/token?who=left"></usher-dashboard>`,
	"sheet":    `<div id="sheet"><usher-dashboard id="left" name="wide" token-url="/token?who=left"></usher-dashboard><usher-dashboard id="right" name="wide" token-url="/token?who=right"></usher-dashboard></div>`,
	"nothing":  `<usher-dashboard id="all" name="nothing" token-url="/token?who=left"></usher-dashboard>`,
	"whole":    `<usher-dashboard id="all" name="whole" token-url="/token?who=left"></usher-dashboard>`,
	"alike":    `<usher-dashboard id="all" name="alike" token-url="/token?who=left"></usher-dashboard>`,
	"fits": `<usher-dashboard id="all" name="fits" token-url="/token?who=left"></usher-dashboard>
		<usher-chart id="low" heading="Revenue of the regions that came last" description="in euros" token-url="/token?who=left" query="{ordersAggregate{key{region}revenue}}"
			chart='{"kind": "number", "y": ["revenue"], "compareLabel": "than in the region before that one", "format": {"revenue": {"style": "currency", "currency": "EUR", "digits": 4}}}'></usher-chart>`,
	"odd":        `<usher-dashboard id="all" name="odd" token-url="/token?who=left"></usher-dashboard>`,
	"attributes": ``,
	"only":       `<usher-chart id="one" query="{ordersAggregate{revenue}}" token-url="/token?who=only"></usher-chart>`,
	"two": `<usher-dashboard id="left" name="who" token-url="/token?who=left"></usher-dashboard>
		<usher-dashboard id="right" name="who" token-url="/token?who=right"></usher-dashboard>`,
}

func openPortal(t *testing.T) *portal {
	t.Helper()
	p := &portal{
		release: make(chan struct{}), minted: make(map[string]int),
		revoked: make(map[string]bool), refused: make(map[string]bool), shown: make(map[string]map[string]bool),
	}
	usher := http.NewServeMux()
	usher.Handle("/embed.js", console.Embed())
	usher.Handle("/embed/", console.Embed())
	usher.HandleFunc("GET /dashboards/{name}", p.describe)
	usher.HandleFunc("POST /dashboards/{name}", p.run)
	usher.HandleFunc("POST /graphql", p.query)
	usher.HandleFunc("OPTIONS /dashboards/{name}", func(w http.ResponseWriter, _ *http.Request) { allow(w) })
	usher.HandleFunc("OPTIONS /graphql", func(w http.ResponseWriter, _ *http.Request) { allow(w) })
	p.usher = httptest.NewServer(usher)
	t.Cleanup(p.usher.Close)
	pages := http.NewServeMux()
	pages.HandleFunc("GET /{$}", p.page)
	pages.HandleFunc("POST /token", p.token)
	pages.HandleFunc("POST /answers", func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Query().Get("text")) })
	pages.HandleFunc("GET /release", func(http.ResponseWriter, *http.Request) { close(p.release) })
	pages.HandleFunc("GET /fail", func(_ http.ResponseWriter, r *http.Request) {
		p.change(func() {
			p.failing, _ = strconv.Atoi(r.URL.Query().Get("times"))
			p.how = r.URL.Query().Get("how")
		})
	})
	pages.HandleFunc("GET /revoke", func(_ http.ResponseWriter, r *http.Request) {
		p.change(func() { p.revoked[r.URL.Query().Get("who")] = true })
	})
	pages.HandleFunc("GET /refuse", func(_ http.ResponseWriter, r *http.Request) {
		p.change(func() {
			who := r.URL.Query().Get("who")
			p.refused[fmt.Sprintf("token-of-%s-%d", who, p.minted[who])] = true
		})
	})
	pages.HandleFunc("GET /lame", func(_ http.ResponseWriter, r *http.Request) {
		p.change(func() { p.lame = r.URL.Query().Get("is") == "so" })
	})
	pages.HandleFunc("GET /asked", func(w http.ResponseWriter, _ *http.Request) {
		p.change(func() { _, _ = w.Write(p.asked) })
	})
	p.pages = httptest.NewServer(pages)
	t.Cleanup(p.pages.Close)
	return p
}

func (p *portal) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

func allow(w http.ResponseWriter) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type")
	w.Header().Set("Content-Type", "application/json")
}

func (p *portal) page(w http.ResponseWriter, r *http.Request) {
	policy := fmt.Sprintf(portalPolicy, p.usher.URL)
	if r.URL.Query().Has("typed") {
		policy += "; require-trusted-types-for 'script'; trusted-types lit-html"
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = fmt.Fprintf(w, `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Portal</title>
<link rel="icon" href="data:,"><script type="module" src="%s/embed.js"></script><header><nav aria-label="Pages"><a href="/">Portal</a></nav></header><main><h1>Portal</h1>%s</main><footer>Portal</footer></html>`, p.usher.URL, portalPages[r.URL.Query().Get("page")])
}

func (p *portal) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	who := r.URL.Query().Get("who")
	if p.revoked[who] {
		http.Error(w, "sign in first", http.StatusUnauthorized)
		return
	}
	if p.lame {
		http.Error(w, "not now", http.StatusBadGateway)
		return
	}
	p.minted[who]++
	// By the page's clock, which a test moves on: the page says what time it is.
	_ = json.NewEncoder(w).Encode(map[string]string{
		"token":     fmt.Sprintf("token-of-%s-%d", who, p.minted[who]),
		"expiresAt": time.Now().Add(20 * time.Second).Add(p.ahead(who)).UTC().Format(time.RFC3339Nano),
	})
}

// ahead is how far the test has moved the page's clock by the time of the token: those after the first are made later.
func (p *portal) ahead(who string) time.Duration {
	return time.Duration(p.minted[who]-1) * 20 * time.Second
}

// allowed notes whose token asks for what.
func (p *portal) allowed(w http.ResponseWriter, r *http.Request) (who string, ok bool) {
	allow(w)
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	p.mu.Lock()
	defer p.mu.Unlock()
	parts := strings.Split(token, "-")
	if len(parts) != 4 || p.refused[token] || p.revoked[parts[2]] {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"errors":[{"message":"no valid token was shown","extensions":{"code":"UNAUTHENTICATED"}}]}`)
		return "", false
	}
	return parts[2], true
}

func (p *portal) describe(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.allowed(w, r); !ok {
		return
	}
	name := r.PathValue("name")
	if name == "failing" {
		name = "who"
	}
	plan, ok := plans[name]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"errors":[{"message":"there is no dashboard of that name","extensions":{"code":"NOT_FOUND","requestId":"r-missing"}}]}`)
		return
	}
	_, _ = fmt.Fprintf(w, `{"dashboard":%s}`, plan)
}

func (p *portal) run(w http.ResponseWriter, r *http.Request) {
	who, ok := p.allowed(w, r)
	if !ok {
		return
	}
	var body struct{ Parameters json.RawMessage }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := r.PathValue("name")
	if name == "states" {
		select {
		case <-p.release:
		case <-r.Context().Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing > 0 {
		p.failing--
		p.fail(w, name, who)
		return
	}
	if name == "failing" { // what usher answers when no tile can be answered for now
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = fmt.Fprintf(w, `{"dashboard":%s,"tiles":{"who":{"errors":[{"message":"the source shop does not answer","extensions":{"code":"UNAVAILABLE","retryAfter":60,"requestId":"r-tile"}}]}}}`, plans["who"])
		return
	}
	p.runs++
	p.asked = body.Parameters
	answers := results(name, who, p.runs)
	_, _ = fmt.Fprintf(w, `{"dashboard":%s,"tiles":{%s}}`, plans[name], strings.Join(answers, ","))
}

// fail answers as usher does when something cannot be answered: the request, or of those of select each tile, some, or some for other reasons.
func (p *portal) fail(w http.ResponseWriter, name, who string) {
	failure := func(code string) string {
		return fmt.Sprintf(`"data":{"rows":null},"errors":[{"message":"this is refused","path":["rows"],"extensions":{"code":%q}}]`, code)
	}
	statuses := map[string]int{"": http.StatusServiceUnavailable, "FORBIDDEN": http.StatusForbidden, "BAD_USER_INPUT": http.StatusBadRequest}
	if status, ok := statuses[p.how]; ok {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"errors":[{"message":"a source does not answer","extensions":{"code":%q}}]}`, cmp.Or(p.how, "UNAVAILABLE"))
		return
	}
	if name == "" {
		_, _ = fmt.Fprintf(w, `{%s}`, failure("TIMEOUT"))
		return
	}
	tiles := results(name, who, p.runs)
	for at, code := range map[string][]string{
		"each":   {"UNAVAILABLE", "UNAVAILABLE", "UNAVAILABLE"},
		"some":   {"", "TIMEOUT", ""},
		"mixed":  {"FORBIDDEN", "UNAVAILABLE", "TOO_MANY_REQUESTS"},
		"ending": {"UNAVAILABLE", "FORBIDDEN", ""},
	}[p.how] {
		if code != "" {
			tiles[at] = fmt.Sprintf(`%q:{%s}`, []string{"bars", "rows", "series"}[at], failure(code))
		}
	}
	_, _ = fmt.Fprintf(w, `{"dashboard":%s,"tiles":{%s}}`, plans[name], strings.Join(tiles, ","))
}

func (p *portal) query(w http.ResponseWriter, r *http.Request) {
	who, ok := p.allowed(w, r)
	if ok && who == "only" { // whose token is for dashboards alone
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{"errors":[{"message":"the token is for dashboards only","extensions":{"code":"FORBIDDEN","hint":"Ask for one of its dashboards: POST /dashboards/NAME."}}]}`)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ok && p.failing > 0 {
		p.failing--
		p.fail(w, "", who)
		return
	}
	if ok {
		_, _ = io.WriteString(w, `{"data":{"ordersAggregate":[{"key":{"region":"EU"},"revenue":35.50},{"key":{"region":"US"},"revenue":40.00}]}}`)
	}
}

const (
	monthly = `"rows":[{"month":"2026-09-01T00:00:00-05:00","channel":"app","n":1.00},{"month":"2026-09-01T00:00:00-05:00","channel":"web","n":2.00},
		{"month":"2026-10-01T00:00:00-05:00","channel":"app","n":3.00},{"month":"2026-11-01T00:00:00-05:00","channel":"app","n":5.00},{"month":"2026-11-01T00:00:00-05:00","channel":"web","n":7.00}]`
	over = `"rows":"rows","x":"month","y":["n"],"series":"channel"`
)

// plans are the dashboards.
var plans = map[string]string{
	"kinds": `{"title":"All kinds","description":"<b>one</b> of each","parameters":[],"tiles":[` + strings.Join(slices.Concat(
		[]string{
			`{"id":"number","title":"number","at":{"x":0,"y":0,"w":3,"h":1},"chart":{"kind":"number","rows":"now","y":["n"],"compare":"before","compareLabel":"than before","series":"rows","format":{"n":{"style":"currency","currency":"USD"}}}}`,
			`{"id":"text","title":"text","at":{"x":3,"y":0,"w":3,"h":1},"chart":{"kind":"text","text":"# Words\n\n**strong** and [a link](https://example.com/) and [no link](javascript:alert(1)) <script>alert(1)</script>"}}`,
			`{"id":"table","title":"table","at":{"x":6,"y":0,"w":6,"h":3},"chart":{"kind":"table","rows":"rows","columns":[{"path":"name"},{"path":"big"},{"path":"exact"},{"path":"bars.n","label":"Bars"},{"path":"line.n"}],"y":["bars.n"],"series":"note"}}`,
			`{"id":"pivot","title":"pivot","at":{"x":0,"y":1,"w":6,"h":2},"chart":{"kind":"pivot",` + over + `}}`,
			`{"id":"many","title":"many","at":{"x":0,"y":20,"w":12,"h":4},"chart":{"kind":"table","rows":"rows"}}`,
			`{"id":"scatter","title":"scatter","at":{"x":0,"y":16,"w":6,"h":4},"chart":{"kind":"scatter","rows":"rows","x":"a","y":["b"],"size":"c","series":"name"}}`,
		},
		each([]string{"line", "area", "bar", "pie", "donut", "heatmap"}, func(i int, kind string) string {
			return fmt.Sprintf(`{"id":%q,"title":%q,"description":"of months","at":{"x":%d,"y":%d,"w":6,"h":4},"chart":{"kind":%q,"stacked":%t,%s}}`, kind, kind, i%2*6, 3+i/2*4, kind, kind == "bar", over)
		}),
	), ",") + `]}`,
	"states": `{"title":"States","refresh":60,"parameters":[],"tiles":[
		{"id":"slow","title":"Slow","at":{"x":0,"y":0,"w":4,"h":3},"chart":{"kind":"bar",` + over + `}},
		{"id":"empty","title":"Empty","at":{"x":4,"y":0,"w":4,"h":3},"chart":{"kind":"table","rows":"rows"}},
		{"id":"broken","title":"Broken","at":{"x":8,"y":0,"w":4,"h":3},"chart":{"kind":"number","rows":"now","y":["n"]}}]}`,
	"paper": `{"title":"Paper","refresh":60,"parameters":[
		{"name":"region","label":"Region","type":"[String!]!","control":"select","default":["EU"],"options":[{"label":"Europe","value":["EU"]},{"label":"America","value":["US"]}]},
		{"name":"from","label":"From","type":"Timestamp!","control":"date","default":"2026-06-01T00:00:00Z"}],"tiles":[
		{"id":"long","title":"Long","at":{"x":0,"y":0,"w":12,"h":3},"chart":{"kind":"table","rows":"rows"}},
		{"id":"pivot","title":"Pivot","at":{"x":0,"y":3,"w":6,"h":2},"chart":{"kind":"pivot",` + over + `}},
		{"id":"bars","title":"Bars","at":{"x":6,"y":3,"w":6,"h":3},"chart":{"kind":"bar",` + over + `}}]}`,
	"wide": `{"title":"Wide","parameters":[],"tiles":[
		{"id":"one","title":"One","at":{"x":0,"y":0,"w":3,"h":1},"chart":{"kind":"number","rows":"rows","y":["amount"]}},
		{"id":"two","title":"Two","at":{"x":3,"y":0,"w":3,"h":1},"chart":{"kind":"number","rows":"rows","y":["amount"]}},
		{"id":"three","title":"Three","at":{"x":6,"y":0,"w":3,"h":1},"chart":{"kind":"number","rows":"rows","y":["amount"]}},
		{"id":"months","title":"Months","at":{"x":0,"y":1,"w":12,"h":3},"chart":{"kind":"line","rows":"months","x":"at","y":["n"]}},
		{"id":"rows","title":"Rows","at":{"x":0,"y":4,"w":12,"h":3},"chart":{"kind":"table","rows":"rows"}},
		{"id":"across","title":"Across","at":{"x":0,"y":7,"w":12,"h":3},"chart":{"kind":"pivot","rows":"rows","x":"product","y":["big"],"series":"region"}}]}`,
	"nothing": `{"title":"Nothing","parameters":[],"tiles":[
		{"id":"a","at":{"x":0,"y":0,"w":6,"h":3},"chart":{"kind":"bar"}},{"id":"b","at":{"x":6,"y":0,"w":6,"h":3},"chart":{"kind":"number"}}]}`,
	"whole": `{"title":"Whole","parameters":[],"tiles":[
		{"id":"mixed","title":"Mixed","at":{"x":0,"y":0,"w":4,"h":4},"chart":{"kind":"donut","rows":"mixed","x":"name","y":["n"]}},
		{"id":"below","title":"Below","at":{"x":4,"y":0,"w":4,"h":4},"chart":{"kind":"pie","rows":"below","x":"name","y":["n"]}},
		{"id":"counts","title":"Counts","at":{"x":8,"y":0,"w":4,"h":4},"chart":{"kind":"bar","rows":"counts","x":"name","y":["n"]}},
		{"id":"days","title":"Days","at":{"x":0,"y":4,"w":6,"h":4},"chart":{"kind":"area","stacked":true,` + over + `}},
		{"id":"fine","title":"Fine","at":{"x":6,"y":4,"w":6,"h":4},"chart":{"kind":"heatmap","rows":"fine","x":"x","y":["n"],"series":"s"}}]}`,
	"alike": `{"title":"Alike","parameters":[],"tiles":[
		{"id":"money","title":"Money","at":{"x":0,"y":0,"w":3,"h":1},"chart":{"kind":"number","rows":"rows","y":["n"],"format":{"n":{"style":"currency","currency":"USD"}}}},
		{"id":"words","at":{"x":3,"y":0,"w":9,"h":1},"chart":{"kind":"text","text":"# A heading\n\nand words"}},
		{"id":"round","title":"Round","at":{"x":0,"y":1,"w":4,"h":4},"chart":{"kind":"donut","rows":"rows","x":"key.channel","y":["n"]}},
		{"id":"days","title":"Days","at":{"x":4,"y":1,"w":8,"h":4},"chart":{"kind":"area","stacked":true,` + over + `}},
		{"id":"heat","title":"Heat","at":{"x":0,"y":5,"w":6,"h":3},"chart":{"kind":"heatmap","rows":"cells","x":"x","y":["n"],"series":"s"}},
		{"id":"beside","title":"Beside","at":{"x":6,"y":5,"w":6,"h":3},"chart":{"kind":"bar","horizontal":true,"rows":"rows","x":"key.channel","y":["n"],"compare":"m"}},
		{"id":"names","title":"Names","at":{"x":0,"y":8,"w":12,"h":3},"chart":{"kind":"bar","horizontal":true,"rows":"rows","x":"name","y":["n"],"compare":"m"}}]}`,
	// What answers may hold beside the usual: times that nothing came for, values that nobody can read, parts of nothing, and failures of some values.
	"odd": `{"title":"Odd","parameters":[],"tiles":[
		{"id":"hours","title":"Hours","at":{"x":0,"y":0,"w":8,"h":3},"chart":{"kind":"line","rows":"hours","x":"at","y":["n"]}},
		{"id":"spring","title":"Spring","at":{"x":8,"y":0,"w":4,"h":3},"chart":{"kind":"line","rows":"spring","x":"at","y":["n"]}},
		{"id":"months","title":"Months","at":{"x":0,"y":3,"w":4,"h":3},"chart":{"kind":"area","rows":"months","x":"at","y":["n"],"series":"s"}},
		{"id":"bars","title":"Bars","at":{"x":4,"y":3,"w":4,"h":3},"chart":{"kind":"bar","rows":"bars","x":"at","y":["n"]}},
		{"id":"events","title":"Events","at":{"x":8,"y":3,"w":4,"h":3},"chart":{"kind":"line","rows":"events","x":"at","y":["n"]}},
		{"id":"huge","title":"Huge","at":{"x":0,"y":6,"w":3,"h":2},"chart":{"kind":"number","rows":"huge.0","y":["n"]}},
		{"id":"part","title":"Part","at":{"x":3,"y":6,"w":1,"h":2},"chart":{"kind":"number","rows":"part","y":["n"],"format":{"n":{"style":"percent"}}}},
		{"id":"scale","title":"Scale","at":{"x":4,"y":6,"w":4,"h":3},"chart":{"kind":"bar","rows":"huge","x":"s","y":["n"]}},
		{"id":"cells","title":"Cells","at":{"x":8,"y":6,"w":4,"h":3},"chart":{"kind":"heatmap","rows":"huge","x":"s","y":["n"],"series":"s"}},
		{"id":"below","title":"Below","at":{"x":0,"y":9,"w":4,"h":3},"chart":{"kind":"donut","rows":"below","x":"name","y":["n"]}},
		{"id":"zero","title":"Zero","at":{"x":4,"y":9,"w":4,"h":3},"chart":{"kind":"donut","rows":"zero","x":"name","y":["n"]}},
		{"id":"absent","title":"Absent","at":{"x":8,"y":9,"w":4,"h":3},"chart":{"kind":"donut","rows":"absent","x":"name","y":["n"]}},
		{"id":"some","title":"Some","at":{"x":0,"y":12,"w":6,"h":3},"chart":{"kind":"bar","rows":"rows","x":"name","y":["n"]}},
		{"id":"lone","title":"Lone","at":{"x":6,"y":12,"w":3,"h":1},"chart":{"kind":"number","rows":"rows","y":["n"]}},
		{"id":"crowd","title":"Crowd","at":{"x":4,"y":15,"w":4,"h":4},"chart":{"kind":"bar","rows":"crowd","x":"name","y":["n"]}},
		{"id":"walk","title":"Walk","at":{"x":8,"y":15,"w":4,"h":4},"chart":{"kind":"line","rows":"crowd","x":"name","y":["n"]}},
		{"id":"low","title":"Low","at":{"x":0,"y":19,"w":6,"h":2},"chart":{"kind":"donut","rows":"below","x":"name","y":["n"]}},
		{"id":"part of low","title":"Part of low","at":{"x":6,"y":19,"w":6,"h":2},"chart":{"kind":"pie","rows":"mixed","x":"name","y":["n"]}},
		{"id":"slices","title":"Slices","at":{"x":0,"y":15,"w":4,"h":4},"chart":{"kind":"pie","rows":"slices","x":"name","y":["n"]}}]}`,
	"fits": `{"title":"Fits","parameters":[],"tiles":[` + strings.Join(slices.Concat(
		each([]string{"1", "2", "3", "4"}, func(i int, w string) string {
			x := []int{0, 1, 3, 6}[i]
			return fmt.Sprintf(`{"id":"money%s","title":"Money","at":{"x":%d,"y":0,"w":%s,"h":2},"chart":{"kind":"number","rows":"now","y":["money"],"compare":"before","series":"rows","format":{"money":{"style":"currency","currency":"EUR"}}}},
				{"id":"large%s","title":"Large","at":{"x":%d,"y":2,"w":%s,"h":1},"chart":{"kind":"number","rows":"now","y":["large"]}}`, w, x, w, w, x, w)
		}),
		each([]string{"decimal", "currency"}, func(i int, style string) string {
			return fmt.Sprintf(`{"id":%q,"title":"Four digits","at":{"x":%d,"y":6,"w":3,"h":1},"chart":{"kind":"number","rows":"now","y":["four"],"format":{"four":{"style":%q,"currency":"EUR","digits":4}}}}`, style, 3*i, style)
		}),
		each([]string{"line", "pie", "donut", "bar"}, func(i int, kind string) string {
			return fmt.Sprintf(`{"id":%q,"title":%q,"at":{"x":%d,"y":3,"w":3,"h":3},"chart":{"kind":%q,"rows":"long",%s,"y":["n"]}}`, kind, kind, i*3, kind,
				map[bool]string{true: `"x":"name"`, false: `"x":"month","series":"name"`}[kind == "pie" || kind == "donut"])
		}),
	), ",") + `]}`,
	"zoned": `{"title":"Zoned","parameters":[{"name":"timezone","type":"String!","default":"UTC"}],"tiles":[{"id":"who","title":"Who","at":{"x":0,"y":0,"w":3,"h":1},"chart":{"kind":"number","rows":"now","y":["n"]}}]}`,
	"who":   `{"title":"Who","parameters":[],"tiles":[{"id":"who","title":"Who","at":{"x":0,"y":0,"w":3,"h":1},"chart":{"kind":"number","rows":"now","y":["n"]}}]}`,
	// By the token's clocks, which are Chicago's.
	"controls": `{"title":"Controls","timezone":"America/Chicago","parameters":[
		{"name":"from","label":"From","type":"Timestamp!","control":"date","default":"2025-11-01T05:00:00Z"},
		{"name":"n","label":"Number","type":"BigInt","control":"number"}],"tiles":[
		{"id":"rows","title":"Rows","at":{"x":0,"y":0,"w":8,"h":3},"chart":{"kind":"table","rows":"rows"}},
		{"id":"words","title":"Words","at":{"x":8,"y":0,"w":4,"h":3},"chart":{"kind":"text","text":"Intro\n- one\n- two,\nand on\n\n# Head\nwords\n\n- a\n\n- b"}}]}`,
	"select": `{"title":"Select","parameters":[
		{"name":"region","label":"Region","type":"[String!]!","control":"select","default":["EU","US"],"options":[{"label":"Everywhere","value":["EU","US"]},{"label":"Europe","value":["EU"]},{"label":"America","value":["US"]}]},
		{"name":"from","type":"Timestamp!","control":"date","default":"2026-06-01T05:00:00Z"}],"tiles":[
		{"id":"bars","title":"Bars","at":{"x":0,"y":0,"w":6,"h":3},"chart":{"kind":"bar","horizontal":true,"rows":"rows","x":"key.region","y":["n"]}},
		{"id":"rows","title":"Rows","at":{"x":6,"y":0,"w":6,"h":3},"chart":{"kind":"table","rows":"rows","columns":[{"path":"key.region"},{"path":"count"},{"path":"note"}]}},
		{"id":"series","title":"Series","at":{"x":0,"y":3,"w":12,"h":4},"chart":{"kind":"line",` + over + `}}]}`,
}

func each(kinds []string, write func(int, string) string) []string {
	out := make([]string, len(kinds))
	for i, kind := range kinds {
		out[i] = write(i, kind)
	}
	return out
}

// results are the answers to a dashboard's tiles.
func results(name, who string, run int) []string {
	tile := func(id, data string) string { return fmt.Sprintf(`%q:{"data":{%s}}`, id, data) }
	switch name {
	case "kinds":
		many := make([]string, 5000)
		for i := range many {
			many[i] = fmt.Sprintf(`{"name":"row %d","n":%d}`, i, i)
		}
		const hostile = `<img src=x onerror=\"alert(1)\">`
		return slices.Concat([]string{
			tile("number", `"now":{"n":12345678901234567890.50,"before":10000000000000000000.00},`+monthly),
			tile("table", `"rows":[{"name":"`+hostile+`","note":"`+hostile+`","big":9007199254740993,"exact":1.50,"bars":[{"n":2}],"line":[{"n":1},{"n":3},{"n":2}]},
				{"name":"plain","note":null,"big":1,"exact":null,"bars":[{"n":1}],"line":[{"n":3},{"n":null},{"n":2}]}]`),
			tile("pivot", monthly),
			tile("many", `"rows":[`+strings.Join(many, ",")+`]`),
			tile("scatter", `"rows":[{"name":"`+hostile+`","a":1,"b":2.50,"c":3},{"name":"b","a":2,"b":1,"c":9},{"name":null,"a":3,"b":null,"c":1}]`),
		}, each([]string{"line", "area", "bar", "pie", "donut", "heatmap"}, func(_ int, kind string) string { return tile(kind, monthly) }))
	case "states":
		broken := `"broken":{"data":{"now":null},"errors":[{"message":"the data did not arrive in time","extensions":{"code":"TIMEOUT","requestId":"r-broken"}}]}`
		if run > 1 {
			broken = tile("broken", `"now":[{"n":42}]`)
		}
		return []string{tile("slow", monthly), tile("empty", `"rows":[]`), broken}
	case "paper":
		rows := make([]string, 300)
		for i := range rows {
			rows[i] = fmt.Sprintf(`{"name":"a row with a long name, number %d","a":%d,"b":1234567.50,"c":1234567.50,"d":1234567.50,"e":1234567.50,"f":1234567.50,"g":1234567.50,"last":%d}`, i, i, i)
		}
		return []string{tile("long", `"rows":[`+strings.Join(rows, ",")+`]`), tile("pivot", monthly), tile("bars", monthly)}
	case "wide":
		months, rows := make([]string, 11), make([]string, 40)
		for i := range months {
			months[i] = fmt.Sprintf(`{"at":"2026-%02d-01T00:00:00Z","n":%d}`, i+1, 100+i%3)
		}
		for i := range rows {
			rows[i] = fmt.Sprintf(`{"id":%d,"product":"product number %d of many","amount":%d.5,"rating":0.08%d,"average":106.0798469387755,"at":"2026-01-%02dT12:30:00Z","paid":true,"big":123456789012345678901234567890123456%02d,"name":"Customer","region":"region %d"}`, 1000+i, i, 1000+i, 100+i, 1+i%28, i, i%4)
		}
		data := `"rows":[` + strings.Join(rows, ",") + `],"months":[` + strings.Join(months, ",") + `]`
		return each([]string{"one", "two", "three", "months", "rows", "across"}, func(_ int, id string) string { return tile(id, data) })
	case "fits":
		long := make([]string, 12)
		for i := range long {
			long[i] = fmt.Sprintf(`{"name":"%d %s","month":"2026-%02d-01","n":%d}`, i, strings.Repeat("a name without an end ", 10), i+1, 100+i)
		}
		data := `"now":{"money":1624800.00,"before":1500000.00,"four":2042.5000,"large":12345678901234567890.123456},` + monthly + `,"long":[` + strings.Join(long, ",") + `]`
		return each([]string{"money1", "money2", "money3", "money4", "large1", "large2", "large3", "large4", "decimal", "currency", "line", "pie", "donut", "bar"}, func(_ int, id string) string { return tile(id, data) })
	case "whole":
		fine := make([]string, 400)
		for i := range fine {
			fine[i] = fmt.Sprintf(`{"x":%d,"s":"s%d","n":%d}`, i/4, i%4, i%7)
		}
		data := `"mixed":[{"name":"app","n":5.00},{"name":"web","n":-2.00},{"name":"shop","n":3.00}],"below":[{"name":"app","n":-1},{"name":"web","n":-2}],
			"counts":[{"name":"app","n":1},{"name":"web","n":2}],` + monthly + `,"fine":[` + strings.Join(fine, ",") + `]`
		return each([]string{"mixed", "below", "counts", "days", "fine"}, func(_ int, id string) string { return tile(id, data) })
	case "odd":
		hours := make([]string, 0, 10)
		for _, h := range []int{0, 1, 2, 5, 8, 20, 21, 40, 50, 71} {
			hours = append(hours, fmt.Sprintf(`{"at":"2026-03-%02dT%02d:00:00+01:00","n":%d}`, 2+h/24, h%24, h))
		}
		slices := make([]string, 200)
		for i := range slices {
			slices[i] = fmt.Sprintf(`{"name":"category number %d","n":%d}`, i, 1+i%7)
		}
		crowd := `"crowd":[{"name":"` + strings.Repeat("a long name ", 17) + `","n":9},` + strings.Join(slices, ",") + `]`
		const unread = `"errors":[{"message":"the value of n is no JSON number","path":["rows",1,"n"],"extensions":{"code":"INTERNAL"}}]`
		const values = `"data":{"rows":[{"name":"a","n":1},{"name":"b","n":null},{"name":"c","n":3}]},` + unread
		const below = `"below":[{"name":"a","n":-1},{"name":"b","n":-2.50}]`
		huge := `"huge":[{"s":"most","n":1e300},{"s":"least","n":-1e300}]`
		return []string{
			tile("hours", `"hours":[`+strings.Join(hours, ",")+`]`),
			tile("spring", `"spring":[{"at":"2026-03-29T01:00:00+01:00","n":1},{"at":"2026-03-29T03:00:00+02:00","n":2},{"at":"2026-03-29T04:00:00+02:00","n":3}]`),
			tile("months", `"months":[{"at":"2026-01-01","s":"a","n":1},{"at":"2026-04-01","s":"a","n":2},{"at":"2026-05-01","s":"a","n":3},{"at":"2026-02-01","s":"b","n":4},{"at":"2026-05-01","s":"b","n":5}]`),
			tile("bars", `"bars":[{"at":"2026-01-01","n":3},{"at":"2026-01-02","n":2},{"at":"2026-01-05","n":1}]`),
			tile("events", `"events":[{"at":"2026-01-01T00:07:00Z","n":3},{"at":"2026-01-01T02:11:00Z","n":2},{"at":"2026-01-02T11:59:00Z","n":1}]`),
			tile("huge", huge), tile("part", `"part":{"n":3.6e18}`), tile("scale", huge), tile("cells", huge),
			tile("below", below), tile("low", below), tile("part of low", `"mixed":[{"name":"a","n":3},{"name":"b","n":-2.50}]`), tile("zero", `"zero":[{"name":"a","n":0},{"name":"b","n":0}]`), tile("absent", `"absent":[{"name":"a","n":null}]`),
			tile("crowd", crowd), tile("walk", crowd),
			`"some":{` + values + `}`, `"lone":{` + values + `}`, tile("slices", `"slices":[`+strings.Join(slices, ",")+`]`),
		}
	case "nothing":
		const refused = `{"errors":[{"message":"the tile shows what is not there, or not for you","extensions":{"code":"FORBIDDEN","hint":"Whoever keeps the dashboard is told more when saving it."}}]}`
		return []string{`"a":` + refused, `"b":` + refused}
	case "alike":
		const channels = `"rows":[{"key":{"channel":"web"},"n":1234567,"m":2},{"key":{"channel":"app"},"n":1234569,"m":1}]`
		return []string{
			tile("names", `"rows":[{"name":"`+strings.Repeat("a long name ", 7)+`","n":1234567,"m":7654321},{"name":"`+strings.Repeat("\u0645\u0635\u0631 ", 20)+`","n":2,"m":1},{"name":"\u6771\u4eac","n":1,"m":1}]`),
			tile("money", channels), tile("round", channels), tile("beside", channels), tile("days", monthly),
			tile("heat", `"cells":[{"x":"a","s":"b","n":993},{"x":"b","s":"b","n":1053},{"x":"a","s":"c","n":1000},{"x":"b","s":"c","n":7}]`),
		}
	case "controls":
		rows := `"rows":[{"at":"2025-01-01T00:00:00Z","key":{"month":"2025-01-01T00:00:00-06:00"},"day":"2025-01-01","n":1},{"at":"2025-02-01T00:00:00Z","key":{"month":"2025-02-01T00:00:00-06:00"},"day":"2025-02-01","n":2}]`
		return []string{tile("rows", rows)}
	case "select":
		const rows = `"rows":[{"key":{"region":"EU"},"n":2,"count":9007199254740993,"note":"=1+1, \"quoted\""},{"key":{"region":"US"},"n":1,"count":2.50,"note":null}]`
		return []string{tile("bars", rows), tile("rows", rows), tile("series", monthly)}
	default:
		return []string{tile("who", fmt.Sprintf(`"now":{"n":%d}`, map[string]int{"left": 1, "right": 2}[who]))}
	}
}

// The elements in pages of another origin: every kind, every state, whose token
// is used where, and what is chosen.
func TestElements(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"kinds", "states", "setup", "tokens", "select", "controls", "typed", "paper", "sheet", "old", "passing", "whole", "alike", "fits", "odd", "attributes", "development"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			p := openPortal(t)
			noderun.Run(t, "elements.mjs", scenario, p.pages.URL, t.ArtifactDir())
			if scenario != "tokens" {
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			// Three of the left: the first, before its end, and in the place of the one refused. The third element asked for its own.
			if p.minted["left"] != 3 || p.minted["right"] < 2 {
				t.Errorf("%v tokens were made", p.minted)
			}
		})
	}
}
