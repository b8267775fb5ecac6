/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "engine/kvm/kvm_machine.h"

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

static void dump_general(FILE *to, const struct kvm_regs *r)
{
	const struct {
		const char *name;
		uint64_t value;
	} regs[] = {
		{"rax", r->rax}, {"rbx", r->rbx}, {"rcx", r->rcx}, {"rdx", r->rdx},
		{"rsi", r->rsi}, {"rdi", r->rdi}, {"rbp", r->rbp}, {"rsp", r->rsp},
		{"r8 ", r->r8},	 {"r9 ", r->r9},  {"r10", r->r10}, {"r11", r->r11},
		{"r12", r->r12}, {"r13", r->r13}, {"r14", r->r14}, {"r15", r->r15},
	};

	for (size_t i = 0; i < sizeof(regs) / sizeof(regs[0]); i++)
		fprintf(to, "%s%s %016llx%s", i % 4 ? " " : "  ", regs[i].name, (ull)regs[i].value,
			i % 4 == 3 ? "\n" : "");
}

/* KVM_MP_STATE_…; of one that is executing where KVM does not say. */
static uint32_t mp_state(const struct kvm_vcpu *v)
{
	struct kvm_mp_state s;

	return ioctl(v->fd, KVM_GET_MP_STATE, &s) < 0 ? KVM_MP_STATE_RUNNABLE : s.mp_state;
}

static const char *activity(uint32_t state)
{
	switch (state) {
	case KVM_MP_STATE_INIT_RECEIVED:
		return " (waits for its SIPI)";
	case KVM_MP_STATE_HALTED:
		return " (halted)";
	default:
		return "";
	}
}

static void dump_vcpu(FILE *to, struct kvm_vcpu *v)
{
	const struct kvm_machine *m = v->machine;
	bool guilty = m->end == BOOT_CRASHED && m->culprit == v->id;
	uint32_t state = mp_state(v);
	struct kvm_sregs s;
	struct kvm_regs r;

	if (state == KVM_MP_STATE_UNINITIALIZED) {
		fprintf(to, "CPU %u (never started)\n", v->id);
		return;
	}
	if (ioctl(v->fd, KVM_GET_REGS, &r) < 0 || ioctl(v->fd, KVM_GET_SREGS, &s) < 0) {
		fprintf(to, "CPU %u: its registers cannot be read\n", v->id);
		return;
	}
	fprintf(to, "CPU %u%s%s\n", v->id, guilty ? " (ended the machine)" : "", activity(state));
	fprintf(to, "  rip [<%016llx>]\n", (ull)r.rip);
	fprintf(to, "  rflags %08llx  cs %04x  ss %04x\n", (ull)r.rflags, s.cs.selector,
		s.ss.selector);
	dump_general(to, &r);
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
