/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process may map: RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK. As on Linux (mm/mmap.c,
 * may_expand_vm) they are asked before a mapping becomes larger or becomes data; what is there
 * already stays when a limit falls below it.
 *
 * RLIMIT_AS is about all pages mapped, RLIMIT_DATA about data_vm, and also about the bytes that the
 * heap and the program's data segment take together (brk alone asks that). A soft RLIMIT_DATA of 0
 * leaves data_vm to the hard limit, as there: Valgrind sets it to keep brk away.
 *
 * data_vm is never more than total_vm. So as long as total_vm stays below both limits nothing else
 * has to be looked at: free_limit.
 */
#include "mm/mm.h"

#include "mm/vma/vma.h"

#define STACK_ROOM_MIN (128ull << 20)
#define STACK_ROOM_MAX (TASK_SIZE / 6 * 5)

bool vm_may_expand_slow(const struct mm *mm, uint32_t flags, uint64_t pages)
{
	if (mm->total_vm + pages > mm->as_limit)
		return false;
	return !vm_flags_data(flags) || mm_data_vm(mm) + pages <= mm->data_limit;
}

void mm_set_limits(struct mm *mm, const struct vm_limits *limits)
{
	mmap_write_lock(mm);
	mm->as_limit = limits->as >> PAGE_SHIFT;
	mm->data_limit = (limits->data ? limits->data : limits->data_max) >> PAGE_SHIFT;
	mm->free_limit = mm->as_limit < mm->data_limit ? mm->as_limit : mm->data_limit;
	mm->stack_limit = limits->stack >> PAGE_SHIFT;
	mm->brk_limit = limits->data;
	mmap_write_unlock(mm);
}

/* Linux leaves the guard gap beside the room that it reckons for the stack. */
uint64_t mm_mmap_base(uint64_t stack_limit)
{
	uint64_t room = stack_limit + STACK_GUARD_GAP;

	if (room < stack_limit)
		room = stack_limit;
	if (room < STACK_ROOM_MIN)
		room = STACK_ROOM_MIN;
	if (room > STACK_ROOM_MAX)
		room = STACK_ROOM_MAX;
	return page_align(TASK_SIZE - room);
}
