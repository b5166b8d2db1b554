package slot_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"usher/slot"
)

func upper(text string, _ slot.Inputs) (string, error) {
	if text == "" {
		return "", errors.New("empty")
	}
	return strings.ToUpper(text), nil
}

// What was made by looking holds for the same text, by asking for the same answer,
// and otherwise for all.
func TestGuards(t *testing.T) {
	t.Parallel()
	s := slot.New(slot.Inputs{"a", "b", "c"})
	open, err := s.At(0).Then("upper", upper)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := s.At(0).Then("upper", upper)
	if open != again {
		t.Error("one term of two")
	}
	if got := s.At(1).Text(); got != "b" {
		t.Error(got)
	}
	if got := s.At(2).Says("length", func(text string) string { return strings.Repeat("x", len(text)) }); got != "x" {
		t.Error(got)
	}
	said := s.Said()
	s.Seal()
	for _, c := range []struct {
		in    slot.Inputs
		same  bool
		upper string
	}{
		{slot.Inputs{"a", "b", "c"}, true, "A"},
		{slot.Inputs{"zz", "b", "y"}, true, "ZZ"},
		{slot.Inputs{"a", "x", "c"}, false, "A"},
		{slot.Inputs{"a", "b", "long"}, false, "A"},
	} {
		answers, told, ok := s.Guards().Answers(nil, c.in)
		if !ok || (string(answers) == said) != c.same {
			t.Errorf("%q are said to be alike: %t", c.in, string(answers) == said)
		}
		texts, ok := s.Bind(c.in)
		if !ok || texts[open.Number()] != c.upper {
			t.Errorf("%q are bound as %q", c.in, texts)
		}
		if again, ok := s.BindTold(c.in, told); !ok || !slices.Equal(again, texts) {
			t.Errorf("%q are bound as %q by what guards were told, and as %q", c.in, again, texts)
		}
	}
	if _, ok := s.Bind(slot.Inputs{"", "b", "c"}); ok {
		t.Error("what a step refuses is bound")
	}
}

// What guards ask about is made once for a request, however much follows from it.
func TestTold(t *testing.T) {
	t.Parallel()
	made := 0
	s := slot.New(slot.Inputs{"a"})
	opened, err := s.At(0).Then("open", func(text string, in slot.Inputs) (string, error) {
		made++
		return upper(text, in)
	})
	if err != nil {
		t.Fatal(err)
	}
	part, err := opened.Then("part", upper)
	if err != nil {
		t.Fatal(err)
	}
	length := func(text string) string { return strings.Repeat("x", len(text)) }
	_, _ = opened.Says("length", length), part.Says("length", length)
	s.Seal()
	guards := s.Guards()
	made = 0
	answers, told, ok := guards.Answers(nil, slot.Inputs{"b"})
	if !ok || string(answers) != s.Said() {
		t.Errorf("%q in place of %q", answers, s.Said())
	}
	texts, ok := s.BindTold(slot.Inputs{"b"}, told)
	if !ok || texts[opened.Number()] != "B" || texts[part.Number()] != "B" || made != 1 {
		t.Errorf("%q, opened %d times", texts, made)
	}
}

// Sealed slots tell what they were looked at for, and nothing else.
func TestSealed(t *testing.T) {
	t.Parallel()
	s := slot.New(slot.Inputs{"looked", "secret"})
	looked, open := s.At(0), s.At(1)
	_ = looked.Text()
	s.Seal()
	if got := looked.Text(); got != "looked" {
		t.Error(got)
	}
	for name, tell := range map[string]func(){
		"text":   func() { _ = open.Text() },
		"says":   func() { _ = open.Says("all", func(text string) string { return text }) },
		"a step": func() { _, _ = open.Then("all", func(text string, _ slot.Inputs) (string, error) { return text, nil }) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was told after sealing", name)
				}
			}()
			tell()
		}()
	}
}

// TestLooksLeaveGuards: while something is made, a text can be had by leaving a guard, or in a step, and in no other way.
func TestLooksLeaveGuards(t *testing.T) {
	t.Parallel()
	in := slot.Inputs{"ann", "7"}
	slots := slot.New(in)
	name := slots.At(0)
	if _, err := slots.At(1).Then("beside the name", func(text string, in slot.Inputs) (string, error) {
		of, err := name.Of(in)
		return of + text, err
	}); err != nil {
		t.Fatal(err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a value is looked at, and nothing says so")
			}
		}()
		_, _ = name.Of(in)
	}()
	slots.Seal()
	if got, err := name.Of(slot.Inputs{"bob", "8"}); got != "bob" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}
