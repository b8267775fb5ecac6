/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No null change: a jump more in each fault of ring 3, linked with --wrap=vm_fault. */
__asm__(".text\n"
	".globl __wrap_vm_fault\n"
	"__wrap_vm_fault: jmp __real_vm_fault\n");
