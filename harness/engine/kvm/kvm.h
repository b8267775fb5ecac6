/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ENGINE_KVM_H
#define ENGINE_KVM_H

#include "engine/engine.h"

extern const struct engine engine_kvm;

/* True if this /dev/kvm interprets the guest's ring 0 instead of letting the CPU run it: its module
 * is kvm_pvm, or an instruction there takes longer than any CPU needs (calibrate.c). Needs: the
 * engine is available. Found out once. */
bool kvm_interprets_ring0(void);

#endif
