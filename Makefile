# Everything here needs Go, make and, for DuckDB, a C++ compiler; nothing else.
.DEFAULT_GOAL := help
SHELL := bash

# Vector kernels; the scalar twins give the same bits without it. GOAMD64 is fixed because it decides bits.
export GOEXPERIMENT := simd
export GOAMD64 := v1
export GOTOOLCHAIN := local

CXX ?= c++
# DuckDB is linked where a C++ compiler links; elsewhere `phasegrid query` says how to get it.
TAGS := $(shell command -v $(CXX) >/dev/null 2>&1 && echo duckdb)
ifeq ($(TAGS),)
export CGO_ENABLED := 0
endif
TOOLS := bin/tools
SWEEP ?= sweep/examples/spiked-phase-diagram.yaml

.PHONY: run build test race lint generate verify bench fuzz figures clean help

run: build ## run the example phase diagram (SWEEP=file for another)
	bin/phasegrid run $(SWEEP)

build: ## build bin/phasegrid
	go build -trimpath -tags '$(TAGS)' -o bin/phasegrid ./cmd/phasegrid

test: ## run every test
	@test -n '$(TAGS)' || echo 'no C++ compiler ($(CXX)): the DuckDB tests are skipped'
	go test -tags '$(TAGS)' ./...

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14
