/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpio_next() over archives that are right, wrong in one place each, cut short, and random. */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/fs/cpio.c"

struct archive {
	uint8_t data[16384];
	size_t size;
};

static void pad4(struct archive *a)
{
	while (a->size & 3)
		a->data[a->size++] = 0;
}

/* One entry; name_pad further NULs follow the name's own. */
static void add(struct archive *a, const char *name, unsigned name_pad, unsigned mode,
		const void *data, unsigned size)
{
	unsigned namesize = (unsigned)strlen(name) + 1 + name_pad;

	a->size += (size_t)sprintf((char *)a->data + a->size,
				   "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1,
				   mode, 0, 0, 1, 0, size, 0, 0, 0, 0, namesize, 0);
	memset(a->data + a->size, 0, namesize);
	memcpy(a->data + a->size, name, strlen(name));
	a->size += namesize;
	pad4(a);
	memcpy(a->data + a->size, data, size);
	a->size += size;
	pad4(a);
}

static void make(struct archive *a)
{
	memset(a, 0, sizeof(*a));
	add(a, "dir", 0, 040755, "", 0);
	add(a, "dir/one", 0, 0100644, "hello", 5);
	add(a, "prog", 3737, 0100755, "ELF!", 4);
	add(a, "TRAILER!!!", 0, 0, "", 0);
}

/* Walks a copy that ends where the sanitizer watches: what ended the walk, and the entries seen. */
static enum cpio_result walk(const struct archive *a, size_t size, unsigned *entries,
			     const char **why)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct cpio_entry e;
	enum cpio_result r;
	size_t pos = 0, last = 0;

	memcpy(copy, a->data, size);
	*entries = 0;
	while ((r = cpio_next(copy, size, &pos, &e, why)) == CPIO_ENTRY) {
		ATF_REQUIRE(pos > last);
		last = pos;
		ATF_REQUIRE(e.data >= copy && e.size <= size && e.data + e.size <= copy + size);
		ATF_REQUIRE(strlen(e.name) < size);
		++*entries;
	}
	free(copy);
	return r;
}

ATF_TC_WITHOUT_HEAD(good);
ATF_TC_BODY(good, tc)
{
	struct archive a;
	struct cpio_entry e;
	const char *why;
	size_t pos = 0;

	(void)tc;
	make(&a);
	ATF_REQUIRE_EQ(CPIO_ENTRY, cpio_next(a.data, a.size, &pos, &e, &why));
	ATF_CHECK_STREQ("dir", e.name);
	ATF_CHECK_EQ(040755, e.mode);
	ATF_REQUIRE_EQ(CPIO_ENTRY, cpio_next(a.data, a.size, &pos, &e, &why));
	ATF_CHECK_STREQ("dir/one", e.name);
	ATF_CHECK_EQ(5, e.size);
	ATF_CHECK(!memcmp(e.data, "hello", 5));
	ATF_REQUIRE_EQ(CPIO_ENTRY, cpio_next(a.data, a.size, &pos, &e, &why));
	ATF_CHECK_STREQ("prog", e.name);
	ATF_CHECK_EQ(4096, e.data - a.data);
	ATF_CHECK(!memcmp(e.data, "ELF!", 4));
	ATF_REQUIRE_EQ(CPIO_END, cpio_next(a.data, a.size, &pos, &e, &why));
	ATF_CHECK_EQ(a.size, pos);
}

ATF_TC_WITHOUT_HEAD(truncated);
ATF_TC_BODY(truncated, tc)
{
	struct archive a;
	const char *why;
	unsigned entries;

	(void)tc;
	make(&a);
	/* The trailer's own padding may be missing: the last byte that counts is its NUL. */
	for (size_t size = 0; size < a.size - 3; size++)
		ATF_REQUIRE_EQ(CPIO_BAD, walk(&a, size, &entries, &why));
	ATF_CHECK_EQ(CPIO_END, walk(&a, a.size, &entries, &why));
	ATF_CHECK_EQ(3, entries);
}

struct flaw {
	size_t offset; /* in the second entry's header */
	const char *bytes;
	const char *why;
};

static const struct flaw flaws[] = {
	{0, "070702", "magic"},
	{0, "\xc7\x71", "magic"},
	{CPIO_MODE, "x", "hexadecimal"},
	{CPIO_FILESIZE, "fffffffg", "hexadecimal"},
	{CPIO_FILESIZE, "ffffffff", "beyond the end"},
	{CPIO_FILESIZE, "7fffffff", "beyond the end"},
	{CPIO_NAMESIZE, "00000000", "name size"},
	{CPIO_NAMESIZE, "00000001", "name size"},
	{CPIO_NAMESIZE, "00002001", "name size"},
	{CPIO_NAMESIZE, "ffffffff", "name size"},
	{CPIO_NAMESIZE, "00000004", "NUL"},
};

ATF_TC_WITHOUT_HEAD(flawed);
ATF_TC_BODY(flawed, tc)
{
	struct archive a;
	const char *why;
	unsigned entries;

	(void)tc;
	for (size_t n = 0; n < sizeof(flaws) / sizeof(*flaws); n++) {
		make(&a);
		memcpy(a.data + 116 + flaws[n].offset, flaws[n].bytes, strlen(flaws[n].bytes));
		ATF_CHECK_EQ_MSG(CPIO_BAD, walk(&a, a.size, &entries, &why), "flaw %zu", n);
		ATF_CHECK_EQ(1, entries);
		ATF_CHECK_MSG(strstr(why, flaws[n].why), "flaw %zu: %s", n, why);
	}
}

ATF_TC_WITHOUT_HEAD(random_damage);
ATF_TC_BODY(random_damage, tc)
{
	struct archive a;
	const char *why;
	unsigned entries;

	(void)tc;
	srand(1);
	for (int n = 0; n < 20000; n++) {
		make(&a);
		for (int k = rand() % 8 + 1; k; k--)
			a.data[(size_t)rand() % 300] =
				(uint8_t) "0123456789abcdefTR\0x"[rand() % 20];
		ATF_REQUIRE(walk(&a, a.size, &entries, &why) != CPIO_ENTRY);
		ATF_REQUIRE(entries <= a.size / CPIO_HEADER);
	}
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, good);
	ATF_TP_ADD_TC(tp, truncated);
	ATF_TP_ADD_TC(tp, flawed);
	ATF_TP_ADD_TC(tp, random_damage);
	return atf_no_error();
}
