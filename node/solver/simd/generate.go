//go:build ignore

// generate writes the AVX2 and the scalar form of each kernel from its AVX-512 form: only names and widths differ.
package main

import (
	"log"
	"os"
	"strings"
)

func main() {
	for _, name := range []string{"elementwise", "exchange", "normal", "rule", "step"} {
		source, err := os.ReadFile(name + "_avx512.go")
		if err != nil {
			log.Fatal(err)
		}
		write(name+"_avx2.go", "AVX-512", strings.ReplaceAll(string(source), "512", "256"))
		if name == "elementwise" {
			continue // its scalar form is plain Go, faster than one lane after the other
		}
		write(name+"_scalar.go", "AVX-512", scalar(string(source), "512"))
	}
	for _, name := range []string{"eliminate", "tile"} { // whose AVX-512 forms are in assembly
		source, err := os.ReadFile(name + "_avx2.go")
		if err != nil {
			log.Fatal(err)
		}
		write(name+"_scalar.go", "AVX2", scalar(string(source), "256"))
	}
}

// scalar is the form for lanes of one, which needs no build constraint.
func scalar(source, width string) string {
	_, body, _ := strings.Cut(source, "\n\n")
	return strings.ReplaceAll(body, width, "64")
}

func write(name, from, text string) {
	header := "// Code generated from the " + from + " form by go generate. DO NOT EDIT.\n\n"
	if err := os.WriteFile(name, []byte(header+text), 0o644); err != nil {
		log.Fatal(err)
	}
}
