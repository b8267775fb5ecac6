# Ring-3 programs: static Linux ELF, one per workloads/*.c, each with the runtime; and their tests.
WORKLOAD_CFLAGS := -std=gnu11 -O2 -g -fno-pie -fno-stack-protector $(WARN)
WORKLOAD_INC := -Ikernel-stub/include -Iworkloads/runtime -Iworkloads
WORKLOADS := $(patsubst workloads/%.c,%,$(wildcard workloads/*.c))
WORKLOAD_ROOM := workloads/runtime/room.ld
WORKLOAD_LINK = $(CC) -static $(filter %.o,$^) -Wl,-T,$(WORKLOAD_ROOM) -o $@
# What needs threads is apart: it would make every program larger.
WORKLOAD_TEAM := $(B)/workload/workloads/runtime/team.c.o
WORKLOAD_THREADED := threads-touch shootdown
WORKLOAD_RUNTIME := $(filter-out $(WORKLOAD_TEAM),$(patsubst %,$(B)/workload/%.o,$(wildcard workloads/runtime/*.c)))
WORKLOAD_LIB := $(filter-out %/main.c.o,$(WORKLOAD_RUNTIME)) $(WORKLOAD_TEAM)

WORKLOAD_TESTS := $(patsubst workloads/test/%.c,%,$(wildcard workloads/test/*_test.c))
WORKLOAD_SH_TESTS := $(patsubst workloads/test/%.sh,%,$(wildcard workloads/test/*_test.sh))
WORKLOAD_TEST_PROGRAMS := $(patsubst %,$(B)/kyua/workloads/test/%,$(WORKLOAD_TESTS) $(WORKLOAD_SH_TESTS))
TEST_PROGRAMS += $(WORKLOAD_TEST_PROGRAMS)

# Plain programs that run on Linux and on the stub alike, with glibc and with musl.
ABI_PROGRAMS := $(patsubst workloads/test/%.c,%,$(wildcard workloads/test/abi_*.c))
HOSTILE := $(B)/abi/hostile
TEST_PROGRAMS += $(HOSTILE)
ABI_BINARIES := $(patsubst %,$(B)/abi/%,$(ABI_PROGRAMS)) $(patsubst %,$(B)/abi/%-musl,$(ABI_PROGRAMS))
TEST_PROGRAMS += $(ABI_BINARIES)

.PHONY: workloads baseline-table vma-index-table
workloads: $(patsubst %,$(B)/workloads/%,$(WORKLOADS))

$(B)/workload/%.c.o: %.c Makefile
	$(START)
	$(CC) $(WORKLOAD_CFLAGS) $(REPRODUCIBLE) $(DEPFLAGS) $(WORKLOAD_INC) -c $< -o $@

$(patsubst %,$(B)/workloads/%,$(WORKLOADS)): $(B)/workloads/%: $(B)/workload/workloads/%.c.o $(WORKLOAD_RUNTIME) $(WORKLOAD_ROOM)
	$(START)
	$(WORKLOAD_LINK)

$(patsubst %,$(B)/workloads/%,$(WORKLOAD_THREADED)): $(WORKLOAD_TEAM)

$(patsubst %,$(B)/kyua/workloads/test/%,$(WORKLOAD_TESTS)): $(B)/kyua/workloads/test/%: $(B)/workload/workloads/test/%.c.o $(WORKLOAD_LIB)
	$(START)
	$(CC) -no-pie $^ -latf-c -o $@

$(patsubst %,$(B)/kyua/workloads/test/%,$(WORKLOAD_SH_TESTS)): $(B)/kyua/workloads/test/%: workloads/test/%.sh
	$(START)
	(echo '#!/usr/bin/env atf-sh'; cat $<) > $@
	chmod +x $@

$(patsubst %,$(B)/abi/%,$(ABI_PROGRAMS)) $(HOSTILE): $(B)/abi/%: workloads/test/%.c
	$(START)
	$(CC) $(WORKLOAD_CFLAGS) $(WORKLOAD_INC) -static $< -o $@

$(patsubst %,$(B)/abi/%-musl,$(ABI_PROGRAMS)): $(B)/abi/%-musl: workloads/test/%.c
	$(START)
	musl-gcc -std=gnu11 -O2 -g $(WARN) $(WORKLOAD_INC) -static $< -o $@

# Measures the rows of the Linux comparison on the stub and writes them into the docs.
baseline-table: all
	workloads/baseline-table.sh $(B) docs/linux-comparison.md

# The same for the VMA indexes.
vma-index-table: all
	workloads/vma-index-table.sh $(B) docs/architecture.md

# Cases for the stub alone: processes_test runs them.
TEST_PROGRAMS += $(B)/abi/processes

$(B)/abi/processes: workloads/test/processes.c
	$(START)
	$(CC) $(WORKLOAD_CFLAGS) -static $< -o $@

# What of the stub this host's Linux can do: the argument of some of those.
TEST_PROGRAMS += $(B)/abi/host_features

$(B)/abi/host_features: workloads/test/host_features.c
	$(START)
	$(CC) $(WORKLOAD_CFLAGS) $(WORKLOAD_INC) -static $< -o $@

# Each allocation of each call fails in turn: inject_test runs it on the debug stub.
TEST_PROGRAMS += $(B)/abi/inject

$(B)/abi/inject: workloads/test/inject.c
	$(START)
	$(CC) $(WORKLOAD_CFLAGS) $(WORKLOAD_INC) -static $< -o $@

# A workload for interrupts_test alone.
TEST_PROGRAMS += $(B)/abi/interrupted

$(B)/abi/interrupted: $(B)/workload/workloads/test/interrupted.c.o $(WORKLOAD_RUNTIME)
	$(START)
	$(CC) -static $^ -o $@
