/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "workload.h"

int main(int argc, char **argv)
{
	return wl_main(&workload, argc, argv);
}
