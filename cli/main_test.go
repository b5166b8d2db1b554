package cli_test

import (
	"testing"

	"usher/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
