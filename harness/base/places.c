/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/places.h"
#include "base/xalloc.h"

static const char *stub_option;

void places_set_stub(const char *path)
{
	if (path)
		stub_option = path;
}

/* The directory of this executable. */
static const char *own_directory(void)
{
	static char dir[PATH_MAX];
	ssize_t n;
	char *slash;

	if (*dir)
		return dir;
	n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	dir[n > 0 ? n : 0] = '\0';
	slash = strrchr(dir, '/');
	if (slash)
		*slash = '\0';
	else
		strcpy(dir, ".");
	return dir;
}

/* The first of the two that exists; else the first, for the error message. Takes both. */
static char *pick(char *first, char *second)
{
	if (access(first, F_OK) && !access(second, F_OK)) {
		free(first);
		return second;
	}
	free(second);
	return first;
}

const char *places_stub(void)
{
	const char *env = getenv("FAULTLINE_STUB");
	static char *found;

	if (stub_option)
		return stub_option;
	if (env && *env)
		return env;
	if (!found)
		found = pick(xasprintf("%s/stub.elf", own_directory()),
			     xasprintf("%s/../lib/faultline/stub.elf", own_directory()));
	return found;
}

const char *places_stub_with(struct arena *a, const char *stub, const char *vma_index)
{
	size_t n = strlen(stub);

	if (!strcmp(vma_index, "rbtree"))
		return stub;
	if (n >= 4 && !strcmp(stub + n - 4, ".elf"))
		n -= 4;
	return arena_printf(a, "%.*s-%s.elf", (int)n, stub, vma_index);
}

char *places_workload(const char *name)
{
	const char *env = getenv("FAULTLINE_WORKLOADS");

	if (env && *env)
		return xasprintf("%s/%s", env, name);
	return pick(xasprintf("%s/workloads/%s", own_directory(), name),
		    xasprintf("%s/../lib/faultline/workloads/%s", own_directory(), name));
}

/* The directory, if it is a checkout: told by the kernel's sources. Takes it. */
static char *if_checkout(char *top)
{
	char *mark = xasprintf("%s/kernel-stub/include/faultline_abi.h", top);
	bool there = !access(mark, F_OK);

	free(mark);
	if (there)
		return top;
	free(top);
	return NULL;
}

static char *find_source(void)
{
	const char *env = getenv("FAULTLINE_SOURCE");
	char *top;

	if (env && *env)
		return xstrdup(env);
	top = if_checkout(xasprintf("%s/..", own_directory()));
	return top ? top : if_checkout(xasprintf("%s/source", own_directory()));
}

const char *places_source(void)
{
	static char *source;

	if (!source)
		source = find_source();
	return source;
}

char *places_data(const char *name)
{
	const char *source = places_source();
	char *installed = xasprintf("%s/../share/faultline/%s", own_directory(), name);

	return source ? pick(xasprintf("%s/%s", source, name), installed) : installed;
}
