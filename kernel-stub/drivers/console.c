/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Byte ports: what the kernel says, and what ring 3 writes to its standard descriptors. */
#include "kern.h"

void console_write(uint16_t port, const char *s, size_t n)
{
	__asm__ volatile("rep outsb" : "+S"(s), "+c"(n) : "d"(port) : "memory");
}
