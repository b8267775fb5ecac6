/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine tcg: QEMU's microvm machine with its code generator and -icount shift=0,sleep=off. One
 * guest instruction is one tick of the TSC, so what the stub measures are exact instruction counts.
 *
 * For two runs to agree bit for bit, nothing of the host may reach the guest:
 *   - the CPU model and each of its features are named, so that another QEMU shows the same CPU;
 *   - guest memory is a fresh memfd of zeros for each boot;
 *   - there is no timer, no clock, no interrupt controller of the ISA kind, no network.
 *
 * Several CPUs take turns in one thread. A turn of QEMU's ends at a pause, at a hlt, at the
 * deadline of a timer of the virtual clock, and else after 10^8 instructions: too long to race
 * anything against anything. So the stub is asked (interleave=T) to have turns of T instructions,
 * by means of CPUs that do nothing else, the tickers (kernel-stub/arch/x86_64/ticker.c). How many
 * of them it takes depends on QEMU's version. And QEMU 7.2 gives the CPU behind the one that
 * reached a deadline a turn of no instructions; so that this one is not always the same of ours, a
 * spare CPU that never leaves its halt stands behind each of them:
 *
 *     place in QEMU's list   0      1      2      3      4      5 …
 *     APIC id                0      1      2      3      4      5 …
 *     is                     CPU 0  spare  CPU 1  spare  CPU 2  tickers
 *
 * (apic_shift=1: the APIC id of CPU i is i << 1.) The turns are then T instructions each, CPU after
 * CPU, and the same on every run.
 *
 * The guest's output comes through pipes (one isa-debugcon a port), QEMU's own messages and its log
 * of CPU resets through two more. A control socket serves two purposes: QEMU's greeting tells its
 * version, without a second start for --version, and a guest that hangs is asked for its registers
 * before it is killed.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/guest/boot.h"
#include "engine/outcome.h"
#include "engine/qemu.h"
#include "engine/tcg.h"
#include "measure/papi.h"
#include "proc/child.h"

#define APIC_SHIFT 1 /* with several CPUs: every second one is a spare */
#define SHARING_TICKERS 4u
#define LAPIC_RATE                                                                                 \
	"lapic_khz=1000000" /* QEMU's counts nanoseconds, of which icount makes ticks              \
			     */
/* engine kvm shows the same (kvm_cpuid.c) */
#define CPU_MODEL "qemu64,+smep,+smap,+pdpe1gb,+nx,+pge,+fsgsbase,-svm,enforce"
#define MESSAGE_LIMIT 16384u
#define MAX_ARGS 64u
#define REGISTERS_WAIT_MS 1000
#define MONITOR_LINE_MAX (1u << 20) /* the registers of 131 CPUs are 300 KiB */

struct qemu {
	struct boot_job *job;
	struct child child;
	int ram_fd, initrd_fd;
	int monitor, monitor_guest; /* the two ends of the control socket */
	struct sink messages, resets;
	char *args[MAX_ARGS + 1];
	unsigned nr_args;
	char *registers; /* of a guest that hung */
	int major;	 /* of QEMU's version, as it greeted; 0: it has not */
};

static const char *tcg_caveat(void)
{
	return NULL;
}

/* ---- its command line ---- */

static void arg(struct qemu *q, char *text)
{
	if (q->nr_args < MAX_ARGS)
		q->args[q->nr_args++] = text;
	else
		free(text);
}

/* A device that writes to one of our pipes: QEMU opens the descriptor it inherits by its path. */
static void debugcon(struct qemu *q, const char *id, unsigned port, int fd)
{
	arg(q, xstrdup("-chardev"));
	arg(q, xasprintf("file,id=%s,path=/proc/self/fd/%d", id, fd));
	arg(q, xstrdup("-device"));
	arg(q, xasprintf("isa-debugcon,iobase=%#x,chardev=%s", port, id));
}

static void machine_args(struct qemu *q)
{
	static const char *const fixed[] = {
		"-nodefaults",
		"-display",
		"none",
		"-accel",
		"tcg,thread=single,tb-size=64",
		"-icount",
		"shift=0,sleep=off",
		"-cpu",
		CPU_MODEL,
		"-machine",
		"microvm,pit=off,pic=off,rtc=off,isa-serial=off,acpi=off,memory-backend=ram0",
		"-device",
		"isa-debug-exit,iobase=0xf4,iosize=1",
		"-no-user-config",
		"-no-reboot",
		"-d",
		"cpu_reset",
	};

	arg(q, xstrdup(qemu_program()));
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		arg(q, xstrdup(fixed[i]));
}

static unsigned nr_tickers(void)
{
	return qemu_shares_turns() ? SHARING_TICKERS : 1;
}

/* How many CPUs QEMU has. */
static unsigned nr_places(unsigned cpus)
{
	return cpus > 1 ? ((cpus - 1) << APIC_SHIFT) + 1 + nr_tickers() : 1;
}

static void boot_args(struct qemu *q)
{
	const struct machine_spec *s = q->job->spec;

	arg(q, xstrdup("-smp"));
	arg(q, xasprintf("%u", nr_places(s->cpus)));
	arg(q, xstrdup("-m"));
	arg(q, xasprintf("%" PRIu64 "k", s->memory >> 10));
	arg(q, xstrdup("-object"));
	arg(q, xasprintf("memory-backend-file,id=ram0,size=%" PRIu64
			 ",mem-path=/proc/self/fd/%d,share=on",
			 s->memory, q->ram_fd));
	arg(q, xstrdup("-kernel"));
	arg(q, xstrdup(s->stub));
	arg(q, xstrdup("-initrd"));
	arg(q, xasprintf("/proc/self/fd/%d", q->initrd_fd));
	arg(q, xstrdup("-append"));
	arg(q, xstrdup(q->job->cmdline));
	arg(q, xstrdup("-chardev"));
	arg(q, xasprintf("socket,id=mon,fd=%d", q->monitor_guest));
	arg(q, xstrdup("-mon"));
	arg(q, xstrdup("chardev=mon,mode=control"));
}

/* ---- files, pipes, start ---- */

static int memory_file(const char *name, uint64_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)size) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int write_all(int fd, const void *data, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = pwrite(fd, (const char *)data + done, n - done, (off_t)done);

		if (k < 0 && errno != EINTR)
			return -errno;
		done += k > 0 ? (size_t)k : 0;
	}
	return 0;
}

static int open_files(struct qemu *q)
{
	const struct initrd *rd = &q->job->initrd;
	int pair[2];

	q->ram_fd = memory_file("guest-memory", q->job->spec->memory);
	q->initrd_fd = memory_file("guest-initrd", rd->len);
	if (q->ram_fd < 0 || q->initrd_fd < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	q->monitor = pair[0];
	q->monitor_guest = pair[1];
	child_keep(&q->child, q->ram_fd);
	child_keep(&q->child, q->initrd_fd);
	child_keep(&q->child, q->monitor_guest);
	return write_all(q->initrd_fd, rd->data, rd->len);
}

static int start(struct qemu *q)
{
	struct guest_output *o = &q->job->output;
	int console, out, err, messages, resets, rc;

	rc = open_files(q);
	if (rc)
		return rc;
	console = child_stream(&q->child, &o->console);
	out = child_stream(&q->child, &o->out);
	err = child_stream(&q->child, &o->err);
	messages = child_stream(&q->child, &q->messages);
	resets = child_stream(&q->child, &q->resets);
	if (console < 0 || out < 0 || err < 0 || messages < 0 || resets < 0)
		return -errno;
	machine_args(q);
	boot_args(q);
	debugcon(q, "console", FL_PORT_CONSOLE, console);
	debugcon(q, "stdout", FL_PORT_STDOUT, out);
	debugcon(q, "stderr", FL_PORT_STDERR, err);
	arg(q, xstrdup("-D"));
	arg(q, xasprintf("/proc/self/fd/%d", resets));
	rc = child_start(&q->child, (const char *const *)q->args, NULL, messages, messages);
	close(q->monitor_guest);
	q->monitor_guest = -1;
	return rc;
}

/* ---- the control socket ---- */

/* One line of QEMU's control protocol; NULL at the end of the connection or of patience. */
static char *monitor_line(int fd, double until)
{
	char *line = xcalloc(1, MONITOR_LINE_MAX + 1);
	size_t n = 0;

	while (n < MONITOR_LINE_MAX) {
		struct pollfd p = {fd, POLLIN, 0};
		int left = (int)((until - now_seconds()) * 1000);

		if (left <= 0 || poll(&p, 1, left) <= 0 || read(fd, line + n, 1) != 1)
			break;
		if (line[n++] == '\n')
			return line;
	}
	free(line);
	return NULL;
}

/* The version, from the greeting: the first line. */
static void read_greeting(struct qemu *q)
{
	char *line = q->major ? NULL : monitor_line(q->monitor, now_seconds() + 1);
	json_t *greeting = line ? json_loads(line, 0, NULL) : NULL;

	if (greeting && json_unpack(greeting, "{s:{s:{s:{s:i}}}}", "QMP", "version", "qemu",
				    "major", &q->major))
		q->major = 0;
	json_decref(greeting);
	free(line);
}

static char *monitor_answer(int fd, double until)
{
	char *line, *text = NULL;

	while (!text && (line = monitor_line(fd, until))) {
		json_t *answer = json_loads(line, 0, NULL);
		const char *s = json_string_value(json_object_get(answer, "return"));

		if (s)
			text = xstrdup(s);
		json_decref(answer);
		free(line);
	}
	return text;
}

/* The integer registers of one CPU of QEMU's text, and the place in a form that symbolise() knows.
 */
static void put_registers(FILE *to, const char *text, size_t len)
{
	const char *fpu = memmem(text, len, "\nFCW=", 5), *rip = memmem(text, len, "RIP=", 4);

	fwrite(text, 1, fpu ? (size_t)(fpu + 1 - text) : len, to);
	if (rip && rip + 4 + 16 <= text + len)
		fprintf(to, "at [<%.16s>]\n", rip + 4);
}

/* Of "\nCPU#0\n…\nCPU#1\n…" what stands for the stub's CPUs, under the stub's numbers. */
static char *shorten(const char *registers)
{
	const char *at = strstr(registers, "CPU#");
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	while (to && at) {
		const char *next = strstr(at + 1, "\nCPU#"), *body = strchr(at, '\n');
		unsigned place = (unsigned)strtoul(at + 4, NULL, 10);

		if (body && !(place & ((1u << APIC_SHIFT) - 1))) {
			fprintf(to, "CPU %u\n", place >> APIC_SHIFT);
			put_registers(to, body + 1,
				      next ? (size_t)(next - body) : strlen(body + 1));
		}
		at = next ? next + 1 : NULL;
	}
	if (to)
		fclose(to);
	return text;
}

static void ask_registers(void *qemu)
{
	static const char ask[] = "{\"execute\":\"qmp_capabilities\"}\n"
				  "{\"execute\":\"human-monitor-command\",\"arguments\":"
				  "{\"command-line\":\"info registers -a\"}}\n";
	char *answer;
	struct qemu *q = qemu;

	read_greeting(q);
	if (send(q->monitor, ask, sizeof(ask) - 1, MSG_NOSIGNAL) != (ssize_t)sizeof(ask) - 1)
		return;
	answer = monitor_answer(q->monitor, now_seconds() + REGISTERS_WAIT_MS / 1000.0);
	if (answer)
		q->registers = shorten(answer);
	free(answer);
}

/* ---- the end ---- */

/* QEMU's log of CPU resets is what tells a triple fault from a reset that the guest asked for. */
static bool triple_faulted(struct qemu *q)
{
	char *log = sink_take(&q->resets, NULL, NULL);
	bool found = strstr(log, "Triple fault");

	free(log);
	return found;
}

static void conclude(struct qemu *q, struct outcome *out)
{
	const struct window_spec *w = &q->job->window;
	void *mem = mmap(NULL, w->size, PROT_READ, MAP_SHARED, q->ram_fd, (off_t)w->addr);
	int status = q->child.wait_status, code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	char *messages = sink_take(&q->messages, NULL, NULL), *what = NULL;
	enum boot_end end = BOOT_CRASHED;
	struct boot_job *job = q->job;

	messages[strcspn(messages, "\n")] = '\0';
	out->state_dump = q->registers;
	if (q->child.timed_out)
		end = BOOT_TIMEOUT;
	else if (code > 1 && code & 1)
		end = BOOT_EXIT;
	else if (!code && triple_faulted(q))
		what = xstrdup("the guest triple-faulted");
	else if (!code)
		what = xstrdup("the guest reset the machine");
	else if (code > 0)
		what = xasprintf("QEMU failed: %s", messages);
	else
		what = xasprintf("QEMU was killed by signal %d: %s", WTERMSIG(status), messages);
	boot_conclude(job, end, (unsigned)code >> 1, what, mem == MAP_FAILED ? NULL : mem, out);
	read_greeting(q);
	if (q->major && q->major < QEMU_OLDEST_MAJOR)
		outcome_set(out, CELL_UNSUPPORTED, "%s", OLD_QEMU);
	if (mem != MAP_FAILED)
		munmap(mem, w->size);
	free(what);
	free(messages);
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void qemu_free(struct qemu *q)
{
	child_close(&q->child);
	close_if_open(q->ram_fd);
	close_if_open(q->initrd_fd);
	close_if_open(q->monitor);
	close_if_open(q->monitor_guest);
	for (unsigned i = 0; i < q->nr_args; i++)
		free(q->args[i]);
	free(q->messages.data);
	free(q->resets.data);
}

static void run_job(struct boot_job *job, struct outcome *out)
{
	struct qemu q = {
		.job = job, .ram_fd = -1, .initrd_fd = -1, .monitor = -1, .monitor_guest = -1};
	double begin = now_seconds();
	int err;

	child_init(&q.child);
	sink_init(&q.messages, SINK_HEAD, MESSAGE_LIMIT, -1);
	sink_init(&q.resets, SINK_TAIL, MESSAGE_LIMIT, -1);
	err = start(&q);
	if (err == -ENOENT) {
		outcome_set(out, CELL_UNSUPPORTED, "%s", qemu_missing());
	} else if (err) {
		outcome_set(out, CELL_UNSUPPORTED, "starting %s: %s", qemu_program(),
			    strerror(-err));
	} else {
		child_wait(&q.child, begin + job->spec->timeout, ask_registers, &q);
		out->wall_seconds = now_seconds() - begin;
		papi_report(NULL, 0, "engine tcg: the host's counters would count the emulator",
			    &out->papi);
		conclude(&q, out);
	}
	qemu_free(&q);
}

static unsigned tcg_max_cpus(const char **how)
{
	*how = "in turn on one thread: no number of the host's limits them";
	return MACHINE_MAX_CPUS;
}

/* False if QEMU can't give turns of such a length to as many CPUs. */
static bool put_turn_args(const struct machine_spec *spec, char *args, size_t room,
			  struct outcome *out)
{
	uint64_t most = QEMU_TURN_MAX / (qemu_shares_turns() ? nr_places(spec->cpus) : 1);

	if (spec->interleave > most) {
		outcome_set(out, CELL_UNSUPPORTED,
			    "interleave=%" PRIu64 ": with %u CPUs %s has turns of at most %" PRIu64
			    " instructions",
			    spec->interleave, spec->cpus, engine_qemu_version(), most);
		return false;
	}
	snprintf(args, room, LAPIC_RATE " apic_shift=%u interleave=%" PRIu64 " tickers=%u",
		 APIC_SHIFT, spec->interleave, nr_tickers());
	return true;
}

static void tcg_run(const struct machine_spec *spec, struct outcome *out)
{
	char args[128] = LAPIC_RATE;
	struct boot_job job;

	memset(out, 0, sizeof(*out));
	out->unit = "instructions";
	if (spec->cpus > 1 && !put_turn_args(spec, args, sizeof(args), out))
		return;
	if (!boot_prepare(&job, spec, args, out))
		return;
	run_job(&job, out);
	boot_job_free(&job);
}

const struct engine engine_tcg = {
	.doc = "QEMU's code generator with icount: exact instruction counts, the same everywhere",
	.id = ENGINE_TCG,
	.unavailable = qemu_unavailable,
	.caveat = tcg_caveat,
	.max_cpus = tcg_max_cpus,
	.run = tcg_run,
};
