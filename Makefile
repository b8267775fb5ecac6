# Faultline. `make bench` and `make check` do everything on a fresh Debian machine.
# Each part says what it builds in its part.mk; B is where everything is built.
B ?= build
CC ?= gcc
comma := ,

WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
	-Wwrite-strings -Wshadow -Wundef $(WERROR)
WERROR ?= -Werror
DEPFLAGS = -MMD -MP

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

# Kyua keeps each test's environment in its store: run it with a clean one. It counts skips as passed,
# so the closing line takes its numbers from the report.
.PHONY: check-run
check-run: tests
	@harness/tools/check.sh $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
