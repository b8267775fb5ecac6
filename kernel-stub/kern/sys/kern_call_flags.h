/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the calls of files, processes and signals make of their flags (mm/base/call_flags.h), as
 * Linux 6.18 does, and the flags. Commands and modes are no sets of bits: fcntl, futex, lseek,
 * sigaltstack and rt_sigprocmask refuse those that they have no case for.
 */
#ifndef KERN_CALL_FLAGS_H
#define KERN_CALL_FLAGS_H

#include "mm/base/call_flags.h"
#include "mm/base/mm_errno.h"

/* ---- open, openat, fcntl's F_SETFL, pipe2, dup3 ---- */

enum {
	O_RDONLY = 0,
	O_WRONLY = 1,
	O_RDWR = 2,
	O_ACCMODE = 3,
	O_CREAT = 0100,
	O_EXCL = 0200,
	O_NOCTTY = 0400,
	O_TRUNC = 01000,
	O_APPEND = 02000,
	O_NONBLOCK = 04000,
	O_DSYNC = 010000,
	O_ASYNC = 020000,
	O_DIRECT = 040000,
	O_LARGEFILE = 0100000,
	O_DIRECTORY = 0200000,
	O_NOFOLLOW = 0400000,
	O_NOATIME = 01000000,
	O_CLOEXEC = 02000000,
	O_SYNC_ALONE = 04000000, /* of O_SYNC, which has O_DSYNC as well */
	O_PATH = 010000000,
	O_TMPFILE_ALONE = 020000000, /* of O_TMPFILE, which has O_DIRECTORY as well */
};

/* O_PATH puts out all others. */
#define O_PATH_FLAGS (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

static const struct call_flags open_flags = {
	.done = O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC |
		O_PATH,
	.harmless = O_NOCTTY |		     /* there are no terminals */
		    O_APPEND |		     /* nothing that is opened grows */
		    O_NONBLOCK |	     /* or lets wait */
		    O_DSYNC | O_SYNC_ALONE | /* or has anything to write back */
		    O_ASYNC |		     /* F_SETOWN, which says to whom, is refused */
		    O_NOATIME |		     /* times are 0 */
		    O_LARGEFILE,	     /* every file is */
	.refused = {{O_TMPFILE_ALONE, MM_EROFS}, {O_DIRECT, MM_EINVAL}},
};

/* F_SETFL leaves alone what it can't change. */
static const struct call_flags setfl_flags = {
	.done = O_NONBLOCK,
	.harmless = O_APPEND | O_NOATIME, /* as above; F_GETFL shows them */
	.refused = {{O_DIRECT, MM_EINVAL}},
};

static const struct call_flags pipe2_flags = {
	.done = O_CLOEXEC | O_NONBLOCK | O_DIRECT,
	.refused = {{O_EXCL, MM_ENOPKG}}, /* a notification pipe */
	.unknown = MM_EINVAL,
};

static const struct call_flags dup3_flags = {.done = O_CLOEXEC, .unknown = MM_EINVAL};

/* ---- newfstatat ---- */

enum {
	AT_SYMLINK_NOFOLLOW = 0x100,
	AT_NO_AUTOMOUNT = 0x800,
	AT_EMPTY_PATH = 0x1000,
	AT_STATX_SYNC_TYPE = 0x6000,
};

static const struct call_flags fstatat_flags = {
	.done = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
	.harmless = AT_NO_AUTOMOUNT |	/* nothing is mounted */
		    AT_STATX_SYNC_TYPE, /* or elsewhere */
	.unknown = MM_EINVAL,
};

/* ---- clone, clone3 ---- */

#define CLONE_SIGNAL_MASK 0xffull
#define CLONE_VM 0x100ull
#define CLONE_FS 0x200ull
#define CLONE_FILES 0x400ull
#define CLONE_SIGHAND 0x800ull
#define CLONE_PIDFD 0x1000ull
#define CLONE_PTRACE 0x2000ull
#define CLONE_VFORK 0x4000ull
#define CLONE_PARENT 0x8000ull
#define CLONE_THREAD 0x10000ull
#define CLONE_SYSVSEM 0x40000ull
#define CLONE_SETTLS 0x80000ull
#define CLONE_PARENT_SETTID 0x100000ull
#define CLONE_CHILD_CLEARTID 0x200000ull
#define CLONE_DETACHED 0x400000ull
#define CLONE_UNTRACED 0x800000ull
#define CLONE_CHILD_SETTID 0x1000000ull
#define CLONE_NAMESPACES 0x7e020000ull
#define CLONE_IO 0x80000000ull
#define CLONE_CLEAR_SIGHAND 0x100000000ull
#define CLONE_INTO_CGROUP 0x200000000ull

#define CLONE_DONE                                                                                 \
	(CLONE_VM | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_PARENT | CLONE_THREAD |      \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID)
#define CLONE_HARMLESS                                                                             \
	(CLONE_FS |			 /* no directory or mask of one's own to share */          \
	 CLONE_PTRACE | CLONE_UNTRACED | /* nobody traces */                                       \
	 CLONE_SYSVSEM | CLONE_IO)	 /* no semaphores, no classes of I/O */

/* Of the call's lower half: the upper one is ignored. */
static const struct call_flags clone_flags = {
	.done = CLONE_DONE | CLONE_SIGNAL_MASK,
	.harmless = CLONE_HARMLESS | CLONE_DETACHED, /* means nothing on Linux either */
	.refused = {{CLONE_NAMESPACES | CLONE_PIDFD, MM_EINVAL}},
};

static const struct call_flags clone3_flags = {
	.done = CLONE_DONE | CLONE_CLEAR_SIGHAND,
	.harmless = CLONE_HARMLESS,
	.refused = {{CLONE_NAMESPACES | CLONE_PIDFD | CLONE_INTO_CGROUP, MM_EINVAL}},
	.unknown = MM_EINVAL, /* CLONE_DETACHED, and a signal, which has a place of its own */
};

/* ---- wait4, waitid ---- */

enum {
	WNOHANG = 1,
	WUNTRACED = 2,
	WSTOPPED = 2,
	WEXITED = 4,
	WCONTINUED = 8,
	WNOWAIT = 0x01000000,
	WAIT_NOTHREAD = 0x20000000,
	WAIT_ALL = 0x40000000,
};
#define WAIT_CLONE 0x80000000u

static const struct call_flags wait4_options = {
	.done = WNOHANG | WAIT_ALL | WAIT_CLONE,
	.harmless = WUNTRACED | WCONTINUED | /* nobody stops */
		    WAIT_NOTHREAD,	     /* children are the process's, whoever made them */
	.unknown = MM_EINVAL,
};

static const struct call_flags waitid_options = {
	.done = WNOHANG | WEXITED | WNOWAIT | WAIT_ALL | WAIT_CLONE,
	.harmless = WSTOPPED | WCONTINUED | WAIT_NOTHREAD, /* as above */
	.unknown = MM_EINVAL,
};

/* ---- rt_sigaction ---- */

#define SA_NOCLDSTOP 1u
#define SA_NOCLDWAIT 2u
#define SA_SIGINFO 4u
#define SA_EXPOSE_TAGBITS 0x800u
#define SA_RESTORER 0x04000000u
#define SA_ONSTACK 0x08000000u
#define SA_RESTART 0x10000000u
#define SA_NODEFER 0x40000000u
#define SA_RESETHAND 0x80000000u

/* What is not known is ignored and not kept: so a program finds out. */
static const struct call_flags sigaction_flags = {
	.done = SA_NOCLDWAIT | SA_SIGINFO | SA_RESTORER | SA_ONSTACK | SA_RESTART | SA_NODEFER |
		SA_RESETHAND,
	.harmless = SA_NOCLDSTOP |     /* nobody stops */
		    SA_EXPOSE_TAGBITS, /* addresses have none on x86 */
};

/* ---- the rest ---- */

enum { GRND_NONBLOCK = 1, GRND_RANDOM = 2, GRND_INSECURE = 4 };

static const struct call_flags getrandom_flags = {
	.harmless = GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE, /* one stream, that never waits */
	.unknown = MM_EINVAL,
};

#define TIMER_ABSTIME 1u

static const struct call_flags clock_nanosleep_flags = {.done = TIMER_ABSTIME};

#endif
