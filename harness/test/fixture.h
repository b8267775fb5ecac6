/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of profiles, matrices and results share: files to read, a workload that only
 * talks. */
#ifndef HARNESS_TEST_FIXTURE_H
#define HARNESS_TEST_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static inline void write_bytes(const char *path, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(bytes, 1, n, f) != n || fclose(f))
		abort();
}

static inline void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* A workload `toy` in the current directory: pages, order, a seed, two phases. */
static inline void make_toy(void)
{
	write_text("toy", "#!/bin/sh\n"
			  "printf 'workload\\ttoy\\ta toy\\n'\n"
			  "printf 'param\\tpages\\tuint\\t64\\t1..4096\\thow many\\n'\n"
			  "printf 'param\\torder\\tenum\\tseq\\tseq|random\\tin which order\\n'\n"
			  "printf 'param\\tseed\\tuint\\t0\\t0..18446744073709551615\\tseed\\n'\n"
			  "printf 'phase\\twrite\\tone store\\n'\n");
	chmod("toy", 0755);
	setenv("FAULTLINE_WORKLOADS", ".", 1);
}

static const char toy_profile[] = "[profile]\n"
				  "workload = toy\n"
				  "description = a toy\n"
				  "[machine]\n"
				  "memory = 64M\n"
				  "[params]\n"
				  "pages = 128\n"
				  "[expect]\n"
				  "user.minor.anon_alloc = pages\n"
				  "user.minor.spurious = >= 0\n"
				  "[expect kvm]\n"
				  "user.minor.spurious = >= pages / 64 - 1\n";

#endif
