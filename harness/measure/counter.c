/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "base/xalloc.h"
#include "measure/counter.h"

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

void counter_list_free(struct counter_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].reason);
	}
	free(l->v);
	*l = (struct counter_list){0};
}
