/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The seam between mm/ and the world. mm/ includes this header and its own, nothing else.
 *
 * port_impl.h comes from port/guest or port/hosted, by include path, and defines everything below
 * as static inline, so that the measured path has no indirect call. The contracts are here; both
 * implementations follow them.
 *
 *   memory   the direct map: every page frame has a kernel address
 *   MMU      pte_t and its bits; loading and flushing translations
 *   CPU      which one this is; atomics; the time stamp
 *   trouble  panic, messages
 */
#ifndef PORT_H
#define PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "faultline_abi.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ull << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PMD_SHIFT 21
#define PMD_SIZE (1ull << PMD_SHIFT)
#define PTRS_PER_TABLE 512u
#define PT_LEVELS 4 /* level 0 = page table (4 KiB entries) … level 3 = PML4 */

#define MAX_CPUS 64

/* User addresses are below TASK_SIZE (SDM vol. 1, 3.3.7.1: canonical lower half less a guard page).
 */
#define TASK_SIZE 0x7ffffffff000ull

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

typedef struct {
	uint64_t v;
} pte_t; /* an entry of a table of any level */

/*
 * What an entry allows, independent of the architecture's bits.
 */
enum pte_prot {
	PTE_PROT_WRITE = 1,
	PTE_PROT_EXEC = 2,
	PTE_PROT_USER = 4,
};

struct mm;
struct mm_cpu;
struct pcp;

/*
 * Contracts of port_impl.h:
 *
 * Memory:
 *
 *   void *port_pfn_to_virt(uint64_t pfn)
 *        kernel address of a frame; any frame of RAM
 *   uint64_t port_virt_to_pfn(const void *p)
 *        the reverse, for addresses that came from it
 *   struct page *port_vmemmap(void)
 *        the struct page array, by frame number; one never written to is all zero
 *   void port_clear_page(void *p)
 *        zero PAGE_SIZE bytes at p (page-aligned)
 *   void port_copy_page(void *to, const void *from)
 *
 * MMU:
 *
 *   pte_t pte_make(uint64_t pfn, unsigned prot)
 *        a present 4 KiB leaf, accessed; dirty if writable
 *   pte_t pte_make_kernel(uint64_t pfn)
 *        a present 4 KiB leaf of the kernel's own: to be read and written, not global
 *   pte_t pte_make_table(uint64_t pfn)
 *        a present entry that points to a lower table
 *   bool pte_none(pte_t), pte_present(pte_t), pte_write(pte_t), pte_exec(pte_t), pte_user(pte_t),
 *        pte_dirty(pte_t), pte_young(pte_t)
 *   uint64_t pte_pfn(pte_t)
 *        of a leaf with a reserved bit still its frame, so that the page can be unmapped when the
 *        task is killed
 *   uint64_t pte_phys(pte_t)
 *        that frame's physical address
 *   pte_t pte_set_prot(pte_t, unsigned prot)
 *        the same frame with other rights; keeps accessed and dirty, sets dirty with WRITE
 *   pte_t pte_mkwrite(pte_t)
 *        the same with the right to write, dirty and accessed
 *   pte_t pte_mkclean(pte_t), pte_mkold(pte_t)
 *        the same not dirty, not accessed
 *   pte_t pte_set_rsvd(pte_t)
 *        the same with a reserved bit set (SDM vol. 3, 4.7)
 *
 *   A leaf without PTE_PROT_USER is PROT_NONE: it keeps its frame and pte_present() holds, but the
 *   CPU finds it not present, in ring 0 too (otherwise copy_from_user would read PROT_NONE memory).
 *   pte_user(pte_t) tells.
 *
 *   uint64_t port_kernel_root_pfn(void)
 *        the kernel's own top-level table, whose upper half every mm shares; 0: none (hosted)
 *   unsigned port_root_order(void)
 *        a top-level table is this block of pages; only the first is mm's
 *   void port_root_init(void *root)
 *        the port's part of a new one, whose first page is complete
 *   void port_root_set(pte_t *entry, pte_t)
 *        sets an entry of the user half of a top-level table; a locked operation
 *   void port_tlb_flush_page(struct mm *, uint64_t va)
 *        this CPU's entry for the page of va; mm is loaded here
 *   void port_tlb_flush_all(struct mm *)
 *        every non-global entry of mm on this CPU; mm is loaded here
 *   void port_tlb_flush_kernel_page(uint64_t va)
 *        this CPU's entry for a page of the kernel's half, whatever address space is loaded
 *   void port_tlb_flush_kernel_all(void)
 *        the same for every page that pte_make_kernel() made
 *   uint64_t port_other_cpus(void)
 *        every CPU that runs the kernel, but this one
 *   void port_tlb_shootdown(struct mm *, uint64_t cpus, const uint64_t *va, uint32_t nr,
 *                           bool tables)
 *        makes each CPU of the mask, never this one, drop its translations of the nr pages at va[],
 *        or with va NULL every non-global one of mm (mm NULL: of the kernel, whatever is loaded);
 *        returns once all have. A CPU that is idle with mm loaded may be left out, since it
 *        compares mm->tlb_gen, which was counted up before, when it takes mm up again; but not
 *        with `tables`: page tables are about to be freed. Spin locks may be held: who waits for
 *        one does so in port_cpu_relax(), which answers. A CPU that did as asked counts
 *        nr_tlb_remote_flush_received.
 *   void port_load_mm(struct mm *)
 *        make mm->root_pfn this CPU's address space (NULL: the kernel's own tables); needs: no
 *        reader or writer of either's lock on this CPU. Sets this CPU's bit in mm->cpus before,
 *        clears it in the old mm's after; both atomically. (A port that keeps translations of an
 *        mm that is no longer loaded keeps its bit until they are gone.)
 *
 * CPU:
 *
 *   unsigned port_cpu_id(void)
 *   uint64_t port_cpu_bit(void)
 *        1 << port_cpu_id(): in a mask of CPUs
 *   struct mm_cpu *port_mm_cpu(void)
 *        this CPU's mm data; stable while not rescheduled
 *   void port_pcp_take(unsigned cpu, struct pcp to[NR_MIGRATETYPES])
 *        has that CPU, never this one, do pcp_give(); returns once it has. Locks may be held, as
 *        for port_tlb_shootdown(). Needs: it runs the kernel
 *   void port_cpu_relax(void)
 *        in every loop that waits for another CPU: lets that one go ahead, and answers what others
 *        ask of this one (port_tlb_shootdown, port_pcp_take)
 *   uint64_t port_tsc(void)
 *
 * Atomics (port_atomic.h; each of the locked ones returns what was there):
 *
 *   pte_t port_pte_read(const pte_t *)
 *   void port_pte_set(pte_t *, pte_t)
 *   pte_t port_pte_xchg(pte_t *, pte_t)
 *        for entries whose dirty or accessed bit a CPU may set meanwhile
 *   void port_pte_wrprotect(pte_t *)
 *        takes the right to write from a leaf whose dirty or accessed bit a CPU may set meanwhile
 *   bool port_pte_cmpxchg(pte_t *, pte_t *expected, pte_t desired)
 *   uint32_t port_cmpxchg32(uint32_t *p, uint32_t old, uint32_t new)
 *   uint32_t port_xadd32(uint32_t *p, uint32_t add)
 *   int64_t port_xadd64(int64_t *p, int64_t add)
 *   void port_set_bits64(uint64_t *p, uint64_t bits), port_clear_bits64(uint64_t *p, uint64_t bits)
 *   uint32_t port_xchg32(uint32_t *p, uint32_t v)
 *   void *port_xchg_ptr(void **p, void *v)
 *   uint64_t port_peek64(const uint64_t *p), uint32_t port_peek32(const uint32_t *p)
 *        one load of a word that other CPUs may change. Unlike an atomic load of the compiler's it
 *        may be part of the instruction that compares. What must be loaded later stands behind an
 *        __atomic_signal_fence()
 *   void port_poke64(uint64_t *p, uint64_t v), void port_poke32(uint32_t *p, uint32_t v)
 *        the store that goes with it: whole, in no order
 *   void port_store_release32(uint32_t *p, uint32_t v)
 *   uint32_t port_load_acquire32(const uint32_t *p)
 *
 * Trouble:
 *
 *   bool port_should_fail(void)
 *        failure injection: true if this allocation must fail (guest: only in a debug build)
 *   void port_printk(const char *fmt, ...)
 *        kernel message; %d %u %x %lx %lu %s %c %p, 0 and width
 *   _Noreturn void port_panic(const char *fmt, ...)
 */
#include "port/port_atomic.h"

#include "port_impl.h"

#define PANIC_ON(cond)                                                                             \
	do {                                                                                       \
		if (unlikely(cond))                                                                \
			port_panic("%s:%d: %s", __FILE__, __LINE__, #cond);                        \
	} while (0)

/* Always on: a broken invariant of mm/ is never survived silently. */
#define ASSERT(cond) PANIC_ON(!(cond))

#endif
