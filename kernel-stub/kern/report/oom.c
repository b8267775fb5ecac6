/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of memory (Linux mm/oom_kill.c, simplified).
 *
 *   1. A fault of ring 3's that finds no memory chooses a victim: the process with the most
 *      pages, its page tables included, shifted by its oom_score_adj; of equals the one with the
 *      highest number. The first process is chosen only if there is nobody else, since its end is
 *      the machine's (Linux never chooses its init).
 *   2. The victim gets SIGKILL, and so does whoever shares its address space. It gives its memory
 *      back when it next leaves ring 0, which it does soon: what waits is woken. Nobody is killed
 *      if there is memory again by then.
 *   3. The process that met the want of memory lets the others run and then makes its access
 *      again. It may meet it again: while a victim has not ended yet, nobody else is killed.
 *
 * What is free on the lists of any CPU is memory (pcp.c); free objects of slabs that are in use are
 * not: each CPU keeps up to SLAB_HIGH of a kind to itself.
 *
 * Calls that find no memory fail with -ENOMEM, and the kernel's copies to and from ring 3 with
 * -EFAULT: they choose nobody.
 */
#include "kern/report/oom.h"

#include "kern/fs/files.h"
#include "kern/kern_lock.h"
#include "kern/signal/kern_signal.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"
#include "mm/phys/buddy.h"
#include "mm/phys/vmstat.h"

/* By process number; kern_lock. */
static struct oom_process {
	int16_t adj;
	bool victim; /* killed for its memory */
} processes[PID_MAX];

void oom_new_process(int pid, int parent)
{
	processes[pid] = (struct oom_process){.adj = processes[parent].adj};
}

/* ---- the choice ---- */

static int64_t pages_of(const struct mm *mm)
{
	return mm->rss_anon + mm->rss_file + mm->rss_shmem + mm->nr_tables + 1;
}

static int64_t badness_of(const struct process *p)
{
	int64_t total = (int64_t)(boot_info.ram_bytes >> PAGE_SHIFT);

	return oom_badness(pages_of(process_mm(p)), processes[p->pid].adj, total);
}

/* 1. A victim that has not ended yet comes first. */
static struct process *choose(void)
{
	struct process *chosen = process_find(PID_FIRST);
	int64_t most = INT64_MIN + 1;

	for (struct process *p = process_next(0); p; p = process_next(p->pid)) {
		if (!process_mm(p))
			continue;
		if (processes[p->pid].victim)
			return p;
		if (p->pid == PID_FIRST || badness_of(p) < most)
			continue;
		chosen = p;
		most = badness_of(p);
	}
	return chosen;
}

static uint64_t kib(int64_t pages)
{
	return (uint64_t)pages << (PAGE_SHIFT - 10);
}

static void report(const struct process *p)
{
	const struct mm *mm = process_mm(p);

	printk("Out of memory: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, "
	       "file-rss:%lukB, shmem-rss:%lukB, UID:0 pgtables:%lukB oom_score_adj:%d\n",
	       p->pid, p->leader->comm, kib((int64_t)mm->total_vm), kib(mm->rss_anon),
	       kib(mm->rss_file), kib(mm->rss_shmem), kib(mm->nr_tables + 1),
	       processes[p->pid].adj);
}

/* 2. */
static void kill(const struct process *victim)
{
	const struct mm *mm = process_mm(victim);

	report(victim);
	vmstat_inc(FL_VMSTAT_OOM_KILL);
	for (struct process *p = process_next(0); p; p = process_next(p->pid)) {
		if (process_mm(p) != mm)
			continue;
		processes[p->pid].victim = true;
		process_kill(p, SIGKILL);
	}
}

/* A victim of another CPU's may have ended while this one waited for kern_lock; or the allocation
 * was made to fail, which this one never is. */
static bool memory_is_back(void)
{
	struct page *page = pcp_pop(MT_MOVABLE);

	if (!page)
		page = page_alloc_slow(MT_MOVABLE);
	if (page)
		page_put(page);
	return page;
}

void oom_fault(struct trap_frame *frame)
{
	const struct process *victim;

	kern_lock();
	victim = memory_is_back() ? NULL : choose();
	if (victim && !processes[victim->pid].victim)
		kill(victim);
	if (victim && !current()->signal_ready)
		sched_yield();
	kern_unlock();
	if (current()->signal_ready)
		signal_deliver(frame, false);
}

/* ---- /proc/self/oom_score_adj ---- */

#define NUMBER_MAX 12u /* as much as Linux looks at of what is written */

static int64_t adj_read(struct file *file, struct user_iter *to)
{
	char text[NUMBER_MAX];
	size_t len = (size_t)ksnprintf(text, sizeof(text), "%d\n", processes[task_pid()].adj);
	size_t n, want;

	if (file->pos >= len || !to->left)
		return 0;
	want = len - file->pos < to->left ? len - file->pos : to->left;
	n = user_iter_copy_out(text + file->pos, want, to);
	file->pos += n;
	return n ? (int64_t)n : -MM_EFAULT;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' ^ 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Decimal, octal behind 0, hexadecimal behind 0x, white space around it allowed: as Linux. At most
 * NUMBER_MAX digits: no overflow. */
static bool parse(const char *s, int64_t *value)
{
	int base = 10, digits = 0;
	bool negative;

	while (is_space(*s))
		s++;
	negative = *s == '-';
	s += *s == '-' || *s == '+';
	if (*s == '0')
		base = 8;
	if (s[0] == '0' && (s[1] | 0x20) == 'x' && digit(s[2]) < 16) {
		base = 16;
		s += 2;
	}
	for (*value = 0; digit(*s) < base; s++, digits++)
		*value = *value * base + digit(*s);
	while (is_space(*s))
		s++;
	if (negative)
		*value = -*value;
	return digits && !*s;
}

static int64_t adj_write(struct file *file, struct user_iter *from)
{
	size_t n = from->left < NUMBER_MAX ? from->left : NUMBER_MAX;
	char text[NUMBER_MAX + 1] = {0};
	int64_t value;

	(void)file;
	if (user_iter_copy_in(text, n, from) < n)
		return -MM_EFAULT;
	if (!parse(text, &value) || value < OOM_SCORE_ADJ_MIN || value > OOM_SCORE_ADJ_MAX)
		return -MM_EINVAL;
	processes[task_pid()].adj = (int16_t)value;
	return (int64_t)n;
}

static int64_t adj_lseek(struct file *file, int64_t offset, int whence)
{
	return file_seek_within(file, offset, whence, 0);
}

static void adj_stat(const struct file *file, struct file_stat *st)
{
	procfs_stat(file, st);
	st->ino++;
	st->mode = S_IFREG | 0644;
}

const struct file_ops oom_score_adj_ops = {
	.read = adj_read,
	.write = adj_write,
	.lseek = adj_lseek,
	.stat = adj_stat,
};
