package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results"
)

type columnsOptions struct {
	Output output
	stdout io.Writer
}

func (m Main) columnsCommand() *cobra.Command {
	o := columnsOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "columns",
		Short: "List the columns of result sets: types, units, formulas",
		Long: `columns lists the columns of the tables of a result set. The points table also has a column for each
parameter that the sweep uses. W is the d x m iterate, theta the teacher, u = theta/|theta|, Q the
covariance of the inputs, A = W W^T - theta theta^T. json and yaml also say which may be null.

The view columns has those of one set, with its parameters:

  phasegrid query "FROM columns"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runColumns(cmd.Context(), o) },
	}
	o.Output.addFlag(cmd.Flags())
	return cmd
}

// columnView is a column of a table.
type columnView struct {
	Table    string `json:"table" yaml:"table"`
	Name     string `json:"name" yaml:"name"`
	Type     string `json:"type" yaml:"type"`
	Nullable bool   `json:"nullable" yaml:"nullable"`
	Unit     string `json:"unit,omitempty" yaml:"unit,omitempty"`
	Formula  string `json:"formula" yaml:"formula"`
}

func runColumns(_ context.Context, o columnsOptions) error {
	var views []columnView
	for _, table := range results.Reference() {
		for _, c := range table.Columns {
			views = append(views, columnView{table.Table.String(), c.Name, c.Kind.String(), c.Nullable, c.Unit, c.Doc})
		}
	}
	return o.Output.print(o.stdout, views, func(w io.Writer) {
		fmt.Fprintln(w, "TABLE\tNAME\tTYPE\tUNIT\tFORMULA OR MEANING")
		for _, v := range views {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Table, v.Name, v.Type, dash(v.Unit), v.Formula)
		}
	})
}
