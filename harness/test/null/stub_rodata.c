/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Five pages more of constants. */
extern const char null_rodata[20000];
const char null_rodata[20000] = {1};
