package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// After the first signal the default action is back: a second Ctrl-C ends a process that hangs.
	context.AfterFunc(ctx, stop)
	m := Main{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv}
	os.Exit(m.Run(ctx))
}

// Main is the program as a value, so that tests run the same one in their own process.
type Main struct {
	Args  []string
	Stdin io.Reader
	// Stdout and Stderr are written by several goroutines at once, so they must bear that, as an
	// os.File does.
	Stdout, Stderr io.Writer
	// LookupEnv finds environment variables; nil means that none is set.
	LookupEnv func(string) (string, bool)
}

// Run executes the command line and returns the exit code. Cancelling ctx is what a signal does.
func (m Main) Run(ctx context.Context) int {
	if m.LookupEnv == nil {
		m.LookupEnv = func(string) (string, bool) { return "", false }
	}
	err := m.command().ExecuteContext(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errInterrupted // whichever step the signal cut short
	}
	if err != nil {
		m.report(err)
	}
	return exitCode(err)
}

// report prints an error for people. The errors of a sweep file are lines of their own, which begin
// with their places.
func (m Main) report(err error) {
	text := strings.TrimRight(err.Error(), "\n")
	if errors.Is(err, errInterrupted) || isUsage(err) && strings.Contains(text, "\n") {
		fmt.Fprintln(m.Stderr, text)
		return
	}
	fmt.Fprintln(m.Stderr, "error:", text)
}

// command builds the tree of commands.
func (m Main) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "phasegrid",
		Short: "Parameter sweeps over the learning dynamics of phase retrieval",
		Long: `phasegrid runs parameter sweeps over the learning dynamics of phase retrieval: it maps where gradient descent
loses the signal to anisotropy and where spectral optimizers do not.

  phasegrid run sweep.yaml     runs a sweep on this machine and prints where its results are
  phasegrid plan sweep.yaml    tells what it would take

Every flag may be given as an environment variable: --log-format is PHASEGRID_LOG_FORMAT.
Exit codes: 0 done, 1 failed, 2 bad usage or sweep file, 3 done but with quarantined shards, 130 interrupted.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: m.flagsFromEnv,
		// Without a Run of its own cobra would answer an unknown command with the help text and
		// success.
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(m.Args)
	root.SetIn(m.Stdin)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	root.CompletionOptions.HiddenDefaultCmd = false
	root.PersistentFlags().String("log-format", "text", "format of the log on standard error: text or json")
	root.PersistentFlags().String("log-level", "warn", "least level of the log: debug, info, warn or error")
	root.AddCommand(
		m.runCommand(),
		m.planCommand(),
		m.verifyCommand(),
		m.submitCommand(),
		m.lsCommand(),
		m.statusCommand(),
		m.watchCommand(),
		m.pauseCommand(),
		m.resumeCommand(),
		m.cancelCommand(),
		m.retryCommand(),
		m.rmCommand(),
		m.certsCommand(),
		m.coordinatorCommand(),
		m.nodeCommand(),
		m.fetchCommand(),
		m.queryCommand(),
		m.explainCommand(),
		m.plotCommand(),
		m.benchCommand(),
		m.optimizersCommand(),
		m.schemaCommand(),
		etcdCommand(),
		m.versionCommand(),
	)
	markUsageErrors(root)
	return root
}

// markUsageErrors makes every wrong number of arguments a usage error.
func markUsageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		markUsageErrors(sub)
	}
}

// flagsFromEnv gives every flag that is not on the command line the value of its PHASEGRID_*
// variable.
func (m Main) flagsFromEnv(cmd *cobra.Command, _ []string) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := variableOf(f)
		value, ok := m.LookupEnv(name)
		if !ok || f.Changed || f.Name == "help" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w", name, value, err))
		}
	})
	if len(errs) > 0 {
		return usageError{errors.Join(errs...)}
	}
	_, err := m.logger(cmd) // a wrong --log-format is an error even where nothing is logged
	return err
}

// variableOf is the name of a flag's variable.
func variableOf(f *pflag.Flag) string {
	return "PHASEGRID_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// logger is the log that the command's flags ask for.
func (m Main) logger(cmd *cobra.Command) (*slog.Logger, error) {
	format, _ := cmd.Flags().GetString("log-format")
	levelName, _ := cmd.Flags().GetString("log-level")
	var level slog.Level
	if err := level.UnmarshalText([]byte(levelName)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level %q: want debug, info, warn or error", levelName)}
	}
	return m.loggerFrom(level, format)
}

// loggerFrom is a log of what has a level or a higher one.
func (m Main) loggerFrom(level slog.Level, format string) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: level}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(m.Stderr, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(m.Stderr, opts)), nil
	}
	return nil, usageError{fmt.Errorf("--log-format %q: want text or json", format)}
}
