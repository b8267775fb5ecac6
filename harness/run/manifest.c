/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "build_info.h"
#include "engine/qemu.h"
#include "proc/capture.h"
#include "engine/qemu.h"
#include "run/manifest.h"

struct making {
	struct arena *arena;
	json_t *manifest, *reasons;
};

static void put_null(struct making *m, const char *key, const char *why)
{
	json_object_set_new(m->manifest, key, json_null());
	json_object_set_new(m->reasons, key, json_string(why));
}

static void put_string(struct making *m, const char *key, const char *value)
{
	json_object_set_new(m->manifest, key, json_string(value));
}

/* The first line of a file into buf, without its end. */
static bool first_line(const char *path, char *buf, size_t room)
{
	FILE *f = fopen(path, "re");
	bool got = f && fgets(buf, (int)room, f);

	if (f)
		fclose(f);
	if (got)
		buf[strcspn(buf, "\n")] = '\0';
	return got;
}

static void put_line_of(struct making *m, const char *key, const char *path, const char *why)
{
	char line[256];

	if (first_line(path, line, sizeof(line)))
		put_string(m, key, line);
	else
		put_null(m, key, why);
}

static void put_cpu_model(struct making *m)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		found = colon && !strncmp(line, "model name", 10);
		if (found) {
			colon[1 + strcspn(colon + 1, "\n")] = '\0';
			put_string(m, "cpu_model", colon + 1 + strspn(colon + 1, " "));
		}
	}
	if (f)
		fclose(f);
	if (!found)
		put_null(m, "cpu_model", "/proc/cpuinfo names none");
}

static void put_stub(struct making *m, const char *stub)
{
	const char *const argv[] = {"sha256sum", stub, NULL};
	char out[512], error[256];

	if (!capture_stdout(argv, 10, true, out, sizeof(out), error, sizeof(error))) {
		put_null(m, "stub_sha256", error);
		return;
	}
	out[strcspn(out, " \n")] = '\0';
	put_string(m, "stub_sha256", out);
}

static void put_build(struct making *m)
{
	if (manifest_commit()) {
		put_string(m, "commit", manifest_commit());
		json_object_set_new(m->manifest, "dirty", json_boolean(BUILD_DIRTY));
	} else {
		put_null(m, "commit", "not built in a git checkout");
		put_null(m, "dirty", "not built in a git checkout");
	}
	put_string(m, "compiler", BUILD_COMPILER);
	put_string(m, "stub_cflags", BUILD_STUB_CFLAGS);
}

static int count_of(hwloc_topology_t t, hwloc_obj_type_t type)
{
	int n = hwloc_get_nbobjs_by_type(t, type);

	return n > 0 ? n : 0;
}

static void put_topology(struct making *m)
{
	hwloc_topology_t t;

	if (hwloc_topology_init(&t) || hwloc_topology_load(t)) {
		put_null(m, "topology", "hwloc can't read this machine");
		return;
	}
	hwloc_obj_t root = hwloc_get_root_obj(t);

	put_string(m, "topology",
		   arena_printf(m->arena, "%d packages, %d cores, %d PUs, %d NUMA nodes, %llu MiB",
				count_of(t, HWLOC_OBJ_PACKAGE), count_of(t, HWLOC_OBJ_CORE),
				count_of(t, HWLOC_OBJ_PU), count_of(t, HWLOC_OBJ_NUMANODE),
				(unsigned long long)(root->total_memory >> 20)));
	hwloc_topology_destroy(t);
}

static void put_host(struct making *m)
{
	struct utsname u;
	double load[3];

	if (!uname(&u))
		put_string(m, "host_kernel",
			   arena_printf(m->arena, "%s %s %s", u.sysname, u.release, u.machine));
	put_cpu_model(m);
	put_line_of(m, "governor", "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
		    "the host kernel exposes no cpufreq");
	put_line_of(m, "thp", "/sys/kernel/mm/transparent_hugepage/enabled",
		    "the host kernel has no transparent huge pages");
	if (getloadavg(load, 3) == 3)
		json_object_set_new(m->manifest, "load_average",
				    json_pack("[f,f,f]", load[0], load[1], load[2]));
	else
		put_null(m, "load_average", "getloadavg gave none");
	put_topology(m);
}

static void put_no_qemu(struct making *m, const char *why)
{
	put_null(m, "qemu", why);
	put_null(m, "turns", why);
}

static void put_qemu(struct making *m, const char *version)
{
	if (!version) {
		put_no_qemu(m, "QEMU does not tell its version");
		return;
	}
	put_string(m, "qemu", version);
	put_string(m, "turns", qemu_shares_turns() ? "shared" : "deadline");
}

static void put_engine(struct making *m, const struct manifest_options *o)
{
	const char *caveat = o->engine->caveat();

	put_string(m, "engine", engine_name(o->engine->id));
	json_object_set_new(m->manifest, "engine_choice",
			    o->engine_choice ? json_string(o->engine_choice) : json_null());
	json_object_set_new(m->manifest, "caveat", caveat ? json_string(caveat) : json_null());
	if (o->engine->id == ENGINE_TCG)
		put_qemu(m, engine_qemu_version());
	else
		put_no_qemu(m, "this engine does without");
	if (o->engine->id == ENGINE_LINUX)
		put_null(m, "stub_sha256", "this engine does without");
	else
		put_stub(m, o->stub);
}

static void put_time(struct making *m)
{
	time_t now = time(NULL);
	struct tm utc;
	char text[32];

	gmtime_r(&now, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	put_string(m, "time", text);
}

/* What the command line gave each guest; null: nothing. */
static json_t *extras_json(const struct guest_extras *x)
{
	json_t *env = json_array(), *files = json_array();

	for (size_t i = 0; x->env && x->env[i]; i++)
		json_array_append_new(env, json_string(x->env[i]) ?: json_string("(not UTF-8)"));
	for (size_t i = 0; i < x->nr_files; i++)
		json_array_append_new(files,
				      json_string(x->files[i].guest) ?: json_string("(not UTF-8)"));
	if (!json_array_size(env) && !json_array_size(files) && !x->append) {
		json_decref(env);
		json_decref(files);
		return json_null();
	}
	return json_pack("{s:o,s:o,s:s*}", "env", env, "files", files, "append", x->append);
}

json_t *manifest_make(struct arena *a, const struct manifest_options *o)
{
	struct making m = {.arena = a, .manifest = json_object(), .reasons = json_object()};
	json_t *command = json_array();

	for (int i = 0; i < o->argc; i++)
		json_array_append_new(command,
				      json_string(o->argv[i]) ?: json_string("(not UTF-8)"));
	put_time(&m);
	json_object_set_new(m.manifest, "command", command);
	json_object_set_new(m.manifest, "matrix",
			    (o->matrix ? json_string(o->matrix) : NULL) ?: json_null());
	json_object_set_new(m.manifest, "seed", json_integer((json_int_t)o->seed));
	json_object_set_new(m.manifest, "timeout_seconds", json_real(o->timeout));
	json_object_set_new(m.manifest, "extras", extras_json(o->extras));
	put_engine(&m, o);
	put_build(&m);
	put_host(&m);
	json_object_set_new(m.manifest, "reasons", m.reasons);
	return m.manifest;
}

const char *manifest_commit(void)
{
	return BUILD_COMMIT;
}

bool manifest_write_topology(const char *path)
{
	hwloc_topology_t t;

	if (hwloc_topology_init(&t))
		return false;
	bool good = !hwloc_topology_load(t) && !hwloc_topology_export_xml(t, path, 0);

	hwloc_topology_destroy(t);
	return good;
}
