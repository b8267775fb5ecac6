/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of flags: what each says of every bit; and the function that looks one up. */
#include <atf-c.h>

#include "kern/sys/kern_call_flags.h"
#include "mm/calls/mm_call_flags.h"

#define EACH_TABLE(F)                                                                              \
	F(mmap_flags)                                                                              \
	F(mmap_validated_flags)                                                                    \
	F(mremap_flags)                                                                            \
	F(mprotect_prot)                                                                           \
	F(mlock2_flags)                                                                            \
	F(mlockall_flags)                                                                          \
	F(open_flags)                                                                              \
	F(setfl_flags)                                                                             \
	F(pipe2_flags)                                                                             \
	F(dup3_flags)                                                                              \
	F(fstatat_flags)                                                                           \
	F(clone_flags)                                                                             \
	F(clone3_flags)                                                                            \
	F(wait4_options)                                                                           \
	F(waitid_options)                                                                          \
	F(sigaction_flags)                                                                         \
	F(getrandom_flags)                                                                         \
	F(clock_nanosleep_flags)

static const struct {
	const char *name;
	const struct call_flags *flags;
} tables[] = {
#define NAMED(table) {#table, &(table)},
	EACH_TABLE(NAMED)};

#define NR_TABLES (sizeof(tables) / sizeof(tables[0]))

/* What a bit alone is to get, found out by another way than call_flags_check()'s: every set is
 * asked, and one at most may claim it. */
static int verdict(const char *name, const struct call_flags *t, uint64_t bit)
{
	int claims = !!(t->done & bit) + !!(t->harmless & bit), error = t->unknown;

	if (claims)
		error = 0;
	for (unsigned i = 0; i < CALL_FLAGS_REFUSALS; i++)
		if (t->refused[i].bits & bit) {
			claims++;
			error = t->refused[i].error;
			ATF_CHECK_MSG(error > 0, "%s: %#lx is refused without an error", name, bit);
		}
	ATF_CHECK_MSG(claims <= 1, "%s: %#lx stands %d times", name, bit, claims);
	return -error;
}

ATF_TC_WITHOUT_HEAD(every_bit);
ATF_TC_BODY(every_bit, tc)
{
	(void)tc;
	for (size_t i = 0; i < NR_TABLES; i++) {
		const struct call_flags *t = tables[i].flags;

		ATF_CHECK_EQ(0, call_flags_check(t, 0));
		for (unsigned n = 0; n < 64; n++)
			ATF_CHECK_EQ_MSG(verdict(tables[i].name, t, 1ull << n),
					 call_flags_check(t, 1ull << n), "%s: bit %u",
					 tables[i].name, n);
	}
}

/* Several bits at once: unknown ones are found first, then refusals in their order. */
ATF_TC_WITHOUT_HEAD(order);
ATF_TC_BODY(order, tc)
{
	static const struct call_flags strict = {
		.done = 1, .harmless = 2, .refused = {{4, 40}, {8 | 1ull << 63, 80}}, .unknown = 9};
	static const struct call_flags lax = {
		.done = 1, .harmless = 2, .refused = {{4, 40}, {8 | 1ull << 63, 80}}};

	(void)tc;
	ATF_CHECK_EQ(0, call_flags_check(&strict, 3));
	ATF_CHECK_EQ(-40, call_flags_check(&strict, 1 | 4));
	ATF_CHECK_EQ(-40, call_flags_check(&strict, 4 | 8));
	ATF_CHECK_EQ(-80, call_flags_check(&strict, 2 | 8));
	ATF_CHECK_EQ(-80, call_flags_check(&strict, 1ull << 63));
	ATF_CHECK_EQ(-9, call_flags_check(&strict, 4 | 16));
	ATF_CHECK_EQ(-9, call_flags_check(&strict, 1ull << 62));
	ATF_CHECK_EQ(0, call_flags_check(&lax, 1 | 1ull << 62));
	ATF_CHECK_EQ(-40, call_flags_check(&lax, 4 | 1ull << 62));
	ATF_CHECK_EQ(15u | 1ull << 63, call_flags_known(&strict));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, every_bit);
	ATF_TP_ADD_TC(tp, order);
	return atf_no_error();
}
