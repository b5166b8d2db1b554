package lru_test

import (
	"testing"

	"usher/lru"
)

func TestCache(t *testing.T) {
	t.Parallel()
	c := lru.New[string, int](10)
	c.Add("a", 1, 4)
	c.Add("b", 2, 4)
	c.Get("a")
	c.Add("c", 3, 4) // b was unused for longest
	c.Add("d", 4, 11)
	kept(t, c, map[string]int{"a": 1, "c": 3}, "b", "d")

	c.Add("a", 5, 10) // another value, another cost
	kept(t, c, map[string]int{"a": 5}, "c")
	c.Add("a", 6, 11) // what costs too much does not leave the old value there
	kept(t, c, nil, "a")

	for made := range 2 {
		if v := c.GetOrAdd("e", 1, func() int { return 7 + made }); v != 7 {
			t.Errorf("got %d", v)
		}
	}
	c.Add("f", 8, 1)
	c.Forget("e")
	c.Forget("nobody")
	kept(t, c, map[string]int{"f": 8}, "e")
	c.Add("g", 9, 1)
	c.Remove(func(_ string, v int) bool { return v == 8 })
	kept(t, c, map[string]int{"g": 9}, "f")
}

func kept(t *testing.T, c *lru.Cache[string, int], want map[string]int, gone ...string) {
	t.Helper()
	for key, value := range want {
		if v, ok := c.Get(key); !ok || v != value {
			t.Errorf("%s is %d, %t, not %d", key, v, ok, value)
		}
	}
	for _, key := range gone {
		if v, ok := c.Get(key); ok {
			t.Errorf("%s is kept: %d", key, v)
		}
	}
	if c.Len() != len(want) || c.Cost() > 10 {
		t.Errorf("%d values are kept, at a cost of %d", c.Len(), c.Cost())
	}
}
