package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/sweep"
)

func (m Main) optimizersCommand() *cobra.Command {
	o := printOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "optimizers",
		Short: "List the optimizers: formulas, parameters, learning rates",
		Long: `optimizers lists the optimizers that a sweep file may name. The table shows parameters with their
defaults, what learning_rate: auto stands for, whether the update depends on the coordinate basis,
and the formula; json and yaml add bounds, units, sources, memory and cost.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runOptimizers(cmd.Context(), o) },
	}
	o.Output.addFlag(cmd.Flags())
	return cmd
}

// optimizerView is a row of the table of optimizers.
type optimizerView struct {
	Name           string          `json:"name"`
	Formula        string          `json:"formula"`
	Source         string          `json:"source"`
	Parameters     []parameterView `json:"parameters"`
	LearningRate   string          `json:"auto_learning_rate,omitempty"`
	BasisDependent bool            `json:"basis_dependent"`
	Spectral       bool            `json:"spectral"`
	StepLimited    bool            `json:"step_limited"`
	SignLike       string          `json:"sign_like,omitempty"`
	OnlineDense    string          `json:"online_dense,omitempty"`
	Buffers        int             `json:"buffers"`
	Matrices       float64         `json:"memory_matrices"`
	Squares        float64         `json:"memory_squares,omitempty"`
	Coefficient    float64         `json:"flops_per_coefficient"`
	Matrix         string          `json:"flops_per_matrix"`
}

// parameterView is a parameter that an optimizer adds.
type parameterView struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Allowed string `json:"allowed"`
	Unit    string `json:"unit,omitempty"`
	Doc     string `json:"doc"`
}

func runOptimizers(_ context.Context, o printOptions) error {
	var views []optimizerView
	for _, r := range sweep.Optimizers() {
		views = append(views, viewOptimizer(r))
	}
	return o.Output.print(o.stdout, views, func(w io.Writer) {
		fmt.Fprintln(w, "NAME\tPARAMETERS\tAUTO RATE\tBASIS\tFORMULA")
		for _, v := range views {
			parameters := make([]string, len(v.Parameters))
			for i, p := range v.Parameters {
				parameters[i] = p.Name + " " + p.Default
			}
			basis := "any"
			if v.BasisDependent {
				basis = "fixed"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", v.Name, dash(strings.Join(parameters, ", ")), dash(v.LearningRate),
				basis, v.Formula)
		}
	})
}

// dash stands for an empty cell.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func viewOptimizer(r sweep.UpdateRule) optimizerView {
	flops := r.DefaultFlops()
	v := optimizerView{
		Name: r.Name, Formula: r.Formula, Source: r.Source, Parameters: []parameterView{},
		LearningRate: r.AutoRate.Formula, BasisDependent: r.BasisDependent, Spectral: r.Spectral,
		StepLimited: r.StepLimited, SignLike: r.Sign.When, OnlineDense: r.OnlineDense,
		Buffers: r.Buffers, Matrices: r.Memory.Matrices, Squares: r.Memory.Squares,
		Coefficient: flops.Coefficient, Matrix: flops.String(),
	}
	for _, own := range r.Parameters {
		p := sweep.Describe(own.ID)
		value := "required"
		if !own.Default.IsNull() {
			value = strings.Trim(own.Default.String(), `"`)
		}
		v.Parameters = append(v.Parameters, parameterView{p.Name, value, p.Allowed(), p.Unit, p.Doc})
	}
	return v
}
