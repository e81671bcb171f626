package main

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/sweep"
)

type schemaOptions struct{ stdout io.Writer }

func (m Main) schemaCommand() *cobra.Command {
	o := schemaOptions{stdout: m.Stdout}
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the sweep file",
		Long: `schema prints the JSON Schema of the sweep file, for editors. With the YAML language server, begin
a sweep file with
  # yaml-language-server: $schema=phasegrid.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runSchema(cmd.Context(), o) },
	}
}

func runSchema(_ context.Context, o schemaOptions) error {
	_, err := o.stdout.Write(sweep.Schema())
	return err
}
