/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fault_classify() over its whole state space: 64 combinations of access flags, two halves of the
 * address space, a VMA or none, 8 combinations of its rights. Each state is looked up in a table of
 * rules that is written down otherwise than the function is: the first rule that fits wins.
 */
#include <atf-c.h>
#include <stdio.h>
#include <string.h>

#include "mm/fault/fault.h"

enum { ANY = -1, NO, YES };

#define SERVED FL_NR_CLASSES

struct rule {
	int user, rsvd, uaccess, fetch, write, low, vma;
	int right; /* the VMA grants what the access asks for */
	unsigned class;
};

/* clang-format off */
static const struct rule rules[] = {
	/* user rsvd uacc fetch write low  vma  right */
	/* ring 3 */
	{YES,   YES, ANY, ANY,  ANY,  ANY, ANY, ANY, FL_CLASS_USER_INVALID_RSVD},
	{YES,   NO,  ANY, ANY,  ANY,  NO,  ANY, ANY, FL_CLASS_USER_INVALID_KERNEL_ADDR},
	{YES,   NO,  ANY, ANY,  ANY,  YES, NO,  ANY, FL_CLASS_USER_INVALID_MAPERR},
	{YES,   NO,  ANY, ANY,  ANY,  YES, YES, YES, SERVED},
	{YES,   NO,  ANY, YES,  NO,   YES, YES, NO,  FL_CLASS_USER_INVALID_EXEC},
	{YES,   NO,  ANY, ANY,  ANY,  YES, YES, NO,  FL_CLASS_USER_INVALID_ACCERR},
	/* ring 0, not in a user copy, or fetching, or through a corrupt entry */
	{NO,    ANY, NO,  ANY,  ANY,  ANY, ANY, ANY, FL_CLASS_KERNEL_INVALID_OOPS},
	{NO,    YES, ANY, ANY,  ANY,  ANY, ANY, ANY, FL_CLASS_KERNEL_INVALID_OOPS},
	{NO,    ANY, ANY, YES,  ANY,  ANY, ANY, ANY, FL_CLASS_KERNEL_INVALID_OOPS},
	/* ring 0 in a user copy */
	{NO,    NO,  YES, NO,   ANY,  NO,  ANY, ANY, FL_CLASS_KERNEL_INVALID_UACCESS},
	{NO,    NO,  YES, NO,   ANY,  YES, NO,  ANY, FL_CLASS_KERNEL_INVALID_UACCESS},
	{NO,    NO,  YES, NO,   ANY,  YES, YES, NO,  FL_CLASS_KERNEL_INVALID_UACCESS},
	{NO,    NO,  YES, NO,   ANY,  YES, YES, YES, SERVED},
};
/* clang-format on */

static bool fits(int want, bool is)
{
	return want == ANY || want == (int)is;
}

/* x86: no right is read alone; one that can be written or executed can be read. */
static bool grants(uint32_t flags, uint32_t vm_flags)
{
	bool r = vm_flags & VM_READ, w = vm_flags & VM_WRITE, x = vm_flags & VM_EXEC;

	if (flags & FAULT_WRITE)
		return w;
	return flags & FAULT_FETCH ? x : r || w || x;
}

static unsigned expected(uint32_t flags, bool low, bool vma, uint32_t vm_flags)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		const struct rule *r = &rules[i];

		if (fits(r->user, flags & FAULT_USER) && fits(r->rsvd, flags & FAULT_RSVD) &&
		    fits(r->uaccess, flags & FAULT_UACCESS) &&
		    fits(r->fetch, flags & FAULT_FETCH) && fits(r->write, flags & FAULT_WRITE) &&
		    fits(r->low, low) && fits(r->vma, vma) &&
		    fits(r->right, grants(flags, vm_flags)))
			return r->class;
	}
	atf_tc_fail("no rule for flags %x, low %d, vma %d %x", flags, low, vma, vm_flags);
}

ATF_TC_WITHOUT_HEAD(every_state);
ATF_TC_BODY(every_state, tc)
{
	unsigned states = 0;

	for (uint32_t flags = 0; flags < 64; flags++)
		for (int low = 0; low < 2; low++)
			for (int vma = 0; vma < 2; vma++)
				for (uint32_t vm = 0; vm <= VM_ACCESS_FLAGS; vm++, states++) {
					unsigned is = fault_classify(flags, low, vma, vm);
					unsigned want = expected(flags, low, vma, vm);

					ATF_CHECK_EQ_MSG(is, want,
							 "flags %x, low %d, vma %d %x: %u, not %u",
							 flags, low, vma, vm, is, want);
				}
	ATF_CHECK_EQ(states, 2048);
}

/* Flags that say nothing of rights change nothing; nor does the present bit. */
ATF_TC_WITHOUT_HEAD(other_flags_do_not_matter);
ATF_TC_BODY(other_flags_do_not_matter, tc)
{
	const uint32_t noise = VM_SHARED | VM_MAYWRITE | VM_MAYEXEC | VM_GROWSDOWN;

	for (uint32_t flags = 0; flags < 64; flags++)
		for (uint32_t vm = 0; vm <= VM_ACCESS_FLAGS; vm++) {
			ATF_CHECK_EQ(fault_classify(flags, true, true, vm),
				     fault_classify(flags, true, true, vm | noise));
			ATF_CHECK_EQ(fault_classify(flags, true, true, vm),
				     fault_classify(flags ^ FAULT_PRESENT, true, true, vm));
		}
}

/* A VMA is looked for exactly where it can change the answer. */
ATF_TC_WITHOUT_HEAD(vma_needed_where_it_decides);
ATF_TC_BODY(vma_needed_where_it_decides, tc)
{
	for (uint32_t flags = 0; flags < 64; flags++)
		for (int low = 0; low < 2; low++) {
			bool decides = fault_classify(flags, low, false, 0) !=
				       fault_classify(flags, low, true, VM_ACCESS_FLAGS);

			ATF_CHECK_EQ(fault_needs_vma(flags, low), decides);
		}
}

/* The table in docs/fault-classes.md is fault_class.def, row by row. */
ATF_TC_WITHOUT_HEAD(docs_table);
ATF_TC_BODY(docs_table, tc)
{
	static const char *const rows[] = {
#define FAULT_CLASS(id, name, doc) "| `" name "` | " doc " |\n",
#include "fault_class.def"
#undef FAULT_CLASS
	};
	char path[4096], line[512];
	bool inside = false;
	unsigned row = 0;
	FILE *f;

	snprintf(path, sizeof(path), "%s/docs/fault-classes.md", atf_tc_get_config_var(tc, "top"));
	f = fopen(path, "r");
	ATF_REQUIRE_MSG(f, "cannot read %s", path);
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "<!--", 4))
			inside = !strcmp(line, "<!-- classes -->\n");
		if (!inside || strncmp(line, "| `", 3))
			continue;
		ATF_REQUIRE_MSG(row < FL_NR_CLASSES, "one row too many: %s", line);
		ATF_CHECK_STREQ(line, rows[row++]);
	}
	ATF_CHECK_EQ(row, FL_NR_CLASSES);
	fclose(f);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_state);
	ATF_TP_ADD_TC(tp, other_flags_do_not_matter);
	ATF_TP_ADD_TC(tp, vma_needed_where_it_decides);
	ATF_TP_ADD_TC(tp, docs_table);
	return atf_no_error();
}
