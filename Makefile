# SPDX-License-Identifier: Apache-2.0
# The verbs of this project. Each installs the Debian packages that it needs and that are missing (scripts/bootstrap).
PRESET ?= release
export PRESET

.PHONY: help build test format clean

help:
	@echo "make build     build/inlay and build/header_augmenting.wasm"
	@echo "make test      every test; the last line is 'N passed, N failed' (PRESET=asan-ubsan, tsan, debug, coverage)"
	@echo "make format    clang-format on all sources"
	@echo "make clean     remove build/"

build:
	@scripts/bootstrap build
	@scripts/build $(PRESET) inlay header_augmenting_wasm

test:
	@scripts/bootstrap build test
	@scripts/build $(PRESET)
	@scripts/test $(PRESET)

format:
	@scripts/bootstrap lint
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

clean:
	@rm -rf build
