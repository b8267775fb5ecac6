# The kernel-stub: build/stub.elf for the guest, and mm/ as a hosted library with sanitizers for tests.
KS := kernel-stub

STUB_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-strict-aliasing -fno-common -fomit-frame-pointer $(WARN)
STUB_LINK = $(LD) -n -z noexecstack --no-warn-rwx-segments --build-id=none -T $(KS)/arch/x86_64/stub.ld
# A debug stub checks lock order and freed memory at run time, and can make allocations fail. There is
# one beside the others for tests (stub-debug.elf); STUB_DEBUG=1 makes all of them so (into a build
# directory of its own: make B=…).
STUB_CHECKS := $(if $(STUB_DEBUG),debug,release)
# How an address space finds its VMAs (kernel-stub/mm/vma/vma_index.h) is compiled in: a stub, a hosted
# mm/ and the tests below for each. stub.elf and what has no suffix has the first.
VMA_INDEXES := rbtree list btree
VMA_INDEX := $(firstword $(VMA_INDEXES))
VMA_INDEXES_BESIDE := $(filter-out $(VMA_INDEX),$(VMA_INDEXES))
# An include names its folder. A bare name is what guest and host share (include/), or something that
# there is more than one of: these directories choose which.
STUB_INC = -I$(KS) -I$(KS)/include -I$(KS)/port/guest -I$(KS)/port/guest/$(STUB_CHECKS) -I$(KS)/mm/$(STUB_CHECKS) \
	-I$(KS)/mm/vma/index/$(VMA_INDEX)
# $(call mm_sources,debug or release)
mm_sources = $(filter-out $(KS)/mm/debug/% $(KS)/mm/release/%,$(wildcard $(KS)/mm/*.c $(KS)/mm/*/*.c)) \
	$(wildcard $(KS)/mm/$(1)/*.c)
stub_sources = $(call mm_sources,$(1)) $(wildcard $(KS)/port/guest/*.c $(KS)/port/guest/$(1)/*.c \
	$(KS)/arch/x86_64/*.c $(KS)/arch/x86_64/*.S $(KS)/kern/*.c $(KS)/kern/*/*.c $(KS)/drivers/*.c)
STUB_SRCS := $(call stub_sources,$(STUB_CHECKS))

HOSTED_SAN ?= -fsanitize=address,undefined -fno-sanitize-recover=all
HOSTED_CFLAGS = -std=gnu11 -O1 -g -fno-omit-frame-pointer $(HOSTED_SAN) $(WARN)
HOSTED_INC = -I$(KS) -I$(KS)/include -I$(KS)/port/hosted -I$(KS)/mm/debug -I$(KS)/mm/vma/index/$(VMA_INDEX)
HOSTED_SRCS := $(call mm_sources,debug) $(wildcard $(KS)/port/hosted/*.c)

KS_TESTS := $(patsubst $(KS)/test/%.c,%,$(wildcard $(KS)/test/*_test.c))
KS_TEST_PROGRAMS := $(patsubst %,$(B)/kyua/$(KS)/test/%,$(KS_TESTS))
KS_SH_TESTS := $(patsubst $(KS)/test/%.sh,$(B)/kyua/$(KS)/test/%,$(wildcard $(KS)/test/*_test.sh))
TEST_PROGRAMS += $(KS_TEST_PROGRAMS) $(KS_SH_TESTS)

# Fuzzers: clang's libFuzzer over the hosted mm/. `make fuzz` builds them; run $(B)/fuzz/NAME CORPUS.
FUZZ_CC ?= clang
FUZZ_FLAGS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
KS_FUZZERS := $(patsubst $(KS)/fuzz/%.c,$(B)/fuzz/%,$(wildcard $(KS)/fuzz/*_fuzz.c))

.PHONY: fuzz
fuzz: $(KS_FUZZERS) $(foreach i,$(VMA_INDEXES_BESIDE),$(KS_FUZZERS:%=%-$(i)))

# Tests that an index can make fail.
KS_INDEX_TESTS := fault_test fork_test mmap_model_test mmap_test mremap_test populate_test vma_index_test \
	vma_test zap_test

.PHONY: stub hosted
stub: $(B)/stub.elf $(VMA_INDEXES_BESIDE:%=$(B)/stub-%.elf)
hosted: $(B)/hosted/libmm.a $(KS_TEST_PROGRAMS)

STUB_DEBUG_OBJS := $(patsubst %,$(B)/guest-debug/%.o,$(call stub_sources,debug) \
	$(wildcard $(KS)/mm/vma/index/$(VMA_INDEX)/*.c))
$(B)/guest-debug/%: STUB_CHECKS := debug

$(B)/guest-debug/%.c.o: %.c Makefile
	$(START)
	$(CC) $(STUB_CFLAGS) $(REPRODUCIBLE) $(DEPFLAGS) $(STUB_INC) -c $< -o $@

$(B)/guest-debug/%.S.o: %.S Makefile
	$(START)
	$(CC) $(STUB_CFLAGS) $(REPRODUCIBLE) $(DEPFLAGS) $(STUB_INC) -c $< -o $@

$(B)/stub-debug.elf: $(STUB_DEBUG_OBJS) $(KS)/arch/x86_64/stub.ld
	$(START)
	$(STUB_LINK) $(STUB_DEBUG_OBJS) -o $@
TEST_PROGRAMS += $(B)/stub-debug.elf

# The longest of them ran at length with the first index.
$(foreach i,$(VMA_INDEXES_BESIDE),$(eval $(B)/hosted-$(i)/%: HOSTED_CFLAGS += -DRANDOM_CALLS=25000u))

# $(call index_rules,INDEX,SUFFIX,TESTS)
define index_rules
$(B)/guest$(2)/% $(B)/hosted$(2)/% $(KS_FUZZERS:%=%$(2)): VMA_INDEX := $(1)

$(B)/guest$(2)/%.c.o: %.c Makefile
	$$(START)
	$$(CC) $$(STUB_CFLAGS) $$(REPRODUCIBLE) $$(DEPFLAGS) $$(STUB_INC) -c $$< -o $$@

$(B)/guest$(2)/%.S.o: %.S Makefile
	$$(START)
	$$(CC) $$(STUB_CFLAGS) $$(REPRODUCIBLE) $$(DEPFLAGS) $$(STUB_INC) -c $$< -o $$@

STUB_OBJS$(2) := $$(patsubst %,$(B)/guest$(2)/%.o,$$(STUB_SRCS) $$(wildcard $(KS)/mm/vma/index/$(1)/*.c))

$(B)/stub$(2).elf: $$(STUB_OBJS$(2)) $(KS)/arch/x86_64/stub.ld
	$$(START)
	$$(STUB_LINK) $$(STUB_OBJS$(2)) -o $$@

$(B)/hosted$(2)/%.c.o: %.c
	$$(START)
	$$(CC) $$(HOSTED_CFLAGS) $$(DEPFLAGS) $$(HOSTED_INC) -c $$< -o $$@

$(B)/hosted$(2)/libmm.a: $$(patsubst %,$(B)/hosted$(2)/%.o,$$(HOSTED_SRCS) $$(wildcard $(KS)/mm/vma/index/$(1)/*.c))
	rm -f $$@
	$$(AR) rcs $$@ $$^

$(3:%=$(B)/kyua/$(KS)/test/%$(2)): $(B)/kyua/$(KS)/test/%$(2): $(B)/hosted$(2)/$(KS)/test/%.c.o \
		$(B)/hosted$(2)/$(KS)/port/hosted/sanitizer.c.o $(B)/hosted$(2)/libmm.a
	$$(START)
	$$(CC) $$(HOSTED_SAN) $$^ -latf-c -lpthread -o $$@

$(KS_FUZZERS:%=%$(2)): $(B)/fuzz/%$(2): $(KS)/fuzz/%.c $$(HOSTED_SRCS) $$(wildcard $(KS)/mm/vma/index/$(1)/*.c)
	$$(START)
	$$(FUZZ_CC) -std=gnu11 -O1 -g $$(FUZZ_FLAGS) $$(WARN) $$(HOSTED_INC) $$(filter %.c,$$^) -lpthread -o $$@
endef
$(eval $(call index_rules,$(VMA_INDEX),,$(KS_TESTS)))
$(foreach i,$(VMA_INDEXES_BESIDE),$(eval $(call index_rules,$(i),-$(i),$(KS_INDEX_TESTS))))
TEST_PROGRAMS += $(foreach i,$(VMA_INDEXES_BESIDE),$(KS_INDEX_TESTS:%=$(B)/kyua/$(KS)/test/%-$(i)))

# What threads fight over, with ThreadSanitizer too.
KS_TSAN_TESTS := lock_test race_test
$(B)/hosted-tsan/% $(B)/kyua/$(KS)/test/%-tsan: HOSTED_SAN := -fsanitize=thread
$(eval $(call index_rules,$(VMA_INDEX),-tsan,$(KS_TSAN_TESTS)))
TEST_PROGRAMS += $(KS_TSAN_TESTS:%=$(B)/kyua/$(KS)/test/%-tsan)

$(KS_SH_TESTS): $(B)/kyua/$(KS)/test/%: $(KS)/test/%.sh
	$(START)
	(echo '#!/usr/bin/env atf-sh'; cat $<) > $@
	chmod +x $@
