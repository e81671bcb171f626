package main

import (
	"strconv"
	"strings"

	"github.com/phasegrid/phasegrid/docs/reference"
	"github.com/phasegrid/phasegrid/sweep"
)

func parametersPage() string {
	p := reference.NewPage("Parameters", `
In the order in which axes are enumerated, outermost first. A parameter that is set where it does
not apply is ignored with a warning. Unit 1 is a pure number.`)
	var rows [][]string
	for _, parameter := range sweep.Parameters() {
		rows = append(rows, []string{
			reference.Code(parameter.Name), parameter.Doc, parameter.Allowed(), parameter.DefaultText(), parameter.Unit,
			parameter.Use,
		})
	}
	p.Table([]string{"parameter", "meaning", "values", "default", "unit", "applies to"}, rows)
	return p.String()
}

func optimizersPage() string {
	p := reference.NewPage("Optimizers", `
The values of the parameter `+"`optimizer`"+`. Each step is W ← W(1 − lr_k wd) − lr_k U; the table gives
U for the gradient G of step k. G = Y S Zᵀ is its thin singular value decomposition; buffers start
at 0. [Model](../model.md) explains the other symbols.

In the table of costs, h ≥ l are the sides of W, and the count is for one update with default
parameters (multiply and add are two operations). Where the run depends on the coordinate basis, the
subspace representation is not exact, nor is the reduced one with `+"`rotate`"+`.`)
	var formulas, costs [][]string
	for _, rule := range sweep.Optimizers() {
		var own []string
		for _, parameter := range rule.Parameters {
			value := "required"
			if !parameter.Default.IsNull() {
				value = strings.Trim(parameter.Default.String(), `"`)
			}
			own = append(own, reference.Code(sweep.Describe(parameter.ID).Name)+" "+value)
		}
		name := reference.Code(rule.Name)
		formulas = append(formulas, []string{
			name, rule.Formula, strings.Join(own, ", "), rule.AutoRate.Formula, rule.Source,
		})
		costs = append(costs, []string{
			name, yes(rule.Spectral), yes(rule.BasisDependent), number(rule.Buffers), rule.DefaultFlops().String(),
		})
	}
	p.Printf("\n## Formulas\n")
	p.Table([]string{"optimizer", "update U", "parameters and defaults", "`learning_rate: auto`", "source"}, formulas)
	p.Printf("\n## Costs\n")
	p.Table(
		[]string{"optimizer", "spectral", "depends on basis", "buffers", "operations per update of a matrix"},
		costs,
	)
	return p.String()
}

func covariancesPage() string {
	p := reference.NewPage("Covariances", `
The values of the parameter `+"`covariance`"+`: families of Q, the covariance of the inputs
x ~ N(0, Q), before `+"`normalize` and `rotate`"+`. Indices count from 0. Q is diagonal unless its
entries Q_ij are given.`)
	var rows [][]string
	for _, family := range sweep.Covariances() {
		var own []string
		for _, parameter := range family.Parameters {
			own = append(own, reference.Code(sweep.Describe(parameter.ID).Name))
		}
		rows = append(rows, []string{reference.Code(family.Name), family.Formula, strings.Join(own, ", ")})
	}
	p.Table([]string{"covariance", "eigenvalues or entries", "parameters"}, rows)
	return p.String()
}

func yes(holds bool) string {
	if holds {
		return "yes"
	}
	return ""
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
