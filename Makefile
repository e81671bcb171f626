# Everything here needs Go, make and, for DuckDB, a C++ compiler; nothing else.
.DEFAULT_GOAL := help
SHELL := bash

# Vector kernels; the scalar twins give the same bits without them. GOAMD64 is fixed because it decides bits.
export GOEXPERIMENT := simd
export GOAMD64 := v1

CXX ?= c++
# DuckDB is linked where a C++ compiler links; elsewhere `phasegrid query` says how to get it.
TAGS := $(shell echo 'int main(){}' | $(CXX) -x c++ -o /dev/null - 2>/dev/null && echo duckdb)
ifeq ($(TAGS),)
export CGO_ENABLED := 0
endif
GO_FILES = $(shell git ls-files '*.go' | grep -v '\.pb\.go$$')
SWEEP ?= sweep/examples/spiked-phase-diagram.yaml
OUT ?= results
FUZZTIME ?= 30s
PACKAGES ?= ./...
# The Go benchmarks that are compared with .ci/bench/baseline.txt; a few minutes.
GO_BENCH = go test -run '^$$' -bench '^BenchmarkLanes$$/^groups=/^(gd|specgd|muon)$$/|^Benchmark(Dense|Subspace|Merge|Resolve)$$|^BenchmarkGemm$$/n=(64|256)$$/' \
	-benchtime 50ms -count 6 ./node/solver ./node/solver/simd ./results ./sweep

.PHONY: run build test test-next-go test-arm64 simulate race lint generate docs docs-reference paper notice verify bench bench-baseline fuzz image kind-up kind-run kind-down e2e-k8s clean help

run: build ## run the example phase diagram (SWEEP=file for another)
	bin/phasegrid run $(SWEEP) --out $(OUT)

build: ## build bin/phasegrid
	go build -trimpath -buildvcs=auto -ldflags '-s -w' -tags '$(TAGS)' -o bin/phasegrid ./cmd/phasegrid

test: ## run every test
	@test -n '$(TAGS)' || echo 'no C++ compiler ($(CXX)): the DuckDB tests are left out'
	go test -timeout 30m -tags '$(TAGS)' ./...

test-arm64: ## test under qemu-user that arm64 computes amd64's bits, but for those of LAPACK
	GOARCH=arm64 CGO_ENABLED=0 go test -count=1 -exec qemu-aarch64-static ./sweep/draw ./sweep/elementary ./sweep/exact
	GOARCH=arm64 CGO_ENABLED=0 go test -count=1 -exec qemu-aarch64-static -run '^Test.*Vectors' ./node/solver
	GOARCH=arm64 CGO_ENABLED=0 go test -count=1 -exec qemu-aarch64-static -run '^TestVersionGuardsTheBits$$' ./node

race: ## run every test under the race detector (PACKAGES=... for some)
	go test -race -timeout 30m -tags '$(TAGS)' $(PACKAGES)

# The Go release after the one that go.mod asks for; the toolchain downloads itself.
NEXT_GO ?= go1.27.4

test-next-go: ## build everything and test the solver with the next Go release
	GOTOOLCHAIN=$(NEXT_GO) go build -tags '$(TAGS)' ./...
	GOTOOLCHAIN=$(NEXT_GO) go test -tags '$(TAGS)' ./sweep ./node/... ./results

# The tools live in a module of their own, so that their dependencies are not ours.
bin/tools/%: .ci/tools/go.mod .ci/tools/go.sum
	GOFLAGS= go -C .ci/tools build -o $(CURDIR)/bin/tools/ $$(go -C .ci/tools list -f '{{.ImportPath}}' tool | grep '/$*$$')

lint: bin/tools/golangci-lint ## run the linters
	bin/tools/golangci-lint run ./...
	@! command -v shellcheck >/dev/null || shellcheck k8s/*.sh

generate: bin/tools/buf ## regenerate the protocol's Go code
	bin/tools/buf generate

docs-reference: ## write the reference pages of docs/ from the code
	go run ./docs/reference/generate docs/reference
	go test -run '^TestCommandsPageIsCurrent$$' ./cmd/phasegrid -update-reference

paper: ## measure the claims of the papers on the examples; write docs/paper.md and its figures
	go run ./docs/paper

notice: ## write NOTICE from the licence files of the linked modules
	@mkdir -p bin
	go run ./.ci/notice > bin/NOTICE.new
	mv bin/NOTICE.new NOTICE

# The site generator lives in a Python environment of its own.
bin/docs/.installed: docs/requirements.txt
	python3 -m venv bin/docs
	bin/docs/bin/pip install --quiet --disable-pip-version-check -r docs/requirements.txt
	touch $@

docs: bin/docs/.installed ## build the documentation site into bin/site; a broken link fails
	NO_MKDOCS_2_WARNING=1 bin/docs/bin/mkdocs build --quiet --strict --clean -f .ci/docs/mkdocs.yml

verify: bin/tools/buf ## check formatting, go.mod, the protocol, and that what is made from the code is current
	@test -z "$$(gofmt -l $(GO_FILES))" || { echo 'run gofmt -w on:'; gofmt -l $(GO_FILES); exit 1; }
	go mod tidy -diff
	bin/tools/buf lint
	@fresh=$$(mktemp -d) && bin/tools/buf generate -o $$fresh && \
	  for f in $$(cd $$fresh/proto && find . -name '*.pb.go'); do cmp $$fresh/proto/$$f proto/$$f || { echo 'stale: run make generate'; exit 1; }; done; rm -rf $$fresh
	go test -count=1 -run '^(TestPagesAreCurrent|TestCommandsPageIsCurrent)$$' ./docs/reference/generate ./cmd/phasegrid
	@fresh=$$(mktemp) && go run ./.ci/notice > $$fresh && cmp $$fresh NOTICE || { echo 'stale: run make notice'; exit 1; }; rm $$fresh
	@! git rev-parse -q --verify origin/main >/dev/null || bin/tools/buf breaking --against '.git#branch=origin/main'

bench: build bin/tools/benchstat ## measure this machine: phasegrid bench, then the Go benchmarks against the baseline
	bin/phasegrid bench all
	bin/phasegrid bench plan sweep/examples/*.yaml
	$(GO_BENCH) > bin/bench.txt
	bin/tools/benchstat -ignore cpu .ci/bench/baseline.txt bin/bench.txt

bench-baseline: ## record the Go benchmarks as the baseline; use a quiet machine
	@mkdir -p .ci/bench
	{ echo "# $$(git rev-parse --short HEAD), $$(go version), $$(sed -n 's/^model name\t: //p' /proc/cpuinfo | head -1), $$(nproc) cores, load $$(cut -d' ' -f1 /proc/loadavg) before"; \
	  $(GO_BENCH); } > .ci/bench/baseline.txt

SEEDS ?= 10000

simulate: ## run SEEDS random schedules of a whole cluster in one process
	GOMAXPROCS=1 GOGC=1000 go test ./coordinator -run 'TestSimulation$$' -count 1 -timeout 0 -sim.seeds $(SEEDS)

fuzz: ## fuzz the parsers of outside input, FUZZTIME each
	@set -e; for p in $$(go list ./...); do \
	  for f in $$(go test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
	    go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$p; done; done

image: ## build the container image, with the builder image if there is one
	k8s/image.sh

kind-up: build image ## create a kind cluster and deploy phasegrid
	k8s/kind.sh up

kind-run: ## run a sweep on the kind cluster (SWEEP=file) and fetch its results
	OUT=$(OUT) k8s/kind.sh run $(SWEEP)

kind-down: ## delete the kind cluster; keep results
	k8s/kind.sh down

e2e-k8s: build ## run end-to-end checks on the cluster of KUBECONFIG, or on kind-up's
	k8s/e2e.sh

clean: ## remove what was built
	rm -rf bin

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16
