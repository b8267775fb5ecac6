/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast does this KVM run ring 0? A guest of three instructions counts down; the difference of a
 * long and a short count leaves out what entering and leaving the guest costs.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "engine/kvm/calibrate.h"
#include "engine/kvm/kvm_machine.h"

#define CODE_AT 0x100000u
#define MEMORY (2u << 20)
#define SHORT_COUNT 100u
#define LONG_COUNT 5000u
/* A first try below this needs no second: nothing was in the way. */
#define CLEARLY_FAST_NS 20.0

/* 1: dec %ecx; jnz 1b; out %al, $FL_PORT_EXIT */
static const uint8_t countdown[] = {0x49, 0x75, 0xfd, 0xe6, FL_PORT_EXIT};

/* Seconds for one countdown; negative if it does not end in its `out`. */
static double time_countdown(struct kvm_vcpu *v, uint32_t count)
{
	struct kvm_regs regs;
	double begin;
	int rc;

	if (kvm_vcpu_enter_pvh(v, CODE_AT, 0) || ioctl(v->fd, KVM_GET_REGS, &regs) < 0)
		return -1;
	regs.rcx = count;
	if (ioctl(v->fd, KVM_SET_REGS, &regs) < 0)
		return -1;
	begin = now_seconds();
	do
		rc = ioctl(v->fd, KVM_RUN, 0);
	while (rc < 0 && (errno == EINTR || errno == EAGAIN));
	if (rc < 0 || v->run->exit_reason != KVM_EXIT_IO || v->run->io.port != FL_PORT_EXIT)
		return -1;
	return now_seconds() - begin;
}

static double measure(struct kvm_vcpu *v, unsigned tries)
{
	double best = -1;

	for (unsigned i = 0; i < tries && !(best >= 0 && best < CLEARLY_FAST_NS); i++) {
		double brief = time_countdown(v, SHORT_COUNT);
		double extended = time_countdown(v, LONG_COUNT), ns;

		if (brief < 0 || extended < 0)
			return -1;
		ns = (extended - brief) * 1e9 / (2 * (LONG_COUNT - SHORT_COUNT));
		ns = ns < 0 ? 0 : ns;
		best = best < 0 || ns < best ? ns : best;
	}
	return best;
}

static unsigned tsc_khz(const struct kvm_vcpu *v)
{
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (unsigned)khz : 0;
}

struct calibration calibrate(unsigned tries)
{
	struct kvm_machine *m = xcalloc(1, sizeof(*m));
	char *why = kvm_machine_create(m, MEMORY, 1);
	struct calibration c = {.ns = -1};

	if (!why) {
		memcpy(m->mem + CODE_AT, countdown, sizeof(countdown));
		c.ns = measure(&m->vcpus[0], tries);
		c.tsc_khz = tsc_khz(&m->vcpus[0]);
	}
	free(why);
	kvm_machine_free(m);
	free(m);
	return c;
}
