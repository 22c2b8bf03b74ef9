# Every target checks for what it needs, installs what it can, and says in plain words what is missing.
.PHONY: help run test bench fuzz

help:
	@echo "make run    build the gateway, start it on examples/chat.yaml, and serve the chat page"
	@echo "make test   everything a change must pass: format, lints, licences, Rust and Node tests, Chromium"
	@echo "make bench  compare the gateway's figures with those of other servers"
	@echo "make fuzz   feed random bytes to every parser (SECONDS for each, 60 unless told)"

run:
	@scripts/run

test:
	@scripts/test

bench:
	@bench/run

fuzz:
	@scripts/fuzz $(or $(SECONDS),60)
