package plan

import (
	"encoding/json"
	"strings"

	"usher/fault"
	"usher/query"
	"usher/value"
)

// These bound what operators on JSON make an engine do.
const (
	maxJSONDepth  = 8
	maxJSONValues = 100
	// A level's operators may look for so many values, steps and comparisons in
	// all: each becomes a long expression where the engine has no operator.
	maxJSONParts = 400
	maxJSONSteps = 16
	maxJSONPath  = 1000 // bytes
)

// jsonComparison reads an operator that JSON alone has. A whole document is
// never compared for equality: the engines do not agree on what is equal.
func (lb *levelBuilder) jsonComparison(at whereAt, e Expr, m query.Member) (Expr, error) {
	if m.Name == "path" {
		return lb.jsonPaths(at, e, m.Value)
	}
	part, err := lb.jsonOperand(at, m.Value)
	if err != nil {
		return Expr{}, err
	}
	part = query.Look(part)
	values := 0
	if err := checkJSON(part, 1, &values); err != nil {
		return Expr{}, err
	}
	if err := lb.countJSON(values); err != nil {
		return Expr{}, err
	}
	v, err := typed(e.typ, part)
	if err != nil {
		return Expr{}, err
	}
	return among(JSONContains, e, []value.Value{v}), nil
}

func (lb *levelBuilder) countJSON(parts int) error {
	if lb.json += parts; lb.json > maxJSONParts {
		return fault.New(fault.TooComplex, "the conditions on JSON have more than %d values, steps and comparisons", maxJSONParts)
	}
	return nil
}

// jsonOperand puts the principal's values in the place of $names, at any depth
// of an administrator's JSON.
func (lb *levelBuilder) jsonOperand(at whereAt, v query.Value) (query.Value, error) {
	var err error
	switch v := v.(type) {
	case query.List:
		out := make(query.List, len(v))
		for i, item := range v {
			if out[i], err = lb.jsonOperand(at, item); err != nil {
				return nil, err
			}
		}
		return out, nil
	case query.Object:
		out := make(query.Object, len(v))
		for i, m := range v {
			out[i].Name = m.Name
			if out[i].Value, err = lb.jsonOperand(at, m.Value); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return lb.operand(at, v)
}

// checkJSON refuses JSON that an engine could fail on or take long over.
func checkJSON(v query.Value, depth int, values *int) error {
	if *values++; *values > maxJSONValues {
		return fault.New(fault.TooComplex, "the JSON to contain has more than %d values", maxJSONValues)
	}
	if depth > maxJSONDepth {
		return fault.New(fault.TooComplex, "the JSON to contain is nested more than %d levels deep", maxJSONDepth)
	}
	switch v := v.(type) {
	case query.Text:
		return checkJSONText(string(v))
	case query.List:
		for _, item := range v {
			if err := checkJSON(item, depth+1, values); err != nil {
				return err
			}
		}
	case query.Object:
		for _, m := range v {
			if err := checkJSONText(m.Name); err != nil {
				return err
			}
			if err := checkJSON(m.Value, depth+1, values); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkJSONText(text string) error {
	if strings.IndexByte(text, 0) >= 0 {
		return fault.New(fault.BadUserInput, "text must be UTF-8 without NUL")
	}
	return nil
}

// jsonPaths reads conditions on values inside the document, all of which must
// hold.
func (lb *levelBuilder) jsonPaths(at whereAt, e Expr, v query.Value) (Expr, error) {
	list, ok := v.(query.List)
	if one, isObject := v.(query.Object); isObject {
		list, ok = query.List{one}, true
	}
	if !ok || len(list) == 0 {
		return Expr{}, fault.New(fault.BadUserInput, "path is empty").WithHint(`write where to look and what to find, such as {at: "a.b[0]", text: {eq: …}}`)
	}
	if len(list) > maxItems {
		return Expr{}, fault.New(fault.TooComplex, "path has %d conditions; at most %d are allowed", len(list), maxItems)
	}
	parts := make([]Expr, 0, len(list))
	for _, item := range list {
		p, err := lb.jsonPath(at, e, item)
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, p)
	}
	return all(parts), nil
}

// jsonPath reads the conditions on the value at one path. A value of another
// type than the one compared with counts as null.
func (lb *levelBuilder) jsonPath(at whereAt, e Expr, v query.Value) (Expr, error) {
	o, ok := v.(query.Object)
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "a condition on a path must be an object")
	}
	place, _ := o.Get("at")
	text, ok := place.(query.Text)
	if !ok {
		return Expr{}, fault.New(fault.BadUserInput, "a condition on a path must say where: at is missing").WithHint(`write at: "a.b[0]"`)
	}
	steps, err := parseJSONPath(string(text))
	if err != nil {
		return Expr{}, err
	}
	here := Expr{op: JSONAt, typ: e.typ, args: []Expr{e}, lits: steps}
	as := func(op Op, s value.Scalar) Expr { return Expr{op: op, typ: value.Of(s), args: []Expr{here}} }
	var parts []Expr
	for _, m := range o {
		comparisons, _ := m.Value.(query.Object)
		if err := lb.countJSON(max(1, len(comparisons)) * len(steps)); err != nil {
			return Expr{}, err
		}
		var p Expr
		switch m.Name {
		case "at":
			continue
		case "exists", "isNull":
			b, ok := m.Value.(query.Bool)
			if !ok {
				return Expr{}, fault.New(fault.BadUserInput, "%s: %s must be true or false", text, m.Name)
			}
			p = predicate(JSONExists, here)
			if m.Name == "isNull" {
				p = predicate(IsNull, here)
			}
			if !b {
				p = not(p)
			}
		case "text":
			p, err = lb.comparisons(at, string(text), as(JSONText, value.String), m.Value)
		case "number":
			p, err = lb.comparisons(at, string(text), as(JSONNumber, value.Decimal), m.Value)
		case "boolean":
			p, err = lb.comparisons(at, string(text), as(JSONBoolean, value.Boolean), m.Value)
		default:
			err = fault.New(fault.BadUserInput, "a condition on a path has no %q", m.Name)
		}
		if err != nil {
			return Expr{}, err
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return Expr{}, fault.New(fault.BadUserInput, "the condition on the path %s is empty", text).
			WithHint("write exists, isNull, text, number or boolean")
	}
	return all(parts), nil
}

// parseJSONPath reads steps into a document: names of members, with dots
// between them and in quotes where they hold more than letters, digits, _ and
// -, and [positions] in lists. A member is a String, a position an Int.
func parseJSONPath(text string) ([]value.Value, error) {
	bad := fault.New(fault.BadUserInput, "%q is no path into JSON", text).
		WithHint(`write members and positions, such as a.b[0] or "a name"[2].c`)
	if len(text) > maxJSONPath {
		return nil, fault.New(fault.TooComplex, "a path of %d bytes is too long; at most %d are allowed", len(text), maxJSONPath)
	}
	var steps []value.Value
	for rest := text; rest != "" || len(steps) == 0; {
		typ, step := value.String, ""
		if position, ok := strings.CutPrefix(rest, "["); ok {
			typ = value.Int
			if step, rest, ok = strings.Cut(position, "]"); !ok || step == "" || strings.Trim(step, "0123456789") != "" {
				return nil, bad
			}
		} else {
			if len(steps) > 0 {
				if rest, ok = strings.CutPrefix(rest, "."); !ok {
					return nil, bad
				}
			}
			if step, rest, ok = jsonMember(rest); !ok {
				return nil, bad
			}
		}
		v, err := value.Parse(value.Of(typ), step)
		if err != nil {
			return nil, bad
		}
		if steps = append(steps, v); len(steps) > maxJSONSteps {
			return nil, fault.New(fault.TooComplex, "a path of more than %d steps is too long", maxJSONSteps)
		}
	}
	return steps, nil
}

// jsonMember cuts off a member's name, which in quotes is a JSON string.
func jsonMember(text string) (name, rest string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		end := strings.IndexFunc(text, func(r rune) bool {
			letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r > 0x7f
			return !letter && r != '_' && r != '-'
		})
		if end < 0 {
			end = len(text)
		}
		return text[:end], text[end:], end > 0
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			err := json.Unmarshal([]byte(text[:i+1]), &name)
			return name, text[i+1:], err == nil
		}
	}
	return "", "", false
}

// jsonPathText is a path as text for people.
func jsonPathText(steps []value.Value, literal func(value.Value) string) string {
	var b strings.Builder
	for _, s := range steps {
		if s.Type().Scalar == value.Int {
			b.WriteString("[" + literal(s) + "]")
		} else {
			b.WriteString("." + literal(s))
		}
	}
	return b.String()
}
