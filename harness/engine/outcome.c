/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "engine/outcome.h"

void outcome_set(struct outcome *out, enum cell_status status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *reason = xvasprintf(fmt, ap);

	va_end(ap);
	free(out->reason);
	out->reason = reason;
	out->status = status;
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
