/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Five pages more of data. */
extern char null_data[20000];
char null_data[20000] = {1};
