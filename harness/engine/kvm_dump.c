/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "kvm_machine.h"
#include "outcome.h"

#define CODE_BYTES 16u

typedef unsigned long long ull;

/* Where in our memory a guest-physical address is; NULL if in none. */
static const uint8_t *guest_bytes(const struct kvm_machine *m, uint64_t addr, size_t n)
{
	if (addr < m->low && n <= m->low - addr)
		return m->mem + addr;
	addr -= 4ull << 30;
	if (addr < m->size - m->low && n <= m->size - m->low - addr)
		return m->mem + m->low + addr;
	return NULL;
}

static void dump_code(FILE *to, struct kvm_vcpu *v, uint64_t rip)
{
	struct kvm_translation t = {.linear_address = rip};
	const uint8_t *code = NULL;
	size_t n = CODE_BYTES;

	if ((rip & 4095) > 4096 - CODE_BYTES)
		n = 4096 - (rip & 4095);
	if (!ioctl(v->fd, KVM_TRANSLATE, &t) && t.valid)
		code = guest_bytes(v->machine, t.physical_address, n);
	fprintf(to, "  code:");
	for (size_t i = 0; code && i < n; i++)
		fprintf(to, " %02x", code[i]);
	fprintf(to, code ? "\n" : " not mapped\n");
}

/* What KVM could not emulate, where it says so. */
static void dump_internal_error(FILE *to, const struct kvm_run *run)
{
	if (run->exit_reason != KVM_EXIT_INTERNAL_ERROR)
		return;
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION && run->internal.ndata >= 3 &&
	    run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES) {
		fprintf(to, "  instruction:");
		for (unsigned i = 0; i < run->emulation_failure.insn_size && i < 15; i++)
			fprintf(to, " %02x", run->emulation_failure.insn_bytes[i]);
	} else {
		fprintf(to, "  data:");
		for (unsigned i = 0; i < run->internal.ndata && i < 16; i++)
			fprintf(to, " %#llx", (ull)run->internal.data[i]);
	}
	fputc('\n', to);
}

static void dump_vcpu(FILE *to, struct kvm_vcpu *v)
{
	const struct kvm_machine *m = v->machine;
	bool guilty = m->end == BOOT_CRASHED && m->culprit == v->id;
	struct kvm_sregs s;
	struct kvm_regs r;

	if (ioctl(v->fd, KVM_GET_REGS, &r) < 0 || ioctl(v->fd, KVM_GET_SREGS, &s) < 0) {
		fprintf(to, "CPU %u: its registers cannot be read\n", v->id);
		return;
	}
	fprintf(to, "CPU %u%s\n", v->id, guilty ? " (ended the machine)" : "");
	fprintf(to, "  rip [<%016llx>]\n", (ull)r.rip);
	fprintf(to, "  rflags %08llx  cs %04x  ss %04x\n", (ull)r.rflags, s.cs.selector,
		s.ss.selector);
	fprintf(to, "  rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", (ull)r.rax, (ull)r.rbx,
		(ull)r.rcx, (ull)r.rdx);
	fprintf(to, "  rsi %016llx rdi %016llx rbp %016llx rsp %016llx\n", (ull)r.rsi, (ull)r.rdi,
		(ull)r.rbp, (ull)r.rsp);
	fprintf(to, "  r8  %016llx r9  %016llx r10 %016llx r11 %016llx\n", (ull)r.r8, (ull)r.r9,
		(ull)r.r10, (ull)r.r11);
	fprintf(to, "  r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n", (ull)r.r12, (ull)r.r13,
		(ull)r.r14, (ull)r.r15);
	fprintf(to, "  cr0 %08llx  cr2 %016llx  cr3 %016llx  cr4 %08llx  efer %08llx\n", (ull)s.cr0,
		(ull)s.cr2, (ull)s.cr3, (ull)s.cr4, (ull)s.efer);
	fprintf(to, "  fs %016llx gs %016llx gdt %016llx/%x idt %016llx/%x tr %04x\n",
		(ull)s.fs.base, (ull)s.gs.base, (ull)s.gdt.base, s.gdt.limit, (ull)s.idt.base,
		s.idt.limit, s.tr.selector);
	dump_code(to, v, r.rip);
	dump_internal_error(to, v->run);
}

char *kvm_dump(struct kvm_machine *m)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);

	if (!to)
		return NULL;
	for (unsigned i = 0; i < m->nr_vcpus; i++)
		dump_vcpu(to, &m->vcpus[i]);
	fclose(to);
	return text;
}
