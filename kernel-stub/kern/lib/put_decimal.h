/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A number as text, for what /proc prints. Pure: hosted too. */
#ifndef KERN_PUT_DECIMAL_H
#define KERN_PUT_DECIMAL_H

#include <stdint.h>

/* Writes v in decimal, at most 20 digits and no NUL; returns where it ends. */
static inline char *put_decimal(char *p, uint64_t v)
{
	char digits[20];
	int n = 0;

	do
		digits[n++] = (char)('0' + v % 10);
	while (v /= 10);
	while (n)
		*p++ = digits[--n];
	return p;
}

#endif
