/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the calls of memory make of their flags (mm/base/call_flags.h), as Linux 6.18 does. Advice
 * is no set of bits: madvise.c has a row for each that there is, and EINVAL for the rest.
 */
#ifndef MM_MM_CALL_FLAGS_H
#define MM_MM_CALL_FLAGS_H

#include "mm/base/call_flags.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"

/* MAP_SHARED_VALIDATE of a file: whoever asks wants to know what a flag is worth. What is younger
 * than that type is refused, MAP_SYNC for want of persistent memory. */
static const struct call_flags mmap_validated_flags = {
	.done = MAP_TYPE_ | MAP_FIXED_ | MAP_ANONYMOUS_ | MAP_32BIT_ | MAP_ABOVE4G_ |
		MAP_GROWSDOWN_ | MAP_LOCKED_ | MAP_NORESERVE_ | MAP_POPULATE_ | MAP_NONBLOCK_ |
		MAP_STACK_ | MAP_HUGETLB_,
	.harmless = MAP_DENYWRITE_ | MAP_EXECUTABLE_ | /* mean nothing on Linux either */
		    MAP_HUGE_2MB_ | MAP_HUGE_1GB_,     /* a size, of MAP_HUGETLB */
	.unknown = MM_EOPNOTSUPP,
};

/* The other types take any bit. Of those that there are not: MAP_HUGETLB is found out about last,
 * and MAP_SYNC by the file (mmap.c). */
static const struct call_flags mmap_flags = {
	.done = MAP_TYPE_ | MAP_FIXED_ | MAP_ANONYMOUS_ | MAP_32BIT_ | MAP_ABOVE4G_ |
		MAP_GROWSDOWN_ | MAP_LOCKED_ | MAP_NORESERVE_ | MAP_POPULATE_ | MAP_NONBLOCK_ |
		MAP_STACK_ | MAP_FIXED_NOREPLACE_,
	.harmless = MAP_DENYWRITE_ | MAP_EXECUTABLE_ | /* mean nothing on Linux either */
		    MAP_HUGE_SIZE_,		       /* without MAP_HUGETLB */
	.refused = {{MAP_HUGETLB_, MM_ENOMEM}, {MAP_SYNC_, MM_EOPNOTSUPP}},
};

/* Can a file be mapped with this type, and if it is MAP_SHARED_VALIDATE with these flags? 0 or a
 * negative error. Pure. */
static inline int mmap_check_file_type(uint64_t map_flags)
{
	uint64_t type = map_flags & MAP_TYPE_;

	if (type == MAP_SHARED_VALIDATE_)
		return call_flags_check(&mmap_validated_flags, map_flags);
	return type == MAP_SHARED_ || type == MAP_PRIVATE_ ? 0 : -MM_EINVAL;
}

static const struct call_flags mremap_flags = {
	.done = MREMAP_MAYMOVE_ | MREMAP_FIXED_ | MREMAP_DONTUNMAP_,
	.unknown = MM_EINVAL,
};

static const struct call_flags mprotect_prot = {
	.done = PROT_READ_ | PROT_WRITE_ | PROT_EXEC_ | PROT_GROWSDOWN_ |
		PROT_GROWSUP_, /* EINVAL: nothing does on x86 */
	.harmless = PROT_SEM_, /* atomic operations need nothing on x86 */
	.unknown = MM_EINVAL,
};

static const struct call_flags mlock2_flags = {.done = MLOCK_ONFAULT_, .unknown = MM_EINVAL};

static const struct call_flags mlockall_flags = {
	.done = MCL_CURRENT_ | MCL_FUTURE_ | MCL_ONFAULT_,
	.unknown = MM_EINVAL,
};

#endif
