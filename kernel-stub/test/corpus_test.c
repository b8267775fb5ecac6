/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replays what the fuzzer has found worth keeping (fuzz/corpus/mmap), without the fuzzer. */
#include <atf-c.h>
#include <dirent.h>
#include <stdio.h>

#include "fuzz/mmap_fuzz.c"

#define INPUT_MAX 4096u

static void replay(const char *dir, const char *name)
{
	static uint8_t data[INPUT_MAX];
	char path[4300];
	FILE *f;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "rb");
	ATF_REQUIRE_MSG(f != NULL, "%s does not open", path);
	size = fread(data, 1, sizeof(data), f);
	ATF_REQUIRE_MSG(size && feof(f), "%s: empty, or longer than %u bytes", path, INPUT_MAX);
	fclose(f);
	printf("%s\n", name); /* the last one is the one that failed */
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
}

ATF_TC(mmap);
ATF_TC_HEAD(mmap, tc)
{
	atf_tc_set_md_var(tc, "descr", "each input of the corpus against the flat model");
}
ATF_TC_BODY(mmap, tc)
{
	const struct dirent *entry;
	char dir[4000];
	unsigned n = 0;
	DIR *d;

	snprintf(dir, sizeof(dir), "%s/kernel-stub/fuzz/corpus/mmap",
		 atf_tc_get_config_var(tc, "top"));
	d = opendir(dir);
	ATF_REQUIRE_MSG(d != NULL, "%s does not open", dir);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.') {
			replay(dir, entry->d_name);
			n++;
		}
	closedir(d);
	ATF_REQUIRE_MSG(n >= 100, "%s holds %u inputs", dir, n);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, mmap);
	return atf_no_error();
}
