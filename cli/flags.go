package cli

import (
	"fmt"
	"reflect"
	"time"

	"github.com/alecthomas/kong"

	"usher/config"
)

// duration reads a flag's time as the configuration's are read.
func duration(given *kong.DecodeContext, target reflect.Value) error {
	token, err := given.Scan.PopValue("duration")
	if err != nil {
		return err
	}
	text, ok := token.Value.(string)
	if !ok {
		return fmt.Errorf("must be %s", config.DurationForm)
	}
	if text == "" { // refuseEmpty says so
		return nil
	}
	d, err := config.ParseDuration(text)
	if err != nil {
		return err
	}
	target.SetInt(int64(d))
	return nil
}

// moment reads a flag's point in time.
func moment(given *kong.DecodeContext, target reflect.Value) error {
	token, err := given.Scan.PopValue("time")
	if err != nil {
		return err
	}
	text, _ := token.Value.(string)
	if text == "" { // refuseEmpty says so
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("must be a point in time such as 2026-01-31T00:00:00Z")
	}
	target.Set(reflect.ValueOf(at))
	return nil
}

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
			switch given.Target.Interface().(type) {
			case int, time.Duration:
				return fmt.Errorf("%s is nothing, or 0: leave it out, or give it more", given.ShortSummary())
			}
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
