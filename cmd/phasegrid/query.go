package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/phasegrid/phasegrid/cmd/phasegrid/client"
	"github.com/phasegrid/phasegrid/cmd/phasegrid/sql"
	"github.com/phasegrid/phasegrid/results"
)

type queryOptions struct {
	Client client.Config
	Live   string
	SQL    string
	Sets   []string
	Out    string
	Format string
	To     string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// commentsAreArguments moves SQL that begins with a comment behind the end of the flags, since
// cobra takes every argument that begins with -- for a flag. A flag has a name right after --.
func commentsAreArguments(args []string) []string {
	if len(args) == 0 || args[0] != "query" || slices.Contains(args, "--") {
		return args
	}
	isComment := func(arg string) bool {
		text, dashes := strings.CutPrefix(arg, "--")
		first, _, _ := strings.Cut(text, "=")
		return dashes && strings.ContainsAny(first, " \t\n")
	}
	flags := slices.DeleteFunc(slices.Clone(args), isComment)
	for _, arg := range args {
		if isComment(arg) {
			flags = append(flags, "--", arg)
		}
	}
	return flags
}

func (m Main) queryCommand() *cobra.Command {
	o := queryOptions{Client: client.Config{Notes: m.Stderr}, stdin: m.Stdin, stdout: m.Stdout, stderr: m.Stderr}
	cmd := &cobra.Command{
		Use:   "query SQL",
		Short: "Query result sets with SQL",
		Long: `query runs one SELECT with DuckDB over a result set, which may be incomplete. It has the views
points, trajectories, coefficients, shards, phase_diagram, best_learning_rate, crossover,
crossover_<axis> for other numeric axes, escape and failures, as far as the set has their columns,
and columns, which has units and formulas of all of them.
phasegrid makes them itself and never runs a set's views.sql. The SQL can read the named sets and nothing else.

With several sets, points, trajectories, coefficients and shards have the rows of all sets and a
first column "set", and each set has a schema: "my-sweep-1a2b3c4d".phase_diagram.

  phasegrid query "SELECT optimizer, count(*), median(signal_alignment) FROM points GROUP BY 1"
  phasegrid query --set results/a-1a2b3c4d --set results/b-5e6f7a8b "SELECT set, count(*) FROM points GROUP BY 1"
  phasegrid query --format parquet --to best.parquet "FROM best_learning_rate"
  phasegrid query --live my-sweep "SELECT status, count(*) FROM points GROUP BY 1"

With --live, query reads all rows that a cluster has committed, including those that are not
merged into files yet.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.SQL = args[0]
			return runQuery(cmd.Context(), o)
		},
	}
	cmd.Flags().StringArrayVar(
		&o.Sets,
		"set",
		nil,
		"`directory` of a result set; repeatable (default the newest below --out)",
	)
	cmd.Flags().StringVar(
		&o.Live,
		"live",
		"",
		"`sweep` of a cluster, by id or name: query its committed rows instead of a directory",
	)
	addClientFlags(cmd.Flags(), &o.Client)
	cmd.Flags().StringVar(&o.Out, "out", "results", "`directory` with result sets")
	cmd.Flags().StringVar(
		&o.Format,
		"format",
		"table",
		"output `format`: table, csv, json (one object a line) or parquet",
	)
	cmd.Flags().StringVar(&o.To, "to", "", "new `file` for the rows (default standard output)")
	return cmd
}

func runQuery(ctx context.Context, o queryOptions) error {
	switch o.Format {
	case "table", "csv", "json":
	case "parquet":
		if o.To == "" {
			return usageError{errors.New("--format parquet needs a file; add --to FILE")}
		}
	default:
		return usageError{fmt.Errorf("--format: got %q, want table, csv, json or parquet", o.Format)}
	}
	if o.SQL == "-" {
		text, err := io.ReadAll(o.stdin)
		if err != nil {
			return fmt.Errorf("read the SQL from standard input: %w", err)
		}
		o.SQL = string(text)
	}
	if o.SQL = strings.TrimRight(strings.TrimSpace(o.SQL), "; \n\t"); o.SQL == "" {
		return usageError{errors.New("the SQL is empty; try \"FROM points LIMIT 10\"")}
	}
	if o.Live != "" {
		if len(o.Sets) > 0 {
			return usageError{errors.New("--live and --set exclude each other; remove one of them")}
		}
		folder, remove, err := copyLive(ctx, o.Client, o.Live)
		if err != nil {
			return err
		}
		defer remove()
		o.Sets = []string{folder}
	}
	sets, err := openSets(o.Sets, o.Out)
	if err != nil {
		return err
	}
	session, err := sql.Open(ctx, sets)
	if errors.Is(err, sql.ErrNotBuilt) {
		return printSQL(o, sets, err)
	}
	if err != nil {
		return err
	}
	defer session.Close()
	write := func(w io.Writer) error { return session.Write(ctx, w, o.Format, o.SQL) }
	if o.To == "" {
		return write(o.stdout)
	}
	return createFile(o.To, write)
}

// printSQL prints the SQL for a duckdb of the user's own, as this build has none.
func printSQL(o queryOptions, sets []*results.Set, reason error) error {
	views, err := sql.Views(sets)
	if err != nil {
		return err
	}
	fmt.Fprintf(o.stderr, "%v; to use a duckdb of your own: phasegrid query ... | duckdb\n", reason)
	_, err = fmt.Fprintf(o.stdout, "%s\n%s;\n", views, o.SQL)
	return err
}

// createFile writes a new file, and removes it again if writing fails.
func createFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if errors.Is(err, os.ErrExist) {
		return usageError{fmt.Errorf("--to %s exists already; remove it or name another file", name)}
	}
	if err != nil {
		return fmt.Errorf("write the rows: %w", err)
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("write the rows to %s: %w", name, err), os.Remove(name))
	}
	return nil
}

// openSets opens the named sets; if there is none, the newest set below out.
func openSets(dirs []string, out string) ([]*results.Set, error) {
	if len(dirs) == 0 {
		newest, err := newestSet(out)
		if err != nil {
			return nil, err
		}
		dirs = []string{newest}
	}
	var sets []*results.Set
	for _, dir := range dirs {
		if err := checkDirectory(dir); err != nil {
			return nil, err
		}
		absolute, err := filepath.Abs(dir)
		if err == nil {
			absolute, err = filepath.EvalSymlinks(absolute)
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("--set %s: %w", dir, err)}
		}
		if strings.ContainsAny(absolute, `*?[]\`) {
			return nil, usageError{
				fmt.Errorf(
					`--set %s: DuckDB reads * ? [ ] \ in a path as a pattern; move the result set to another directory`,
					absolute,
				),
			}
		}
		set, err := openSet(absolute)
		if err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// newestSet returns the result set below out that was written last.
func newestSet(out string) (string, error) {
	entries, err := os.ReadDir(out)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("look for result sets: %w", err)
	}
	newest, when := "", time.Time{}
	for _, e := range entries {
		dir := filepath.Join(out, e.Name())
		info, err := os.Stat(filepath.Join(dir, results.ManifestName))
		if err != nil {
			info, err = os.Stat(filepath.Join(dir, filepath.FromSlash(results.EmptyName(results.Points))))
		}
		if err == nil && info.ModTime().After(when) {
			newest, when = dir, info.ModTime()
		}
	}
	if newest == "" {
		return "", usageError{fmt.Errorf("no result set below %s; run a sweep first, or name a set with --set", out)}
	}
	return newest, nil
}
