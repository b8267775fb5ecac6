/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Seeded random sequences of the memory calls and of accesses, printed line by line: Linux and the
 * stub must print the same.
 *
 *   abi_vm_random [FIRST-SEED [SEEDS [OPERATIONS [FEATURES [quiet]]]]]
 *
 * FEATURES: host_features.h; without it what a host's kernel may lack is left out. Flags are drawn
 * from all of their bits, now and then, but for those that the comment at each call names.
 * Everything happens in an area of AREA_PAGES at BASE. All other room is filled first by one
 * PROT_NONE mapping for each gap, so that a search for a hole can end in the area alone and both
 * systems' layouts agree there; round the break a little is left free. The operations:
 *
 *   1. mmap: anonymous or the program's file, anywhere, by hint, FIXED, FIXED_NOREPLACE
 *   2. munmap, mremap, mprotect, madvise, mlock, munlock, mincore, brk, now and then with an odd
 *      address or length
 *   3. a byte read, written or executed, with SIGSEGV caught: si_code, si_addr, error code
 *   4. read and write of a pipe, /dev/zero and /dev/null with pointers anywhere
 *   5. the maps of the area, and a checksum of what can be read there
 *
 * quiet: a checksum of the lines for each seed, for runs of many seeds.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "abi_random.h"
#include "host_features.h"

#define AREA_PAGES 48ul
#define AREA_END (BASE + AREA_PAGES * PAGE)
#define LOWEST 0x10000ul
#define TOP 0x7ffffffff000ul
#define STACK_GAP (256 * PAGE)
#define BRK_ROOM (64 * PAGE)
#define RET 0xc3 /* the instruction */
#define ERR_PRESENT 1
#define POPULATE_READ 22 /* not in every libc's headers */
#define POPULATE_WRITE 23
#define DONTNEED_LOCKED 24
#define DROPPABLE 8
#define SYNC 0x80000
#define VALIDATE 3

enum kind { NOTHING, ANONYMOUS, OF_FILE };

static int zero_fd, null_fd, exe_fd, pipe_fd[2];
static unsigned long brk_base, features;
static enum kind shadow[AREA_PAGES]; /* what was asked for: only files matter */
static char bounce[16 * PAGE];

/* ---- choices ---- */

static unsigned long draw_page(void)
{
	return BASE + draw(AREA_PAGES) * PAGE;
}

/* In or just beside the area; now and then not aligned, or far off. */
static unsigned long draw_address(void)
{
	static const unsigned long far[] = {0,	    PAGE,	  TOP - PAGE, TOP,
					    KERNEL, NONCANONICAL, ~0ul << 12};

	switch (draw(40)) {
	case 0:
		return far[draw(sizeof(far) / sizeof(far[0]))];
	case 1:
		return draw_page() + 1 + draw(PAGE - 1);
	default:
		return draw_page();
	}
}

static unsigned long draw_length(void)
{
	switch (draw(40)) {
	case 0:
		return 0;
	case 1:
		return ~0ul - draw(2 * PAGE);
	case 2:
		return 1 + draw(8 * PAGE);
	default:
		return (1 + draw(draw(4) ? 6 : 24)) * PAGE;
	}
}

/* PROT_EXEC alone is left out: with protection keys Linux makes it unreadable. */
static unsigned long draw_prot(void)
{
	static const int prots[] = {PROT_NONE,
				    PROT_READ,
				    PROT_READ | PROT_EXEC,
				    PROT_READ | PROT_WRITE | PROT_EXEC,
				    PROT_WRITE,
				    PROT_READ | PROT_WRITE,
				    PROT_READ | PROT_WRITE};

	unsigned long prot =
		(unsigned)prots[draw(sizeof(prots) / sizeof(prots[0]))] ^ draw_odd_bits();

	return prot == PROT_EXEC ? PROT_READ : prot;
}

/* ---- the shadow ---- */

static void shadow_set(unsigned long start, unsigned long len, enum kind kind)
{
	unsigned long end = start + ((len + PAGE - 1) & ~(PAGE - 1));

	for (unsigned long at = start; at < end; at += PAGE)
		if (at >= BASE && at < AREA_END)
			shadow[(at - BASE) / PAGE] = kind;
}

/* Does [start, start + len) have a page of a file? */
static int shadow_has_file(unsigned long start, unsigned long len)
{
	for (unsigned long at = start & ~(PAGE - 1); at < start + len; at += PAGE)
		if (at >= BASE && at < AREA_END && shadow[(at - BASE) / PAGE] == OF_FILE)
			return 1;
	return 0;
}

/* ---- 1., 2. calls ---- */

/* Bits that are not to be tried: what grows down (docs/linux-abi.md), locked or populated pages of
 * a file and what its file system says to MAP_SYNC, and what the Linux at hand does otherwise. */
static unsigned long without_some(unsigned long flags, enum kind kind)
{
	unsigned long type = flags & MAP_TYPE;

	flags &= ~(unsigned long)MAP_GROWSDOWN;
	if (kind == OF_FILE)
		flags &= ~(unsigned long)(MAP_LOCKED | MAP_POPULATE);
	if (kind == OF_FILE && type != VALIDATE)
		flags &= ~(unsigned long)SYNC;
	if (!(features & HAS_STACK_SMALL))
		flags &= ~(unsigned long)MAP_STACK;
	if (!(features & HAS_HUGETLB) || flags & MAP_NORESERVE || type == DROPPABLE)
		flags &= ~(unsigned long)MAP_HUGETLB;
	if (type == DROPPABLE && !(features & HAS_DROPPABLE))
		flags ^= DROPPABLE | MAP_PRIVATE;
	if (type == MAP_SHARED)
		flags ^= MAP_SHARED | MAP_PRIVATE; /* not here */
	return flags;
}

/* Nothing beyond the area may be replaced. */
static unsigned long without_fixed(unsigned long flags, unsigned long addr, unsigned long len)
{
	if (flags & MAP_HUGETLB)
		return flags & ~(unsigned long)MAP_FIXED;
	if ((addr < BASE || addr > AREA_END || len > AREA_END - addr) && len && len < TOP &&
	    addr < TOP)
		return flags & ~(unsigned long)MAP_FIXED;
	return flags;
}

static unsigned long draw_map_flags(enum kind kind)
{
	static const unsigned kinds[] = {0, 0, MAP_FIXED, MAP_FIXED, MAP_FIXED_NOREPLACE};
	unsigned long flags = kinds[draw(5)];

	flags |= draw(40) ? MAP_PRIVATE : draw(MAP_TYPE + 1);
	flags |= draw(12) ? 0 : MAP_NORESERVE;
	flags |= draw(16) ? 0 : MAP_LOCKED;
	flags |= draw(16) ? 0 : MAP_POPULATE;
	flags |= kind == ANONYMOUS ? MAP_ANONYMOUS : 0;
	flags ^= draw_odd_bits();
	return flags;
}

static void op_mmap(void)
{
	unsigned long addr = draw(6) ? draw_address() : 0, len = draw_length(), offset = 0;
	enum kind kind = draw(8) ? ANONYMOUS : OF_FILE;
	unsigned long prot = draw_prot(), flags = draw_map_flags(kind);
	int fd = kind == OF_FILE ? exe_fd : -1;
	long r;

	kind = flags & MAP_ANONYMOUS ? ANONYMOUS : kind;
	flags = without_fixed(without_some(flags, kind), addr, len);
	if (kind == OF_FILE)
		offset = draw(4) * PAGE;
	r = syscall(SYS_mmap, addr, len, prot, flags, fd, offset);
	say("mmap %#lx %#lx prot %#lx flags %#lx fd %d", addr, len, prot, flags, kind == OF_FILE);
	if (r != -1 && ((unsigned long)r < BASE || (unsigned long)r >= AREA_END)) {
		munmap((void *)r, len);
		say(" elsewhere\n");
		return;
	}
	say_result(r);
	if (r != -1)
		shadow_set((unsigned long)r, len, kind);
}

/* Nothing but the area is to be changed. */
static unsigned long within_area(unsigned long addr, unsigned long len)
{
	if (addr >= BASE && addr < AREA_END && len < TOP && len > AREA_END - addr)
		return AREA_END - addr;
	return len;
}

static int harmless(unsigned long addr, unsigned long len)
{
	return (addr >= BASE && addr < AREA_END) || addr >= TOP || !len || len > TOP || addr % PAGE;
}

static void op_munmap(void)
{
	unsigned long addr = draw_address(), len = within_area(addr, draw_length());
	int r;

	if (!harmless(addr, len))
		return;
	r = munmap((void *)addr, len);
	say("munmap %#lx %#lx", addr, len);
	say_result(r);
	if (!r)
		shadow_set(addr, len, NOTHING);
}

static void op_mprotect(void)
{
	unsigned long addr = draw_address(), len = within_area(addr, draw_length());
	unsigned long prot = draw_prot() | (draw(40) ? 0 : PROT_GROWSDOWN);

	if (!harmless(addr, len))
		return;
	say("mprotect %#lx %#lx prot %#lx", addr, len, prot);
	say_result(syscall(SYS_mprotect, addr, len, prot));
}

/* Any number, but for advice that the stub refuses, that ruins the host's memory (HWPOISON,
 * SOFT_OFFLINE), or about huge pages. */
static int draw_odd_advice(void)
{
	static const int left_out[] = {
		9, 12, 13, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_PAGEOUT, 25, 100, 101, 102, 103};
	int advice = (int)draw(128);

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (advice == left_out[i])
			return DONTNEED_LOCKED;
	return advice;
}

static void op_madvise(void)
{
	static const int advices[] = {
		MADV_NORMAL,   MADV_RANDOM,   MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_DONTNEED, MADV_DONTNEED, MADV_DONTNEED,   MADV_FREE,
		MADV_COLD,     MADV_DONTFORK, MADV_DOFORK,     MADV_DONTDUMP,
		MADV_DODUMP,   POPULATE_READ, POPULATE_WRITE,  -1,
	};
	unsigned long addr = draw_address(), len = within_area(addr, draw_length());
	int advice = advices[draw(sizeof(advices) / sizeof(advices[0]))];

	if (!draw(8))
		advice = draw(4) || !(features & HAS_ADVICE_HUGE) ? draw_odd_advice()
			 : draw(2)				  ? MADV_HUGEPAGE
								  : MADV_NOHUGEPAGE;
	if (!harmless(addr, len) || (addr < BASE && len > TOP))
		return; /* it passes over holes: that would be all of this program */
	say("madvise %#lx %#lx %d", addr, len, advice);
	say_result(madvise((void *)addr, len, advice));
}

static void op_mlock(void)
{
	unsigned long addr = draw_address(), len = within_area(addr, draw_length());
	unsigned long flags = (draw(2) ? 0 : MLOCK_ONFAULT) ^ draw_odd_bits();
	int unlock = (int)draw(2);

	if (!harmless(addr, len) || addr % PAGE || len > TOP)
		return;
	say("%s %#lx %#lx flags %#lx", unlock ? "munlock" : "mlock", addr, len, flags);
	say_result(unlock ? munlock((void *)addr, len) : syscall(SYS_mlock2, addr, len, flags));
}

static void op_mremap(void)
{
	unsigned long addr = draw_page(), old_len = within_area(addr, (1 + draw(6)) * PAGE);
	unsigned long new_len = draw(3) ? (1 + draw(8)) * PAGE : old_len, to = draw_page();
	unsigned long flags = draw(4) ? MREMAP_MAYMOVE : 0;
	long r;

	if (shadow_has_file(addr, old_len))
		return;
	flags |= draw(3) ? 0 : MREMAP_FIXED;
	flags ^= draw_odd_bits();
	if (flags & MREMAP_FIXED)
		new_len = within_area(to, new_len);
	r = syscall(SYS_mremap, addr, old_len, new_len, flags, to);
	say("mremap %#lx %#lx %#lx flags %#lx to %#lx", addr, old_len, new_len, flags, to);
	if (r != -1 && ((unsigned long)r < BASE || (unsigned long)r >= AREA_END)) {
		munmap((void *)r, new_len);
		shadow_set(addr, old_len, NOTHING);
		say(" elsewhere\n");
		return;
	}
	say_result(r);
	if (r != -1) {
		shadow_set(addr, old_len, NOTHING);
		shadow_set((unsigned long)r, new_len, ANONYMOUS);
	}
}

static void op_mincore(void)
{
	unsigned long addr = draw_page(), len = within_area(addr, draw_length());
	unsigned char vec[AREA_PAGES] = {0};
	long r;

	if (len > AREA_PAGES * PAGE || shadow_has_file(addr, len))
		return; /* fault-around again */
	r = syscall(SYS_mincore, addr, len, vec);
	say("mincore %#lx %#lx ", addr, len);
	for (unsigned long i = 0; i < AREA_PAGES; i++)
		say("%d", vec[i] & 1);
	say_result(r);
}

static void op_brk(void)
{
	unsigned long want = brk_base + draw(24) * PAGE + (draw(3) ? 0 : draw(PAGE));
	unsigned long got;
	unsigned char old = 0;

	if (!draw(20))
		want = draw(2) ? draw_address() : PAGE;
	got = (unsigned long)syscall(SYS_brk, want);
	if (got > brk_base + PAGE) {
		old = *(unsigned char *)(got - 1);
		*(unsigned char *)(got - 1) = (unsigned char)draw(256);
	}
	say("brk %#lx: %#lx, its last byte was %d\n", want - brk_base, got - brk_base, old);
}

/* ---- the maps ---- */

/* Calls fn with each line of /proc/self/maps. */
static void each_mapping(void (*fn)(unsigned long start, unsigned long end, const char *rest))
{
	static char text[1 << 16];
	int fd = open("/proc/self/maps", O_RDONLY);
	size_t size = 0;
	ssize_t n;

	while (fd >= 0 && size < sizeof(text) - 1 &&
	       (n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	text[size] = 0;
	close(fd);
	for (char *at = text, *line; (line = strsep(&at, "\n")) && *line;) {
		char *rest;
		unsigned long start = strtoul(line, &rest, 16), end = strtoul(rest + 1, &rest, 16);

		fn(start, end, rest + 1);
	}
}

/* ---- 3. accesses ---- */

static sigjmp_buf back;
static struct {
	int signo, code;
	unsigned long addr, err, trapno;
} caught;

static void on_fault(int signo, siginfo_t *si, void *context)
{
	const greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;

	caught.signo = signo;
	caught.code = si->si_code;
	caught.addr = (unsigned long)si->si_addr;
	caught.err = (unsigned long)r[REG_ERR];
	caught.trapno = (unsigned long)r[REG_TRAPNO];
	siglongjmp(back, 1);
}

enum access { READ, WRITE, EXECUTE };

/* The byte, or -1 and `caught` filled in. */
static int touch(enum access access, unsigned long addr, int value)
{
	volatile unsigned char *p = (volatile unsigned char *)addr;

	caught.signo = 0;
	if (sigsetjmp(back, 0))
		return -1;
	if (access == READ)
		return *p;
	if (access == WRITE)
		*p = (unsigned char)value;
	else
		((void (*)(void))addr)();
	return value;
}

/* Whether that byte of a file's page is there already, Linux's fault-around decides. */
static unsigned long comparable_error(unsigned long addr)
{
	unsigned long page = (addr - BASE) / PAGE;

	if (addr >= BASE && addr < AREA_END && shadow[page] == OF_FILE)
		return caught.err & ~(unsigned long)ERR_PRESENT;
	return caught.err;
}

static unsigned long asked_about;
static int executable;

static void find_executable(unsigned long start, unsigned long end, const char *rest)
{
	if (start <= asked_about && asked_about < end)
		executable = rest[2] == 'x';
}

/* Only a return is ever run. What can't be run is not looked at first: that would bring it in. */
static int safe_to_run(unsigned long addr)
{
	asked_about = addr;
	executable = 0;
	each_mapping(find_executable);
	return !executable || touch(READ, addr, 0) == RET || touch(WRITE, addr, RET) != -1;
}

static void op_touch(void)
{
	static const char *const names[] = {"read", "write", "execute"};
	unsigned long addr = draw_address();
	enum access access = (enum access)draw(3);
	int value = (int)draw(256), r;

	if (!(addr >= BASE && addr < AREA_END) && addr < TOP && addr >= LOWEST)
		return;
	if (!(addr % PAGE) && addr >= BASE && addr < AREA_END)
		addr += draw(PAGE);
	if (access == EXECUTE && !safe_to_run(addr))
		return;
	r = touch(access, addr, value);
	say("%s %#lx", names[access], addr);
	if (r == -1)
		say(" signal %d code %d addr %#lx err %#lx trap %lu\n", caught.signo, caught.code,
		    caught.addr, comparable_error(addr), caught.trapno);
	else
		say(" %d\n", r);
	if (r == -1 && access == EXECUTE)
		touch(READ, addr, 0); /* Linux has mapped the page before it refused to run it */
}

/* ---- 4. the kernel's accesses ---- */

static void pipe_drain(void)
{
	while (read(pipe_fd[0], bounce, sizeof(bounce)) > 0)
		;
}

static void op_read(void)
{
	unsigned long addr = draw_address() + (draw(3) ? draw(PAGE) : 0);
	size_t len = draw(2) ? draw(64) : draw(3 * PAGE), filled = draw(3 * PAGE);
	int from_pipe = (int)draw(2);

	if (!(addr >= BASE && addr < AREA_END) && addr < TOP && addr >= LOWEST)
		return;
	if (addr < AREA_END && addr >= BASE && len > AREA_END - addr)
		len = AREA_END - addr;
	if (from_pipe) {
		memset(bounce, (int)draw(256), filled);
		if (write(pipe_fd[1], bounce, filled) != (ssize_t)filled)
			say("the pipe takes no %zu bytes\n", filled);
	}
	say("%s to %#lx %zu", from_pipe ? "pipe" : "zero", addr, len);
	say_result(read(from_pipe ? pipe_fd[0] : zero_fd, (void *)addr, len));
	pipe_drain();
}

static void op_write(void)
{
	unsigned long addr = draw_address() + (draw(3) ? draw(PAGE) : 0), sum = 0;
	size_t len = draw(2) ? draw(64) : draw(3 * PAGE);
	int to_pipe = (int)draw(6);
	ssize_t n, r;

	say("%s from %#lx %zu", to_pipe ? "pipe" : "null", addr, len);
	r = write(to_pipe ? pipe_fd[1] : null_fd, (void *)addr, len);
	say_result(r);
	while (to_pipe && (n = read(pipe_fd[0], bounce, sizeof(bounce))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = sum * 31 + (unsigned char)bounce[i];
	if (sum && addr >= BASE && addr < AREA_END)
		say("  sum %#lx\n", sum);
}

/* ---- 5. maps and contents ---- */

static unsigned long contents;

static void show_mapping(unsigned long start, unsigned long end, const char *rest)
{
	if (start < BASE || end > AREA_END)
		return;
	say("  %#lx-%#lx %.13s %s\n", start, end, rest, strchr(rest, '/') ? "file" : "");
	for (unsigned long at = start; at < end && *rest == 'r'; at += 8) {
		if (at % PAGE == 0 && touch(READ, at, 0) == -1)
			return; /* beyond the end of the file: SIGBUS */
		contents = contents * 31 + *(unsigned long *)at;
	}
}

static void op_show(void)
{
	say("maps:\n");
	contents = 0;
	each_mapping(show_mapping);
	say("  contents %#lx\n", contents);
}

/* ---- the rest of the address space ---- */

static unsigned long gap_start;

static void fill(unsigned long start, unsigned long end)
{
	if (start < end && mmap((void *)start, end - start, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				-1, 0) == MAP_FAILED) {
		printf("cannot fill %#lx-%#lx: %s\n", start, end, strerror(errno));
		_exit(2);
	}
}

static void fill_before(unsigned long start, unsigned long end, const char *rest)
{
	unsigned long to = strstr(rest, "[stack]") ? start - STACK_GAP : start;

	if (gap_start < TOP && start < TOP) {
		if (to > AREA_END && gap_start < AREA_END) {
			fill(gap_start, BASE);
			gap_start = AREA_END;
		}
		fill(gap_start, to);
	}
	gap_start = end;
	if (end >= brk_base - PAGE && end <= brk_base)
		gap_start = brk_base + BRK_ROOM;
}

static void __attribute__((noinline)) grow_stack(void)
{
	volatile char room[256 * 1024];

	for (size_t i = 0; i < sizeof(room); i += 1024)
		room[i] = 1;
}

static void prepare(void)
{
	static const int signals[] = {SIGSEGV, SIGBUS};
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = on_fault;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &sa, NULL);
	zero_fd = open("/dev/zero", O_RDONLY);
	null_fd = open("/dev/null", O_WRONLY);
	exe_fd = open("/proc/self/exe", O_RDONLY);
	if (zero_fd < 0 || null_fd < 0 || exe_fd < 0 || pipe2(pipe_fd, O_NONBLOCK))
		printf("cannot open: %s\n", strerror(errno));
	grow_stack();
	brk_base = ((unsigned long)syscall(SYS_brk, 0) + PAGE - 1) & ~(PAGE - 1);
	syscall(SYS_brk, brk_base);
	gap_start = LOWEST;
	each_mapping(fill_before);
	if (gap_start < TOP)
		fill(gap_start, TOP);
}

/* ---- */

static void one_seed(uint64_t seed, unsigned long operations)
{
	static void (*const ops[])(void) = {
		op_mmap,  op_mmap,  op_mmap,   op_munmap,  op_mprotect, op_madvise,
		op_brk,	  op_touch, op_touch,  op_touch,   op_touch,	op_read,
		op_write, op_mlock, op_mremap, op_mincore,
	};

	random_start(seed);
	say("seed %lu\n", (unsigned long)seed);
	for (unsigned long i = 0; i < operations; i++) {
		ops[draw(sizeof(ops) / sizeof(ops[0]))]();
		if (i % 50 == 49)
			op_show();
	}
	munmap((void *)BASE, AREA_PAGES * PAGE);
	syscall(SYS_brk, brk_base);
	memset(shadow, 0, sizeof(shadow));
	if (quiet)
		printf("seed %lu: %#lx\n", (unsigned long)seed, (unsigned long)digest);
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];
	unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	unsigned long seeds = argc > 2 ? strtoul(argv[2], NULL, 0) : 2;
	unsigned long operations = argc > 3 ? strtoul(argv[3], NULL, 0) : 200;

	features = features_of(argc > 4 ? argv[4] : NULL);
	quiet = argc > 5;
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	prepare();
	for (unsigned long seed = first; seed < first + seeds; seed++)
		one_seed(seed, operations);
	return 0;
}
