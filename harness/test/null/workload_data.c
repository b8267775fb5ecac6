/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two pages more of data in a workload. */
extern char null_data[9000];
char null_data[9000] = {1};
