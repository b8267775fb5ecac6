/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading a program: the first one, which the initrd names, and execve's. As on Linux (fs/exec.c),
 * execve returns an error only before it gives the old address space up: file, headers and
 * arguments are looked at first. What goes wrong afterwards ends the process; with the first
 * program, the machine.
 *
 * The address space that results is Linux's without randomisation:
 *
 *     0x400000          ET_EXEC segments, private file mappings, demand-paged; zero fill after them
 *                       brk: the page after the zero fill
 *     0x555555555000    brk of a static PIE
 *     ...
 *     0x7ffff7fff000    mmap_base: mappings grow down from here; a static PIE is the first of them
 *     ... 128 MiB gap
 *     0x7ffffffde000    the stack: what the strings take and 128 KiB; it grows to RLIMIT_STACK
 *     0x7ffffffff000    its top
 *
 * The stack, downwards from its top (Linux fs/exec.c, fs/binfmt_elf.c):
 *
 *     8 zero bytes
 *     the program's path           <- AT_EXECFN
 *     environment strings
 *     argument strings
 *     (16-byte alignment)
 *     "x86_64"                     <- AT_PLATFORM
 *     16 random bytes              <- AT_RANDOM
 *     (16-byte alignment, so that rsp below is aligned)
 *     auxiliary vector, AT_NULL last
 *     environment pointers, NULL
 *     argument pointers, NULL
 *     argument count               <- rsp
 */
#include "kern/exec/exec.h"

#include <cpuid.h>
#include <stdarg.h>

#include "arch/x86_64/arch.h"
#include "arch/x86_64/cpu_layout.h"
#include "kern/exec/args.h"
#include "kern/exec/kern_elf.h"
#include "kern/fs/file_table.h"
#include "kern/fs/path.h"
#include "kern/fs/initramfs.h"
#include "kern/futex/futex.h"
#include "kern/lib/random.h"
#include "kern/lib/str.h"
#include "kern/signal/kern_signal.h"
#include "kern/signal/signal_frame.h"
#include "kern/sys/kern_syscall.h"
#include "kern/task/task.h"
#include "mm/base/mm_errno.h"
#include "mm/mm.h"
#include "mm/phys/slab.h"

#define STACK_TOP TASK_SIZE
#define STACK_EXPAND                                                                               \
	(128ull << 10)		  /* below the strings, from the start; the rest comes by growth */
#define PIE_BRK 0x555555555000ull /* Linux's ELF_ET_DYN_BASE, two thirds of user space */
#define RFLAGS_IF 0x200ull
#define CLOCK_TICKS 100

/* Types of the auxiliary vector (Linux include/uapi/linux/auxvec.h). */
#define AT_NULL 0
#define AT_PHDR 3
#define AT_PHENT 4
#define AT_PHNUM 5
#define AT_PAGESZ 6
#define AT_BASE 7
#define AT_FLAGS 8
#define AT_ENTRY 9
#define AT_UID 11
#define AT_EUID 12
#define AT_GID 13
#define AT_EGID 14
#define AT_PLATFORM 15
#define AT_HWCAP 16
#define AT_CLKTCK 17
#define AT_SECURE 23
#define AT_RANDOM 25
#define AT_HWCAP2 26
#define AT_EXECFN 31
#define AT_MINSIGSTKSZ 51
#define AUXV_MAX 20u

struct exec {
	struct mm *mm;
	struct initramfs_file *file;
	const char *path; /* as the program was asked for */
	struct args args;
	struct elf_image image;
	uint64_t bias;
	struct args_buffer words; /* what stands from rsp to the end of the auxiliary vector */
	unsigned nr_words;
	uint64_t execfn, arg_start, env_start, platform, random; /* on the user stack */
};

static void exec_free(const struct exec *e)
{
	args_buffer_free(&e->words);
	args_free(&e->args);
}

/* No way back any more. */
static _Noreturn __attribute__((format(printf, 2, 3))) void exec_fail(struct exec *e,
								      const char *fmt, ...)
{
	char why[FL_REASON_MAX];
	va_list args;

	va_start(args, fmt);
	kvsnprintf(why, sizeof(why), fmt, &args);
	va_end(args);
	if (task_pid() == PID_FIRST)
		port_panic("%s", why);
	printk("%s[%d]: %s: killed\n", task_comm(), task_pid(), why);
	exec_free(e);
	task_exit(0, SIGSEGV); /* as Linux, whatever it was */
}

/* ---- arguments ---- */

static struct strings read_strings(const char *path)
{
	const struct initramfs_file *f = initramfs_lookup(path);
	struct strings s = {0};

	if (!f || !f->vm.size)
		return s;
	s.base = (const char *)f->data;
	s.size = f->vm.size;
	if (s.base[s.size - 1])
		port_panic("%s: the last string has no NUL", path);
	for (uint64_t i = 0; i < s.size; i++)
		s.count += !s.base[i];
	return s;
}

static void find_first(struct exec *e)
{
	e->args.argv = read_strings("/faultline/argv");
	e->args.envp = read_strings("/faultline/envp");
	if (!e->args.argv.count)
		port_panic("initrd: /faultline/argv is missing or empty");
	if (e->args.argv.size + e->args.envp.size > args_limit())
		port_panic("exec: arguments and environment exceed %lu bytes (E2BIG)",
			   (unsigned long)args_limit());
	e->file = initramfs_lookup(e->args.argv.base);
	if (!e->file)
		port_panic("exec: %s is not in the initrd (ENOENT)", e->args.argv.base);
	e->path = e->file->path;
}

/* ---- segments ---- */

static uint64_t page_up(uint64_t v)
{
	return (v + PAGE_SIZE - 1) & PAGE_MASK;
}

static void map_or_fail(struct exec *e, uint64_t start, uint64_t end, unsigned prot,
			struct vm_file *file, uint64_t offset, uint32_t vm_extra)
{
	unsigned flags = MAP_PRIVATE_ | MAP_FIXED_NOREPLACE_ | (file ? 0 : MAP_ANONYMOUS_);
	int64_t at;

	if (start == end)
		return;
	at = vm_mmap(e->mm, start, end - start, prot, flags, file, offset >> PAGE_SHIFT, vm_extra);
	if (at != (int64_t)start)
		exec_fail(e, "exec: %s: cannot map %lx-%lx (error %d)", e->path, start, end,
			  (int)-at);
}

static void load_segment(struct exec *e, const struct elf_segment *s)
{
	uint64_t start = e->bias + (s->vaddr & PAGE_MASK), file_end = start;
	uint64_t data_end = e->bias + s->vaddr + s->filesz;
	uint64_t end = page_up(e->bias + s->vaddr + s->memsz);

	if (s->filesz)
		file_end = page_up(data_end);
	map_or_fail(e, start, file_end, s->prot, &e->file->vm, s->offset & PAGE_MASK, 0);
	map_or_fail(e, file_end, end, s->prot, NULL, 0, 0);
	if (s->memsz > s->filesz && s->filesz && clear_user(data_end, file_end - data_end))
		exec_fail(e, "exec: %s: cannot clear the end of the page at %lx", e->path,
			  data_end);
}

/* Where a static PIE goes: the highest hole below mmap_base, as for Linux's mmap of it. */
static uint64_t pick_bias(struct exec *e)
{
	const struct elf_image *i = &e->image;
	const struct elf_segment *last = &i->segments[i->nr_segments - 1];
	uint64_t low = i->segments[0].vaddr & PAGE_MASK;
	uint64_t span = page_up(last->vaddr + last->memsz) - low;

	if (!i->dynamic)
		return 0;
	if (span + i->align > e->mm->mmap_base - MMAP_MIN_ADDR)
		exec_fail(e, "exec: %s: too large for the address space (ENOMEM)", e->path);
	return ((e->mm->mmap_base - span) & ~(i->align - 1)) - low;
}

/* What lies between the lowest and the highest address that may be executed. */
static uint64_t text_size(const struct elf_image *image)
{
	uint64_t low = UINT64_MAX, high = 0;

	for (unsigned n = 0; n < image->nr_segments; n++) {
		const struct elf_segment *s = &image->segments[n];

		if (!(s->prot & PROT_EXEC_))
			continue;
		low = s->vaddr < low ? s->vaddr : low;
		high = s->vaddr + s->filesz > high ? s->vaddr + s->filesz : high;
	}
	return high ? page_up(high) - (low & PAGE_MASK) : 0;
}

static void load_program(struct exec *e)
{
	const struct elf_image *i = &e->image;
	const struct elf_segment *last;

	e->bias = pick_bias(e);
	for (unsigned n = 0; n < i->nr_segments; n++)
		load_segment(e, &i->segments[n]);
	last = &i->segments[i->nr_segments - 1];
	e->mm->start_brk = i->dynamic ? PIE_BRK : page_up(last->vaddr + last->memsz);
	e->mm->brk = e->mm->start_brk;
	e->mm->data_size = last->filesz;
	e->mm->text_size = text_size(i);
}

/* ---- stack ---- */

static void put_user_bytes(struct exec *e, uint64_t to, const void *from, size_t n)
{
	if (copy_to_user(to, from, n))
		exec_fail(e, "exec: %s: cannot write its stack at %lx", e->path, to);
}

/* The strings; returns where they begin. */
static uint64_t push_strings(struct exec *e)
{
	uint64_t p = STACK_TOP - 8, random[2] = {random_u64(), random_u64()};
	size_t n = str_length(e->path) + 1;

	e->execfn = p -= n;
	put_user_bytes(e, p, e->path, n);
	e->env_start = p -= e->args.envp.size;
	put_user_bytes(e, p, e->args.envp.base, e->args.envp.size);
	e->arg_start = p -= e->args.argv.size;
	put_user_bytes(e, p, e->args.argv.base, e->args.argv.size);
	e->platform = p = (p & ~15ull) - sizeof("x86_64");
	put_user_bytes(e, p, "x86_64", sizeof("x86_64"));
	e->random = p -= sizeof(random);
	put_user_bytes(e, p, random, sizeof(random));
	return p;
}

static int64_t words_alloc(struct exec *e)
{
	uint64_t max = e->args.argv.count + e->args.envp.count + 3 + 2 * AUXV_MAX;

	return args_buffer_alloc(&e->words, max * sizeof(uint64_t));
}

static void push_word(struct exec *e, uint64_t v)
{
	((uint64_t *)e->words.base)[e->nr_words++] = v;
}

static void push_aux(struct exec *e, uint64_t type, uint64_t v)
{
	push_word(e, type);
	push_word(e, v);
}

static void push_pointers(struct exec *e, const struct strings *s, uint64_t user)
{
	for (uint64_t i = 0; i < s->size; i += str_length(s->base + i) + 1)
		push_word(e, user + i);
	push_word(e, 0);
}

/* CPUID.1:EDX, as Linux gives it. */
static uint64_t hwcap(void)
{
	unsigned a, b, c, d;

	__cpuid(1, a, b, c, d);
	(void)a, (void)b, (void)c;
	return d;
}

static void push_auxv(struct exec *e)
{
	const struct elf_image *i = &e->image;

	push_aux(e, AT_MINSIGSTKSZ, SIGNAL_FRAME_MAX);
	push_aux(e, AT_HWCAP, hwcap());
	push_aux(e, AT_PAGESZ, PAGE_SIZE);
	push_aux(e, AT_CLKTCK, CLOCK_TICKS);
	push_aux(e, AT_PHDR, i->phdr_vaddr ? i->phdr_vaddr + e->bias : 0);
	push_aux(e, AT_PHENT, 56);
	push_aux(e, AT_PHNUM, i->nr_headers);
	push_aux(e, AT_BASE, 0);
	push_aux(e, AT_FLAGS, 0);
	push_aux(e, AT_ENTRY, i->entry + e->bias);
	push_aux(e, AT_UID, 0);
	push_aux(e, AT_EUID, 0);
	push_aux(e, AT_GID, 0);
	push_aux(e, AT_EGID, 0);
	push_aux(e, AT_SECURE, 0);
	push_aux(e, AT_RANDOM, e->random);
	push_aux(e, AT_HWCAP2, 0);
	push_aux(e, AT_EXECFN, e->execfn);
	push_aux(e, AT_PLATFORM, e->platform);
	push_aux(e, AT_NULL, 0);
}

/* The stack's VMA, as small as Linux makes it (fs/exec.c, setup_arg_pages). */
static void map_stack(struct exec *e)
{
	uint64_t strings = 8 + str_length(e->path) + 1 + e->args.envp.size + e->args.argv.size;
	uint64_t least = page_up(strings), limit = e->mm->stack_limit << PAGE_SHIFT;
	uint64_t size = least + STACK_EXPAND < limit ? least + STACK_EXPAND : limit;

	size = size > least ? size : least;
	map_or_fail(e, STACK_TOP - size, STACK_TOP,
		    PROT_READ_ | PROT_WRITE_ | (e->image.exec_stack ? PROT_EXEC_ : 0), NULL, 0,
		    VM_GROWSDOWN);
}

/* Maps and fills the stack; returns rsp. */
static uint64_t make_stack(struct exec *e)
{
	uint64_t sp;

	map_stack(e);
	sp = push_strings(e);
	push_word(e, e->args.argv.count);
	push_pointers(e, &e->args.argv, e->arg_start);
	push_pointers(e, &e->args.envp, e->env_start);
	push_auxv(e);
	sp = (sp - e->nr_words * sizeof(uint64_t)) & ~15ull;
	put_user_bytes(e, sp, e->words.base, e->nr_words * sizeof(uint64_t));
	e->mm->start_stack = sp;
	e->mm->arg_start = e->arg_start;
	e->mm->arg_end = e->env_start;
	return sp;
}

/* ---- the whole ---- */

/* Fills the address space, which is empty and loaded, and makes the task what the program starts
 * as. */
static void start(struct exec *e, struct task *task, struct trap_frame *regs)
{
	task_set_comm(task, e->path);
	task->process->exe = e->file;
	task->process->execed = true;
	load_program(e);
	*regs = (struct trap_frame){.rsp = make_stack(e),
				    .rip = e->image.entry + e->bias,
				    .cs = GDT_USER_CODE,
				    .ss = GDT_USER_DATA,
				    .error_code = ~0ull,
				    .rflags = RFLAGS_IF | 2};
	arch_segments_reset();
}

void exec_first(struct task *task, struct trap_frame *regs)
{
	struct exec e = {.mm = task->mm};
	struct elf_error error;

	find_first(&e);
	if (!elf_parse(e.file->data, e.file->vm.size, &e.image, &error)) {
		if (error.header >= 0)
			port_panic("exec: %s: program header %d: %s (ENOEXEC)", e.path,
				   error.header, error.why);
		port_panic("exec: %s: %s (ENOEXEC)", e.path, error.why);
	}
	if (words_alloc(&e))
		port_panic("exec: no memory for %lu arguments", (unsigned long)e.args.argv.count);
	start(&e, task, regs);
	exec_free(&e);
}

/* What can be said before the old address space goes: 0 or Linux's error. */
static int64_t prepare(struct exec *e, uint64_t user_argv, uint64_t user_envp)
{
	struct elf_error why;
	int64_t error = path_lookup_program(e->path, &e->file);

	if (error)
		return error;
	error = args_read(&e->args, e->path, user_argv, user_envp);
	if (!error && !elf_parse(e->file->data, e->file->vm.size, &e->image, &why))
		error = -MM_ENOEXEC;
	return error ? error : words_alloc(e);
}

/* What the program is to have for itself is its own from here on: 0 or -ENOMEM, and then nothing
 * that anybody would notice has changed. */
static int64_t unshare(struct exec *e, struct task *task)
{
	struct signal_actions *actions = signal_actions_own(task->signals.actions);
	struct file_table *files = actions ? file_table_own(task->files) : NULL;

	if (actions)
		task->signals.actions = actions;
	if (files)
		task->files = files;
	e->mm = files ? mm_create() : NULL;
	return e->mm ? 0 : -MM_ENOMEM;
}

/* The other threads end; then the new address space comes in place of the old one. */
static int64_t take_over(struct exec *e, struct task *task)
{
	struct mm *old = task->mm;
	int64_t error = process_end_others();

	if (error) {
		task_put_mm(e->mm);
		return error;
	}
	futex_thread_exit(task);
	rlimits_apply(&task->process->limits, e->mm);
	e->mm->mmap_base = mm_mmap_base(task->process->limits.of[RLIMIT_STACK].cur);
	task->mm = e->mm;
	port_load_mm(e->mm);
	task_drop_mm(task, old);
	return 0;
}

static int64_t do_execve(struct exec *e, struct trap_frame *regs)
{
	struct task *task = current();
	int64_t error = prepare(e, ARG1(regs), ARG2(regs));

	if (!error)
		error = unshare(e, task);
	if (!error)
		error = take_over(e, task);
	if (error)
		return error;
	task->process->exit_signal = SIGCHLD;
	signals_exec(&task->signals);
	file_table_close_on_exec(task->files);
	arch_fpu_reset();
	start(e, task, regs);
	return 0;
}

SYSCALL(execve)
{
	char path[PATH_MAX];
	struct exec e = {.path = path};
	int64_t error = path_get(path, ARG0(regs));

	if (!error)
		error = do_execve(&e, regs);
	exec_free(&e);
	return error;
}
