package value_test

import (
	"fmt"
	"testing"

	"usher/slot"
	"usher/value"
)

// Texts are what the values are that they are made of, and take nothing that is none.
func TestTexts(t *testing.T) {
	t.Parallel()
	texts := value.TextsOf(value.DecimalOf(12, 2), 2)
	for _, literal := range []string{"1.50", "x", "7.0"} {
		one, want := value.Parse(value.DecimalOf(12, 2), literal)
		text, err := texts.Parse(literal)
		if fmt.Sprint(err) != fmt.Sprint(want) || text != one.Text() {
			t.Errorf("%q is %q, %v; by itself %q, %v", literal, text, err, one.Text(), want)
		}
	}
	texts.Null()
	seven, err := value.Parse(value.Of(value.Decimal), "7")
	if err != nil || !texts.Add(seven) || !texts.Add(value.Value{}) {
		t.Errorf("a number and null are not added: %v", err)
	}
	word, err := value.Parse(value.Of(value.String), "a word")
	if err != nil || texts.Add(word) || texts.Add(value.Later(value.Of(value.Decimal), slot.New(slot.Inputs{"8"}).At(0))) {
		t.Errorf("a word is added to numbers, or one that comes later: %v", err)
	}
	got := ""
	for i := range texts.Len() {
		text, set := texts.Item(i)
		if v := texts.Value(i); v.Null() == set || v.Text() != text {
			t.Errorf("the %d. is %q, %v and as a value %q, %v", i, text, set, v.Text(), !v.Null())
		}
		got += fmt.Sprint(text, set, " ")
	}
	if want := "1.5true false 7true false 7true false "; got != want {
		t.Errorf("they are %q, want %q", got, want)
	}
	if part := texts.Part(2, 4); part.Len() != 2 || part.Value(0).Text() != "7" || !part.Value(1).Null() {
		t.Errorf("a part of them has %d, %v", part.Len(), part)
	}
}
