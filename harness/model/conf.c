/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inih does the parsing; but a Debian inih does not tell its handler the line, cuts section names
 * at 50 bytes in silence and knows nothing of duplicates. So the lines are handed to it one by one
 * from memory, and counted and checked on the way.
 */
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "model/conf.h"

enum { FILE_MAX = 1 << 20, LINE_MAX_BYTES = 190, SECTION_MAX = 48 };

struct reader {
	struct arena *arena;
	struct conf *conf;
	struct diag *diag;
	const char *rest;
	unsigned line;
	bool bad;
};

static char *load(struct arena *a, const char *file, size_t *len, struct diag *d)
{
	FILE *f = fopen(file, "re");

	if (!f) {
		diag_add(d, file, 0, "can't open it: %s", strerror(errno));
		return NULL;
	}
	char *text = arena_alloc(a, FILE_MAX + 2);

	*len = fread(text, 1, FILE_MAX + 1, f);
	if (ferror(f)) {
		diag_add(d, file, 0, "can't read it: %s", strerror(errno));
		text = NULL;
	}
	fclose(f);
	return text;
}

/* Everything must be text, or a NUL would end the file unseen. */
static bool check_text(const char *file, const char *text, size_t len, struct diag *d)
{
	unsigned line = 1;

	if (len > FILE_MAX) {
		diag_add(d, file, 0, "longer than 1 MiB: this is no profile or matrix");
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\n')
			line++;
		else if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f) {
			diag_add(d, file, line, "byte 0x%02x is no text", c);
			return false;
		}
	}
	return true;
}

static void add_section(struct reader *r, const char *line, size_t len)
{
	const char *end = memchr(line, ']', len);
	size_t n = end ? (size_t)(end - line) - 1 : 0;

	if (!end || n > SECTION_MAX)
		return;
	struct conf_section *s =
		arena_push(r->arena, &r->conf->sections, &r->conf->nr_sections, sizeof(*s));

	s->name = arena_strndup(r->arena, line + 1, n);
	s->line = r->line;
	for (size_t i = 0; i + 1 < r->conf->nr_sections; i++)
		if (!strcmp(r->conf->sections[i].name, s->name)) {
			diag_add(r->diag, r->conf->file, r->line,
				 "section [%s] stands twice: first in line %u", s->name,
				 r->conf->sections[i].line);
			r->bad = true;
		}
}

/* inih's ini_reader: the next line into buf, without an indent (it means nothing here). */
static char *next_line(char *buf, int room, void *arg)
{
	struct reader *r = arg;

	if (!*r->rest || room < 2)
		return NULL;
	size_t len = strcspn(r->rest, "\n");
	const char *line = r->rest;

	r->rest += len + (line[len] == '\n');
	r->line++;
	while (len && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	if (len > LINE_MAX_BYTES || len + 2 > (size_t)room) {
		diag_add(r->diag, r->conf->file, r->line, "line longer than %d bytes",
			 LINE_MAX_BYTES);
		r->bad = true;
		len = 0;
	}
	if (len && *line == '[' &&
	    (!memchr(line, ']', len) ||
	     (const char *)memchr(line, ']', len) - line > SECTION_MAX)) {
		diag_add(r->diag, r->conf->file, r->line,
			 "no section: [NAME] with at most %d characters would be one", SECTION_MAX);
		r->bad = true;
		len = 0;
	}
	if (len && *line == '[')
		add_section(r, line, len);
	memcpy(buf, line, len);
	strcpy(buf + len, "\n");
	return buf;
}

static int add_entry(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *r = arg;
	const struct conf_entry *twin = conf_find(r->conf, section, key);

	if (twin) {
		diag_add(r->diag, r->conf->file, r->line, "%s stands twice: first in line %u", key,
			 twin->line);
		r->bad = true;
		return 1;
	}
	struct conf_entry *e =
		arena_push(r->arena, &r->conf->entries, &r->conf->nr_entries, sizeof(*e));

	*e = (struct conf_entry){
		.section = arena_strdup(r->arena, section),
		.key = arena_strdup(r->arena, key),
		.value = arena_strdup(r->arena, value),
		.line = r->line,
	};
	return 1;
}

bool conf_read(struct arena *a, const char *file, struct conf *c, struct diag *d)
{
	size_t len;
	char *text = load(a, file, &len, d);

	*c = (struct conf){.file = arena_strdup(a, file)};
	if (!text || !check_text(file, text, len, d))
		return false;
	struct reader r = {.arena = a, .conf = c, .diag = d, .rest = text};
	int bad_line = ini_parse_stream(next_line, &r, add_entry, &r);

	if (bad_line) {
		diag_add(d, file, bad_line > 0 ? (unsigned)bad_line : 0,
			 "neither [SECTION] nor KEY = VALUE nor a comment (; or #)");
		r.bad = true;
	}
	return !r.bad;
}

const struct conf_entry *conf_find(const struct conf *c, const char *section, const char *key)
{
	for (size_t i = 0; i < c->nr_entries; i++)
		if (!strcmp(c->entries[i].section, section) && !strcmp(c->entries[i].key, key))
			return &c->entries[i];
	return NULL;
}
