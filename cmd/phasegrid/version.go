package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/node/solver"
	"github.com/phasegrid/phasegrid/sweep"
)

func (m Main) versionCommand() *cobra.Command {
	o := printOptions{stdout: m.Stdout}
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions that determine results",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runVersion(cmd.Context(), o) },
	}
	o.Output.addFlag(cmd.Flags())
	return cmd
}

// versionView has what determines the bytes of result sets, and what built this program.
type versionView struct {
	Version         string               `json:"version" yaml:"version"`
	Revision        string               `json:"revision" yaml:"revision"`
	Solver          sweep.SolverIdentity `json:"solver" yaml:"solver"`
	PlanVersion     int                  `json:"plan_version" yaml:"plan_version"`
	ArithmeticClass string               `json:"arithmetic_class" yaml:"arithmetic_class"`
	Kernel          string               `json:"kernel" yaml:"kernel"`
	Go              string               `json:"go" yaml:"go"`
	Platform        string               `json:"platform" yaml:"platform"`
}

func runVersion(_ context.Context, o printOptions) error {
	view := currentVersion()
	return o.Output.print(o.stdout, view, func(w io.Writer) {
		fmt.Fprintf(w, "phasegrid\t%s\n", view.Version)
		fmt.Fprintf(w, "revision\t%s\n", view.Revision)
		fmt.Fprintf(w, "solver\t%s\n", view.Solver)
		fmt.Fprintf(w, "plan\t%d\n", view.PlanVersion)
		fmt.Fprintf(w, "arithmetic\t%s\n", view.ArithmeticClass)
		fmt.Fprintf(w, "kernel\t%s\n", view.Kernel)
		fmt.Fprintf(w, "go\t%s %s\n", view.Go, view.Platform)
	})
}

// line is the answer to --version.
func (v versionView) line() string {
	return fmt.Sprintf("phasegrid %s (revision %s, solver %s, %s)", v.Version, v.Revision, v.Solver, v.Go)
}

// currentVersion reads the versions from the program itself.
func currentVersion() versionView {
	view := versionView{
		Version: "devel", Revision: "unknown",
		Solver: sweep.BuiltinSolver(solver.Version), PlanVersion: sweep.PlanVersion,
		ArithmeticClass: solver.ArithmeticClass(), Kernel: solver.Kernel(),
		Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return view
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		view.Version = v
	}
	modified := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			view.Revision = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	if modified {
		view.Revision += " with local changes"
	}
	return view
}
