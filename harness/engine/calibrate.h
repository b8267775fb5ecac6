/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_CALIBRATE_H
#define ENGINE_CALIBRATE_H

/* Nanoseconds that one instruction takes in ring 0 of a guest on /dev/kvm: the best of a few tries.
 * Negative if the guest does not run. Costs under a millisecond where the CPU runs it, some 30 ms
 * where it is interpreted. */
double calibrate_ring0_ns(void);

#endif
