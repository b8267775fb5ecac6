/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel stacks: KERNEL_STACK_SIZE bytes each, with an unmapped page below. */
#ifndef KERN_KSTACK_H
#define KERN_KSTACK_H

#include <stdbool.h>
#include <stdint.h>

/* The lowest address of a stack, contents undefined; NULL without memory. */
void *kstack_alloc(void);

/* The reverse; NULL is fine. Needs: nobody stands on it. */
void kstack_free(void *stack);

/* Is addr in the unmapped page below the stack that ends at `top`? */
bool kstack_overrun(uint64_t top, uint64_t addr);

#endif
