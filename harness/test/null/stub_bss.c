/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two pages more that are zero at boot. */
extern char null_bss[8192];
char null_bss[8192];
