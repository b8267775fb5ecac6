/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function that nobody calls. */
#define ONE x += *p;
#define TEN ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

int null_function(int x, const volatile int *p);

int null_function(int x, const volatile int *p)
{
	HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED HUNDRED return x;
}
