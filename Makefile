# Everything goes through here. `make demo` and `make test` work from an empty clone.
SWIFT ?= swift

.PHONY: demo test test-release lint format release bench kill-test soak pay-bench start-bench costs interop lnprototest fuzz clean help

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: ## build glcnode and show what it does
	@scripts/bootstrap
	@scripts/quiet-build -c release --product glcnode
	@.build/release/glcnode demo

test: ## run all tests
	@scripts/bootstrap
	@scripts/run-tests

test-release: ## run all tests against optimised code
	@scripts/bootstrap
	@scripts/run-tests --release

lint: ## formatting, layering and the lists of what is allowed where
	@scripts/lint

format: ## format all Swift code
	$(SWIFT) format -i -r Package.swift Sources Tests Benchmarks Fuzz

release: ## build everything optimised
	@scripts/bootstrap
	$(SWIFT) build -c release

bench: ## measure the hot paths beside their floor: make bench FILTER=sign
	@scripts/bootstrap
	@scripts/bench $(FILTER)

kill-test: ## kill nodes in the middle of payments and count the money: make kill-test KILLS=100
	@scripts/bootstrap
	@scripts/quiet-build -c release --product glcnode
	@scripts/kill-test --kills $(or $(KILLS),100)

soak: ## four nodes live on one bitcoind, and every satoshi is counted: make soak SECONDS=3600 SEED=7
	@scripts/bootstrap
	@[ -n "$$GLC_BITCOIND" ] || command -v bitcoind >/dev/null || scripts/install-bitcoind .bitcoind
	@scripts/quiet-build -c release --product glcnode
	@scripts/soak --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

pay-bench: ## payments per second between two nodes
	@scripts/bootstrap
	@scripts/quiet-build -c release --product glcnode
	@scripts/pay-bench

interop: ## run against Electrum 4.8.3 and 4.3.4 on a real bitcoind: make interop ONLY=revoked
	@scripts/bootstrap
	@scripts/quiet-build -c release --product glcnode
	@scripts/install-peers .build/peers || true
	@Tests/Interop/interop.py --glcnode .build/release/glcnode $(if $(ONLY),--only "$(ONLY)")

lnprototest: ## run tests written for lnprototest: make lnprototest TESTS=DIR
	@scripts/bootstrap
	@scripts/quiet-build -c release --product glcnode
	@[ -n "$$GLC_BITCOIND" ] || scripts/install-bitcoind .bitcoind
	@scripts/install-lnprototest .build/peers/lnprototest
	@GLCNODE=$(CURDIR)/.build/release/glcnode scripts/lnprototest $(TESTS)

start-bench: ## how long a node with many channels takes to start: make start-bench CHANNELS=100,1000
	@scripts/bootstrap
	@scripts/quiet-build -c release --product glcnode
	@scripts/start-bench $(if $(CHANNELS),--channels $(CHANNELS))

costs: ## write docs/COSTS.md: what each stack weighs and costs
	@scripts/bootstrap
	@scripts/quiet-build --product glcnode
	@.build/debug/glcnode tool costs >docs/COSTS.md.new && mv docs/COSTS.md.new docs/COSTS.md

fuzz: ## fuzz every parser, 60 seconds each: make fuzz NAME=psbt SECONDS=600
	@scripts/bootstrap
	@scripts/fuzz $(or $(NAME),all) $(or $(SECONDS),60)

clean: ## remove all that was built
	rm -rf .build Benchmarks/.build Fuzz/.build
