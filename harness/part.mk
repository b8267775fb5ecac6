# The host program build/faultline, and its tests.
HARNESS_PKGS := hwloc jansson inih libzstd libdw gsl
HARNESS_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -pthread $(WARN) $(shell pkg-config --cflags $(HARNESS_PKGS) 2>/dev/null)
HARNESS_LIBS := $(shell pkg-config --libs $(HARNESS_PKGS) 2>/dev/null) -lelf -lnuma -lpapi -lm -pthread
HARNESS_INC := -Ikernel-stub/include -Iharness
# A room a subject, the upper ones first: each includes only those below it.
HARNESS_ROOMS := cli run report stats results model engine engine/guest engine/kvm proc measure base
HARNESS_SRCS := $(wildcard $(HARNESS_ROOMS:%=harness/%/*.c))
HARNESS_OBJS := $(patsubst %,$(B)/harness/%.o,$(HARNESS_SRCS))
HARNESS_LIB_OBJS := $(filter-out %/cli/main.c.o,$(HARNESS_OBJS))

HARNESS_TESTS := $(filter-out mutate_test,$(patsubst harness/test/%.c,%,$(wildcard harness/test/*_test.c)))
HARNESS_SH_TESTS := $(patsubst harness/test/%.sh,%,$(wildcard harness/test/*_test.sh))
HARNESS_TEST_PROGRAMS := $(patsubst %,$(B)/kyua/harness/test/%,$(HARNESS_TESTS) $(HARNESS_SH_TESTS) mutate_test)
TEST_PROGRAMS += $(HARNESS_TEST_PROGRAMS)

.PHONY: harness
harness: $(B)/faultline

$(B)/harness/%.c.o: %.c
	$(START)
	$(CC) $(HARNESS_CFLAGS) $(DEPFLAGS) $(HARNESS_INC) -c $< -o $@

# The manifest tells what was built.
.PHONY: FORCE
$(B)/gen/build_info.h: FORCE
	@CC='$(CC)' CFLAGS='$(STUB_CFLAGS)' harness/tools/build_info.sh $@
$(B)/harness/harness/run/manifest.c.o: HARNESS_INC += -I$(B)/gen
$(B)/harness/harness/run/manifest.c.o: $(B)/gen/build_info.h

# source: so that a build directory elsewhere finds the checkout's profiles and plots, too.
$(B)/faultline: $(HARNESS_OBJS)
	$(START)
	$(CC) $^ $(HARNESS_LIBS) -o $@
	@ln -sfn '$(CURDIR)' $(B)/source

$(patsubst %,$(B)/kyua/harness/test/%,$(HARNESS_TESTS)): $(B)/kyua/harness/test/%: $(B)/harness/harness/test/%.c.o $(HARNESS_LIB_OBJS)
	$(START)
	$(CC) $^ $(HARNESS_LIBS) -latf-c -o $@

$(patsubst %,$(B)/kyua/harness/test/%,$(HARNESS_SH_TESTS)): $(B)/kyua/harness/test/%: harness/test/%.sh
	$(START)
	(echo '#!/usr/bin/env atf-sh'; cat $<) > $@
	chmod +x $@

# Kernels that misbehave and a program that does as it is told, for the tests of the engines.
GUEST_DIR := harness/test/guests
GUESTS := $(patsubst $(GUEST_DIR)/%.S,$(B)/guests/%.elf,$(wildcard $(GUEST_DIR)/*.S)) \
	$(patsubst $(GUEST_DIR)/%.c,$(B)/guests/%,$(wildcard $(GUEST_DIR)/*.c)) $(B)/guests/program-musl
TEST_PROGRAMS += $(GUESTS)

$(B)/guests/%.elf: $(GUEST_DIR)/%.S $(GUEST_DIR)/guest.inc $(GUEST_DIR)/smp.inc $(GUEST_DIR)/guest.ld
	$(START)
	$(CC) -c $< -o $@.o
	$(LD) -n --no-warn-rwx-segments --build-id=none -T $(GUEST_DIR)/guest.ld $@.o -o $@

$(B)/guests/%: $(GUEST_DIR)/%.c $(GUEST_DIR)/clock_pair.h
	$(START)
	$(CC) $(WORKLOAD_CFLAGS) -D_GNU_SOURCE -Ikernel-stub/include -pthread -static -no-pie $< -o $@

# musl chooses no code by CPUID.
$(B)/guests/program-musl: $(GUEST_DIR)/program.c $(GUEST_DIR)/clock_pair.h
	$(START)
	musl-gcc $(WORKLOAD_CFLAGS) -D_GNU_SOURCE -Ikernel-stub/include -static -no-pie $< -o $@

# Everything that reads files, once more with the sanitizers, under broken files.
HARNESS_SAN := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
HARNESS_READERS := $(wildcard $(patsubst %,harness/%/*.c,base model results stats report)) harness/engine/cell_status.c \
	harness/engine/engine_id.c harness/proc/capture.c harness/test/mutate_test.c
HARNESS_SAN_OBJS := $(HARNESS_READERS:%=$(B)/harness-san/%.o)

$(B)/harness-san/%.c.o: %.c
	$(START)
	$(CC) $(HARNESS_CFLAGS) $(HARNESS_SAN) $(DEPFLAGS) $(HARNESS_INC) -c $< -o $@

$(B)/kyua/harness/test/mutate_test: $(HARNESS_SAN_OBJS)
	$(START)
	$(CC) $(HARNESS_SAN) $^ $(HARNESS_LIBS) -latf-c -o $@

# Changes that are no work, for null_change_test: the stub with one object more each, and the workloads.
NULL_DIR := harness/test/null
NULL_STUBS := $(patsubst $(NULL_DIR)/%.c,$(B)/null/%.elf,$(wildcard $(NULL_DIR)/stub_*.c))
NULL_WORKLOADS := $(WORKLOADS:%=$(B)/null/workloads/%)
TEST_PROGRAMS += $(NULL_STUBS) $(NULL_WORKLOADS)

$(B)/null/%.o: $(NULL_DIR)/%.c Makefile
	$(START)
	$(CC) $(STUB_CFLAGS) -c $< -o $@

$(B)/null/stub_message.elf: STUB_LINK += --wrap=sched_init
$(B)/null/stub_nop.elf: STUB_LINK += --wrap=vm_fault
$(NULL_STUBS): $(B)/null/%.elf: $(B)/null/%.o $(STUB_OBJS) $(KS)/arch/x86_64/stub.ld
	$(START)
	$(STUB_LINK) $(STUB_OBJS) $< -o $@

$(NULL_WORKLOADS): $(B)/null/workloads/%: $(B)/workload/workloads/%.c.o $(WORKLOAD_RUNTIME) $(B)/null/workload_data.o $(WORKLOAD_ROOM)
	$(START)
	$(WORKLOAD_LINK)

$(WORKLOAD_THREADED:%=$(B)/null/workloads/%): $(WORKLOAD_TEAM)
