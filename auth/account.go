package auth

import (
	"fmt"
	"slices"
	"strconv"

	"usher/principal"
	"usher/query"
)

// accounts reads {source: {host, port, database, …}}. Whether the source takes
// such an account is the catalog's to say. What a JWT says can be read by whoever
// holds it, so credentials and places are refused unless the issuer keeps its
// tokens to itself.
func (i *issuer) accounts(v query.Value) (map[string]principal.Account, error) {
	object, err := structuredObject(v)
	if err != nil {
		return nil, err
	}
	accounts := make(map[string]principal.Account, len(object))
	for _, m := range object {
		if err := within(m.Name, i.mayGrant.Accounts); err != nil {
			return nil, err
		}
		if accounts[m.Name], err = i.account(m.Value); err != nil {
			return nil, err
		}
	}
	return accounts, nil
}

// open are the members of an account that anybody may read.
var open = []string{"database", "schema"}

func (i *issuer) account(v query.Value) (a principal.Account, err error) {
	object, ok := v.(query.Object)
	if !ok || len(object) == 0 {
		return a, fmt.Errorf("%w: an account is not an object with something in it", ErrClaim)
	}
	for _, m := range object {
		if !i.confidential && !slices.Contains(open, m.Name) {
			return a, fmt.Errorf("%w: %s in a token of an issuer that is not confidential", ErrGrant, quote(m.Name))
		}
		switch m.Name {
		case "host":
			a.Host, err = text(m.Value)
		case "port":
			a.Port, err = port(m.Value)
		case "database":
			a.Database, err = text(m.Value)
		case "schema":
			a.Schema, err = text(m.Value)
		case "user":
			a.User, err = text(m.Value)
		case "password":
			a.Password, err = text(m.Value)
		case "base_url":
			a.BaseURL, err = text(m.Value)
		case "headers":
			a.Headers, err = textByName(m.Value)
		case "properties":
			a.Properties, err = textByName(m.Value)
		default:
			err = fmt.Errorf("%w: an account has no %s", ErrClaim, quote(m.Name))
		}
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

func port(v query.Value) (int, error) {
	digits, ok := v.(query.Number)
	n, err := strconv.Atoi(string(digits))
	if !ok || err != nil || n < 1 || n > 65535 {
		return 0, fmt.Errorf("%w: not a port", ErrClaim)
	}
	return n, nil
}

func textByName(v query.Value) (map[string]string, error) {
	object, ok := v.(query.Object)
	if !ok {
		return nil, fmt.Errorf("%w: not an object of strings", ErrClaim)
	}
	out := make(map[string]string, len(object))
	for _, m := range object {
		s, err := text(m.Value)
		if err != nil {
			return nil, err
		}
		out[m.Name] = s
	}
	return out, nil
}
