package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSchemas(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	api := put("swagger.json", `{"definitions": {
		"apps.Deployment": {"properties": {"spec": {"$ref": "#/definitions/Spec"}}, "x-kubernetes-group-version-kind": [{"group": "apps", "kind": "Deployment", "version": "v1"}]},
		"Service": {"type": "object", "properties": {"labels": {"additionalProperties": {"type": "string", "format": "x"}}}, "x-kubernetes-group-version-kind": [{"group": "", "kind": "Service", "version": "v1"}]},
		"Spec": {"properties": {"a": {"type": "array", "items": {"properties": {"b": {}}}}}}}}`)
	crd := put("crd.json", `{"spec": {"group": "monitoring.coreos.com", "names": {"kind": "ServiceMonitor"}, "versions": [{"name": "v1",
		"schema": {"openAPIV3Schema": {"properties": {"port": {"x-kubernetes-int-or-string": true, "anyOf": [{"type": "string"}]}, "any": {"properties": {}, "x-kubernetes-preserve-unknown-fields": true}}}}}]}}`)
	out := filepath.Join(dir, "out")
	if err := run([]string{out, api, crd}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"deployment-apps-v1.json":           `{"$ref":"definitions.json#/definitions/apps.Deployment"}`,
		"service-v1.json":                   `{"$ref":"definitions.json#/definitions/Service"}`,
		"servicemonitor-monitoring-v1.json": `{"additionalProperties":false,"properties":{"any":{"properties":{},"x-kubernetes-preserve-unknown-fields":true},"port":{"type":["string","integer"],"x-kubernetes-int-or-string":true}}}`,
	} {
		if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	var all struct{ Definitions map[string]json.RawMessage }
	if err := read(filepath.Join(out, definitions), &all); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"Spec":    `{"additionalProperties":false,"properties":{"a":{"items":{"additionalProperties":false,"properties":{"b":{}}},"type":"array"}}}`,
		"Service": `"labels":{"additionalProperties":{"type":"string"}}`,
		"io.k8s.apimachinery.pkg.util.intstr.IntOrString": `{"type":["string","integer"]}`,
	} {
		if !strings.Contains(string(all.Definitions[name]), want) {
			t.Errorf("%s: %s, want %s", name, all.Definitions[name], want)
		}
	}
	if err := run([]string{out, api, put("none.json", `{"spec": {"versions": [{"name": "v1"}]}}`)}); err == nil || !strings.Contains(err.Error(), "no schema") {
		t.Errorf("a resource without a schema: %v", err)
	}
}
