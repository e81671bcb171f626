package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	_ "golang.org/x/crypto/x509roots/fallback" // authorities for object storage, where the host has none

	"github.com/phasegrid/phasegrid/sweep"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// After the first signal the default action is restored: a second Ctrl-C ends a process that
	// hangs.
	context.AfterFunc(ctx, stop)
	m := Main{Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, LookupEnv: os.LookupEnv}
	os.Exit(m.Run(ctx))
}

// Main is the program as a value: tests run the same one in their own process.
type Main struct {
	Args  []string
	Stdin io.Reader
	// Stdout and Stderr are written by several goroutines at once, so they must be safe for that,
	// as an os.File is.
	Stdout, Stderr io.Writer
	// LookupEnv finds environment variables; nil means that none is set.
	LookupEnv func(string) (string, bool)
}

// Run executes the command line and returns the exit code. Cancelling ctx has the effect of a
// signal.
func (m Main) Run(ctx context.Context) int {
	if m.LookupEnv == nil {
		m.LookupEnv = func(string) (string, bool) { return "", false }
	}
	err := m.command().ExecuteContext(ctx)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = errInterrupted // whatever was interrupted
	}
	if err != nil {
		m.report(err)
	}
	return exitCode(err)
}

// report prints an error. The mistakes of a sweep file are lines of their own, which begin with
// their positions.
func (m Main) report(err error) {
	text := strings.TrimRight(err.Error(), "\n")
	if errors.Is(err, errInterrupted) || errors.As(err, new(sweep.Mistakes)) {
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
		Long: `phasegrid runs parameter sweeps over the learning dynamics of phase retrieval: it maps where
gradient descent loses the signal to anisotropy, and where spectral optimizers do not.

  phasegrid run sweep.yaml     run a sweep on this machine and print the path of its results
  phasegrid plan sweep.yaml    estimate it: points, shards, time and size

Every flag can be set by an environment variable: --log-format by PHASEGRID_LOG_FORMAT.
Exit codes: 0 done, 1 failed, 2 bad usage or sweep file, 3 done but with quarantined shards, 130
interrupted.`,
		Version:           currentVersion().line(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: m.flagsFromEnv,
		// Without a Run of its own, cobra answers an unknown command with the help text and
		// success.
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetArgs(commentsAreArguments(m.Args))
	root.SetIn(m.Stdin)
	root.SetOut(m.Stdout)
	root.SetErr(m.Stderr)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		text := strconvError.ReplaceAllString(err.Error(), "")
		return usageError{fmt.Errorf("%s; see %s --help", text, cmd.CommandPath())}
	})
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.HiddenDefaultCmd = false
	root.PersistentFlags().String("log-format", "text", "log `format` on standard error: text or json")
	root.PersistentFlags().String(
		"log-level",
		"warn",
		"minimum log `level`: debug, info, warn or error; info for coordinator and node",
	)
	m.addCommands(root)
	markUsageErrors(root)
	return root
}

// addCommands adds the commands in the groups in which the help text lists them.
func (m Main) addCommands(root *cobra.Command) {
	const operations = "Operations:"
	for _, group := range []struct {
		title    string
		commands []*cobra.Command
	}{
		{"Local:", []*cobra.Command{
			m.runCommand(), m.planCommand(), m.optimizersCommand(), m.schemaCommand(),
		}},
		{"Cluster:", []*cobra.Command{
			m.submitCommand(), m.lsCommand(), m.statusCommand(), m.watchCommand(), m.pauseCommand(), m.resumeCommand(),
			m.cancelCommand(), m.retryCommand(), m.rmCommand(),
		}},
		{"Results:", []*cobra.Command{
			m.fetchCommand(), m.queryCommand(), m.plotCommand(), m.fitCommand(), m.explainCommand(), m.diffCommand(),
			m.verifyCommand(), m.columnsCommand(),
		}},
		{operations, []*cobra.Command{
			m.coordinatorCommand(), m.nodeCommand(), m.certsCommand(), m.benchCommand(), m.versionCommand(),
		}},
	} {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, cmd := range group.commands {
			cmd.GroupID = group.title
			root.AddCommand(cmd)
		}
	}
	root.AddCommand(etcdCommand())
	root.SetHelpCommandGroupID(operations)
	root.SetCompletionCommandGroupID(operations)
}

// strconvError matches the name of a function that is no word for users.
var strconvError = regexp.MustCompile(`strconv\.\w+: parsing "[^"]*": `)

// argumentError says what is wrong with the arguments of a command, in the names of its usage line.
func argumentError(cmd *cobra.Command, args []string, err error) string {
	names := strings.Fields(cmd.Use)[1:]
	switch {
	case !cmd.HasParent() && len(args) > 0:
		text := fmt.Sprintf("unknown command %q", args[0])
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			text += fmt.Sprintf("; did you mean %q?", near[0])
		}
		return text
	case cmd.HasSubCommands() || strings.HasPrefix(err.Error(), "invalid argument"): // it names the argument
	case len(args) < len(names):
		return "missing argument " + names[len(args)]
	case len(args) > len(names):
		return fmt.Sprintf("unexpected argument %q", args[len(names)])
	}
	return err.Error()
}

// markUsageErrors makes every wrong number of arguments a usage error.
func markUsageErrors(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{fmt.Errorf("%s; see %s --help", argumentError(cmd, args, err), cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		markUsageErrors(sub)
	}
}

// flagsFromEnv sets every flag that is not on the command line to the value of its PHASEGRID_*
// variable.
func (m Main) flagsFromEnv(cmd *cobra.Command, _ []string) error {
	var errs []error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := variableOf(f)
		value, ok := m.LookupEnv(name)
		if !ok || f.Changed || f.Name == "help" || f.Name == "version" {
			return
		}
		if err := cmd.Flags().Set(f.Name, value); err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w", name, value, err))
		}
	})
	if len(errs) > 0 {
		return usageError{errors.Join(errs...)}
	}
	_, err := m.logger(cmd) // a wrong --log-format is an error even if nothing is logged
	return err
}

// variableOf returns the name of a flag's environment variable.
func variableOf(f *pflag.Flag) string {
	return "PHASEGRID_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// logger returns the log that the command's flags describe.
func (m Main) logger(cmd *cobra.Command) (*slog.Logger, error) {
	format, _ := cmd.Flags().GetString("log-format")
	levelName, _ := cmd.Flags().GetString("log-level")
	var level slog.Level
	if err := level.UnmarshalText([]byte(levelName)); err != nil {
		return nil, usageError{fmt.Errorf("--log-level: got %q, want debug, info, warn or error", levelName)}
	}
	return m.loggerFrom(level, format)
}

// serverLogger is logger with level info by default, which has the life cycle of a server.
func (m Main) serverLogger(cmd *cobra.Command) (*slog.Logger, error) {
	if cmd.Flags().Changed("log-level") {
		return m.logger(cmd)
	}
	format, _ := cmd.Flags().GetString("log-format")
	return m.loggerFrom(slog.LevelInfo, format)
}

// loggerFrom returns a log of everything that has the level or a higher one.
func (m Main) loggerFrom(level slog.Level, format string) (*slog.Logger, error) {
	opts := &slog.HandlerOptions{Level: level}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(m.Stderr, opts)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(m.Stderr, opts)), nil
	}
	return nil, usageError{fmt.Errorf("--log-format: got %q, want text or json", format)}
}
