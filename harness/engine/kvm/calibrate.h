/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_CALIBRATE_H
#define ENGINE_CALIBRATE_H

struct calibration {
	double ns; /* that one instruction takes in ring 0; negative if the guest does not run */
	unsigned tsc_khz; /* of the guest's TSC; 0: this KVM does not say */
};

/* Asks and measures /dev/kvm: .ns is the best of at most `tries` attempts, fewer if one is clearly
 * fast. An attempt costs well under a millisecond where the CPU runs ring 0, some 10 ms where it is
 * interpreted. */
struct calibration calibrate(unsigned tries);

#endif
