package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"

	"github.com/dustin/go-humanize"
	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// output is the value of -o: the format of a command's result.
type output string

func (o *output) addFlag(flags *pflag.FlagSet) {
	*o = "table"
	flags.VarP(o, "output", "o", "`format` of the result: table, json or yaml")
}

var _ pflag.Value = (*output)(nil)

func (o *output) String() string { return string(*o) }
func (o *output) Type() string   { return "format" }

// Set accepts one of the formats.
func (o *output) Set(s string) error {
	switch s {
	case "table", "json", "yaml":
		*o = output(s)
		return nil
	}
	return fmt.Errorf("want table, json or yaml")
}

// print writes value as JSON or YAML, or calls table, whose cells end in tabs and are aligned.
func (o *output) print(w io.Writer, value any, table func(w io.Writer)) error {
	switch *o {
	case "json":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false) // formulas and bounds have < and >
		e.SetIndent("", "  ")
		return e.Encode(value)
	case "yaml":
		text, err := yaml.Marshal(value)
		if err != nil {
			return fmt.Errorf("encode as YAML: %w", err)
		}
		_, err = w.Write(text)
		return err
	}
	aligned := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	table(aligned)
	return aligned.Flush()
}

// printOptions are the options of a command that only prints.
type printOptions struct {
	Output output
	stdout io.Writer
}

// terminal reports whether w is a terminal that people look at. Those without a size, as in CI and
// kubectl exec, do not show a bar.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return err == nil && width > 0 && height > 0
}

// counted formats a number of things: "1 shard", "2,000 shards".
func counted(n int64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return humanize.Comma(n) + " " + thing
}

// replaceFile writes a file, whole or not at all, and replaces an older one.
func replaceFile(name string, write func(io.Writer) error) error {
	temporary, err := os.CreateTemp(filepath.Dir(name), ".writing-*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // fails after the rename
	if err := errors.Join(write(temporary), temporary.Chmod(0o644), temporary.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(temporary.Name(), name)
}
