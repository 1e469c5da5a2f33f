# A thin cover over `cargo xtask`. `make help` lists what there is.

LISTEN ?= 127.0.0.1:8080
DATA ?=
SIZES ?=
XTASK = $(CHECK) && cargo run --package xtask --
# What must be there before anything of ours runs: it installs the rest.
CHECK = { command -v cargo >/dev/null || { echo "Stopped: Rust is absent. Install it with rustup, version 1.94 or later." >&2; exit 1; }; \
  command -v cc >/dev/null || { echo "Stopped: there is no C compiler. Install Debian's package build-essential." >&2; exit 1; }; }
SERVE = --listen $(LISTEN) $(if $(DATA),--data $(DATA))

.DEFAULT_GOAL := help
.PHONY: help run test build release testbed testbed-soak soak bench bench-host bench-migration bench-creation bench-images bench-layout bench-paths bench-view man fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "  LISTEN=127.0.0.1:8080 and DATA=DIRECTORY go with run and testbed"

run: ## Install what is missing, build, serve the demo fleet
	@$(XTASK) run $(SERVE)

test: ## Run everything that CI runs
	@$(XTASK) test

build: ## Build the server with its page, for development
	@$(XTASK) build

release: ## Build the server with its page, optimised: target/release/vms
	@$(XTASK) release

testbed: ## Serve four real libvirt hosts with twenty routers (needs root)
	@$(XTASK) testbed $(SERVE)

testbed-soak: ## Start and stop the testbed twenty times: nothing may be left
	@$(XTASK) testbed-soak

soak: ## Look for lost memory, and reconnect to a real host 500 times (needs root)
	@$(XTASK) soak

bench: ## Run the benchmarks
	@$(XTASK) bench

bench-view: ## Compare the picture with sigma.js and cytoscape.js; SIZES=1k for the short form
	@$(XTASK) bench-view $(SIZES)

bench-host: ## Run the benchmarks over a real host (needs root)
	@$(XTASK) bench-host

bench-migration: ## Compare ten live migrations with ten of virsh
	@$(XTASK) bench-migration

bench-creation: ## Compare making routers with a script of virsh and qemu-img
	@$(XTASK) bench-creation

bench-images: ## Upload and ship an image of 4 GiB, and watch the memory
	@$(XTASK) bench-images

bench-layout: ## Compare our layouts with those of others
	@$(XTASK) bench-layout
bench-paths: ## Compare searching for paths with petgraph, igraph and networkx
	@$(XTASK) bench-paths

man: ## Write the manual, a page for each command: target/man
	@$(CHECK) && cargo run --quiet --package server --bin vms -- man --out target/man
	@echo "target/man holds the pages: man target/man/vms.1"

fmt: ## Format the source
	@$(XTASK) fmt

clean: ## Remove everything that was built, downloaded or cached here
	@$(XTASK) clean
