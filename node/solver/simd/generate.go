//go:build ignore

// generate writes the AVX2 and the scalar form of each kernel from its AVX-512 form: only names and
// widths differ. All forms of the steps of three groups are made from a template for one vector;
// they process two.
package main

import (
	"log"
	"os"
	"regexp"
	"strings"
)

func main() {
	for _, name := range []string{"elementwise", "exchange", "normal", "pow", "rule", "step"} {
		source := read(name + "_avx512.go")
		write(name+"_avx2.go", "AVX-512 form", strings.ReplaceAll(source, "512", "256"))
		if name == "elementwise" {
			continue // its scalar form is plain Go, faster than one lane after the other
		}
		write(name+"_scalar.go", "AVX-512 form", scalar(source, "512"))
	}
	for _, name := range []string{"eliminate", "tile"} { // whose AVX-512 forms are in assembly
		write(name+"_scalar.go", "AVX2 form", scalar(read(name+"_avx2.go"), "256"))
	}
	const vectors = "//go:build goexperiment.simd && amd64\n\n"
	_, source, _ := strings.Cut(read("three_template.go"), "package simd\n")
	source = "package simd\n" + paired(source)
	write("three_avx512.go", "template", vectors+source)
	write("three_avx2.go", "template", vectors+strings.ReplaceAll(source, "512", "256"))
	write("three_scalar.go", "template", strings.ReplaceAll(source, "512", "64"))
}

// scalar is the form for lanes of one, which needs no build constraint.
func scalar(source, width string) string {
	_, body, _ := strings.Cut(source, "\n\n")
	return strings.ReplaceAll(body, width, "64")
}

// loop is the end of the line that opens the loop over steps.
const loop = "(vs, end) {\n"

// paired writes every statement of the loops twice, the second time for the next vector. The CPU's
// scheduler does not reach from one vector to the next one; this way it finds two at once.
func paired(source string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(source, loop)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		body, after, _ := strings.Cut(rest, "\n\t}\n")
		out.WriteString(loop)
		double(&out, strings.Split(body, "\n"))
		out.WriteString("\t}\n")
		source = after
	}
}

func double(out *strings.Builder, lines []string) {
	for len(lines) > 0 {
		n := 1
		if first := lines[0]; strings.HasSuffix(first, "{") {
			end := first[:len(first)-len(strings.TrimLeft(first, "\t"))] + "}"
			for lines[n-1] != end {
				n++
			}
			if strings.Contains(first, "for ") {
				out.WriteString(first + "\n")
				double(out, lines[1:n-1])
				out.WriteString(end + "\n")
				lines = lines[n:]
				continue
			}
		}
		block := strings.Join(lines[:n], "\n") + "\n"
		out.WriteString(block)
		if other := second(block); other != block {
			out.WriteString(other)
		}
		lines = lines[n:]
	}
}

// ofOne matches the variables of one vector, but not fields of the same names.
var ofOne = regexp.MustCompile(`(^|[^.\w])` +
	`(v|h|c|old|fresh|half|keep|rate|cut|beta|part|inverse|bad|fine|[abgrwxyz][0-2])\b`)

func second(block string) string {
	block = strings.ReplaceAll(block, "vs[0]", "vs[1]")
	return ofOne.ReplaceAllString(block, "${1}${2}B")
}

func read(name string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		log.Fatal(err)
	}
	return string(text)
}

func write(name, source, text string) {
	header := "// Code generated from the " + source + " by go generate. DO NOT EDIT.\n\n"
	if err := os.WriteFile(name, []byte(header+text), 0o644); err != nil {
		log.Fatal(err)
	}
}
