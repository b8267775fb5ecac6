/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stubctl: what Linux has no call for (faultline_abi.h has the list).
 *
 * KERNEL_READ and KERNEL_WRITE make the kernel touch an address with no exception-table entry. The
 * access runs in a kernel task, so that an oops ends that task and the caller learns of it by -EIO:
 * "the task killed, the kernel goes on".
 */
#include "arch/x86_64/arch.h"
#include "kern/kern_lock.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/kern_sched.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/fault/fault.h"
#include "mm/mm.h"
#include "mm/pgtable/vmalloc.h"
#include "mm/phys/buddy.h"
#include "mm/phys/slab.h"
#include "mm/vma/mmap_lock.h"

struct access {
	uint64_t addr;
	uint8_t value;
};

static void do_read(void *arg)
{
	struct access *a = arg;

	a->value = arch_raw_read(a->addr);
}

static void do_write(void *arg)
{
	struct access *a = arg;

	arch_raw_write(a->addr, 0);
}

static int64_t kernel_access(uint64_t addr, void (*fn)(void *))
{
	struct access a = {.addr = addr};
	int error = kthread_run_sync("stubctl", fn, &a);

	return error ? error : a.value;
}

static int64_t user_report(uint64_t user, uint64_t n)
{
	void *window = telemetry_user_report();

	if (n > FL_USER_REPORT_MAX)
		return -MM_E2BIG;
	if (!window)
		return 0;
	if (copy_from_user(window, user, n))
		return -MM_EFAULT;
	telemetry_user_report_done(n);
	return 0;
}

static struct mm *stale_mm;
static uint64_t stale_addr;

/* The fault may be a kernel task's, which has no mm. */
static void stale_make_writable(void)
{
	pte_make_stale(stale_mm, stale_addr, 1);
}

/* Write-protected now, loaded into the TLB so, and writable again, without a flush, once the next
 * fault is on its way. Not before: a CPU that walks the tables again before it faults (QEMU's TCG
 * does, hardware may) would never notice the stale entry. */
static int64_t stale_tlb(uint64_t addr)
{
	uint8_t byte;
	int error = pte_make_stale(current()->mm, addr, 0);

	if (error)
		return error;
	if (copy_from_user(&byte, addr, 1))
		return -MM_EFAULT;
	stale_mm = current()->mm;
	stale_addr = addr;
	arch_before_next_fault(stale_make_writable);
	return 0;
}

/* An oops where going on is not safe: there is no task that could be killed for it. */
static _Noreturn void panic_by_oops(void)
{
	set_current(NULL);
	arch_raw_read(BAD_KERNEL_ADDRESS);
	port_panic("stubctl: the bad address was readable");
}

/* Until the kernel stack ends. */
static __attribute__((noinline)) uint64_t run_over(uint64_t depth)
{
	volatile uint64_t frame[16];

	frame[0] = depth;
	return depth == UINT64_MAX ? 0 : run_over(depth + 1) + frame[0];
}

/* An oops of the caller itself. */
static int64_t oops_here(uint64_t kind, uint64_t n)
{
	switch (kind) {
	case FL_OOPS_PLAIN:
		break;
	case FL_OOPS_STACK:
		return (int64_t)run_over(0);
	case FL_OOPS_IN_REPORT:
		oops_faults_in_reports = (uint32_t)n;
		break;
	case FL_OOPS_KERN_LOCK:
		kern_lock();
		break;
	case FL_OOPS_MM_LOCK:
		mmap_write_lock(current()->mm);
		break;
	default:
		return -MM_EINVAL;
	}
	return arch_raw_read(BAD_KERNEL_ADDRESS);
}

/* ---- failing allocations, and what they leave behind ---- */

static int64_t fail(const struct inject_plan *plan)
{
	uint64_t counts;

	return inject_arm(plan, &counts) ? (int64_t)counts : -MM_ENOSYS;
}

/* Needs: no other CPU runs. */
static int64_t check(uint64_t user)
{
	struct mm *mm = current()->mm;
	uint64_t found[2];

	kern_lock();
	mmap_write_lock(mm);
	mm_check(mm);
	mmap_write_unlock(mm);
	slab_drain();
	slab_check();
	pcp_drain();
	buddy_check();
	vmalloc_check();
	found[0] = page_nr_free() + slab_nr_pages();
	found[1] = (uint64_t)slab_nr_objects();
	kern_unlock();
	return copy_to_user(user, found, sizeof(found)) ? -MM_EFAULT : 0;
}

/* ---- kernel memory by pages: areas in the lazy slots are ring 3's to play with. kern_lock keeps
 * one that is used from being freed. ---- */

_Static_assert(FL_VMALLOC_SLOTS == VMALLOC_SLOTS - VMALLOC_LAZY_SLOT, "faultline_abi.h");

static bool is_lazy(uint64_t addr)
{
	return addr >= VMALLOC_START + VMALLOC_LAZY_SLOT * VMALLOC_SLOT_SIZE && addr < VMALLOC_END;
}

static int64_t area_alloc(uint64_t size, uint64_t slot)
{
	void *area;

	if (!size || size > VMALLOC_MAX || slot < VMALLOC_LAZY_SLOT || slot >= VMALLOC_SLOTS)
		return -MM_EINVAL;
	area = vmalloc_slot((unsigned)slot, size);
	return area ? (int64_t)area : -MM_ENOMEM;
}

static int64_t area_free(uint64_t addr)
{
	bool is_area;

	kern_lock();
	is_area = is_lazy(addr) && vmalloc_is_area(addr);
	if (is_area)
		vfree((void *)addr);
	kern_unlock();
	return is_area ? 0 : -MM_EINVAL;
}

/* The first access may fault: what this address space does not know of yet. */
static int64_t area_swap(uint64_t addr, uint64_t word)
{
	volatile uint64_t *p = (volatile uint64_t *)addr;
	int64_t old = -MM_EFAULT;

	kern_lock();
	if (addr % sizeof(word) == 0 && is_lazy(addr) && vmalloc_holds(addr, sizeof(word))) {
		old = (int64_t)*p;
		*p = word;
	}
	kern_unlock();
	return old;
}

static int64_t settle(void)
{
	slab_settle();
	buddy_settle();
	sched_settle();
	return 0;
}

static int64_t phase(enum fl_set set)
{
	telemetry_use_set(set);
	return 0;
}

SYSCALL(stubctl)
{
	uint64_t a = ARG1(regs), b = ARG2(regs);

	switch (ARG0(regs)) {
	case FL_STUBCTL_VERSION:
		return FL_ABI_VERSION;
	case FL_STUBCTL_SETTLE:
		return settle();
	case FL_STUBCTL_PHASE_BEGIN:
		return phase(FL_SET_PHASE);
	case FL_STUBCTL_PHASE_END:
		return phase(FL_SET_OUTSIDE);
	case FL_STUBCTL_USER_REPORT:
		return user_report(a, b);
	case FL_STUBCTL_KERNEL_READ:
		return kernel_access(a, do_read);
	case FL_STUBCTL_KERNEL_WRITE:
		return kernel_access(a, do_write);
	case FL_STUBCTL_SET_RSVD:
		return pte_corrupt(current()->mm, a);
	case FL_STUBCTL_STALE_TLB:
		return stale_tlb(a);
	case FL_STUBCTL_PANIC:
		panic_by_oops();
	case FL_STUBCTL_FAIL_NTH:
		return fail(&(struct inject_plan){.nth = a});
	case FL_STUBCTL_FAIL_RANDOM:
		return b ? fail(&(struct inject_plan){.seed = a, .one_in = b}) : -MM_EINVAL;
	case FL_STUBCTL_CHECK:
		return check(a);
	case FL_STUBCTL_OOPS:
		return oops_here(a, b);
	case FL_STUBCTL_INTERRUPT:
		return (int64_t)task_interrupt(a);
	case FL_STUBCTL_VMALLOC:
		return area_alloc(a, b);
	case FL_STUBCTL_VFREE:
		return area_free(a);
	case FL_STUBCTL_VMALLOC_SWAP:
		return area_swap(a, b);
	}
	return -MM_EINVAL;
}
