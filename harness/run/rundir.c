/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report/csv.h"
#include "run/manifest.h"
#include "run/rundir.h"

const char *rundir_default_path(struct arena *a, enum engine_id engine)
{
	const char *commit = manifest_commit();
	time_t now = time(NULL);
	char when[32];
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &utc);
	return arena_printf(a, "results/%s-%.12s-%s", when, commit ? commit : "unknown",
			    engine_name(engine));
}

/* Like mkdir -p. */
static int make_directory(struct arena *a, const char *path)
{
	char *part = arena_strdup(a, path);

	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(part, 0777) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return mkdir(part, 0777) && errno != EEXIST ? -errno : 0;
}

static const char *in(const struct rundir *rd, const char *name)
{
	return arena_printf(rd->arena, "%s/%s", rd->path, name);
}

/* Writes a file under another name and moves it into place: whole or not at all. */
static bool write_json(const struct rundir *rd, const char *name, const json_t *json,
		       struct diag *d)
{
	const char *path = in(rd, name), *new = arena_printf(rd->arena, "%s.new", path);

	if (!json_dump_file(json, new, JSON_INDENT(1) | JSON_REAL_PRECISION(15)) &&
	    !rename(new, path))
		return true;
	diag_add(d, path, 0, "can't write it: %s", strerror(errno));
	return false;
}

static bool open_cells(struct rundir *rd, int flags, struct diag *d)
{
	rd->cells_fd = open(in(rd, "cells.jsonl"), O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0666);
	if (rd->cells_fd >= 0)
		return true;
	if (errno == EEXIST)
		diag_add(d, rd->path, 0,
			 "holds a run already: name another directory, or go on with "
			 "`faultline matrix --resume`");
	else
		diag_add(d, in(rd, "cells.jsonl"), 0, "can't write it: %s", strerror(errno));
	return false;
}

bool rundir_create(struct arena *a, const char *path, const json_t *manifest, struct rundir *rd,
		   struct diag *d)
{
	*rd = (struct rundir){.path = path, .cells_fd = -1, .arena = a};
	int err = make_directory(a, path);

	if (!err)
		err = make_directory(a, in(rd, "console"));
	if (err) {
		diag_add(d, path, 0, "can't make this directory: %s", strerror(-err));
		return false;
	}
	if (!access(in(rd, "run.json"), F_OK)) {
		diag_add(d, path, 0, "holds a run already: name another directory");
		return false;
	}
	if (!open_cells(rd, O_CREAT | O_EXCL, d) || !write_json(rd, "manifest.json", manifest, d))
		return false;
	manifest_write_topology(in(rd, "topology.xml"));
	return true;
}

/* A key that an older manifest doesn't have is null. */
static const json_t *or_null(const json_t *value)
{
	return value ? value : json_null();
}

/* Cells of different builds, engines, QEMUs or seeds do not belong into one run. */
static bool same_run(const struct results *old, const json_t *manifest, struct diag *d)
{
	static const char *const keys[] = {"engine", "qemu", "stub_sha256",
					   "commit", "seed", "extras"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (!json_equal(or_null(json_object_get(old->manifest, keys[i])),
				or_null(json_object_get(manifest, keys[i])))) {
			diag_add(d, old->dir, 0,
				 "can't go on with this run: its %s is another than now", keys[i]);
			return false;
		}
	return true;
}

bool rundir_resume(struct arena *a, const char *path, const json_t *manifest, struct rundir *rd,
		   struct results *done, struct diag *d)
{
	*rd = (struct rundir){.path = path, .cells_fd = -1, .arena = a};
	if (!results_read(a, path, done, d) || !same_run(done, manifest, d))
		return false;
	if (!open_cells(rd, 0, d))
		return false;
	if (done->truncated && ftruncate(rd->cells_fd, done->truncate_at)) {
		diag_add(d, path, 0, "can't cut the broken last line off: %s", strerror(errno));
		return false;
	}
	return true;
}

static const char *cell_file(struct arena *a, const struct rundir *rd, const char *dir,
			     size_t index, const char *profile, unsigned rep, const char *ending)
{
	mkdir(arena_printf(a, "%s/%s", rd->path, dir), 0777);
	return arena_printf(a, "%s/%s/%04zu-%s-r%u.%s", rd->path, dir, index, profile, rep, ending);
}

const char *rundir_console_path(struct arena *a, const struct rundir *rd, size_t index,
				const char *profile, unsigned rep)
{
	return cell_file(a, rd, "console", index, profile, rep, "txt");
}

const char *rundir_events_path(struct arena *a, const struct rundir *rd, size_t index,
			       const char *profile, unsigned rep)
{
	return cell_file(a, rd, "events", index, profile, rep, "bin.zst");
}

int rundir_append(struct rundir *rd, const json_t *cell)
{
	char *text = json_dumps(cell, JSON_COMPACT | JSON_REAL_PRECISION(15));
	int err = 0;

	if (!text)
		return -ENOMEM;
	size_t len = strlen(text);

	text[len++] = '\n';
	/* One write, so that no reader ever sees half a line unless the disk is full. */
	ssize_t n = write(rd->cells_fd, text, len);

	if (n != (ssize_t)len)
		err = n < 0 ? -errno : -ENOSPC;
	else if (fsync(rd->cells_fd) && errno != EINVAL)
		err = -errno;
	free(text);
	return err;
}

/* The good lines of cells.jsonl, which has just been read and found to be cells, as a list. */
static bool copy_cells(const struct results *r, FILE *to)
{
	FILE *from = fopen(r->file, "re");
	char *line = NULL;
	const char *comma = "";
	size_t room = 0;
	ssize_t len;

	if (!from)
		return false;
	for (long done = 0; done < r->truncate_at; done += len) {
		len = getline(&line, &room, from);
		if (len <= 0)
			break;
		fprintf(to, "%s\n%.*s", comma, (int)len - 1, line);
		comma = ",";
	}
	free(line);
	bool good = !ferror(from);

	return !fclose(from) && good;
}

static bool write_run(const struct rundir *rd, const struct results *r, bool complete,
		      struct diag *d)
{
	const char *path = in(rd, "run.json"), *new = arena_printf(rd->arena, "%s.new", path);
	FILE *f = fopen(new, "we");
	bool good = f != NULL;

	if (f) {
		fprintf(f, "{\"schema\": \"" RESULTS_SCHEMA "\", \"complete\": %s,\n\"manifest\": ",
			complete ? "true" : "false");
		json_dumpf(r->manifest, f, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
		fputs(",\n\"cells\": [", f);
		good = copy_cells(r, f);
		fputs("\n]}\n", f);
		good = good && !ferror(f);
		good = !fclose(f) && good;
	}
	if (good && !rename(new, path))
		return true;
	diag_add(d, path, 0, "can't write it: %s", strerror(errno));
	return false;
}

bool rundir_finish(struct rundir *rd, const struct results *r, bool complete, struct diag *d)
{
	bool good = write_run(rd, r, complete, d) && csv_write_cells(in(rd, "cells.csv"), r, d);

	close(rd->cells_fd);
	rd->cells_fd = -1;
	return good;
}
