# Ring-3 programs: static Linux ELF, one per workloads/*.c, each with the runtime.
WORKLOAD_CFLAGS := -std=gnu11 -O2 -g -fno-pie -fno-stack-protector $(WARN)
WORKLOAD_INC := -Ikernel-stub/include -Iworkloads/runtime
WORKLOADS := $(patsubst workloads/%.c,%,$(wildcard workloads/*.c))
WORKLOAD_RUNTIME := $(patsubst %,$(B)/workload/%.o,$(wildcard workloads/runtime/*.c))

.PHONY: workloads
workloads: $(patsubst %,$(B)/workloads/%,$(WORKLOADS))

$(B)/workload/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) $(WORKLOAD_CFLAGS) $(DEPFLAGS) $(WORKLOAD_INC) -c $< -o $@

$(patsubst %,$(B)/workloads/%,$(WORKLOADS)): $(B)/workloads/%: $(B)/workload/workloads/%.c.o $(WORKLOAD_RUNTIME)
	@mkdir -p $(@D)
	$(CC) -static -no-pie $^ -o $@
