/* SPDX-License-Identifier: GPL-2.0-or-later */
/* faultline plot: CSV files into DIR/plots, then the gnuplot scripts of plots/ over them. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/places.h"
#include "base/text.h"
#include "cli/cmd.h"
#include "proc/capture.h"
#include "report/csv.h"

struct plot_options {
	bool png, svg;
	const char **dirs;
	size_t nr_dirs;
	struct arena *arena;
};

static const struct argp_option options[] = {
	{"terminal", 't', "KIND", 0, "png or svg (default: both)", 0},
	{0},
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct plot_options *o = state->input;

	switch (key) {
	case 't':
		if (!strcmp(arg, "png"))
			o->png = true;
		else if (!strcmp(arg, "svg"))
			o->svg = true;
		else
			argp_error(state, "--terminal %s: use png or svg", arg);
		return 0;
	case ARGP_KEY_ARG:
		*(const char **)arena_push(o->arena, &o->dirs, &o->nr_dirs, sizeof(arg)) = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "name a run's directory");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	options,
	parse_option,
	"DIR...",
	"Draws the figures of each run into DIR/plots: latency percentiles and cumulative "
	"distribution by fault class, cost against the number of VMAs (and by VMA index, where "
	"that was varied), and throughput and latency against the number of CPUs.",
	NULL,
	NULL,
	NULL,
};

static bool have_gnuplot(struct diag *d)
{
	static const char *const argv[] = {"gnuplot", "--version", NULL};
	char out[128], error[256];

	if (capture_stdout(argv, 20, true, out, sizeof(out), error, sizeof(error)))
		return true;
	diag_add(d, NULL, 0,
		 "gnuplot does not run (%s): apt-get install gnuplot-nox fonts-dejavu-core", error);
	return false;
}

/* Runs plots/NAME.gp over the CSV files in `dir`; `of` (may be NULL) is what of them to show. */
static bool draw(struct arena *a, const char *dir, const char *name, const char *of,
		 const char *terminal, struct diag *d)
{
	char *scripts = places_data("plots"), out[4096], error[256];
	const char *const argv[] = {
		"gnuplot", "-c", arena_printf(a, "%s/%s.gp", scripts, name), dir, terminal, scripts,
		of,	   NULL,
	};
	bool good = capture_stdout(argv, 120, false, out, sizeof(out), error, sizeof(error));

	if (good)
		printf("%s/%s%s%s.%s\n", dir, name, of ? "-" : "", of ? of : "", terminal);
	else
		diag_add(d, argv[2], 0, "%s", error);
	free(scripts);
	return good;
}

static bool draw_kinds(struct arena *a, const struct plot_options *o, const char *dir,
		       const char *name, const char *of, struct diag *d)
{
	bool both = !o->png && !o->svg, good = true;

	if (o->png || both)
		good = draw(a, dir, name, of, "png", d) && good;
	if (o->svg || both)
		good = draw(a, dir, name, of, "svg", d) && good;
	return good;
}

/* Throughput in one figure, latency in one for each profile. */
static bool draw_cpus(struct arena *a, const struct plot_options *o, const char *dir,
		      const struct cpus_figures *f, struct diag *d)
{
	bool good = !f->throughput || draw_kinds(a, o, dir, "cpus-throughput", NULL, d);

	for (size_t i = 0; f->profiles[i]; i++)
		good = draw_kinds(a, o, dir, "cpus-latency", f->profiles[i], d) && good;
	return good;
}

static bool any_ok(const struct results *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (result_is_ok(&r->cells[i]))
			return true;
	return false;
}

static bool plot_run(struct arena *a, const struct plot_options *o, const struct results *r,
		     struct diag *d)
{
	const char *dir = arena_printf(a, "%s/plots", r->dir);
	struct cpus_figures cpus;
	size_t rows = 0, index_rows = 0;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		diag_add(d, dir, 0, "can't make this directory: %s", strerror(errno));
		return false;
	}
	if (!csv_write_about(arena_printf(a, "%s/about.csv", dir), r, d) ||
	    !csv_write_percentiles(arena_printf(a, "%s/percentiles.csv", dir), r, d) ||
	    !csv_write_cdf(arena_printf(a, "%s/cdf.csv", dir), r, d) ||
	    !csv_write_vma_cost(arena_printf(a, "%s/vma-cost.csv", dir), r, &rows, d) ||
	    !csv_write_vma_index(arena_printf(a, "%s/vma-index.csv", dir), r, &index_rows, d) ||
	    !csv_write_cpus(arena_printf(a, "%s/cpus.csv", dir), r, &cpus, d))
		return false;
	bool good = draw_kinds(a, o, dir, "percentiles", NULL, d) &&
		    draw_kinds(a, o, dir, "cdf", NULL, d) && draw_cpus(a, o, dir, &cpus, d) &&
		    (!index_rows || draw_kinds(a, o, dir, "vma-index", NULL, d));

	if (rows)
		return good && draw_kinds(a, o, dir, "vma-cost", NULL, d);
	fprintf(stderr,
		"faultline: %s: no phase was measured against a number of VMAs: no "
		"vma-cost figure\n",
		r->dir);
	return good;
}

static bool plot_dir(struct arena *a, const struct plot_options *o, const char *dir, struct diag *d)
{
	struct results r;
	bool good = results_read(a, dir, &r, d);
	struct stat st;

	if (good && r.truncated)
		fprintf(stderr, "faultline: %s: the last line is cut short: left out\n", r.file);
	if (good && (stat(dir, &st) || !S_ISDIR(st.st_mode))) {
		diag_add(d, dir, 0, "is no directory: the figures go into the run's directory");
		good = false;
	}
	if (good && !any_ok(&r)) {
		diag_add(d, dir, 0, "holds no cell that is ok: nothing to draw");
		good = false;
	}
	good = good && plot_run(a, o, &r, d);
	results_free(&r);
	return good;
}

int cmd_plot(int argc, char **argv)
{
	struct arena a = {0};
	struct plot_options o = {.arena = &a};
	struct diag d = {0};

	argp_parse(&parser, argc, argv, 0, NULL, &o);
	/* gnuplot grumbles about its degree sign where the locale is not UTF-8. */
	setenv("LC_ALL", "C.UTF-8", 1);
	bool good = have_gnuplot(&d);

	for (size_t i = 0; good && i < o.nr_dirs; i++)
		good = plot_dir(&a, &o, o.dirs[i], &d);
	diag_print(&d, stderr);
	arena_free(&a);
	return good ? 0 : 2;
}
