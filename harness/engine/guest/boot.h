/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every engine that boots the stub does before and after: the job (initrd, telemetry window,
 * kernel command line) and the reading of what the guest left.
 */
#ifndef ENGINE_BOOT_H
#define ENGINE_BOOT_H

#include "engine/engine.h"
#include "engine/guest/initrd.h"
#include "engine/guest/pvh.h"
#include "engine/guest/window.h"
#include "proc/sink.h"

#define MACHINE_MAX_CPUS 64u /* what fl_window_layout() knows */

struct boot_job {
	const struct machine_spec *spec;
	struct pvh_image image;
	struct initrd initrd;
	struct window_spec window;
	char *cmdline;
	struct guest_output output;
};

/* Checks the machine and makes the job. `extra_args` go on the command line (""). False, and the
 * outcome says why, if it cannot run; the job then holds nothing. */
bool boot_prepare(struct boot_job *job, const struct machine_spec *spec, const char *extra_args,
		  struct outcome *out);

/* How a machine stopped, as the engine saw it. */
enum boot_end {
	BOOT_EXIT,    /* it wrote `code` to FL_PORT_EXIT */
	BOOT_TIMEOUT, /* killed by the watchdog */
	BOOT_CRASHED, /* `what` says how */
};

/* Fills the outcome from the window (`window_mem`: the host's view of it, or NULL), the output and
 * the end. `what` may be NULL unless BOOT_CRASHED. */
void boot_conclude(struct boot_job *job, enum boot_end end, unsigned code, const char *what,
		   const void *window_mem, struct outcome *out);

void boot_job_free(struct boot_job *job);

#endif
