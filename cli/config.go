package cli

import (
	"usher/cli/term"
	"usher/config"
)

type configCommands struct {
	Schema configSchema `cmd:"" help:"Print the JSON Schema of usher.yml, for editors." example:"usher config schema > usher.schema.json"`
}

type configSchema struct{}

// Run prints the schema of the configurations that this very program reads.
func (configSchema) Run(s *term.IO) error {
	_, err := s.Stdout.Write(config.Schema)
	return err
}
