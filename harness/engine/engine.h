/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engines: what runs a program on the stub (kvm, tcg) or natively (linux).
 *
 * engine->run() takes a machine_spec and fills an outcome. It exits never and prints nothing; what
 * went wrong is in outcome.status and outcome.reason. What it read from the guest is checked.
 *
 * The status that run() leaves says how the machine ended, not whether the result is wanted; the
 * caller judges `state`, `exit_value` and the classes against the profile's expectation:
 *
 *   CELL_OK           an orderly end: the program exited (any status), a signal killed it, or the
 *                     kernel panicked with its window intact. `state` and `exit_value` say which;
 *                     `reason` is NULL after an exit and explains a kill or a panic.
 *   CELL_FAILED       the workload's own report says that its work was not done
 *   CELL_UNSUPPORTED  the workload's report says so, or the engine cannot run this here at all
 *   CELL_TIMEOUT      spec->timeout passed; the machine was killed
 *   CELL_CRASHED      anything else: a triple fault, an end without a window, nonsense in it
 */
#ifndef HARNESS_ENGINE_H
#define HARNESS_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/engine_id.h"
#include "engine/outcome.h"
#include "faultline_abi.h"

enum stdio_mode {
	STDIO_CAPTURE, /* into outcome.out/err, up to 1 MiB each; the rest counted and dropped */
	STDIO_PASS,    /* to this process's own stdout and stderr as it comes */
};

/* A file of the host's, and its name in the guest. */
struct guest_file {
	const char *host, *guest;
};

/* What a guest gets beside its program, whatever the cell. All zero: nothing. */
struct guest_extras {
	const char **env; /* NAME=VALUE, NULL-terminated; NULL: none */
	struct guest_file *files;
	size_t nr_files;
	const char *append; /* to the kernel's command line; may be NULL */
};

struct machine_spec {
	const char *stub;    /* path of stub.elf */
	const char *program; /* host path of a static ELF */
	const char *const
		*argv; /* argv[0] is its name in the guest, e.g. "/anon-touch"; NULL-terminated */
	const char *const *envp;
	const struct guest_file *files; /* for a guest, beside the program */
	size_t nr_files;
	uint64_t memory; /* bytes */
	unsigned cpus;
	uint64_t interleave; /* tcg with several CPUs: instructions a turn; 0: as QEMU likes */
	uint64_t seed;
	enum fl_recorder_mode recorder;
	uint64_t ring_events;	 /* per CPU, for FL_RECORDER_RAW */
	const char *kernel_args; /* further command line, e.g. "panic_on_oops=1"; may be "" */
	const char *append;	 /* still further; NULL: none */
	double timeout;		 /* seconds of wall time */
	enum stdio_mode stdio;
	const char
		*console_path; /* file that gets the kernel console; NULL: only outcome.console */
};

struct engine {
	const char *doc; /* one line for `faultline list engines` */
	enum engine_id id;
	/* NULL if the engine can run here, else why not and how to mend it (static or malloc'ed,
	 * kept). */
	const char *(*unavailable)(void);
	/* What its numbers are worth here, for doctor, manifest and plots; NULL if nothing to add.
	 */
	const char *(*caveat)(void);
	/* How many CPUs it can give a guest (a program on linux) here, and in *how with what
	 * limits (static or kept). Needs: not unavailable(). */
	unsigned (*max_cpus)(const char **how);
	void (*run)(const struct machine_spec *spec, struct outcome *out);
};

/* What the manifest says of the emulator: QEMU's version line, or NULL without QEMU. Kept. */
const char *engine_qemu_version(void);
/* The same of /dev/kvm, e.g. "kvm_intel, 0.3 ns an instruction in ring 0"; NULL without. Kept. */
const char *engine_kvm_kind(void);

#endif
