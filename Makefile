# What can be made; `make` alone prints it.
#
#   LIBTORCH=DIR      an installed PyTorch to build against (the folder that holds torch/) in place of the pinned one
#   CYBORG_PYTHON=PY  a Python with PyTorch, for the tests that compare with it; .venv/bin/python where that is there
#   BENCH=FLAGS       of `make bench`: -only step,start, -rounds 5, -quick
#   FUZZTIME=60s      of `make fuzz`: how long for each target
#   FUZZ=PATTERN      ... only those whose PACKAGE.NAME matches, and FUZZREST=5s for the others
#   PYTHON=PY         the Python whose pip downloads; python3 where it is not set
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

LIBTORCH ?=
export PYTHON ?= python3
export PATH := $(CURDIR)/.tools/go/bin:$(CURDIR)/.tools/bin:$(PATH)
export CYBORG_PYTHON ?= $(shell test -e .venv/stamp && echo $(CURDIR)/.venv/bin/python)
# Go's build cache does not see the headers behind a link, so that the link's target has to be among the flags.
export CGO_CXXFLAGS = $(strip -g -O2 $(shell l=$$(readlink .libtorch) && echo -DCYBORG_LIBTORCH=$$(echo $$l | cksum | cut -d' ' -f1)))

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -X github.com/cyborg-run/cyborg-run/internal/version.Version=$(VERSION)
# `make cuda` leaves this mark: builds and tests are CUDA's until `make clean`.
CUDA := bin/.cuda
TAGS = $(if $(shell test -e $(CUDA) && echo yes),cuda)
SET = $(or $(TAGS),cpu)

.PHONY: help
help:
	@echo "make TARGET, where TARGET is"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18

.PHONY: demo
demo: build ## build, then run the quick start to its report
	bin/cyborg-run specs/quickstart.yaml

.PHONY: build
build: libtorch ## bin/cyborg-run and bin/cyborg-torch, with all they need
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS) -s -w' -o bin/cyborg-run ./cmd/cyborg-run
	go build -tags '$(TAGS)' -ldflags '$(LDFLAGS)' -o bin/cyborg-torch ./cmd/cyborg-torch

.PHONY: cuda
cuda: ## the same for CUDA, on a machine with a GPU or without one (2.5 GB to download)
	@mkdir -p bin && touch $(CUDA)
	@$(MAKE) build

.PHONY: libtorch
libtorch: prerequisites ## libtorch 2.11.0 into .libtorch, once
	@go run ./internal/build/fetch -set $(SET) $(if $(LIBTORCH),-from '$(LIBTORCH)')

.PHONY: prerequisites
prerequisites: ## names, or as root installs, the tools that the build lacks
	@$(if $(LIBTORCH)$(wildcard .libtorch/torch),NO_PIP=1) internal/build/prerequisites

.PHONY: test
test: build ## all tests but the slow ones
	go test -tags '$(TAGS)' -timeout 20m ./...

# Pure Go that starts goroutines, or is called from several.
RACY := ./pipeline/... ./internal/pack ./internal/table ./internal/faces ./internal/checkpoint ./internal/weights ./internal/inputs ./internal/leaks ./internal/study/... ./stages/leaks ./stages/experiment ./stages/prepare ./stages/generate
.PHONY: race
race: prerequisites ## the tests of pure Go again, under the race detector
	go test -race -short -timeout 20m $(RACY)

.PHONY: python
python: prerequisites ## .venv, a Python with PyTorch for the tests that compare with it (4.2 GB on the disk with the CUDA set)
	@go run ./internal/build/fetch -set cuda
	@internal/build/python

.PHONY: parity
parity: build ## every network, training steps and scores against PyTorch (makes .venv unless CYBORG_PYTHON is set; reads ../shared)
	@if [ -z "$$CYBORG_PYTHON" ]; then $(MAKE) python && export CYBORG_PYTHON=$(CURDIR)/.venv/bin/python || exit; fi; \
	internal/build/passes '^TestParity' -tags 'slow $(TAGS)' -timeout 40m ./internal/... ./stages/...

.PHONY: example
example: build ## the own-data example on real photographs (needs ../shared)
	@internal/build/passes '^TestOwnData' -tags 'slow $(TAGS)' -timeout 20m ./examples/...

.PHONY: ci-example
ci-example: build ## examples/ci, run from an empty cache and held to the lock that is committed
	@internal/build/passes '^TestCI' -tags 'slow $(TAGS)' -timeout 20m ./examples/...

.PHONY: faults
faults: build ## kills, full disks, folders that vanish, clocks that go back: what is done stays done, and the bytes are the same
	@internal/build/passes '^Test(Fault|Killed|HeavyRunsGoOn)' -tags 'slow $(TAGS)' -p 1 -timeout 60m ./internal/faults ./internal/cli ./stages/train/worker

.PHONY: science
science: build ## the science gate: does the method's claim hold on generated data? 64 trainings, about 25 minutes on two cores
	bin/cyborg-run specs/science.yaml

FUZZTIME ?= 60s
.PHONY: fuzz
fuzz: prerequisites ## every fuzz target for FUZZTIME, two at a time
	@internal/build/fuzz '$(FUZZTIME)' '$(FUZZ)' '$(FUZZREST)'

.PHONY: test-cuda
test-cuda: ## the tests on a GPU: operators, the quick start, a ResNet50 step against PyTorch
	@if ! ls /dev/nvidia[0-9]* >/dev/null 2>&1; then echo "test-cuda: skipped, there is no CUDA device"; exit 0; fi; \
	$(MAKE) cuda; \
	internal/build/passes '^TestCUDA' -tags 'slow cuda' -timeout 30m ./internal/... ./stages/...; \
	bin/cyborg-run specs/quickstart.yaml --device cuda --out runs/test-cuda

.PHONY: bench
bench: build ## steps, trainings, images and start-up beside Python's in turns, with the ratios (needs CYBORG_PYTHON, ../shared)
	go run ./bench $(BENCH)

GOLANGCI_LINT := .tools/bin/golangci-lint-2.15.0
.PHONY: lint
lint: libtorch $(GOLANGCI_LINT) ## gofmt, go vet, golangci-lint, go mod tidy and go generate leave nothing to do
	$(GOLANGCI_LINT) run ./...
	go mod tidy -diff
	@internal/build/unchanged go generate ./...

$(GOLANGCI_LINT): | prerequisites
	@mkdir -p .tools/bin
	GOFLAGS= GOBIN=$(CURDIR)/.tools/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
	@mv .tools/bin/golangci-lint $@

.PHONY: clean
clean: ## takes away what was built; libtorch, the tools and the runs stay
	rm -rf bin

.PHONY: distclean
distclean: clean ## takes away libtorch and the tools too
	rm -rf .libtorch .libtorch.fetched .tools .venv
