// Command notice prints NOTICE: every module that is linked into phasegrid, with and without
// DuckDB, its licence, and the licence texts. It reads the files of the module cache; a module
// without a licence file, or with one that it does not know, is an error.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// source is a linked module and where its files are.
type source struct{ path, version, folder string }

// text is one licence text, or one NOTICE, and the modules that have it.
type text struct {
	licences []string // nil for a NOTICE
	body     string
	users    []string
}

// licences are the words by which a licence's text is known. A file may hold several.
var licences = []struct{ name, words string }{
	{"MPL-2.0", "Mozilla Public License Version 2.0"},
	{"Apache-2.0", "Apache License Version 2.0"},
	{"FTL", "The FreeType Project LICENSE"},
	{"OFL-1.1", "SIL OPEN FONT LICENSE Version 1.1"},
	{"CC-BY-4.0", "Creative Commons Attribution 4.0 International Public License"},
	{"BSD-3-Clause", "Neither the name"},
	{"BSD-3-Clause", "names of its contributors may"},
	{"BSD-2-Clause", "Redistribution and use in source and binary forms"},
	{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
	{"Unlicense", "This is free and unencumbered software released into the public domain"},
	{"MIT", "Permission is hereby granted, free of charge"},
}

// elsewhere are the licence texts of modules that have none in a file LICENSE, or only a pointer.
var elsewhere = map[string]struct{ file, from string }{
	"github.com/JohnCGriffin/overflow": {"README.md", "MIT License"},
	"github.com/golang/freetype":       {"licenses/ftl.txt", ""}, // of the two on offer
	"github.com/ajstarks/svgo":         {"LICENSE", ""},
}

var (
	licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([.-].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^notice(\.(txt|md))?$`)
	space       = regexp.MustCompile(`\s+`)
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("notice: ")
	modules, err := linked()
	if err != nil {
		log.Fatal(err)
	}
	out := bufio.NewWriter(os.Stdout)
	if err := write(out, modules); err != nil {
		log.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

// linked lists Go itself and the modules of the program, with and without DuckDB.
func linked() ([]source, error) {
	found := map[string]source{}
	for _, build := range []struct{ cgo, tags string }{{"0", ""}, {"1", "duckdb"}} {
		list := exec.Command("go", "list", "-deps", "-tags", build.tags, "-f",
			"{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}", "./cmd/phasegrid")
		list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED="+build.cgo)
		list.Stderr = os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("list modules: %w", err)
		}
		for line := range strings.Lines(string(out)) {
			if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
				found[f[0]] = source{f[0], f[1], f[2]}
			}
		}
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("find Go: %w", err)
	}
	modules := []source{{"Go runtime and standard library", "", strings.TrimSpace(string(root))}}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		modules = append(modules, found[path])
	}
	return modules, nil
}

// texts reads the licences and NOTICE files of a module.
func (s source) texts() ([]text, error) {
	if at, ok := elsewhere[s.path]; ok {
		body, err := os.ReadFile(filepath.Join(s.folder, at.file))
		if err != nil {
			return nil, err
		}
		_, after, found := strings.Cut(string(body), at.from)
		if !found {
			return nil, fmt.Errorf("%s: no %q in %s", s.path, at.from, at.file)
		}
		return s.known(nil, at.file, at.from+after)
	}
	entries, err := os.ReadDir(s.folder)
	if err != nil {
		return nil, err
	}
	var all []text
	for _, e := range entries {
		notice := noticeFile.MatchString(e.Name())
		if e.IsDir() || !notice && !licenceFile.MatchString(e.Name()) {
			continue
		}
		body, err := os.ReadFile(filepath.Join(s.folder, e.Name()))
		if err != nil {
			return nil, err
		}
		if notice {
			all = append(all, text{body: string(body)})
			continue
		}
		if all, err = s.known(all, e.Name(), string(body)); err != nil {
			return nil, err
		}
	}
	if !slices.ContainsFunc(all, func(t text) bool { return t.licences != nil }) {
		return nil, fmt.Errorf("%s: no licence in %s; name its file in elsewhere", s.path, s.folder)
	}
	return all, nil
}

// known appends a licence file under the names of its licences.
func (s source) known(all []text, file, body string) ([]text, error) {
	plain := strings.ReplaceAll(space.ReplaceAllString(body, " "), "License, Version", "License Version")
	var names []string
	for _, l := range licences {
		longer := l.name == "BSD-2-Clause" && slices.Contains(names, "BSD-3-Clause") // has the words of the shorter
		if strings.Contains(plain, l.words) && !slices.Contains(names, l.name) && !longer {
			names = append(names, l.name)
		}
	}
	if names == nil {
		return nil, fmt.Errorf("%s: %s is no licence that this program knows; add its words to licences", s.path, file)
	}
	return append(all, text{licences: names, body: body}), nil
}

const header = `phasegrid

phasegrid is licensed under the Apache License 2.0, see LICENSE. Its binary links the modules below.
Made by make notice; do not edit.

`

// write prints the list of modules, then each text once.
func write(out io.Writer, modules []source) error {
	var texts []*text
	byBody := map[string]*text{}
	fmt.Fprint(out, header)
	for _, m := range modules {
		found, err := m.texts()
		if err != nil {
			return err
		}
		var names []string
		for _, t := range found {
			names = append(names, t.licences...)
			key := space.ReplaceAllString(strings.TrimSpace(t.body), " ")
			if byBody[key] == nil {
				byBody[key] = &t
				texts = append(texts, &t)
			}
			byBody[key].users = append(byBody[key].users, m.path)
		}
		slices.Sort(names)
		name := strings.TrimSpace(m.path + " " + m.version)
		fmt.Fprintf(out, "%s: %s\n", name, strings.Join(slices.Compact(names), ", "))
	}
	for _, t := range texts {
		kind := strings.Join(t.licences, ", ")
		if kind == "" {
			kind = "NOTICE"
		}
		fmt.Fprintf(out, "\n%s\n%s of\n", strings.Repeat("-", 80), kind)
		for _, user := range t.users {
			fmt.Fprintf(out, "  %s\n", user)
		}
		fmt.Fprintln(out)
		for line := range strings.Lines(strings.Trim(t.body, "\r\n")) {
			fmt.Fprintln(out, strings.TrimRight(line, " \t\r\n\f"))
		}
	}
	return nil
}
