/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <jansson.h>
#include <string.h>

#include "report/compare_print.h"

static const char no_verdict_text[] =
	"no verdict: times on this engine need the statistics of a later version";

static const char *dirty(const struct results *r)
{
	return json_is_true(json_object_get(r->manifest, "dirty")) ? " and changes" : "";
}

static const char *verdict(const struct comparison *c)
{
	if (c->worse)
		return "worse or different";
	if (c->of_kind[FINDING_NO_VERDICT])
		return no_verdict_text;
	return c->of_kind[FINDING_IMPROVEMENT] ? "better" : "equal";
}

static const char *side_commit(const struct results *r)
{
	return results_manifest(r, "commit", "unknown");
}

/* ---- text ---- */

static void text_counts(FILE *to, const struct comparison *c)
{
	fprintf(to, "%zu cells on both sides", c->nr_both);
	for (unsigned k = 0; k < NR_FINDINGS; k++)
		if (c->of_kind[k])
			fprintf(to, "; %s: %zu", finding_kind_name((enum finding_kind)k),
				c->of_kind[k]);
}

/* The stub may be another than the commit's own: --stub. */
static void text_side(FILE *to, const char *side, const struct results *r)
{
	fprintf(to, "%-4s  %s  commit %.12s%s, stub %.12s\n", side, r->dir, side_commit(r),
		dirty(r), results_manifest(r, "stub_sha256", "none"));
}

static void print_text(FILE *to, const struct comparison *c)
{
	text_side(to, "base", c->base);
	text_side(to, "new", c->new);
	fprintf(to, "engine %s, in %s\n", engine_name(c->engine), c->unit ? c->unit : "no unit");
	for (size_t i = 0; i < c->n; i++) {
		const struct compared_cell *cell = &c->cells[i];

		if (!cell->n)
			continue;
		fprintf(to, "\n%s %s rep %lld\n", cell->profile, cell->label, (long long)cell->rep);
		for (size_t k = 0; k < cell->n; k++)
			fprintf(to, "  %-14s %s: %s\n", finding_kind_name(cell->findings[k].kind),
				cell->findings[k].series, cell->findings[k].what);
	}
	fputs("\n", to);
	text_counts(to, c);
	fprintf(to, ".\nVerdict: %s.\n", verdict(c));
}

/* ---- markdown ---- */

/* Text into a table's cell. */
static void md(FILE *to, const char *s)
{
	for (; *s; s++) {
		if (strchr("|\\`*_<>", *s))
			putc('\\', to);
		putc(*s == '\n' ? ' ' : *s, to);
	}
}

static void md_row(FILE *to, const struct compared_cell *cell, const struct finding *f)
{
	const char *const columns[] = {cell->profile, cell->label, f->series,
				       finding_kind_name(f->kind), f->what};

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		fputs("| ", to);
		md(to, columns[i]);
		putc(' ', to);
	}
	fputs("|\n", to);
}

static void print_markdown(FILE *to, const struct comparison *c)
{
	fprintf(to, "### faultline compare: %s\n\n", verdict(c));
	fprintf(to, "Base `%.12s`%s, new `%.12s`%s, engine `%s`, in %s. ", side_commit(c->base),
		dirty(c->base), side_commit(c->new), dirty(c->new), engine_name(c->engine),
		c->unit ? c->unit : "no unit");
	text_counts(to, c);
	fputs(".\n", to);
	bool head = false;

	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; k < c->cells[i].n; k++) {
			if (!head)
				fputs("\n| profile | cell | series | finding | what moved |\n"
				      "|---|---|---|---|---|\n",
				      to);
			head = true;
			md_row(to, &c->cells[i], &c->cells[i].findings[k]);
		}
}

/* ---- json ---- */

static json_t *hist_json(const struct hist *h)
{
	uint64_t v;

	return json_pack(
		"{s:I,s:I,s:o,s:o,s:I}", "count", (json_int_t)h->count, "sum", (json_int_t)h->sum,
		"p50", hist_quantile(h, 0.5, &v) ? json_integer((json_int_t)v) : json_null(), "p99",
		hist_quantile(h, 0.99, &v) ? json_integer((json_int_t)v) : json_null(), "max",
		(json_int_t)hist_max(h));
}

static json_t *finding_json(const struct finding *f)
{
	json_t *o = json_pack("{s:s,s:s,s:s}", "finding", finding_kind_name(f->kind), "series",
			      f->series, "what", f->what);

	if (f->have_hist) {
		json_object_set_new(o, "base", hist_json(f->base));
		json_object_set_new(o, "new", hist_json(f->new));
	}
	return o;
}

static json_t *cell_json_of(const struct compared_cell *cell)
{
	json_t *findings = json_array();

	for (size_t k = 0; k < cell->n; k++)
		json_array_append_new(findings, finding_json(&cell->findings[k]));
	return json_pack("{s:s,s:s,s:I,s:o}", "profile", cell->profile, "cell", cell->label, "rep",
			 (json_int_t)cell->rep, "findings", findings);
}

static void print_json(FILE *to, const struct comparison *c)
{
	json_t *cells = json_array(), *counts = json_object();

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(cells, cell_json_of(&c->cells[i]));
	for (unsigned k = 0; k < NR_FINDINGS; k++)
		json_object_set_new(counts, finding_kind_name((enum finding_kind)k),
				    json_integer((json_int_t)c->of_kind[k]));
	json_t *all = json_pack(
		"{s:s,s:b,s:s,s:s,s:s?,s:s,s:s,s:s,s:s,s:o,s:o}", "schema", "faultline-compare/1",
		"worse", c->worse, "verdict", verdict(c), "engine", engine_name(c->engine), "unit",
		c->unit, "base", c->base->dir, "base_commit", side_commit(c->base), "new",
		c->new->dir, "new_commit", side_commit(c->new), "counts", counts, "cells", cells);

	json_dumpf(all, to, JSON_INDENT(1));
	putc('\n', to);
	json_decref(all);
}

/* ---- junit ---- */

static void xml(FILE *to, const char *s)
{
	for (; *s; s++) {
		unsigned char ch = (unsigned char)*s;

		if (ch == '<')
			fputs("&lt;", to);
		else if (ch == '>')
			fputs("&gt;", to);
		else if (ch == '&')
			fputs("&amp;", to);
		else if (ch == '"')
			fputs("&quot;", to);
		else
			putc(ch < ' ' && ch != '\n' && ch != '\t' ? '?' : ch, to);
	}
}

static bool is_failure(const struct finding *f)
{
	return f->kind <= FINDING_MISSING;
}

static size_t count_failures(const struct compared_cell *cell)
{
	size_t n = 0;

	for (size_t k = 0; k < cell->n; k++)
		n += is_failure(&cell->findings[k]);
	return n;
}

static void junit_cell(FILE *to, const struct compared_cell *cell)
{
	fputs("  <testcase classname=\"faultline.", to);
	xml(to, cell->profile);
	fputs("\" name=\"", to);
	xml(to, cell->label);
	fprintf(to, " rep=%lld\">\n", (long long)cell->rep);
	if (count_failures(cell))
		fputs("    <failure message=\"worse or different\">", to);
	else if (cell->n)
		fputs("    <system-out>", to);
	for (size_t k = 0; k < cell->n; k++) {
		xml(to, finding_kind_name(cell->findings[k].kind));
		fputs(": ", to);
		xml(to, cell->findings[k].series);
		fputs(": ", to);
		xml(to, cell->findings[k].what);
		putc('\n', to);
	}
	if (count_failures(cell))
		fputs("</failure>\n", to);
	else if (cell->n)
		fputs("</system-out>\n", to);
	fputs("  </testcase>\n", to);
}

static void print_junit(FILE *to, const struct comparison *c)
{
	size_t failures = 0;

	for (size_t i = 0; i < c->n; i++)
		failures += count_failures(&c->cells[i]) != 0;
	fprintf(to,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"faultline compare\" tests=\"%zu\" failures=\"%zu\">\n",
		c->n, failures);
	for (size_t i = 0; i < c->n; i++)
		junit_cell(to, &c->cells[i]);
	fputs("</testsuite>\n", to);
}

void compare_print(FILE *to, enum compare_format format, const struct comparison *c)
{
	static void (*const print[])(FILE *, const struct comparison *) = {
		[COMPARE_TEXT] = print_text,
		[COMPARE_MARKDOWN] = print_markdown,
		[COMPARE_JSON] = print_json,
		[COMPARE_JUNIT] = print_junit,
	};

	print[format](to, c);
}
