/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The signal frame against this system's own headers, its place on the stack, and what comes back
 * from a frame that ring 3 changed. */
#define _GNU_SOURCE
#include <atf-c.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "kern/signal/signal_frame.h"

#define AT(ours, theirs)                                                                           \
	ATF_CHECK_EQ(offsetof(struct signal_ucontext, ours), offsetof(ucontext_t, theirs))
#define GREG(ours, reg)                                                                            \
	ATF_CHECK_EQ(offsetof(struct signal_context, ours),                                        \
		     offsetof(mcontext_t, gregs) + (reg) * sizeof(greg_t))

ATF_TC_WITHOUT_HEAD(layout);
ATF_TC_BODY(layout, tc)
{
	(void)tc;
	AT(flags, uc_flags);
	AT(link, uc_link);
	AT(stack, uc_stack);
	AT(mcontext, uc_mcontext);
	AT(sigmask, uc_sigmask);
	AT(stack.size, uc_stack.ss_size);
	AT(mcontext.fpstate, uc_mcontext.fpregs);
	GREG(r8, REG_R8);
	GREG(r15, REG_R15);
	GREG(rdi, REG_RDI);
	GREG(rsi, REG_RSI);
	GREG(rbp, REG_RBP);
	GREG(rbx, REG_RBX);
	GREG(rdx, REG_RDX);
	GREG(rax, REG_RAX);
	GREG(rcx, REG_RCX);
	GREG(rsp, REG_RSP);
	GREG(rip, REG_RIP);
	GREG(rflags, REG_EFL);
	GREG(cs, REG_CSGSFS);
	GREG(err, REG_ERR);
	GREG(trapno, REG_TRAPNO);
	GREG(oldmask, REG_OLDMASK);
	GREG(cr2, REG_CR2);
	ATF_CHECK_EQ(sizeof(siginfo_t), sizeof(struct signal_info));
	ATF_CHECK_EQ(offsetof(siginfo_t, si_code), offsetof(struct signal_info, code));
	ATF_CHECK_EQ(offsetof(siginfo_t, si_addr), offsetof(struct signal_info, payload));
	ATF_CHECK_EQ(offsetof(siginfo_t, si_pid), offsetof(struct signal_info, payload));
	ATF_CHECK_EQ(sizeof(struct _libc_fpstate), FXSAVE_SIZE);
}

ATF_TC_WITHOUT_HEAD(place);
ATF_TC_BODY(place, tc)
{
	(void)tc;
	for (uint64_t sp = 0x7fffffffe000; sp < 0x7fffffffe100; sp++) {
		struct signal_place p = signal_frame_place(sp);

		ATF_REQUIRE_EQ(0, p.fpstate % 64);
		ATF_REQUIRE_EQ(0, (p.frame + 8) % 16);
		ATF_REQUIRE(p.fpstate + FXSAVE_SIZE <= sp);
		ATF_REQUIRE_EQ(SIGNAL_FXSAVE, p.fpstate - p.frame);
		ATF_REQUIRE_EQ(SIGNAL_EXTENT, p.fpstate + FXSAVE_SIZE - p.frame);
		ATF_REQUIRE(p.frame + sizeof(struct signal_frame) <= p.fpstate);
		ATF_REQUIRE(sp + RED_ZONE - p.frame <= SIGNAL_FRAME_MAX);
	}
}

static struct trap_frame pattern(void)
{
	struct trap_frame f;
	uint64_t *words = (uint64_t *)&f;

	for (unsigned i = 0; i < sizeof(f) / 8; i++)
		words[i] = 0x1111111111111111ull * (i % 15 + 1) + i;
	f.cs = 0x33;
	f.ss = 0x2b;
	f.rflags = 0x246;
	return f;
}

ATF_TC_WITHOUT_HEAD(beyond_user_memory);
ATF_TC_BODY(beyond_user_memory, tc)
{
	const uint64_t task_size = 0x7ffffffff000;

	(void)tc;
	ATF_CHECK(signal_place_ok(signal_frame_place(task_size)));
	ATF_CHECK(!signal_place_ok(signal_frame_place(task_size + 64)));
	ATF_CHECK(!signal_place_ok(signal_frame_place(0)));
	ATF_CHECK(!signal_place_ok(signal_frame_place(967)));
	ATF_CHECK(signal_place_ok(signal_frame_place(1024)));
	ATF_CHECK(!signal_place_ok(signal_frame_place(0xffff888000000000)));
	ATF_CHECK(!signal_place_ok(signal_frame_place(~0ull)));
}

ATF_TC_WITHOUT_HEAD(enter);
ATF_TC_BODY(enter, tc)
{
	struct trap_frame before = pattern(), f = before;

	(void)tc;
	f.rflags |= 0x10500;
	signal_frame_enter(&f, 0x7ffff000, 0x402000, 11);
	ATF_CHECK_EQ(11, f.rdi);
	ATF_CHECK_EQ(0x7ffff000 + 312, f.rsi);
	ATF_CHECK_EQ(0x7ffff000 + 8, f.rdx);
	ATF_CHECK_EQ(0x7ffff000, f.rsp);
	ATF_CHECK_EQ(0x402000, f.rip);
	ATF_CHECK_EQ(0, f.rax);
	ATF_CHECK_EQ(before.rflags, f.rflags);
	ATF_CHECK_EQ(before.rcx, f.rcx);
	ATF_CHECK_EQ(before.r11, f.r11);
	ATF_CHECK_EQ(before.rbx, f.rbx);
	f.cs = 0x23; /* 32-bit code was interrupted */
	signal_frame_enter(&f, 0x7fff0008, 0x402000, 11);
	ATF_CHECK_EQ(0x33, f.cs);
	ATF_CHECK_EQ(0x2b, f.ss);
}

ATF_TC_WITHOUT_HEAD(restore);
ATF_TC_BODY(restore, tc)
{
	struct trap_frame f = pattern(), before = f;
	struct signal_context c;
	uint64_t *words = (uint64_t *)&c;

	(void)tc;
	for (unsigned i = 0; i < sizeof(c) / 8; i++)
		words[i] = i + 1;
	c.rflags = 0x247;
	signal_frame_restore(&f, &c);
	ATF_CHECK_EQ(c.r8, f.r8);
	ATF_CHECK_EQ(c.r9, f.r9);
	ATF_CHECK_EQ(c.r10, f.r10);
	ATF_CHECK_EQ(c.r11, f.r11);
	ATF_CHECK_EQ(c.r12, f.r12);
	ATF_CHECK_EQ(c.r13, f.r13);
	ATF_CHECK_EQ(c.r14, f.r14);
	ATF_CHECK_EQ(c.r15, f.r15);
	ATF_CHECK_EQ(c.rdi, f.rdi);
	ATF_CHECK_EQ(c.rsi, f.rsi);
	ATF_CHECK_EQ(c.rbp, f.rbp);
	ATF_CHECK_EQ(c.rbx, f.rbx);
	ATF_CHECK_EQ(c.rdx, f.rdx);
	ATF_CHECK_EQ(c.rax, f.rax);
	ATF_CHECK_EQ(c.rcx, f.rcx);
	ATF_CHECK_EQ(c.rsp, f.rsp);
	ATF_CHECK_EQ(c.rip, f.rip);
	ATF_CHECK_EQ(0x247, f.rflags);
	ATF_CHECK_EQ(c.cs | 3u, f.cs);
	ATF_CHECK_EQ(c.ss | 3u, f.ss);
	ATF_CHECK_EQ(before.error_code, f.error_code);
}

/* Ring 3 may not raise its privilege or turn interrupts off. */
ATF_TC_WITHOUT_HEAD(hostile);
ATF_TC_BODY(hostile, tc)
{
	struct trap_frame f = pattern();
	struct signal_context c;

	(void)tc;
	memset(&c, 0xff, sizeof(c));
	c.cs = 0x10;
	c.ss = 0x18;
	signal_frame_restore(&f, &c);
	ATF_CHECK_EQ(0x13, f.cs); /* the kernel's, but asked for by ring 3: iretq refuses it */
	ATF_CHECK_EQ(0x1b, f.ss);
	/* IF stays; AC RF OF DF TF SF ZF AF PF CF may be set; IOPL, NT, VM, VIF, VIP may not. */
	ATF_CHECK_EQ(0x50fd7, f.rflags);
	c.rflags = 0;
	signal_frame_restore(&f, &c);
	ATF_CHECK_EQ(0x202, f.rflags);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, layout);
	ATF_TP_ADD_TC(tp, place);
	ATF_TP_ADD_TC(tp, beyond_user_memory);
	ATF_TP_ADD_TC(tp, enter);
	ATF_TP_ADD_TC(tp, restore);
	ATF_TP_ADD_TC(tp, hostile);
	return atf_no_error();
}
