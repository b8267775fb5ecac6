/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte ports: what the kernel says, and what ring 3 writes to its standard descriptors. One CPU at
 * a time, so that lines stay whole; but in whatever state the others are, a panic gets through. */
#include "port/port.h"

#include "kern/kern.h"

#define PATIENCE 1000000u

static uint32_t busy;

static void wait_for_turn(void)
{
	for (uint32_t i = 0; port_xchg32(&busy, 1) && i < PATIENCE; i++)
		port_cpu_relax();
}

void console_write(uint16_t port, const char *s, size_t n)
{
	wait_for_turn();
	__asm__ volatile("rep outsb" : "+S"(s), "+c"(n) : "d"(port) : "memory");
	port_store_release32(&busy, 0);
}
