package main

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phasegrid/phasegrid/docs/reference"
)

// updateReference is what `make docs-reference` passes.
var updateReference = flag.Bool("update-reference", false, "write the reference page of commands anew")

const docsFolder = "../../docs/"

// TestCommandsPageIsCurrent compares the reference page of commands with the commands, or writes
// it. docs/reference/generate has the other pages.
func TestCommandsPageIsCurrent(t *testing.T) {
	const path = docsFolder + "reference/commands.md"
	want := commandsPage()
	if *updateReference {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/reference/commands.md is stale: run make docs-reference")
	}
}

func commandsPage() string {
	p := reference.NewPage(
		"Commands",
		`Every flag may be given as an environment variable: `+"`--log-format` is `PHASEGRID_LOG_FORMAT`"+`.
Results go to standard output, progress and logs to standard error.`,
	)
	p.Table([]string{"exit code", "meaning"}, [][]string{
		{"0", "done"}, {"1", "failed"}, {"2", "bad usage or sweep file"},
		{"3", "done, but shards are quarantined"}, {"130", "interrupted; the same command resumes"},
	})
	root := Main{}.command()
	var commands []*cobra.Command
	var collect func(*cobra.Command)
	collect = func(c *cobra.Command) {
		for _, sub := range c.Commands() {
			if sub.IsAvailableCommand() && sub.Name() != "help" && sub.Name() != "completion" {
				commands = append(commands, sub)
				collect(sub)
			}
		}
	}
	collect(root)
	for _, group := range root.Groups() {
		p.Printf("\n## %s\n", strings.TrimSuffix(group.Title, ":"))
		var rows [][]string
		for _, c := range commands {
			top := c
			for top.Parent() != root {
				top = top.Parent()
			}
			if top.GroupID == group.ID {
				anchor := strings.ReplaceAll(c.CommandPath(), " ", "-")
				rows = append(rows, []string{fmt.Sprintf("[%s](#%s)", c.CommandPath(), anchor), c.Short})
			}
		}
		p.Table([]string{"command", "purpose"}, rows)
	}
	for _, c := range commands {
		p.Printf("\n## %s\n\n%s.\n\n", c.CommandPath(), strings.TrimRight(c.Short, "."))
		p.Printf("```text\n%s\n```\n", c.UseLine())
		if c.Long != "" {
			p.Printf("\n```text\n%s\n```\n", strings.TrimSpace(c.Long))
		}
		if c.Example != "" {
			p.Printf("\n```sh\n%s\n```\n", strings.ReplaceAll(strings.TrimPrefix(c.Example, "  "), "\n  ", "\n"))
		}
		flagsTable(p, c.NonInheritedFlags())
	}
	p.Printf("\n## Flags of every command\n")
	flagsTable(p, root.PersistentFlags())
	return p.String()
}

func flagsTable(p *reference.Page, flags *pflag.FlagSet) {
	var rows [][]string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fallback := f.DefValue
		if slices.Contains([]string{"", "false", "0", "[]"}, fallback) {
			fallback = ""
		}
		rows = append(
			rows,
			[]string{reference.Code(strings.TrimSpace(name + " " + value)), usage, reference.Code(fallback)},
		)
	})
	if rows != nil {
		p.Table([]string{"flag", "meaning", "default"}, rows)
	}
}
