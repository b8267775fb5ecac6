/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Futexes (Linux kernel/futex/): ring 3 waits for a word of its memory to change, and wakes who
 * does.
 *
 *  1. A waiter stands in a hash table by the word's key, in the order of arrival. What orders a
 * wait with a wake is kern_lock: the word is read under it, and so is the table.
 *  2. A key says which word it is: of an address space, or of an object that several map
 *     (vm_shared_key), whose memory must then be such that the word can change: for the word that
 *     FUTEX_WAKE_OP changes, by this process. With FUTEX_PRIVATE_FLAG it is always the address
 *     space's, whatever is there, and, as on Linux, another futex than the same word's without the
 *     flag.
 *  3. Timeouts: relative for FUTEX_WAIT, else points in time; all clocks are one.
 *
 * Priority inheritance is not offered: ENOSYS, and glibc's PTHREAD_PRIO_INHERIT fails.
 */
#include "kern/futex/futex.h"

#include "arch/x86_64/arch.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/clock.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"

enum futex_op {
	FUTEX_WAIT = 0,
	FUTEX_WAKE = 1,
	FUTEX_REQUEUE = 3,
	FUTEX_CMP_REQUEUE = 4,
	FUTEX_WAKE_OP = 5,
	FUTEX_WAIT_BITSET = 9,
	FUTEX_WAKE_BITSET = 10,
	FUTEX_PRIVATE_FLAG = 128,
	FUTEX_CLOCK_REALTIME = 256,
};
#define FUTEX_COMMAND_MASK (~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME))
#define ANY_BIT UINT32_MAX

struct futex_key {
	struct vm_key word;
	bool private;
};

struct futex_waiter {
	struct list_node link; /* in its bucket, until it is woken */
	struct futex_key key;
	uint32_t bits;
	bool woken;
	struct wait_queue queue; /* the waiter alone */
};

#define BUCKETS 256u
static struct list_node buckets[BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&buckets[i]);
}

/* ---- keys ---- */

enum futex_access { FUTEX_READ, FUTEX_WRITE };

/* 2. */
static int64_t get_key(uint64_t addr, bool private, enum futex_access access, struct futex_key *key)
{
	struct mm *mm = current()->mm;

	if (addr & 3)
		return -MM_EINVAL;
	if (addr >= TASK_SIZE)
		return -MM_EFAULT;
	key->private = private;
	if (!private)
		return vm_shared_key(mm, addr, access == FUTEX_WRITE, &key->word);
	key->word = (struct vm_key){.object = (uintptr_t)mm,
				    .index = addr >> PAGE_SHIFT,
				    .offset = (uint32_t)(addr & ~PAGE_MASK)};
	return 0;
}

static bool same_key(const struct futex_key *a, const struct futex_key *b)
{
	return vm_key_equal(&a->word, &b->word) && a->private == b->private;
}

static struct list_node *bucket_of(const struct futex_key *key)
{
	uint64_t word = key->word.index << PAGE_SHIFT | key->word.offset;
	uint64_t hash = (key->word.object >> 6 ^ word >> 2) * 0x9e3779b97f4a7c15ull;

	return &buckets[hash >> 56];
}

/* ---- waking ---- */

static void wake(struct futex_waiter *w)
{
	list_del_init(&w->link);
	w->woken = true;
	wait_queue_wake(&w->queue);
}

/* As on Linux one is woken even if `most` is not positive. */
static int64_t wake_waiters(const struct futex_key *key, int32_t most, uint32_t bits)
{
	struct list_node *bucket = bucket_of(key), *node = bucket->next, *next;
	int32_t woken = 0;

	for (; node != bucket; node = next) {
		struct futex_waiter *w = list_entry(node, struct futex_waiter, link);

		next = node->next;
		if (!same_key(&w->key, key) || !(w->bits & bits))
			continue;
		wake(w);
		if (++woken >= most)
			break;
	}
	return woken;
}

static int64_t do_wake(uint64_t addr, bool private, int32_t most, uint32_t bits)
{
	struct futex_key key;
	int64_t error = bits ? get_key(addr, private, FUTEX_READ, &key) : -MM_EINVAL;

	return error ? error : wake_waiters(&key, most, bits);
}

void futex_wake_one(uint64_t addr)
{
	do_wake(addr, false, 1, ANY_BIT);
}

/* ---- waiting ---- */

/* The waiter stands in its bucket: until it is woken, or the time has come, or a signal. */
static int64_t sleep(struct futex_waiter *w, uint64_t until)
{
	int64_t error = 0;

	while (!w->woken && !error)
		error = wait_queue_sleep_until(&w->queue, until);
	if (w->woken)
		return 0;
	list_del(&w->link);
	return error;
}

/* A wait without a timeout may be made again after a handler, as Linux's; one with a timeout not.
 */
static int64_t do_wait(uint64_t addr, bool private, uint32_t value, uint64_t until, uint32_t bits)
{
	struct futex_waiter w = {.bits = bits};
	int64_t error = bits ? get_key(addr, private, FUTEX_READ, &w.key) : -MM_EINVAL;
	uint32_t now;

	if (error)
		return error;
	if (copy_from_user(&now, addr, sizeof(now)))
		return -MM_EFAULT;
	if (now != value)
		return -MM_EAGAIN;
	wait_queue_init(&w.queue);
	list_add_tail(&w.link, bucket_of(&w.key));
	error = sleep(&w, until);
	return error == -ERESTART && until != UINT64_MAX ? -MM_EINTR : error;
}

/* ---- from one word to another ---- */

static void move(struct futex_waiter *w, const struct futex_key *to)
{
	list_del(&w->link);
	w->key = *to;
	list_add_tail(&w->link, bucket_of(to));
}

/* Wakes the first `most` of `from`, and moves `moved` more to `to`: how many in all. */
static int64_t requeue(const struct futex_key *from, const struct futex_key *to, int64_t most,
		       int64_t moved)
{
	struct list_node *bucket = bucket_of(from), *node = bucket->next, *next;
	int64_t n = 0;

	/* Those that are moved within a bucket go behind the last there is now. */
	for (struct list_node *last = bucket->prev; node != bucket; node = next) {
		struct futex_waiter *w = list_entry(node, struct futex_waiter, link);
		bool at_end = node == last;

		next = node->next;
		if (n - most >= moved)
			break;
		if (same_key(&w->key, from)) {
			if (++n <= most)
				wake(w);
			else
				move(w, to);
		}
		if (at_end)
			break;
	}
	return n;
}

/* expected: what the word must still be, or NULL. */
static int64_t do_requeue(const struct trap_frame *regs, bool private, const uint32_t *expected)
{
	int32_t most = (int32_t)ARG2(regs), moved = (int32_t)ARG3(regs);
	struct futex_key from, to;
	uint32_t now;
	int64_t error;

	if (most < 0 || moved < 0)
		return -MM_EINVAL;
	error = get_key(ARG0(regs), private, FUTEX_READ, &from);
	if (!error)
		error = get_key(ARG4(regs), private, FUTEX_READ, &to);
	if (error)
		return error;
	if (expected && copy_from_user(&now, ARG0(regs), sizeof(now)))
		return -MM_EFAULT;
	if (expected && now != *expected)
		return -MM_EAGAIN;
	return requeue(&from, &to, most, moved);
}

/* ---- FUTEX_WAKE_OP ---- */

enum { OP_SET, OP_ADD, OP_OR, OP_ANDN, OP_XOR, NR_OPS, OP_ARG_SHIFT = 8 };
enum { CMP_EQ, CMP_NE, CMP_LT, CMP_LE, CMP_GT, CMP_GE, NR_CMPS };

/* What its last argument says: the operation, its argument, a comparison, its argument; 12 bits
 * each for the arguments, signed. */
struct wake_op {
	unsigned op, cmp;
	int32_t op_arg, cmp_arg;
};

static struct wake_op decode(uint32_t v)
{
	struct wake_op o = {v >> 28 & 7, v >> 24 & 15, (int32_t)(v << 8) >> 20,
			    (int32_t)(v << 20) >> 20};

	if (v >> 28 & OP_ARG_SHIFT)
		o.op_arg = (int32_t)(1u << (o.op_arg & 31));
	return o;
}

static uint32_t apply(const struct wake_op *o, uint32_t old)
{
	uint32_t arg = (uint32_t)o->op_arg;

	switch (o->op) {
	case OP_SET:
		return arg;
	case OP_ADD:
		return old + arg;
	case OP_OR:
		return old | arg;
	case OP_ANDN:
		return old & ~arg;
	default:
		return old ^ arg;
	}
}

static bool compare(const struct wake_op *o, int32_t old)
{
	switch (o->cmp) {
	case CMP_EQ:
		return old == o->cmp_arg;
	case CMP_NE:
		return old != o->cmp_arg;
	case CMP_LT:
		return old < o->cmp_arg;
	case CMP_LE:
		return old <= o->cmp_arg;
	case CMP_GT:
		return old > o->cmp_arg;
	default:
		return old >= o->cmp_arg;
	}
}

/* The word before, changed in one piece: 0 or -EFAULT. It is never only read: that would bring in a
 * page of memory that can't be written. */
static int64_t change_word(uint64_t addr, const struct wake_op *o, uint32_t *old)
{
	uint32_t expected;

	*old = 0;
	do {
		expected = *old;
		if (cmpxchg_user(addr, old, apply(o, expected)))
			return -MM_EFAULT;
	} while (*old != expected);
	return 0;
}

static int64_t do_wake_op(const struct trap_frame *regs, bool private)
{
	struct wake_op o = decode((uint32_t)ARG5(regs));
	struct futex_key first, second;
	int64_t error = get_key(ARG0(regs), private, FUTEX_READ, &first), woken;
	uint32_t old;

	if (!error)
		error = get_key(ARG4(regs), private, FUTEX_WRITE, &second);
	if (error)
		return error;
	if (o.op >= NR_OPS)
		return -MM_ENOSYS;
	error = change_word(ARG4(regs), &o, &old);
	if (error)
		return error;
	if (o.cmp >= NR_CMPS)
		return -MM_ENOSYS;
	woken = wake_waiters(&first, (int32_t)ARG2(regs), ANY_BIT);
	if (compare(&o, (int32_t)old))
		woken += wake_waiters(&second, (int32_t)ARG3(regs), ANY_BIT);
	return woken;
}

/* ---- the call ---- */

static int64_t do_futex(const struct trap_frame *regs, uint32_t command, bool private,
			uint64_t until)
{
	uint32_t value = (uint32_t)ARG2(regs), bits = (uint32_t)ARG5(regs);

	switch (command) {
	case FUTEX_WAIT:
		return do_wait(ARG0(regs), private, value, until, ANY_BIT);
	case FUTEX_WAIT_BITSET:
		return do_wait(ARG0(regs), private, value, until, bits);
	case FUTEX_WAKE:
		return do_wake(ARG0(regs), private, (int32_t)value, ANY_BIT);
	case FUTEX_WAKE_BITSET:
		return do_wake(ARG0(regs), private, (int32_t)value, bits);
	case FUTEX_REQUEUE:
		return do_requeue(regs, private, NULL);
	case FUTEX_CMP_REQUEUE:
		return do_requeue(regs, private, &bits);
	case FUTEX_WAKE_OP:
		return do_wake_op(regs, private);
	}
	return -MM_ENOSYS;
}

SYSCALL(futex)
{
	uint32_t op = (uint32_t)ARG1(regs), command = op & FUTEX_COMMAND_MASK;
	bool waits = command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET;
	uint64_t until = UINT64_MAX;
	int64_t error;

	if (waits && ARG3(regs)) {
		error = clock_read_deadline(ARG3(regs), command != FUTEX_WAIT, &until);
		if (error)
			return error;
	}
	if (op & FUTEX_CLOCK_REALTIME && command != FUTEX_WAIT_BITSET)
		return -MM_ENOSYS;
	return do_futex(regs, command, op & FUTEX_PRIVATE_FLAG, until);
}
