# Every target checks for what it needs, installs what it can, and says in plain words what is missing.
.PHONY: help run run-app check test soak bench fuzz

help:
	@echo "make run    build the gateway, start it on examples/chat.yaml, and serve the chat page"
	@echo "make run-app  the same for a chat with Socket.IO server code, with NATS and two instances of it"
	@echo "make check  what to run while you work: format, documentation, lints and unit tests"
	@echo "make test   everything a change must pass, Chromium and Kubernetes too"
	@echo "make soak   what takes hours: long simulations, fuzzing, fleets of two versions (STEP for one alone)"
	@echo "make bench  compare the gateway's figures with those of other servers"
	@echo "make fuzz   feed random bytes to every parser (SECONDS for each, 60 unless told)"

run:
	@scripts/run

run-app:
	@scripts/run-app

check:
	@scripts/check

test:
	@scripts/test

soak:
	@scripts/soak/run $(STEP)

bench:
	@bench/run

fuzz:
	@scripts/fuzz $(or $(SECONDS),60)
