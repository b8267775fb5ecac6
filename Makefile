# Faultline. `make bench` and `make check` do everything on a fresh Debian machine.
# Each part says what it builds in its part.mk; B is where everything is built.
B ?= build
ifeq ($(origin CC),default)
CC := gcc
endif

# Each rule starts with $(START): makes the target's directory and names the target; V=1 shows whole
# commands instead.
V ?= 0
ifeq ($(V),0)
.SILENT:
START = @mkdir -p $(@D) && echo '  $(@:$(B)/%=%)'
else
START = @mkdir -p $(@D)
endif

WERROR ?= -Werror
WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
	-Wwrite-strings -Wshadow -Wundef $(WERROR)
DEPFLAGS = -MMD -MP
# What the guest gets is the same wherever it was built: its size alone moves instruction counts.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=.

TEST_PROGRAMS :=

.PHONY: all
all:

include kernel-stub/part.mk
include workloads/part.mk
include harness/part.mk

all: stub workloads harness

.PHONY: tests clean
tests: all $(TEST_PROGRAMS)

clean:
	rm -rf $(B)

# ---- the two commands of a newcomer: they install what is missing, build, and go ----
# Packages first, in a make of its own: what pkg-config says is read when a make starts.
TOOLS := harness/tools

.PHONY: deps deps-all bench check plots
deps:
	@$(TOOLS)/deps.sh build run

deps-all:
	@$(TOOLS)/deps.sh build run check lint svm

bench: deps
	@$(MAKE) --no-print-directory -j2 B=$(B) all
	@$(MAKE) --no-print-directory B=$(B) bench-run

check: deps
	@$(TOOLS)/deps.sh check
	@$(MAKE) --no-print-directory -j2 B=$(B) tests
	@$(TOOLS)/check.sh $(B)

# What docs/claims.md claims, each by its test.
.PHONY: check-claims
check-claims: deps
	@$(TOOLS)/deps.sh check lint
	@$(MAKE) --no-print-directory -j2 B=$(B) tests
	@$(TOOLS)/lint.sh
	@$(TOOLS)/claims.sh $(B)

# RESULTS names the run's directory; by default one of its own for each run.
ENGINE ?= auto
MATRIX ?= workloads/matrix/default.ini
RESULTS ?= results/$(shell date -u +%Y%m%dT%H%M%SZ)-$(shell git rev-parse --short HEAD 2>/dev/null || echo nogit)
.PHONY: bench-run
bench-run: all
	@dir="$(RESULTS)" && $(B)/faultline matrix -e $(ENGINE) -o "$$dir" $(MATRIX) && \
		$(B)/faultline plot "$$dir" && ln -sfn "$$(realpath "$$dir")" results/latest && \
		echo "results: $$dir    plots: $$dir/plots"

# Draws again what the newest run measured, or RUN=DIR.
RUN ?= results/latest
plots: all
	$(B)/faultline plot $(RUN)

# ---- for developers ----
HEAD ?= .
.PHONY: compare check-svm check-qemus check-release conformance lint format
compare: deps
	@[ -n "$(BASE)" ] || { echo 'usage: make compare BASE=<rev> [HEAD=<rev>] [ENGINE=tcg] [MATRIX=FILE]' >&2; exit 2; }
	@$(TOOLS)/compare.sh $(B) $(BASE) $(HEAD) $(if $(filter auto,$(ENGINE)),tcg,$(ENGINE)) $(MATRIX)

check-svm: deps
	@$(TOOLS)/deps.sh svm
	@$(MAKE) --no-print-directory -j2 B=$(B) all $(B)/guests/program
	@$(TOOLS)/svm/check.sh $(B)

# On this machine's QEMU and that of another Debian release: the same counts. Exit 77 in the tool: there is none.
check-qemus: deps
	@$(TOOLS)/deps.sh check
	@$(MAKE) --no-print-directory -j2 B=$(B) tests
	@$(TOOLS)/check-qemus.sh $(B)

# Build and tests on another Debian release, in a tree of its own: make check-release RELEASE=trixie
RELEASE ?=
check-release:
	@[ -n "$(RELEASE)" ] || { echo 'usage: make check-release RELEASE=<name of a Debian release>' >&2; exit 2; }
	@$(TOOLS)/check-release.sh $(RELEASE) $(B)/release/$(RELEASE)

# Random programs of system calls here and on the stub: OPS operations for each of SEEDS seeds from FROM on.
SEEDS ?= 100
OPS ?= 1000
FROM ?= 1
conformance: deps
	@$(MAKE) --no-print-directory -j2 B=$(B) all $(B)/abi/host_features $(B)/abi/abi_vm_random \
		$(B)/abi/abi_place_random $(B)/abi/abi_proc_random
	@$(TOOLS)/conformance.sh $(B) $(SEEDS) $(OPS) $(FROM)

lint:
	@$(TOOLS)/deps.sh lint
	@$(TOOLS)/lint.sh

# Measures again every figure that README.md and docs/ show.
.PHONY: figures install
figures: all baseline-table vma-index-table
	$(TOOLS)/readme-figures.sh $(B)

PREFIX ?= /usr/local
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/faultline/workloads \
		$(DESTDIR)$(PREFIX)/share/faultline/workloads $(DESTDIR)$(PREFIX)/share/man/man1
	install $(B)/faultline $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(B)/stub.elf $(VMA_INDEXES_BESIDE:%=$(B)/stub-%.elf) $(DESTDIR)$(PREFIX)/lib/faultline
	install $(WORKLOADS:%=$(B)/workloads/%) $(DESTDIR)$(PREFIX)/lib/faultline/workloads
	cp -r workloads/profiles workloads/matrix $(DESTDIR)$(PREFIX)/share/faultline/workloads
	install -d $(DESTDIR)$(PREFIX)/share/faultline/plots
	install -m 644 plots/*.gp $(DESTDIR)$(PREFIX)/share/faultline/plots
	install -m 644 docs/faultline.1 $(DESTDIR)$(PREFIX)/share/man/man1

format:
	@$(TOOLS)/deps.sh lint
	clang-format -i $(shell git ls-files '*.c' '*.h')

# Trees of packages that lie in $(B), too, have names that end so.
-include $(shell find $(B) \( -path $(B)/qemu2 -o -path $(B)/release \) -prune -o -name '*.d' -type f -print 2>/dev/null)
