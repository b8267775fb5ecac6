/* SPDX-License-Identifier: GPL-2.0-or-later */
/* printk's formats against the C library's, and the command line's words. */
#include <atf-c.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "kern/lib/printk.c"
#include "kern/lib/cmdline.c"

struct boot_info boot_info;
static char console[1024];
static size_t console_len;
static jmp_buf panicked;

void console_write(uint16_t port, const char *s, size_t n)
{
	ATF_REQUIRE_EQ(port, FL_PORT_CONSOLE);
	ATF_REQUIRE(console_len + n < sizeof(console));
	memcpy(console + console_len, s, n);
	console_len += n;
}

void panic_end(const char *reason)
{
	(void)reason;
	longjmp(panicked, 1);
}

#define SAME(...)                                                                                  \
	do {                                                                                       \
		char want[128], got[128];                                                          \
		int n = snprintf(want, sizeof(want), __VA_ARGS__);                                 \
		ATF_REQUIRE_EQ(ksnprintf(got, sizeof(got), __VA_ARGS__), n);                       \
		ATF_REQUIRE_STREQ(got, want);                                                      \
	} while (0)

ATF_TC_WITHOUT_HEAD(formats);
ATF_TC_BODY(formats, tc)
{
	SAME("%d %d %d", 0, -1, 2147483647);
	SAME("%d", -2147483647 - 1);
	SAME("%ld %lu", -9223372036854775807L - 1, 18446744073709551615UL);
	SAME("%u %x", 4294967295u, 0xdeadbeefu);
	SAME("%lx %016lx %08x", 0xffffffff80000000UL, 0x1000UL, 0x80u);
	SAME("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
	SAME("[%s] [%6s] [%-6s] [%.*s]", "abc", "abc", "abc", 2, "abc");
	SAME("[%c%c] 100%%", 'a', 'z');
	SAME("%zu", sizeof(int));
}

ATF_TC_WITHOUT_HEAD(pointer_and_null);
ATF_TC_BODY(pointer_and_null, tc)
{
	const char *volatile none = NULL;
	char buf[64];

	ksnprintf(buf, sizeof(buf), "%p", (void *)0xffff888000001000);
	ATF_REQUIRE_STREQ(buf, "ffff888000001000");
	ksnprintf(buf, sizeof(buf), "%s", none);
	ATF_REQUIRE_STREQ(buf, "(null)");
}

ATF_TC_WITHOUT_HEAD(truncation);
ATF_TC_BODY(truncation, tc)
{
	char buf[8] = "xxxxxxx";

	ATF_REQUIRE_EQ(ksnprintf(buf, 4, "%d", 123456), 6);
	ATF_REQUIRE_STREQ(buf, "123");
	ATF_REQUIRE_EQ(buf[4], 'x');
	ATF_REQUIRE_EQ(ksnprintf(NULL, 0, "hello"), 5);
}

/* A line longer than printk's buffer is cut, never more than what was formatted. */
ATF_TC_WITHOUT_HEAD(long_line);
ATF_TC_BODY(long_line, tc)
{
	char text[600];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	console_len = 0;
	printk("%s", text);
	ATF_REQUIRE_EQ(console_len, LINE_MAX - 1);
	ATF_REQUIRE_EQ(memcmp(console, text, console_len), 0);
}

ATF_TC_WITHOUT_HEAD(cmdline_words);
ATF_TC_BODY(cmdline_words, tc)
{
	char buf[8];

	boot_info.cmdline =
		"  quirks=pvm  seed=0x1F recorder=hist ring=10 seed=7 empty= tail=longer-value";
	ATF_REQUIRE(cmdline_flag("quirks", "pvm"));
	ATF_REQUIRE(!cmdline_flag("quirks", "pv"));
	ATF_REQUIRE(!cmdline_flag("quirks", "pvmx"));
	ATF_REQUIRE(!cmdline_flag("uirks", "pvm"));
	ATF_REQUIRE(!cmdline_get("quirk", buf, sizeof(buf)));
	ATF_REQUIRE_EQ(cmdline_u64("seed", 1), 31);
	ATF_REQUIRE_EQ(cmdline_u64("ring", 1), 10);
	ATF_REQUIRE_EQ(cmdline_u64("absent", 99), 99);
	ATF_REQUIRE(cmdline_get("empty", buf, sizeof(buf)));
	ATF_REQUIRE_STREQ(buf, "");
	ATF_REQUIRE(cmdline_get("tail", buf, sizeof(buf)));
	ATF_REQUIRE_STREQ(buf, "longer-");
	boot_info.cmdline = "";
	ATF_REQUIRE(!cmdline_get("seed", buf, sizeof(buf)));
}

static bool number_panics(const char *line)
{
	boot_info.cmdline = line;
	if (setjmp(panicked))
		return true;
	cmdline_u64("n", 0);
	return false;
}

ATF_TC_WITHOUT_HEAD(cmdline_bad_number);
ATF_TC_BODY(cmdline_bad_number, tc)
{
	ATF_REQUIRE(number_panics("n="));
	ATF_REQUIRE(number_panics("n=x"));
	ATF_REQUIRE(number_panics("n=12k"));
	ATF_REQUIRE(number_panics("n=0x m=1"));
	ATF_REQUIRE(!number_panics("n=12 m=1"));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, formats);
	ATF_TP_ADD_TC(tp, pointer_and_null);
	ATF_TP_ADD_TC(tp, truncation);
	ATF_TP_ADD_TC(tp, long_line);
	ATF_TP_ADD_TC(tp, cmdline_words);
	ATF_TP_ADD_TC(tp, cmdline_bad_number);
	return atf_no_error();
}
