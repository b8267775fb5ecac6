/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What AddressSanitizer asks of the program. Every hosted test links this object (part.mk).
 *
 * No leak report: ATF never frees its list of cases, which makes listing them look like a failure
 * to Kyua; and what mm/ leaks lies in the arena, where no leak checker sees it: tests look at
 * counts.
 */
const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
