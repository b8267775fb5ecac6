/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/fault_class.h"
#include "base/vmstat.h"
#include "run/cell_json.h"

static void put_quantile(json_t *to, const char *name, const struct hist *h, double q)
{
	uint64_t v;

	json_object_set_new(to, name,
			    hist_quantile(h, q, &v) ? json_integer((json_int_t)v) : json_null());
}

static json_t *pairs_json(const struct hist *h)
{
	json_t *all = json_array();

	for (size_t i = 0; i < h->nr_pairs; i++)
		json_array_append_new(all, json_pack("[I,I]",
						     (json_int_t)fl_hist_low(h->pairs[i].bucket),
						     (json_int_t)h->pairs[i].count));
	return all;
}

/* Adds count, sum, the percentiles and the histogram to `to`. */
static void put_hist(json_t *to, const struct hist *h)
{
	json_object_set_new(to, "count", json_integer((json_int_t)h->count));
	json_object_set_new(to, "sum", json_integer((json_int_t)h->sum));
	json_object_set_new(to, "min",
			    h->count ? json_integer((json_int_t)hist_min(h)) : json_null());
	put_quantile(to, "p50", h, 0.5);
	put_quantile(to, "p90", h, 0.9);
	put_quantile(to, "p99", h, 0.99);
	put_quantile(to, "p999", h, 0.999);
	json_object_set_new(to, "max",
			    h->count ? json_integer((json_int_t)hist_max(h)) : json_null());
	json_object_set_new(to, "mean", h->count ? json_real(hist_mean(h)) : json_null());
	json_object_set_new(to, "hist", pairs_json(h));
}

static json_t *params_json(const struct settings *s)
{
	json_t *o = json_object();

	for (size_t i = 0; i < s->n; i++) {
		if (!cell_key_has(s, &s->v[i]))
			continue;
		json_object_set_new(o, s->v[i].name,
				    s->v[i].kind == SETTING_UINT
					    ? json_integer((json_int_t)setting_number(&s->v[i]))
					    : json_string(s->v[i].value));
	}
	return o;
}

static json_t *classes_json(const struct outcome *out)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < FL_NR_CLASSES; i++) {
		if (!out->classes[i].count)
			continue;
		json_t *one = json_object();

		put_hist(one, &out->classes[i]);
		json_object_set_new(o, fault_class_name((enum fl_class)i), one);
	}
	return o;
}

static json_t *outside_json(const struct outcome *out)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < FL_NR_CLASSES; i++)
		if (out->outside[i].count)
			json_object_set_new(o, fault_class_name((enum fl_class)i),
					    json_integer((json_int_t)out->outside[i].count));
	return o;
}

/* The samples that are in no histogram. One reason does for all phases. */
static void put_interrupted(json_t *phase, json_t *reasons, const struct user_phase *p)
{
	json_object_set_new(phase, "interrupted",
			    p->told ? json_integer((json_int_t)p->interrupted) : json_null());
	if (!p->told)
		json_object_set_new(reasons, "user.interrupted",
				    json_string("Linux does not tell a thread when it was "
						"interrupted: such samples are among the others"));
}

/* A phase that was measured at several x has an entry each, named phase@x. */
static json_t *user_json(struct arena *a, json_t *reasons, const struct outcome *out)
{
	json_t *o = json_object();

	for (size_t i = 0; i < out->nr_phases; i++) {
		const struct user_phase *p = &out->phases[i];
		json_t *one = json_object();

		json_object_set_new(one, "phase", json_string(p->name));
		json_object_set_new(one, "x", json_integer((json_int_t)p->x));
		json_object_set_new(one, "overhead", json_integer((json_int_t)p->overhead));
		put_hist(one, &p->hist);
		put_interrupted(one, reasons, p);
		json_object_set_new(
			o,
			p->x ? arena_printf(a, "%s@%llu", p->name, (unsigned long long)p->x)
			     : p->name,
			one);
	}
	return o;
}

static bool is_tlb(enum fl_vmstat v)
{
	return !strncmp(vmstat_name(v), "nr_tlb_", 7);
}

static void put_vmstat(json_t *counters, const struct outcome *out)
{
	json_t *vmstat = json_object(), *tlb = json_object();

	for (unsigned i = 0; i < FL_NR_VMSTAT; i++)
		json_object_set_new(is_tlb((enum fl_vmstat)i) ? tlb : vmstat,
				    vmstat_name((enum fl_vmstat)i), json_integer(out->vmstat[i]));
	json_object_set_new(counters, "vmstat", vmstat);
	json_object_set_new(counters, "tlb", tlb);
}

static json_t *shares_json(const struct outcome *out, unsigned event)
{
	json_t *all = json_array();

	for (unsigned cpu = 0; cpu < out->nr_cpus; cpu++)
		json_array_append_new(all, json_integer(out->cpus[cpu].vmstat[event]));
	return all;
}

/* What each CPU has of the events that were counted at all. A level says nothing by CPU: what one
 * allocates another may free. */
static json_t *per_cpu_json(const struct outcome *out)
{
	json_t *o = json_object();

	for (unsigned i = 0; i < FL_NR_VMSTAT; i++)
		if (!vmstat_is_gauge((enum fl_vmstat)i) && out->vmstat[i])
			json_object_set_new(o, vmstat_name((enum fl_vmstat)i), shares_json(out, i));
	return o;
}

static json_t *counters_json(struct arena *a, const char *group, const struct counter_list *l,
			     json_t *reasons)
{
	json_t *o = json_object();

	for (size_t i = 0; i < l->n; i++) {
		const struct counter *c = &l->v[i];

		json_object_set_new(o, c->name, c->have ? json_integer(c->value) : json_null());
		if (!c->have)
			json_object_set_new(reasons, arena_printf(a, "%s.%s", group, c->name),
					    json_string(c->reason ? c->reason : "not counted"));
	}
	return o;
}

/* What could not be counted is null, with the reason. */
static void put_null(json_t *to, const char *key, json_t *reasons, const char *why)
{
	json_object_set_new(to, key, json_null());
	json_object_set_new(reasons, key, json_string(why));
}

static void put_classes(json_t *o, json_t *reasons, const struct outcome *out, const char *why)
{
	if (why) {
		put_null(o, "classes", reasons, why);
		put_null(o, "outside", reasons, why);
		return;
	}
	json_object_set_new(o, "classes", classes_json(out));
	json_object_set_new(o, "outside", outside_json(out));
}

static json_t *recorder_json(const struct outcome *out)
{
	json_t *o = json_pack("{s:I,s:I,s:I}", "events_dropped", (json_int_t)out->events_dropped,
			      "oops_count", (json_int_t)out->oops_count, "unsupported_syscalls",
			      (json_int_t)out->unsupported_syscalls);
	json_t *events = out->nr_cpus > 1 && out->nr_events ? json_array() : NULL;

	for (unsigned cpu = 0; events && cpu < out->nr_cpus; cpu++)
		json_array_append_new(events, json_integer((json_int_t)out->cpus[cpu].nr_events));
	if (events)
		json_object_set_new(o, "events_per_cpu", events);
	return o;
}

static void put_window(json_t *o, json_t *counters, const struct outcome *out)
{
	json_object_set_new(o, "boot",
			    json_pack("{s:I}", "to_user", (json_int_t)out->boot_to_user));
	put_vmstat(counters, out);
	if (out->nr_cpus > 1)
		json_object_set_new(counters, "per_cpu", per_cpu_json(out));
	json_object_set_new(o, "recorder", recorder_json(out));
}

static void put_kernel_side(json_t *o, json_t *counters, json_t *reasons, const struct cell *c,
			    enum engine_id engine, const struct outcome *out)
{
	bool off = settings_recorder(&c->settings) == FL_RECORDER_OFF;
	const char *why = engine == ENGINE_LINUX
				  ? "a native process: Linux records no fault classes"
				  : "the guest left no telemetry";

	put_classes(o, reasons, out, !out->have_window ? why : off ? "recorder=off" : NULL);
	if (out->have_window) {
		put_window(o, counters, out);
		return;
	}
	put_null(o, "boot", reasons, why);
	put_null(o, "recorder", reasons, why);
	put_null(counters, "vmstat", reasons, why);
	put_null(counters, "tlb", reasons, why);
}

/* Text of a guest's or an engine's making, as valid UTF-8. */
static json_t *text_json(const char *s)
{
	json_t *j = json_string(s);
	char clean[512];
	size_t i;

	if (j)
		return j;
	for (i = 0; s[i] && i + 1 < sizeof(clean); i++)
		clean[i] = (s[i] >= ' ' && s[i] < 0x7f) || s[i] == '\n' ? s[i] : '?';
	clean[i] = '\0';
	return json_string(clean);
}

json_t *cell_json(struct arena *a, const struct cell *c, enum engine_id engine, uint64_t seed,
		  const struct outcome *out)
{
	json_t *o = json_object(), *counters = json_object(), *reasons = json_object();

	json_object_set_new(o, "profile", json_string(c->profile->name));
	json_object_set_new(o, "workload", json_string(c->profile->workload.name));
	json_object_set_new(o, "label", json_string(c->label));
	json_object_set_new(o, "engine", json_string(engine_name(engine)));
	json_object_set_new(o, "params", params_json(&c->settings));
	json_object_set_new(o, "rep", json_integer(c->rep));
	json_object_set_new(o, "seed", json_integer((json_int_t)seed));
	json_object_set_new(o, "status", json_string(cell_status_name(out->status)));
	if (out->reason)
		json_object_set_new(o, "reason", text_json(out->reason));
	json_object_set_new(o, "unit", out->unit ? json_string(out->unit) : json_null());
	json_object_set_new(o, "wall_seconds", json_real(out->wall_seconds));
	put_kernel_side(o, counters, reasons, c, engine, out);
	json_object_set_new(o, "user", user_json(a, reasons, out));
	json_object_set_new(counters, "papi", counters_json(a, "papi", &out->papi, reasons));
	json_object_set_new(counters, "kvm", counters_json(a, "kvm", &out->kvm, reasons));
	json_object_set_new(o, "counters", counters);
	json_object_set_new(o, "reasons", reasons);
	if (out->state_dump)
		json_object_set_new(o, "state", text_json(out->state_dump));
	return o;
}
