/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/engine.h"
#include "engine/qemu.h"
#include "proc/child.h"

const char *qemu_program(void)
{
	const char *env = getenv("FAULTLINE_QEMU");

	return env && *env ? env : QEMU;
}

const char *qemu_missing(void)
{
	static char *other;

	if (!strcmp(qemu_program(), QEMU))
		return QEMU " does not start; install it: apt install qemu-system-x86";
	if (!other)
		other = xasprintf("%s (FAULTLINE_QEMU) does not start", qemu_program());
	return other;
}

static char *read_version(void)
{
	const char *const argv[] = {qemu_program(), "--version", NULL};
	struct child c;
	struct sink s;
	char *text;
	int fd, err;

	child_init(&c);
	sink_init(&s, SINK_HEAD, 4096, -1);
	fd = child_stream(&c, &s);
	err = fd < 0 ? -errno : child_start(&c, argv, NULL, fd, fd);
	if (!err)
		child_wait(&c, now_seconds() + 10, NULL, NULL);
	child_close(&c);
	text = sink_take(&s, NULL, NULL);
	text[strcspn(text, "\n")] = '\0';
	if (!err && !c.timed_out && strstr(text, "version "))
		return text;
	free(text);
	return NULL;
}

const char *engine_qemu_version(void)
{
	static bool asked;
	static char *version;

	if (!asked)
		version = read_version();
	asked = true;
	return version;
}

/* 100 × major + minor; 0 if QEMU does not tell. */
static unsigned version_number(void)
{
	const char *v = engine_qemu_version();
	unsigned major, minor;

	if (!v || sscanf(strstr(v, "version "), "version %u.%u", &major, &minor) != 2)
		return 0;
	return 100 * major + minor;
}

const char *qemu_unavailable(void)
{
	if (!engine_qemu_version())
		return qemu_missing();
	return version_number() < 100 * QEMU_OLDEST_MAJOR ? OLD_QEMU : NULL;
}

bool qemu_shares_turns(void)
{
	return version_number() >= 801;
}
