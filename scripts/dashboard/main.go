// Command dashboard writes the questions of a Grafana dashboard as recording
// rules, for promtool to look at. What Grafana puts in for its variables is put in.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: dashboard FILE")
	}
	text, err := os.ReadFile(args[0]) //nolint:gosec // what the developer names
	if err != nil {
		return err
	}
	rules, err := rulesOf(text)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(rules)
	return err
}

// variables are those that the dashboard uses.
var variables = strings.NewReplacer("$__rate_interval", "5m", "$__range", "1h", "$job", ".*", "$instance", ".*")

// rulesOf is JSON, which is YAML.
func rulesOf(text []byte) ([]byte, error) {
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &board); err != nil {
		return nil, err
	}
	type rule struct {
		Record string `json:"record"`
		Expr   string `json:"expr"`
	}
	var rules []rule
	for _, p := range board.Panels {
		for _, t := range p.Targets {
			expr := variables.Replace(t.Expr)
			if strings.Contains(expr, "$") {
				return nil, fmt.Errorf("%s: a variable that nobody knows: %s", p.Title, expr)
			}
			rules = append(rules, rule{Record: fmt.Sprintf("dashboard:question:%d", len(rules)), Expr: expr})
		}
	}
	return json.Marshal(map[string]any{"groups": []any{map[string]any{"name": "dashboard", "rules": rules}}})
}
