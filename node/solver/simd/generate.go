//go:build ignore

// generate writes the AVX2 and the scalar form of each kernel from its AVX-512 form: only names and widths differ.
package main

import (
	"log"
	"os"
	"strings"
)

func main() {
	for _, name := range []string{"elementwise", "invert", "normal", "rule", "step", "tile"} {
		source, err := os.ReadFile(name + "_avx512.go")
		if err != nil {
			log.Fatal(err)
		}
		write(name+"_avx2.go", strings.ReplaceAll(string(source), "512", "256"))
		if name == "elementwise" {
			continue // its scalar form is plain Go, faster than one lane after the other
		}
		_, scalar, _ := strings.Cut(string(source), "\n\n")
		write(name+"_scalar.go", strings.ReplaceAll(scalar, "512", "64"))
	}
}

func write(name, text string) {
	const header = "// Code generated from the AVX-512 form by go generate. DO NOT EDIT.\n\n"
	if err := os.WriteFile(name, []byte(header+text), 0o644); err != nil {
		log.Fatal(err)
	}
}
