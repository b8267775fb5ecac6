/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Robust futexes, and what else a thread's end says to ring 3 (Linux kernel/futex/core.c,
 * kernel/fork.c mm_release()).
 *
 * A thread leaves the kernel the head of a list of the locks that it holds. At its end each lock's
 * word that still has its number gets FUTEX_OWNER_DIED, and one waiter is woken. The list is ring
 * 3's: any address in it may be bad, and it may be endless.
 */
#include "arch/x86_64/arch.h"
#include "kern/futex/futex.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"

#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK 0x3fffffffu
#define ROBUST_LIST_LIMIT 2048
#define ENTRY_PI                                                                                   \
	1ull /* in an entry's address: a lock with priority inheritance, which nobody waits for    \
		in the kernel */

struct robust_list_head {
	uint64_t next; /* the list's end is the head itself */
	int64_t futex_offset;
	uint64_t pending; /* a lock that is being taken or let go */
};

/* One lock of a thread that ends; false: its memory is bad. */
static bool owner_died(const struct task *t, uint64_t addr, bool pi, bool pending)
{
	uint32_t word, expected;

	if (addr & 3 || copy_from_user(&word, addr, sizeof(word)))
		return false;
	if (pending && !pi && !word) {
		futex_wake_one(addr);
		return true;
	}
	do {
		expected = word;
		if ((word & FUTEX_TID_MASK) != (uint32_t)t->tid)
			return true;
		if (cmpxchg_user(addr, &word, (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED))
			return false;
	} while (word != expected);
	if (!pi && word & FUTEX_WAITERS)
		futex_wake_one(addr);
	return true;
}

/* The next entry is read before a lock is let go: then its memory may be anybody's. */
static void walk(const struct task *t, const struct robust_list_head *head)
{
	uint64_t entry = head->next, next, pending = head->pending;
	uint64_t offset = (uint64_t)head->futex_offset;

	for (unsigned i = 0; (entry & ~ENTRY_PI) != t->robust_list && i < ROBUST_LIST_LIMIT; i++) {
		bool more = !copy_from_user(&next, entry & ~ENTRY_PI, sizeof(next));

		if ((entry & ~ENTRY_PI) != (pending & ~ENTRY_PI) &&
		    !owner_died(t, (entry & ~ENTRY_PI) + offset, entry & ENTRY_PI, false))
			return;
		if (!more)
			return;
		entry = next;
	}
	if (pending & ~ENTRY_PI)
		owner_died(t, (pending & ~ENTRY_PI) + offset, pending & ENTRY_PI, true);
}

void futex_thread_exit(struct task *t)
{
	struct robust_list_head head;
	uint32_t zero = 0;

	if (t->robust_list && !copy_from_user(&head, t->robust_list, sizeof(head)))
		walk(t, &head);
	t->robust_list = 0;
	if (t->clear_child_tid && t->mm->users > 1) {
		copy_to_user(t->clear_child_tid, &zero, sizeof(zero));
		futex_wake_one(t->clear_child_tid);
	}
	t->clear_child_tid = 0;
}

SYSCALL(set_robust_list)
{
	if (ARG1(regs) != sizeof(struct robust_list_head))
		return -MM_EINVAL;
	current()->robust_list = ARG0(regs);
	return 0;
}

SYSCALL(get_robust_list)
{
	const struct task *t = (int32_t)ARG0(regs) ? task_find((int32_t)ARG0(regs)) : current();
	uint64_t size = sizeof(struct robust_list_head);

	if (!t)
		return -MM_ESRCH;
	if (copy_to_user(ARG2(regs), &size, sizeof(size)) ||
	    copy_to_user(ARG1(regs), &t->robust_list, sizeof(t->robust_list)))
		return -MM_EFAULT;
	return 0;
}
