/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Offsets of what signal_user.S moves between ring 3's registers and its memory. signal_frame.h and
 * signal.c assert each against the C definition.
 */
#ifndef ARCH_SIGNAL_LAYOUT_H
#define ARCH_SIGNAL_LAYOUT_H

/* struct signal_frame, from the handler's stack pointer. */
#define SIGNAL_UC 8
#define SIGNAL_INFO 312
#define SIGNAL_FXSAVE 456 /* struct signal_place: fpstate - frame */
#define SIGNAL_EXTENT 968 /* from the frame to the end of the FXSAVE image */

/* struct signal_ucontext: its fields are in signal_context.def. */
#define UC_SIZE 304

/* struct signal_info. */
#define INFO_SIGNO 0
#define INFO_CODE 8
#define INFO_PAYLOAD 16
#define INFO_REST 24
#define INFO_SIZE 128

/* struct signals. */
#define SIGNALS_BLOCKED 0
#define SIGNALS_PENDING 8
#define SIGNALS_ALTSTACK 32
#define SIGNALS_TRAPNO 56
#define SIGNALS_ERR 64
#define SIGNALS_CR2 72
#define SIGNALS_SHARED 80
#define SIGNALS_ACTIONS 88

/* struct signal_actions. */
#define ACTIONS_SEGV_HANDLER 0
#define ACTIONS_SEGV_RESTORER 8
#define ACTIONS_SEGV_GROWS 16

#endif
