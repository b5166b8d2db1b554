// Command kubeschemas writes JSON Schemas of Kubernetes' objects, in the form
// that kubeconform reads, from what Kubernetes publishes of its API (swagger.json)
// and from definitions of custom resources. They are strict: a field that there
// is not is an error.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "kubeschemas:", err)
		os.Exit(1)
	}
}

// definitions is the file that all others refer to.
const definitions = "definitions.json"

func run(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: kubeschemas OUT swagger.json [crd.json …]")
	}
	out := args[0]
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // nothing in it is secret
		return err
	}
	var api struct {
		Definitions map[string]map[string]any `json:"definitions"`
	}
	if err := read(args[1], &api); err != nil {
		return err
	}
	for name, def := range api.Definitions {
		strict(def)
		kinds, _ := def["x-kubernetes-group-version-kind"].([]any)
		for _, each := range kinds {
			of, _ := each.(map[string]any)
			group, _ := of["group"].(string)
			if err := write(out, fileOf(of["kind"], group, of["version"]), map[string]any{"$ref": definitions + "#/definitions/" + name}); err != nil {
				return err
			}
		}
	}
	api.Definitions["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = map[string]any{"type": []string{"string", "integer"}}
	api.Definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = map[string]any{"type": []string{"string", "number"}}
	if err := write(out, definitions, api); err != nil {
		return err
	}
	for _, file := range args[2:] {
		if err := custom(out, file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// custom writes a schema for each version of a custom resource.
func custom(out, file string) error {
	var crd struct {
		Spec struct {
			Group string
			Names struct{ Kind string }

			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema map[string]any }
			}
		}
	}
	if err := read(file, &crd); err != nil {
		return err
	}
	for _, v := range crd.Spec.Versions {
		schema := v.Schema.OpenAPIV3Schema
		if schema == nil {
			return errors.New("it has no schema")
		}
		strict(schema)
		if err := write(out, fileOf(crd.Spec.Names.Kind, crd.Spec.Group, v.Name), schema); err != nil {
			return err
		}
	}
	return nil
}

// fileOf is kubeconform's {{.ResourceKind}}{{.KindSuffix}}.json.
func fileOf(kind any, group string, version any) string {
	name := strings.ToLower(fmt.Sprint(kind))
	if group, _, _ = strings.Cut(group, "."); group != "" {
		name += "-" + group
	}
	return name + "-" + fmt.Sprint(version) + ".json"
}

// strict has objects of known fields refuse all others. What JSON Schema has no
// word for is said in those it has.
func strict(schema map[string]any) {
	if schema["x-kubernetes-int-or-string"] == true {
		delete(schema, "anyOf")
		schema["type"] = []string{"string", "integer"}
	}
	delete(schema, "format")
	fields, object := schema["properties"].(map[string]any)
	if _, said := schema["additionalProperties"]; object && !said && schema["x-kubernetes-preserve-unknown-fields"] != true {
		schema["additionalProperties"] = false
	}
	for _, field := range fields {
		if field, ok := field.(map[string]any); ok {
			strict(field)
		}
	}
	for _, word := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[word].(map[string]any); ok {
			strict(inner)
		}
	}
}

func read(file string, into any) error {
	text, err := os.ReadFile(file) //nolint:gosec // what the developer names
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

func write(folder, name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, name), text, 0o644) //nolint:gosec // nothing in it is secret
}
