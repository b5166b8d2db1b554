package cli

import (
	"fmt"
	"reflect"
	"time"

	"github.com/alecthomas/kong"
)

// refuseEmpty refuses a flag or an argument that is there and says nothing, as
// a variable of a shell does that was forgotten: what is left out often means
// all, or for ever.
func refuseEmpty(parsed *kong.Context) error {
	for _, at := range parsed.Path {
		var given *kong.Value
		switch {
		case at.Resolved:
		case at.Flag != nil:
			given = at.Flag.Value
		case at.Positional != nil:
			given = at.Positional
		}
		if given != nil && isEmpty(given.Target) {
			return fmt.Errorf("%s is empty: leave it out, or give it a value", given.ShortSummary())
		}
	}
	return nil
}

func isEmpty(v reflect.Value) bool {
	switch v.Interface().(type) {
	case string, int, time.Duration, time.Time:
		return v.IsZero()
	case []string:
		for i := range v.Len() {
			if v.Index(i).IsZero() {
				return true
			}
		}
	}
	return false
}
