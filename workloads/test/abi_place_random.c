/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where mappings go: seeded random sequences of mmap, munmap and mremap in the whole address space,
 * whose results Linux and the stub must print alike.
 *
 *   abi_place_random [FIRST-SEED [SEEDS [OPERATIONS [FEATURES [quiet]]]]]
 *
 * FEATURES: host_features.h. Lengths from 2 MiB on are drawn only where the Linux at hand treats
 * them as the stub does.
 *
 * Nothing is touched and nothing is accounted for, so that lengths may be large. The top 512 MiB
 * below mmap_base, where Linux has what the stub has not (vDSO), are filled first. What grows down
 * is left out (docs/linux-abi.md says why).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi_random.h"
#include "host_features.h"

#define HUGE_PAGE (2ul << 20)
#define GIB (1ul << 30)
#define MMAP_BASE 0x7ffff7fff000ul
#define FILL_START (MMAP_BASE - GIB / 2)
#define NR_MAPPINGS 64
#define DROPPABLE 8ul /* not in every libc's headers */
#define ABOVE4G 0x80ul
#define DONTUNMAP 4ul

static unsigned long features;
static int zero_fd;
static struct mapping {
	unsigned long start, len; /* len 0: none */
	int of_zero;
} mappings[NR_MAPPINGS];

/* ---- choices ---- */

/* About huge pages: whole ones, a page more, a page less. */
static unsigned long draw_large(void)
{
	unsigned long len = (1 + draw(draw(8) ? 6 : 2048)) * HUGE_PAGE;

	switch (draw(6)) {
	case 0:
		return len + PAGE;
	case 1:
		return len - PAGE;
	case 2:
		return len - draw(PAGE);
	default:
		return len;
	}
}

static unsigned long draw_length(void)
{
	if (features & HAS_ALIGNED && draw(2))
		return draw_large();
	return draw(HUGE_PAGE / PAGE - 1) * PAGE + 1 + draw(PAGE);
}

/* Near what there is, so that holes are hit and missed. */
static unsigned long draw_hint(void)
{
	static const unsigned long bases[] = {PAGE, GIB - PAGE,	     GIB, 2 * GIB - PAGE, 2 * GIB,
					      BASE, FILL_START - GIB};
	const struct mapping *m = &mappings[draw(NR_MAPPINGS)];
	unsigned long at = m->len && draw(4) ? m->start + m->len : bases[draw(7)];

	return at + draw(64) * PAGE - draw(64) * PAGE + (draw(8) ? 0 : draw(PAGE));
}

static unsigned long draw_type(unsigned long len)
{
	switch (draw(8)) {
	case 0:
	case 1:
		return MAP_SHARED | MAP_ANONYMOUS;
	case 2:
		return features & HAS_DROPPABLE ? DROPPABLE | MAP_ANONYMOUS
						: MAP_PRIVATE | MAP_ANONYMOUS;
	case 3: /* of /dev/zero */
		return features & HAS_ZERO_ALIGNED || len < HUGE_PAGE - PAGE
			       ? MAP_PRIVATE
			       : MAP_PRIVATE | MAP_ANONYMOUS;
	default:
		return MAP_PRIVATE | MAP_ANONYMOUS;
	}
}

static unsigned long draw_flags(void)
{
	unsigned long flags = MAP_NORESERVE;

	flags |= draw(4) ? 0 : MAP_32BIT;
	flags |= draw(16) ? 0 : ABOVE4G;
	flags |= draw(8) || !(features & HAS_STACK_SMALL) ? 0 : MAP_STACK;
	flags |= draw(16) ? 0 : MAP_FIXED_NOREPLACE;
	return flags;
}

/* ---- operations ---- */

static struct mapping *free_mapping(void)
{
	struct mapping *m = &mappings[draw(NR_MAPPINGS)];

	if (m->len)
		munmap((void *)m->start, m->len);
	m->len = 0;
	return m;
}

static void op_mmap(void)
{
	struct mapping *m = free_mapping();
	unsigned long len = draw_length(), type = draw_type(len), flags = type | draw_flags();
	unsigned long hint = draw(3) ? 0 : draw_hint(), offset = draw(4) ? 0 : draw(1024) * PAGE;
	int fd = flags & MAP_ANONYMOUS ? -1 : zero_fd;
	long at;

	if (flags & MAP_FIXED_NOREPLACE && hint > -PAGE)
		hint = -PAGE; /* Linux returns what lies above as an error's number */
	at = syscall(SYS_mmap, hint, len, PROT_NONE, flags, fd, offset);
	say("mmap %#lx %#lx flags %#lx offset %#lx", hint, len, flags, offset);
	say_result(at);
	if (at != -1)
		*m = (struct mapping){(unsigned long)at, (len + PAGE - 1) & ~(PAGE - 1), fd != -1};
}

static struct mapping *some_mapping(void)
{
	for (int tries = 0; tries < 16; tries++) {
		struct mapping *m = &mappings[draw(NR_MAPPINGS)];

		if (m->len)
			return m;
	}
	return NULL;
}

/* All of it, or what is below a page of it. */
static void op_munmap(void)
{
	struct mapping *m = some_mapping();
	unsigned long len;

	if (!m)
		return;
	len = draw(2) ? m->len : (1 + draw(m->len / PAGE)) * PAGE;
	say("munmap %#lx %#lx %d\n", m->start, len, munmap((void *)m->start, len));
	m->start += len;
	m->len -= len;
}

static void op_mremap(void)
{
	struct mapping *m = some_mapping();
	unsigned long len = (draw_length() + PAGE - 1) & ~(PAGE - 1),
		      hint = draw_hint() & ~(PAGE - 1);
	unsigned long flags = MREMAP_MAYMOVE;
	long at;

	if (!m || (m->of_zero && !(features & HAS_ZERO_ALIGNED)))
		return;
	if (!draw(4)) {
		len = m->len;
		flags |= DONTUNMAP;
	}
	at = syscall(SYS_mremap, m->start, m->len, len, flags, draw(2) ? 0 : hint);
	say("mremap %#lx %#lx %#lx flags %#lx hint %#lx", m->start, m->len, len, flags, hint);
	say_result(at);
	if (at == -1)
		return;
	if (flags & DONTUNMAP)
		munmap((void *)m->start, m->len);
	m->start = (unsigned long)at;
	m->len = len;
}

/* ---- */

/* Page by page, as what lies there is in the way. */
static void fill_top(void)
{
	for (unsigned long at = FILL_START; at < MMAP_BASE; at += PAGE) {
		unsigned long len = MMAP_BASE - at;

		for (; len > PAGE; len = (len / 2 + PAGE - 1) & ~(PAGE - 1))
			if (mmap((void *)at, len, PROT_NONE,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
				 -1, 0) != MAP_FAILED)
				break;
		if (len > PAGE)
			at += len - PAGE;
		else
			mmap((void *)at, PAGE, PROT_NONE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1,
			     0);
	}
}

static void one_seed(uint64_t seed, unsigned long operations)
{
	static void (*const ops[])(void) = {op_mmap, op_mmap, op_mmap, op_munmap, op_mremap};

	random_start(seed);
	say("seed %lu\n", (unsigned long)seed);
	for (unsigned long i = 0; i < operations; i++)
		ops[draw(sizeof(ops) / sizeof(ops[0]))]();
	for (struct mapping *m = mappings; m < mappings + NR_MAPPINGS; m++) {
		if (m->len)
			munmap((void *)m->start, m->len);
		m->len = 0;
	}
	if (quiet)
		printf("seed %lu: %#lx\n", (unsigned long)seed, (unsigned long)digest);
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];
	unsigned long first = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	unsigned long seeds = argc > 2 ? strtoul(argv[2], NULL, 0) : 4;
	unsigned long operations = argc > 3 ? strtoul(argv[3], NULL, 0) : 300;

	features = features_of(argc > 4 ? argv[4] : NULL);
	quiet = argc > 5;
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	zero_fd = open("/dev/zero", O_RDWR);
	fill_top();
	for (unsigned long seed = first; seed < first + seeds; seed++)
		one_seed(seed, operations);
	return 0;
}
