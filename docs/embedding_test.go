package docs

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"usher/test/program"
)

// block finds a fenced block of a document by its info, without the indentation of a
// list that it stands in.
func block(t *testing.T, text, info string) string {
	t.Helper()
	found := regexp.MustCompile("(?ms)^( *)```" + regexp.QuoteMeta(info) + "\n(.*?)^ *```").FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("there is no block %q", info)
	}
	return regexp.MustCompile("(?m)^"+found[1]).ReplaceAllString(found[2], "")
}

// TestFifteenMinutes goes the steps of embedding.md, in their order, as somebody who
// does what they say and nothing else.
func TestFifteenMinutes(t *testing.T) {
	file, err := os.ReadFile("embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(file)
	dir := t.TempDir()
	t.Chdir(dir)
	commands := regexp.MustCompile(`(?m)^   usher (.*)$`).FindAllStringSubmatch(text, -1)
	var said []string
	var u *program.Running
	env := map[string]string{}
	run := func(command string) string {
		t.Helper()
		args := strings.Fields(command)
		if u != nil {
			args = append(args, "--server", u.Base) // which is another one than the usual, since tests run beside each other
		}
		out, errs, err := program.CommandIn(t, func(name string) (string, bool) { value, ok := env[name]; return value, ok }, "", args...)
		if err != nil {
			t.Fatalf("usher %s: %v\n%s%s", command, err, out, errs)
		}
		return out
	}
	token := regexp.MustCompile(`usher_sk_\w+`)
	portal := ""
	program.WriteFile(t, "orders.csv", block(t, text, "csv orders.csv"))
	for _, command := range commands {
		name := strings.Join(strings.Fields(command[1])[:1], " ")
		said = append(said, name)
		switch name {
		case "init":
			run(command[1])
			written, err := os.ReadFile("usher.yml")
			if err != nil {
				t.Fatal(err)
			}
			whole := block(t, text, "yaml usher.yml") + strings.Replace(string(written), "\n  orders:\n", "\n  orders:\n"+block(t, text, "yaml orders"), 1)
			program.WriteFile(t, "usher.yml", whole)
			if err := os.Mkdir("dashboards", 0o700); err != nil {
				t.Fatal(err)
			}
			program.WriteFile(t, filepath.Join("dashboards", "sales.yml"), block(t, text, "yaml dashboards/sales.yml"))
		case "serve":
			u = program.Start(t, "serve", "--listen", "127.0.0.1:0")
		default:
			made := token.FindString(run(command[1]))
			switch {
			case strings.HasPrefix(command[1], "key bootstrap"):
				env["USHER_KEY"] = made
			case strings.HasPrefix(command[1], "key create"):
				portal = made
			}
		}
	}
	if want := []string{"init", "check", "key", "serve", "tenant", "key"}; !slices.Equal(said, want) || portal == "" {
		t.Fatalf("the steps are %q, the backend's key is %q", said, portal)
	}

	mint := func(dashboard string) (int, string) {
		t.Helper()
		input := strings.NewReplacer("…", time.Now().Add(time.Hour).UTC().Format(time.RFC3339), `"sales"`, `"`+dashboard+`"`).Replace(block(t, text, "json input"))
		var variables json.RawMessage
		if err := json.Unmarshal([]byte(input), &variables); err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(map[string]any{"query": block(t, text, "graphql"), "variables": variables})
		if err != nil {
			t.Fatal(err)
		}
		return post(t, u.Base+"/graphql", portal, string(body))
	}
	shows := func(dashboard string) {
		t.Helper()
		status, body := mint(dashboard)
		issued := regexp.MustCompile(`usher_et_\w+`).FindString(body)
		if status != http.StatusOK || issued == "" {
			t.Fatalf("a token is answered %d %s", status, body)
		}
		if status, body := post(t, u.Base+"/dashboards/"+dashboard, issued, `{}`); status != http.StatusOK ||
			!strings.Contains(body, `{"key":{"region":"EU"},"revenue":10.5}`) || !strings.Contains(body, `{"key":{"region":"US"},"revenue":20`) || strings.Contains(body, "99") {
			t.Errorf("the dashboard is answered %d %s", status, body)
		}
		if status, body := post(t, u.Base+"/graphql", issued, `{"query": "{ orders { total } }"}`); status == http.StatusOK && strings.Contains(body, `"total"`) {
			t.Errorf("the token does more: %s", body)
		}
	}
	shows("sales")
	// A file that comes later.
	program.WriteFile(t, filepath.Join("dashboards", "live.yml"), block(t, text, "yaml dashboards/sales.yml"))
	if _, body := mint("live"); !strings.Contains(body, "there is no dashboard live") || !strings.Contains(body, "usher reload") {
		t.Errorf("of a dashboard that is not served yet nothing is said: %s", body)
	}
	run("reload")
	shows("live")
}

func post(t *testing.T, url, token, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	status, answer := program.Fetch(t, r)
	return status, string(answer)
}
