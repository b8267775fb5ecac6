/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Settings: what a cell can be told. A workload's parameters, the machine and the kernel's switches
 * are one flat space of keys, so that profile, matrix and `-s KEY=VALUE` mean the same by a key.
 */
#ifndef HARNESS_SETTING_H
#define HARNESS_SETTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "faultline_abi.h"

enum setting_group { SETTING_PARAM, SETTING_MACHINE, SETTING_KERNEL };
enum setting_kind { SETTING_UINT, SETTING_SIZE, SETTING_ENUM };

struct setting {
	const char *name, *doc;
	enum setting_group group;
	enum setting_kind kind;
	const char *value;	    /* canonical; the default until set */
	uint64_t min, max;	    /* at most 2^63 - 1, for JSON; not for SETTING_ENUM */
	const char *const *choices; /* SETTING_ENUM: NULL-terminated */
	const char *unsaid; /* the value that results do not name, as they did before there was the
			       setting; or NULL */
};

struct settings {
	struct setting *v;
	size_t n;
};

/* The profile section that holds a group: "params", "machine", "kernel". */
const char *setting_group_name(enum setting_group g);

/* Adds the machine's and the kernel's settings with their defaults. */
void settings_add_fixed(struct arena *a, struct settings *s);

/* NULL if there is none of that name. */
struct setting *settings_find(const struct settings *s, const char *name);

/* The canonical form of text as a value of s (numbers in decimal, sizes as 128M); NULL and a
 * sentence in *why (from the arena) if it is none. */
const char *setting_parse(struct arena *a, const struct setting *s, const char *text,
			  const char **why);

/* "did you mean X?", or all keys there are. From the arena. */
const char *settings_hint(struct arena *a, const struct settings *s, const char *name);

/* The number that a numeric setting stands at; 0 for an enum. */
uint64_t setting_number(const struct setting *s);

/* What the setting `recorder` says; FL_RECORDER_HIST without one. */
enum fl_recorder_mode settings_recorder(const struct settings *s);

/* The kernel's settings as its command line takes them; the recorder is the engine's affair. From
 * the arena. */
const char *settings_kernel_args(struct arena *a, const struct settings *s);

/* A copy that can be changed without touching the original. */
struct settings settings_copy(struct arena *a, const struct settings *s);

#endif
