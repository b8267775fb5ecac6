/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/kvm/kvm_machine.h"
#include "measure/placement.h"
#include "proc/stop.h"

#define KICK_SIGNAL (SIGRTMIN + 4)
#define KICK_INTERVAL_NS 2000000L
#define WATCH_INTERVAL_NS 20000000L /* the deadline and a stop are seen within this */

/* ---- the end of the machine ---- */

void kvm_machine_end(struct kvm_machine *m, enum boot_end end, unsigned code, char *what,
		     unsigned culprit)
{
	pthread_mutex_lock(&m->lock);
	if (m->ended) {
		free(what);
	} else {
		m->ended = true;
		m->end = end;
		m->code = code;
		m->what = what;
		m->culprit = culprit;
	}
	atomic_store(&m->stop, true);
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

static void crashed(struct kvm_vcpu *v, char *what)
{
	kvm_machine_end(v->machine, BOOT_CRASHED, 0, what, v->id);
}

/* ---- exits ---- */

static void port_out(struct kvm_vcpu *v, const uint8_t *data, size_t n)
{
	struct kvm_machine *m = v->machine;
	struct sink *sink = NULL;

	switch (v->run->io.port) {
	case FL_PORT_CONSOLE:
		sink = &m->output->console;
		break;
	case FL_PORT_STDOUT:
		sink = &m->output->out;
		break;
	case FL_PORT_STDERR:
		sink = &m->output->err;
		break;
	case FL_PORT_EXIT:
		kvm_machine_end(m, BOOT_EXIT, data[0], NULL, v->id);
		return;
	default:
		return; /* nothing is there, as on a PC */
	}
	pthread_mutex_lock(&m->lock);
	sink_write(sink, data, n);
	pthread_mutex_unlock(&m->lock);
}

/* A string instruction arrives as one exit with a count. */
static void port_io(struct kvm_vcpu *v)
{
	uint8_t *data = (uint8_t *)v->run + v->run->io.data_offset;
	size_t n = (size_t)v->run->io.size * v->run->io.count;

	if (v->run->io.direction == KVM_EXIT_IO_OUT)
		port_out(v, data, n);
	else
		memset(data, 0xff, n);
}

/* No device has memory: reads give ones, writes go nowhere, as on QEMU's machine. */
static void memory_io(struct kvm_vcpu *v)
{
	if (!v->run->mmio.is_write)
		memset(v->run->mmio.data, 0xff, sizeof(v->run->mmio.data));
}

static char *internal_error(const struct kvm_run *run)
{
	static const char *const names[] = {"unknown", "an instruction that KVM cannot emulate",
					    "simultaneous exceptions", "delivery of an event",
					    "an unexpected exit reason"};
	uint32_t sub = run->internal.suberror;

	return xasprintf("KVM internal error %u: %s", sub, names[sub < 5 ? sub : 0]);
}

static void serve_exit(struct kvm_vcpu *v)
{
	const struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		port_io(v);
		break;
	case KVM_EXIT_MMIO:
		memory_io(v);
		break;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
		break;
	case KVM_EXIT_SHUTDOWN:
		crashed(v, xasprintf("the guest triple-faulted on CPU %u", v->id));
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		crashed(v, internal_error(run));
		break;
	case KVM_EXIT_FAIL_ENTRY:
		crashed(v,
			xasprintf("the CPU refuses to enter the guest: hardware reason %#" PRIx64,
				  (uint64_t)run->fail_entry.hardware_entry_failure_reason));
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		crashed(v, xasprintf("the guest reset the machine (event %u)",
				     run->system_event.type));
		break;
	default:
		crashed(v, xasprintf("unexpected KVM exit %u", run->exit_reason));
	}
}

/* ---- the thread ---- */

static void run_guest(struct kvm_vcpu *v)
{
	while (!atomic_load(&v->machine->stop)) {
		if (!ioctl(v->fd, KVM_RUN, 0)) {
			serve_exit(v);
		} else if (errno != EINTR && errno != EAGAIN) {
			crashed(v, xasprintf("KVM_RUN on CPU %u: %s", v->id, strerror(errno)));
			return;
		}
	}
}

static void *vcpu_thread(void *vcpu)
{
	struct kvm_vcpu *v = vcpu;
	struct kvm_machine *m = v->machine;

	placement_pin(v->id);
	papi_start(&v->papi, false);
	run_guest(v);
	papi_stop(&v->papi);
	pthread_mutex_lock(&m->lock);
	v->running = false;
	m->nr_running--;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

static void ignore(int signal)
{
	(void)signal; /* its arrival alone makes KVM_RUN return */
}

char *kvm_vcpus_start(struct kvm_machine *m)
{
	struct sigaction sa = {.sa_handler = ignore};
	char *why = NULL;

	sigaction(KICK_SIGNAL, &sa, NULL);
	papi_events(); /* PAPI initialises in the process's own thread */
	pthread_mutex_lock(&m->lock);
	for (unsigned i = 0; i < m->nr_vcpus && !why; i++) {
		struct kvm_vcpu *v = &m->vcpus[i];
		int err = pthread_create(&v->thread, NULL, vcpu_thread, v);

		v->started = v->running = !err;
		m->nr_running += !err;
		if (err)
			why = xasprintf("pthread_create: %s", strerror(err));
	}
	pthread_mutex_unlock(&m->lock);
	return why;
}

/* A kick can come just before KVM_RUN begins: immediate_exit covers that. Repeated all the same. */
static void kick(struct kvm_machine *m)
{
	for (unsigned i = 0; i < m->nr_vcpus; i++) {
		if (!m->vcpus[i].running)
			continue;
		m->vcpus[i].run->immediate_exit = 1;
		pthread_kill(m->vcpus[i].thread, KICK_SIGNAL);
	}
}

static struct timespec after(long ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ns;
	t.tv_sec += t.tv_nsec / 1000000000L;
	t.tv_nsec %= 1000000000L;
	return t;
}

void kvm_machine_wait(struct kvm_machine *m, double deadline)
{
	pthread_mutex_lock(&m->lock);
	while (!m->ended && !stop_requested() && now_seconds() < deadline) {
		struct timespec next = after(WATCH_INTERVAL_NS);

		pthread_cond_timedwait(&m->changed, &m->lock, &next);
	}
	pthread_mutex_unlock(&m->lock);
	kvm_machine_end(m, BOOT_TIMEOUT, 0, NULL, 0);
	pthread_mutex_lock(&m->lock);
	while (m->nr_running) {
		struct timespec next = after(KICK_INTERVAL_NS);

		kick(m);
		pthread_cond_timedwait(&m->changed, &m->lock, &next);
	}
	pthread_mutex_unlock(&m->lock);
	for (unsigned i = 0; i < m->nr_vcpus; i++)
		if (m->vcpus[i].started)
			pthread_join(m->vcpus[i].thread, NULL);
}
