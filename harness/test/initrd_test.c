/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cpio archive: page-aligned data, and a form that cpio itself reads. */
#include <atf-c.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "engine/guest/initrd.h"

static void make(struct initrd *rd)
{
	static const char *const argv[] = {"/prog", "", "two words", NULL};
	char big[5000];

	memset(rd, 0, sizeof(*rd));
	memset(big, 'b', sizeof(big));
	initrd_add_strings(rd, "faultline/argv", argv);
	initrd_add_strings(rd, "faultline/envp", NULL);
	initrd_add_file(rd, "/a/deep/big", 0644, big, sizeof(big));
	initrd_add_file(rd, "/prog", 0755, "x", 1);
	initrd_finish(rd);
}

static size_t hex(const uint8_t *at)
{
	char field[9] = {0};

	memcpy(field, at, 8);
	return strtoul(field, NULL, 16);
}

ATF_TC_WITHOUT_HEAD(data_is_page_aligned);
ATF_TC_BODY(data_is_page_aligned, tc)
{
	struct initrd rd;
	unsigned files = 0;
	size_t at = 0;

	make(&rd);
	while (strcmp((char *)rd.data + at + 110, "TRAILER!!!")) {
		size_t mode = hex(rd.data + at + 14), size = hex(rd.data + at + 54);
		size_t data_at = at + 110 + hex(rd.data + at + 94);

		ATF_REQUIRE_EQ(0, memcmp(rd.data + at, "070701", 6));
		data_at = (data_at + 3) & ~3ul;
		if ((mode & 0170000) == 0100000) {
			ATF_CHECK_EQ(0, data_at % 4096);
			files++;
		}
		at = (data_at + size + 3) & ~3ul;
		ATF_REQUIRE(at + 110 < rd.len);
	}
	ATF_CHECK_EQ(4, files);
	initrd_free(&rd);
}

/* What cpio prints for a command on the archive. */
static void run_cpio(const struct initrd *rd, const char *command, char *out, size_t size)
{
	FILE *f = fopen("archive", "w");
	size_t n;

	ATF_REQUIRE_EQ(rd->len, fwrite(rd->data, 1, rd->len, f));
	fclose(f);
	f = popen(command, "r");
	n = fread(out, 1, size - 1, f);
	out[n] = '\0';
	ATF_REQUIRE_EQ(0, pclose(f));
}

ATF_TC(cpio_reads_it);
ATF_TC_HEAD(cpio_reads_it, tc)
{
	atf_tc_set_md_var(tc, "require.progs", "cpio");
}
ATF_TC_BODY(cpio_reads_it, tc)
{
	struct initrd rd;
	char text[8192];

	make(&rd);
	run_cpio(&rd, "cpio -it < archive 2>/dev/null", text, sizeof(text));
	ATF_CHECK_STREQ("faultline\nfaultline/argv\nfaultline/envp\na\na/deep\na/deep/big\nprog\n",
			text);
	run_cpio(&rd, "cpio -i --to-stdout faultline/argv < archive 2>/dev/null | tr '\\0' '|'",
		 text, sizeof(text));
	ATF_CHECK_STREQ("/prog||two words|", text);
	run_cpio(&rd, "cpio -i --to-stdout a/deep/big < archive 2>/dev/null | tr -d b | wc -c",
		 text, sizeof(text));
	ATF_CHECK_EQ(0, atoi(text));
	initrd_free(&rd);
}

ATF_TC_WITHOUT_HEAD(host_files);
ATF_TC_BODY(host_files, tc)
{
	struct initrd rd = {0};

	ATF_CHECK_EQ(-ENOENT, initrd_add_host_file(&rd, "x", "no-such-file"));
	ATF_CHECK_EQ(-EISDIR, initrd_add_host_file(&rd, "x", "/tmp"));
	ATF_CHECK_EQ(0, rd.len);
	ATF_CHECK_EQ(0, initrd_add_host_file(&rd, "x", "/proc/self/exe"));
	ATF_CHECK(rd.len > 4096);
	ATF_CHECK_EQ(0, memcmp(rd.data + 4096, "\177ELF", 4));
	initrd_free(&rd);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, data_is_page_aligned);
	ATF_TP_ADD_TC(tp, cpio_reads_it);
	ATF_TP_ADD_TC(tp, host_files);
	return atf_no_error();
}
