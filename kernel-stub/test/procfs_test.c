/* SPDX-License-Identifier: GPL-2.0-or-later */
/* maps_format() against fixed lines and against every line of this process's own /proc/self/maps.
 */
#include <atf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kern/fs/maps_format.c"

static void expect(const char *want, const struct maps_line *line)
{
	size_t size = strlen(want);
	char *buf = malloc(size + 1);

	buf[size] = 0;
	ATF_REQUIRE_EQ(size, maps_format(buf, size, line));
	ATF_CHECK_STREQ(want, buf);
	ATF_CHECK_EQ_MSG(0, maps_format(buf, size - 1, line), "written where it does not fit");
	free(buf);
}

ATF_TC_WITHOUT_HEAD(lines);
ATF_TC_BODY(lines, tc)
{
	(void)tc;
	expect("00400000-00401000 r--p 00000000 00:00 0 \n",
	       &(struct maps_line){.start = 0x400000, .end = 0x401000, .perms = "r--p"});
	expect("00400000-00401000 r-xp 00001000 fe:00 10952989                           /bin/x\n",
	       &(struct maps_line){.start = 0x400000,
				   .end = 0x401000,
				   .perms = "r-xp",
				   .offset = 0x1000,
				   .dev_major = 0xfe,
				   .inode = 10952989,
				   .name = "/bin/x"});
	expect("7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0                          [stack]\n",
	       &(struct maps_line){.start = 0x7ffffffde000,
				   .end = 0x7ffffffff000,
				   .perms = "rw-p",
				   .name = "[stack]"});
	expect("ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [x]\n",
	       &(struct maps_line){.start = 0xffffffffff600000,
				   .end = 0xffffffffff601000,
				   .perms = "--xp",
				   .name = "[x]"});
	expect("00001000-00002000 rw-s 00000000 00:00 0                                  a\\012b\n",
	       &(struct maps_line){
		       .start = 0x1000, .end = 0x2000, .perms = "rw-s", .name = "a\nb"});
}

/* The numbers and the name of a line of the kernel's. */
static void parse(const char *text, struct maps_line *line, char *name)
{
	int at = 0;

	ATF_REQUIRE_EQ_MSG(7,
			   sscanf(text, "%lx-%lx %4s %lx %x:%x %lu %n", &line->start, &line->end,
				  line->perms, &line->offset, &line->dev_major, &line->dev_minor,
				  &line->inode, &at),
			   "%s", text);
	strcpy(name, text + at);
	name[strcspn(name, "\n")] = 0;
	line->name = *name ? name : NULL;
}

ATF_TC_WITHOUT_HEAD(as_linux_prints);
ATF_TC_BODY(as_linux_prints, tc)
{
	FILE *f = fopen("/proc/self/maps", "r");
	char text[4096 + 128], name[4096 + 128];
	struct maps_line line;
	unsigned n = 0;

	(void)tc;
	ATF_REQUIRE(f);
	while (fgets(text, sizeof(text), f)) {
		memset(&line, 0, sizeof(line));
		parse(text, &line, name);
		expect(text, &line);
		n++;
	}
	fclose(f);
	ATF_CHECK_MSG(n > 5, "only %u lines", n);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, lines);
	ATF_TP_ADD_TC(tp, as_linux_prints);
	return atf_no_error();
}
