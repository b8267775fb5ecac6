/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine kvm: the stub in a virtual machine of our own on /dev/kvm, each vCPU pinned, guest memory
 * on its node, the host's counters (PAPI) running in the vCPU threads. Its times are TSC cycles.
 *
 * Three kinds of host:
 *   1. VMX or SVM: the CPU runs the guest whole; latencies mean what they say.
 *   2. kvm_pvm: ring 3 runs on the CPU, ring 0 is interpreted. The stub needs to know (quirks=pvm);
 *      counts hold, latencies do not. Ring 3 sees the host's CPUID, and is told otherwise.
 *   3. anything else that is far too slow for a CPU (nested emulation): as 2.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/kvm/calibrate.h"
#include "engine/kvm/kvm.h"
#include "engine/kvm/kvm_machine.h"
#include "engine/outcome.h"
#include "measure/placement.h"

/* No CPU needs as long for a `dec` or a `jnz`; no interpreter is as fast. */
#define INTERPRETED_NS 50.0
/* KVM's LAPIC timer counts nanoseconds (Documentation/virt/kvm/api.rst,
 * KVM_CAP_X86_APIC_BUS_CYCLES_NS). */
#define LAPIC_KHZ 1000000u

static struct {
	const char *module;
	double ns; /* an instruction in ring 0 */
	unsigned tsc_khz;
	bool interpreted;
	char *kind, *caveat;
	unsigned max_cpus;
	char *max_cpus_how;
} host;

/* ---- what this /dev/kvm is ---- */

static const char *find_module(void)
{
	static const char *const names[] = {"kvm_intel", "kvm_amd", "kvm_pvm"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "/sys/module/%s", names[i]);
		if (!access(path, F_OK))
			return names[i];
	}
	return "kvm";
}

static void describe(void)
{
	if (!host.interpreted) {
		host.kind = xasprintf("%s, %.1f ns an instruction in ring 0", host.module, host.ns);
		return;
	}
	host.kind =
		xasprintf("%s, ring 0 interpreted: %.0f ns an instruction", host.module, host.ns);
	host.caveat =
		xasprintf("this /dev/kvm (%s) interprets the guest's ring 0: its counts hold, "
			  "its latencies say nothing of the stub",
			  host.module);
}

static void recognise(void)
{
	struct calibration c;
	bool pvm;

	if (host.kind)
		return;
	host.module = find_module();
	pvm = !strcmp(host.module, "kvm_pvm");
	/* one attempt tells how slow it is; only a verdict by time alone needs more */
	c = calibrate(pvm ? 1 : 5);
	host.ns = c.ns;
	host.tsc_khz = c.tsc_khz;
	host.interpreted = pvm || host.ns > INTERPRETED_NS;
	describe();
}

static const char *open_fault(int err)
{
	switch (err) {
	case ENOENT:
		return "there is no /dev/kvm: enable virtualization in the firmware and load "
		       "kvm_intel or kvm_amd";
	case EACCES:
	case EPERM:
		return "/dev/kvm may not be opened: sudo usermod -aG kvm $USER, then log in again";
	default:
		return "/dev/kvm does not open";
	}
}

static const char *capability_fault(int fd)
{
	static const struct {
		int cap;
		const char *why;
	} needs[] = {
		{KVM_CAP_USER_MEMORY, "this KVM lacks KVM_CAP_USER_MEMORY"},
		{KVM_CAP_IRQCHIP, "this KVM lacks KVM_CAP_IRQCHIP"},
		{KVM_CAP_EXT_CPUID, "this KVM lacks KVM_CAP_EXT_CPUID"},
		{KVM_CAP_SET_TSS_ADDR, "this KVM lacks KVM_CAP_SET_TSS_ADDR"},
		{KVM_CAP_IMMEDIATE_EXIT, "this KVM lacks KVM_CAP_IMMEDIATE_EXIT (Linux 4.12)"},
	};
	int vm;

	if (ioctl(fd, KVM_GET_API_VERSION, 0) != 12)
		return "/dev/kvm speaks another version of the interface than 12";
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++)
		if (ioctl(fd, KVM_CHECK_EXTENSION, needs[i].cap) <= 0)
			return needs[i].why;
	vm = ioctl(fd, KVM_CREATE_VM, 0);
	if (vm < 0)
		return errno == EBUSY
			       ? "another hypervisor has the CPU (VirtualBox, VMware): stop it"
			       : "/dev/kvm opens, but makes no virtual machine";
	close(vm);
	return NULL;
}

static const char *find_fault(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	const char *why;

	if (fd < 0)
		return open_fault(errno);
	why = capability_fault(fd);
	close(fd);
	if (why)
		return why;
	recognise();
	return host.ns < 0 ? "/dev/kvm makes a virtual machine, but does not run it" : NULL;
}

static const char *kvm_unavailable(void)
{
	static bool asked;
	static const char *why;

	if (!asked)
		why = find_fault();
	asked = true;
	return why;
}

bool kvm_interprets_ring0(void)
{
	recognise();
	return host.interpreted;
}

const char *engine_kvm_kind(void)
{
	return kvm_unavailable() ? NULL : host.kind;
}

static const char *kvm_caveat(void)
{
	return kvm_unavailable() ? NULL : host.caveat;
}

/* KVM refuses more than KVM_CAP_MAX_VCPUS; it allows more than the host has CPUs, which then share
 * them. */
static unsigned kvm_max_cpus(const char **how)
{
	int fd = host.max_cpus ? -1 : open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int limit = fd < 0 ? 0 : ioctl(fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	if (fd >= 0)
		close(fd);
	if (!host.max_cpus) {
		limit = limit < 1 ? 1 : limit;
		host.max_cpus =
			(unsigned)limit < MACHINE_MAX_CPUS ? (unsigned)limit : MACHINE_MAX_CPUS;
		host.max_cpus_how = xasprintf("each a thread; %u of them on a host CPU of its own",
					      placement_count() < host.max_cpus ? placement_count()
										: host.max_cpus);
	}
	*how = host.max_cpus_how;
	return host.max_cpus;
}

/* ---- ring 3 on kvm_pvm ---- */

/* It finds AVX by the host's CPUID, and uses it; but ring 0 saves by FXSAVE, which is what the CPU
 * of kvm_cpuid.c has and all that the interpreter knows: the upper halves of the registers would be
 * whoever's ran last. So glibc is told to do as it does on that CPU. Unknown names it ignores. */
#define LIKE_THE_MODEL                                                                             \
	"GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,"                 \
	"-AVX_Fast_Unaligned_Load,-FMA,-ERMS,-FSRM,-RTM,-SSSE3,-SSE4_1,-SSE4_2,-BMI1,-BMI2,"       \
	"-LZCNT,-POPCNT,-MOVBE"

static bool cpuid_is_hosts(void)
{
	return !strcmp(host.module, "kvm_pvm");
}

/* The environment with that variable, unless it has one of the name. free() it. */
static const char **like_the_model(const char *const *env)
{
	const char **copy;
	size_t n = 0;
	bool told = false;

	for (; env[n]; n++)
		told |= !strncmp(env[n], LIKE_THE_MODEL, strcspn(LIKE_THE_MODEL, "=") + 1);
	copy = xcalloc(n + 2, sizeof(*copy));
	memcpy(copy, env, n * sizeof(*copy));
	if (!told)
		copy[n] = LIKE_THE_MODEL;
	return copy;
}

/* ---- a run ---- */

static char *boot(struct kvm_machine *m, struct boot_job *job)
{
	uint64_t start_info;
	int rc;

	placement_bind_memory(m->mem, m->size);
	start_info = pvh_load(&job->image, m->mem, m->size, m->low, job->cmdline, job->initrd.data,
			      job->initrd.len);
	if (!start_info)
		return xstrdup("the stub and the program do not fit the guest's memory");
	rc = kvm_vcpu_enter_pvh(&m->vcpus[0], job->image.entry, (uint32_t)start_info);
	if (rc)
		return xasprintf("setting the vCPU's registers: %s", strerror(-rc));
	m->output = &job->output;
	return kvm_vcpus_start(m);
}

static void report_counters(struct kvm_machine *m, struct outcome *out)
{
	struct papi_run runs[MACHINE_MAX_CPUS];

	for (unsigned i = 0; i < m->nr_vcpus; i++)
		runs[i] = m->vcpus[i].papi;
	papi_report(runs, m->nr_vcpus, NULL, &out->papi);
	kvm_stats_report(m, &out->kvm);
}

static void run_machine(struct kvm_machine *m, struct boot_job *job, struct outcome *out)
{
	double begin = now_seconds();
	char *why = kvm_machine_create(m, job->spec->memory, job->spec->cpus);

	if (!why)
		why = boot(m, job);
	if (why) {
		kvm_machine_end(m, BOOT_CRASHED, 0, NULL, 0);
		kvm_machine_wait(m, 0);
		outcome_set(out, CELL_UNSUPPORTED, "/dev/kvm: %s", why);
		free(why);
		return;
	}
	kvm_machine_wait(m, begin + job->spec->timeout);
	out->wall_seconds = now_seconds() - begin;
	if (m->end != BOOT_EXIT)
		out->state_dump = kvm_dump(m);
	report_counters(m, out);
	boot_conclude(job, m->end, m->code, m->what, m->mem + job->window.addr, out);
}

/* What the kernel must know of this host, into buf. */
static const char *kernel_args(char *buf, size_t size)
{
	int n = 0;

	buf[0] = 0;
	if (host.tsc_khz)
		n = snprintf(buf, size, "tsc_khz=%u lapic_khz=%u", host.tsc_khz, LAPIC_KHZ);
	if (host.interpreted)
		snprintf(buf + n, size - (size_t)n, "%squirks=pvm", n ? " " : "");
	return buf;
}

static void run_job(const struct machine_spec *spec, struct outcome *out)
{
	char args[96];
	struct kvm_machine *m;
	struct boot_job job;

	if (!boot_prepare(&job, spec, kernel_args(args, sizeof(args)), out))
		return;
	m = xcalloc(1, sizeof(*m));
	run_machine(m, &job, out);
	kvm_machine_free(m);
	free(m);
	boot_job_free(&job);
}

static void kvm_run(const struct machine_spec *spec, struct outcome *out)
{
	const char *why = kvm_unavailable(), **env = NULL;
	struct machine_spec s = *spec;

	memset(out, 0, sizeof(*out));
	out->unit = "cycles";
	if (why) {
		outcome_set(out, CELL_UNSUPPORTED, "%s", why);
		return;
	}
	if (spec->cpus > kvm_max_cpus(&why)) {
		outcome_set(out, CELL_UNSUPPORTED, "%u CPUs: this KVM gives a machine at most %u",
			    spec->cpus, host.max_cpus);
		return;
	}
	if (cpuid_is_hosts())
		s.envp = env = like_the_model(spec->envp);
	run_job(&s, out);
	free(env);
}

const struct engine engine_kvm = {
	.doc = "the harness's own virtual machine on /dev/kvm, in cycles",
	.id = ENGINE_KVM,
	.unavailable = kvm_unavailable,
	.caveat = kvm_caveat,
	.max_cpus = kvm_max_cpus,
	.run = kvm_run,
};
