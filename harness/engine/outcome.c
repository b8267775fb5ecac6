/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "engine/outcome.h"

static void *need(void *p)
{
	if (!p) {
		perror("faultline: memory");
		abort();
	}
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	return need(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return need(realloc(p, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return need(strdup(s));
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return need(s);
}

double now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void outcome_set(struct outcome *out, enum outcome_status status, const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	free(out->reason);
	out->reason = need(s);
	out->status = status;
}

void counter_list_add(struct counter_list *l, const char *name, const int64_t *value,
		      const char *reason)
{
	struct counter *c;

	l->v = xrealloc(l->v, (l->n + 1) * sizeof(*l->v));
	c = &l->v[l->n++];
	c->name = xstrdup(name);
	c->have = value != NULL;
	c->value = value ? *value : 0;
	c->reason = value ? NULL : xstrdup(reason);
}

static void counter_list_free(struct counter_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].reason);
	}
	free(l->v);
}

void outcome_free(struct outcome *out)
{
	for (unsigned c = 0; c < FL_NR_CLASSES; c++) {
		hist_free(&out->classes[c]);
		hist_free(&out->outside[c]);
	}
	for (size_t i = 0; i < out->nr_phases; i++)
		hist_free(&out->phases[i].hist);
	free(out->phases);
	counter_list_free(&out->papi);
	counter_list_free(&out->kvm);
	free(out->reason);
	free(out->events);
	free(out->cpus);
	free(out->console);
	free(out->out);
	free(out->err);
	free(out->state_dump);
	memset(out, 0, sizeof(*out));
}

const char *outcome_status_name(enum outcome_status s)
{
	static const char *const names[] = {"ok", "failed", "crashed", "timeout", "unsupported"};

	return names[s];
}
