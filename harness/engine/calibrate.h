/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_CALIBRATE_H
#define ENGINE_CALIBRATE_H

/* Nanoseconds that one instruction takes in ring 0 of a guest on /dev/kvm: the best of at most
 * `tries` attempts, fewer if one is clearly fast. Negative if the guest does not run. An attempt
 * costs well under a millisecond where the CPU runs ring 0, some 10 ms where it is interpreted. */
double calibrate_ring0_ns(unsigned tries);

#endif
