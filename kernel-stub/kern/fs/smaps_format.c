/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "Name:" and blanks up to a number that ends in column 24, then " kB"; two letters a flag. */
#include "kern/fs/smaps_format.h"

#include "kern/lib/put_decimal.h"

#define COLUMN 24u
#define PSS_SHIFT 12

static char *put_text(char *p, const char *text)
{
	while (*text)
		*p++ = *text++;
	return p;
}

static char *put_right(char *p, const char *name, unsigned column, uint64_t v)
{
	char number[20], *start = p;
	size_t n = (size_t)(put_decimal(number, v) - number);

	p = put_text(p, name);
	while ((size_t)(p - start) + n < column)
		*p++ = ' ';
	__builtin_memcpy(p, number, n);
	return p + n;
}

char *smaps_put_kb(char *p, const char *name, unsigned column, uint64_t bytes)
{
	return put_text(put_right(p, name, column, bytes >> 10), " kB\n");
}

static char *put_bytes(char *p, const char *name, uint64_t bytes)
{
	return smaps_put_kb(p, name, COLUMN, bytes);
}

static char *put_usage(char *p, const struct mm_usage *u)
{
	p = put_bytes(p, "Shared_Clean:", u->shared_clean);
	p = put_bytes(p, "Shared_Dirty:", u->shared_dirty);
	p = put_bytes(p, "Private_Clean:", u->private_clean);
	p = put_bytes(p, "Private_Dirty:", u->private_dirty);
	p = put_bytes(p, "Referenced:", u->referenced);
	p = put_bytes(p, "Anonymous:", u->anonymous);
	p = put_bytes(p, "LazyFree:", u->lazyfree);
	p = put_bytes(p, "AnonHugePages:", 0);
	p = put_bytes(p, "ShmemPmdMapped:", 0);
	p = put_bytes(p, "FilePmdMapped:", 0);
	p = put_bytes(p, "Shared_Hugetlb:", 0);
	p = put_bytes(p, "Private_Hugetlb:", 0);
	p = put_bytes(p, "Swap:", 0);
	p = put_bytes(p, "SwapPss:", 0);
	return put_bytes(p, "Locked:", u->pss_locked >> PSS_SHIFT);
}

static char *put_pss(char *p, const struct mm_usage *u)
{
	p = put_bytes(p, "Rss:", u->rss);
	p = put_bytes(p, "Pss:", u->pss >> PSS_SHIFT);
	return put_bytes(p, "Pss_Dirty:", u->pss_dirty >> PSS_SHIFT);
}

char *smaps_put_rollup(char *p, const struct mm_usage *u)
{
	p = put_pss(p, u);
	p = put_bytes(p, "Pss_Anon:", u->pss_anon >> PSS_SHIFT);
	p = put_bytes(p, "Pss_File:", u->pss_file >> PSS_SHIFT);
	p = put_bytes(p, "Pss_Shmem:", u->pss_shmem >> PSS_SHIFT);
	return put_usage(p, u);
}

/* Linux's letters, in the order of its bits. */
static const struct {
	uint32_t flag;
	char letters[4];
} flag_letters[] = {
	{VM_READ, "rd "},      {VM_WRITE, "wr "},	{VM_EXEC, "ex "},
	{VM_SHARED, "sh "},    {VM_MAYREAD, "mr "},	{VM_MAYWRITE, "mw "},
	{VM_MAYEXEC, "me "},   {VM_SHARED, "ms "},	{VM_GROWSDOWN, "gd "},
	{VM_LOCKED, "lo "},    {VM_SEQ_READ, "sr "},	{VM_RAND_READ, "rr "},
	{VM_DONTCOPY, "dc "},  {VM_LOCKONFAULT, "lf "}, {VM_ACCOUNT, "ac "},
	{VM_NORESERVE, "nr "}, {VM_SYNC, "sf "},	{VM_WIPEONFORK, "wf "},
	{VM_DONTDUMP, "dd "},  {VM_HUGEPAGE, "hg "},	{VM_NOHUGEPAGE, "nh "},
	{VM_DROPPABLE, "dp "},
};

static char *put_flags(char *p, uint32_t flags)
{
	p = put_text(p, "VmFlags: ");
	for (unsigned i = 0; i < sizeof(flag_letters) / sizeof(flag_letters[0]); i++)
		if (flags & flag_letters[i].flag)
			p = put_text(p, flag_letters[i].letters);
	return put_text(p, "\n");
}

char *smaps_put_region(char *p, uint64_t size, uint32_t vm_flags, const struct mm_usage *u)
{
	p = put_bytes(p, "Size:", size);
	p = put_bytes(p, "KernelPageSize:", PAGE_SIZE);
	p = put_bytes(p, "MMUPageSize:", PAGE_SIZE);
	p = put_usage(put_pss(p, u), u);
	p = put_text(put_right(p, "THPeligible:", COLUMN, 0), "\n");
	return put_flags(p, vm_flags);
}
