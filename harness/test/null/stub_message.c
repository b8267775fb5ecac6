/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One message more at boot: linked with --wrap=sched_init. */
void printk(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void __real_sched_init(void);
void __wrap_sched_init(void);

void __wrap_sched_init(void)
{
	printk("null change: the number %d and a text, %s\n", 42, "longer than most");
	__real_sched_init();
}
