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

/* struct signal_ucontext. */
#define UC_FLAGS_AT 0
#define UC_LINK 8
#define UC_STACK 16
#define UC_R8 40
#define UC_R9 48
#define UC_R10 56
#define UC_R11 64
#define UC_R12 72
#define UC_R13 80
#define UC_R14 88
#define UC_R15 96
#define UC_RDI 104
#define UC_RSI 112
#define UC_RBP 120
#define UC_RBX 128
#define UC_RDX 136
#define UC_RAX 144
#define UC_RCX 152
#define UC_RSP 160
#define UC_RIP 168
#define UC_RFLAGS 176
#define UC_CS 184 /* gs and fs follow */
#define UC_SS 190
#define UC_ERR 192
#define UC_TRAPNO 200
#define UC_OLDMASK 208
#define UC_CR2 216
#define UC_FPSTATE 224
#define UC_SIGMASK 296
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
#define SIGNALS_ALTSTACK 16
#define SIGNALS_TRAPNO 40
#define SIGNALS_ERR 48
#define SIGNALS_CR2 56
#define SIGNALS_SEGV_GROWS 64
#define SIGNALS_SEGV_HANDLER 400
#define SIGNALS_SEGV_RESTORER 416

#endif
