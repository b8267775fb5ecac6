# The kernel-stub: build/stub.elf for the guest, and mm/ as a hosted library with sanitizers for tests.
KS := kernel-stub

STUB_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone \
	-mgeneral-regs-only -fno-stack-protector -fcf-protection=none -fno-asynchronous-unwind-tables \
	-fno-strict-aliasing -fno-common -fomit-frame-pointer $(WARN)
# STUB_DEBUG=1: lock order is checked at run time (into a build directory of its own: make B=…).
STUB_CHECKS := $(if $(STUB_DEBUG),debug,release)
# VMA_INDEX: how an address space finds its VMAs (kernel-stub/mm/vma_index.h).
VMA_INDEX ?= rbtree
STUB_INC := -I$(KS)/include -I$(KS)/port -I$(KS)/port/guest -I$(KS)/mm -I$(KS)/mm/$(STUB_CHECKS) \
	-I$(KS)/mm/index/$(VMA_INDEX) -I$(KS)/arch/x86_64 -I$(KS)/kern -I$(KS)/drivers
STUB_SRCS := $(wildcard $(KS)/mm/*.c $(KS)/mm/$(STUB_CHECKS)/*.c $(KS)/mm/index/$(VMA_INDEX)/*.c $(KS)/port/guest/*.c $(KS)/arch/x86_64/*.c \
	$(KS)/arch/x86_64/*.S $(KS)/kern/*.c $(KS)/drivers/*.c)
STUB_OBJS := $(patsubst %,$(B)/guest/%.o,$(STUB_SRCS))

HOSTED_SAN ?= -fsanitize=address,undefined -fno-sanitize-recover=all
HOSTED_CFLAGS := -std=gnu11 -O1 -g -fno-omit-frame-pointer $(HOSTED_SAN) $(WARN)
HOSTED_INC := -I$(KS)/include -I$(KS)/port -I$(KS)/port/hosted -I$(KS)/mm -I$(KS)/mm/debug \
	-I$(KS)/mm/index/$(VMA_INDEX) -I$(KS)/arch/x86_64
HOSTED_SRCS := $(wildcard $(KS)/mm/*.c $(KS)/mm/debug/*.c $(KS)/mm/index/$(VMA_INDEX)/*.c $(KS)/port/hosted/*.c)
HOSTED_OBJS := $(patsubst %,$(B)/hosted/%.o,$(HOSTED_SRCS))

KS_TESTS := $(patsubst $(KS)/test/%.c,%,$(wildcard $(KS)/test/*_test.c))
KS_TEST_PROGRAMS := $(patsubst %,$(B)/kyua/$(KS)/test/%,$(KS_TESTS))
KS_SH_TESTS := $(patsubst $(KS)/test/%.sh,$(B)/kyua/$(KS)/test/%,$(wildcard $(KS)/test/*_test.sh))
TEST_PROGRAMS += $(KS_TEST_PROGRAMS) $(KS_SH_TESTS)

.PHONY: stub hosted
stub: $(B)/stub.elf
hosted: $(B)/hosted/libmm.a $(KS_TEST_PROGRAMS)

$(B)/guest/%.c.o: %.c Makefile
	$(START)
	$(CC) $(STUB_CFLAGS) $(REPRODUCIBLE) $(DEPFLAGS) $(STUB_INC) -c $< -o $@

$(B)/guest/%.S.o: %.S Makefile
	$(START)
	$(CC) $(STUB_CFLAGS) $(REPRODUCIBLE) $(DEPFLAGS) $(STUB_INC) -c $< -o $@

$(B)/stub.elf: $(STUB_OBJS) $(KS)/arch/x86_64/stub.ld
	$(START)
	$(LD) -n -z noexecstack --no-warn-rwx-segments --build-id=none -T $(KS)/arch/x86_64/stub.ld \
		$(STUB_OBJS) -o $@

$(B)/hosted/%.c.o: %.c
	$(START)
	$(CC) $(HOSTED_CFLAGS) $(DEPFLAGS) $(HOSTED_INC) -c $< -o $@

$(B)/hosted/libmm.a: $(HOSTED_OBJS)
	rm -f $@
	$(AR) rcs $@ $^

$(KS_TEST_PROGRAMS): $(B)/kyua/$(KS)/test/%: $(B)/hosted/$(KS)/test/%.c.o \
		$(B)/hosted/$(KS)/port/hosted/sanitizer.c.o $(B)/hosted/libmm.a
	$(START)
	$(CC) $(HOSTED_SAN) $^ -latf-c -lpthread -o $@

$(KS_SH_TESTS): $(B)/kyua/$(KS)/test/%: $(KS)/test/%.sh
	$(START)
	(echo '#!/usr/bin/env atf-sh'; cat $<) > $@
	chmod +x $@

# Fuzzers: clang's libFuzzer over the hosted mm/. `make fuzz` builds them; run $(B)/fuzz/NAME CORPUS.
FUZZ_CC ?= clang
FUZZ_FLAGS := -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all
KS_FUZZERS := $(patsubst $(KS)/fuzz/%.c,$(B)/fuzz/%,$(wildcard $(KS)/fuzz/*_fuzz.c))

.PHONY: fuzz
fuzz: $(KS_FUZZERS)

$(B)/fuzz/%: $(KS)/fuzz/%.c $(HOSTED_SRCS)
	$(START)
	$(FUZZ_CC) -std=gnu11 -O1 -g $(FUZZ_FLAGS) $(WARN) $(HOSTED_INC) $< $(HOSTED_SRCS) -lpthread -o $@
