package catalog

import "testing"

// What a record allows is compared by what an address leads to, not by how it is
// written.
func TestDestinations(t *testing.T) {
	t.Parallel()
	d, err := ParseDestinations([]string{"db.example", "*.eu.example", "10.1.0.0/16", "https://api.example/v1/", "HTTPS://root.example", "http://plain.example:8080/a"})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{
		"db.example": true, "DB.example": true, "x.eu.example": true, "10.1.2.3": true,
		"eu.example": false, "db.example.evil": false, "10.2.0.1": false, "api.example": false, "root.example": false, "": false, "*": false,
	} {
		if got := d.allowsHost(host); got != want {
			t.Errorf("%q: %t", host, got)
		}
	}
	for url, want := range map[string]bool{
		"https://api.example/v1": true, "https://API.example:443/v1/acme": true, "https://api.example/v1/": true, "https://root.example/any/where": true,
		"https://db.example/x": true, "http://plain.example:8080/a/b": true,
		"https://api.example": false, "https://api.example/v10": false, "https://api.example/v1/../v2": false, "https://api.example/v1/%2e%2e/v2": false,
		"https://api.example/v1//../../v2": false, "https://api.example:444/v1": false, "http://api.example/v1": false, "https://api.example.evil/v1": false,
		"https://u@api.example/v1": false, "https://api.example/v1?a=b": false, "https://api.example/v1#a": false, `https://api.example/v1\..\v2`: false,
		"https://other.example": false, "http://plain.example/a": false, "ftp://api.example/v1": false, "//api.example/v1": false, "": false,
	} {
		if got := d.allowsURL(url); got != want {
			t.Errorf("%q: %t", url, got)
		}
	}
	for _, list := range [][]string{{""}, {"a b"}, {"*"}, {"*", "db.example"}, {"https://"}, {"https://x/?a"}, {"https://u:p@x/"}, {"https://x/a/../b"}, {"10.1.2.3/16"}, {"ftp://x"}} {
		d, err := ParseDestinations(list)
		if all := len(list) == 1 && list[0] == AllDestinations; all != (err == nil) || all != (d == nil && err == nil) {
			t.Errorf("%q: %v", list, err)
		}
	}
	var all *Destinations
	none, err := ParseDestinations([]string{})
	if err != nil || none.allowsHost("db.example") || none.allowsURL("https://db.example") || !all.allowsHost("db.example") || !all.allowsURL("https://db.example") {
		t.Errorf("an empty list is no list, or none is one: %v", err)
	}
}
