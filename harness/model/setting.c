/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/text.h"
#include "model/setting.h"

static const char *const switch_choices[] = {"off", "on", NULL};
static const char *const recorder_choices[] = {"off", "hist", "raw", NULL};
static const char *const vma_index_choices[] = {"rbtree", "list", "btree", NULL};

/* The stub boots with 32 MiB and maps addresses below 512 GiB, of which the hole below 4 GiB takes
 * one; fl_window_layout() knows at most 64 CPUs. */
static const struct setting fixed[] = {
	{.name = "memory",
	 .doc = "the guest's memory",
	 .group = SETTING_MACHINE,
	 .kind = SETTING_SIZE,
	 .value = "128M",
	 .min = 32ull << 20,
	 .max = 511ull << 30},
	{.name = "cpus",
	 .doc = "the guest's CPUs",
	 .group = SETTING_MACHINE,
	 .kind = SETTING_UINT,
	 .value = "1",
	 .min = 1,
	 .max = 64},
	{.name = "interleave",
	 .doc = "tcg with several CPUs: instructions a turn; 0: 10^8",
	 .group = SETTING_MACHINE,
	 .kind = SETTING_UINT,
	 .value = "10000",
	 .min = 0,
	 .max = 100000000},
	{.name = "recorder",
	 .doc = "what the stub records of each fault",
	 .group = SETTING_KERNEL,
	 .kind = SETTING_ENUM,
	 .value = "hist",
	 .choices = recorder_choices},
	{.name = "panic_on_oops",
	 .doc = "1: an oops ends the cell",
	 .group = SETTING_KERNEL,
	 .kind = SETTING_UINT,
	 .value = "0",
	 .min = 0,
	 .max = 1},
	{.name = "kpti",
	 .doc = "on: ring 3 has page tables without the kernel",
	 .group = SETTING_KERNEL,
	 .kind = SETTING_ENUM,
	 .value = "off",
	 .choices = switch_choices,
	 .unsaid = "off"},
	{.name = "vma_index",
	 .doc = "how the stub finds a VMA by its address",
	 .group = SETTING_KERNEL,
	 .kind = SETTING_ENUM,
	 .value = "rbtree",
	 .choices = vma_index_choices,
	 .unsaid = "rbtree"},
	{.name = "map_max",
	 .doc = "the VMAs that a program may have",
	 .group = SETTING_KERNEL,
	 .kind = SETTING_UINT,
	 .value = "65530",
	 .min = 16,
	 .max = INT32_MAX,
	 .unsaid = "65530"},
};

const char *setting_group_name(enum setting_group g)
{
	static const char *const names[] = {"params", "machine", "kernel"};

	return names[g];
}

void settings_add_fixed(struct arena *a, struct settings *s)
{
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		*(struct setting *)arena_push(a, &s->v, &s->n, sizeof(*s->v)) = fixed[i];
}

struct setting *settings_find(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			return &s->v[i];
	return NULL;
}

static const char *join(struct arena *a, const char *const *words)
{
	const char *all = "";

	for (; *words; words++)
		all = arena_printf(a, "%s%s%s", all, *all ? ", " : "", *words);
	return all;
}

static const char *parse_enum(struct arena *a, const struct setting *s, const char *text,
			      const char **why)
{
	char q[48];

	for (const char *const *c = s->choices; *c; c++)
		if (!strcmp(*c, text))
			return *c;
	*why = arena_printf(a, "%s = %s: use one of %s", s->name, text_quote(q, text),
			    join(a, s->choices));
	return NULL;
}

static const char *format_number(struct arena *a, const struct setting *s, uint64_t v)
{
	char buf[32];

	if (s->kind != SETTING_SIZE)
		return arena_printf(a, "%llu", (unsigned long long)v);
	text_size(buf, v);
	return arena_strdup(a, buf);
}

const char *setting_parse(struct arena *a, const struct setting *s, const char *text,
			  const char **why)
{
	uint64_t v;
	char q[48];

	if (s->kind == SETTING_ENUM)
		return parse_enum(a, s, text, why);
	if (text_number(text, &v) && v >= s->min && v <= s->max)
		return format_number(a, s, v);
	*why = arena_printf(a, "%s = %s: use a whole number from %s to %s", s->name,
			    text_quote(q, text), format_number(a, s, s->min),
			    format_number(a, s, s->max));
	return NULL;
}

const char *settings_hint(struct arena *a, const struct settings *s, const char *name)
{
	const char **names = arena_alloc(a, (s->n + 1) * sizeof(*names));

	for (size_t i = 0; i < s->n; i++)
		names[i] = s->v[i].name;
	const char *near = text_nearest(name, names);

	return near ? arena_printf(a, "did you mean %s?", near)
		    : arena_printf(a, "the keys are %s", join(a, names));
}

uint64_t setting_number(const struct setting *s)
{
	uint64_t v = 0;

	if (s->kind != SETTING_ENUM)
		text_number(s->value, &v);
	return v;
}

enum fl_recorder_mode settings_recorder(const struct settings *s)
{
	const struct setting *recorder = settings_find(s, "recorder");
	const char *value = recorder ? recorder->value : "hist";

	return !strcmp(value, "off")   ? FL_RECORDER_OFF
	       : !strcmp(value, "raw") ? FL_RECORDER_RAW
				       : FL_RECORDER_HIST;
}

const char *settings_kernel_args(struct arena *a, const struct settings *s)
{
	const char *line = "";

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].group == SETTING_KERNEL && strcmp(s->v[i].name, "recorder"))
			line = arena_printf(a, "%s%s%s=%s", line, *line ? " " : "", s->v[i].name,
					    s->v[i].value);
	return line;
}

struct settings settings_copy(struct arena *a, const struct settings *s)
{
	struct settings copy = {.v = arena_alloc(a, s->n * sizeof(*s->v)), .n = s->n};

	memcpy(copy.v, s->v, s->n * sizeof(*s->v));
	return copy;
}
