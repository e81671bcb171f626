package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/results"
)

type columnsOptions struct {
	Dir    string // "": those of every set
	Output output
	stdout io.Writer
}

func (m Main) columnsCommand() *cobra.Command {
	o := columnsOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "columns [DIR]",
		Short: "List the columns of result sets: types, units, formulas",
		Long: `columns lists the columns of the tables that result sets have; with DIR those of one set, its
parameters and variables included. W is the d x m iterate, theta the teacher, u = theta/|theta|, Q the
covariance of the inputs, A = W W^T - theta theta^T. json and yaml also say which may be null.

  phasegrid columns
  phasegrid columns results/my-sweep-1a2b3c4d

The view columns has the same:

  phasegrid query "FROM columns"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Dir = args[0]
			}
			return runColumns(cmd.Context(), o)
		},
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
	add := func(t results.Table, columns []results.Column) {
		for _, c := range columns {
			views = append(views, columnView{t.String(), c.Name, c.Kind.String(), c.Nullable, c.Unit, c.Doc})
		}
	}
	if o.Dir == "" {
		for _, table := range results.Reference() {
			add(table.Table, table.Columns)
		}
	} else {
		set, err := openSet(o.Dir)
		if err != nil {
			return err
		}
		for _, table := range set.Schema().Tables() {
			add(table, set.Schema().Columns(table))
		}
	}
	return o.Output.print(o.stdout, views, func(w io.Writer) {
		fmt.Fprintln(w, "TABLE\tNAME\tTYPE\tUNIT\tFORMULA OR MEANING")
		for _, v := range views {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Table, v.Name, v.Type, dash(v.Unit), v.Formula)
		}
	})
}
