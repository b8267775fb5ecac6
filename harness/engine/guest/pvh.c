/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "engine/guest/pvh.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define HVM_START_MAGIC 0x336ec578u
#define HVM_MEMMAP_RAM 1u
#define HVM_MEMMAP_RESERVED 2u

/* The boot data lies below the hole for the BIOS, out of the way of images, which start at 1 MiB.
 */
#define START_INFO 0x90000u
#define CMDLINE 0x91000u
#define CMDLINE_ROOM 0x1000u
#define BASE_MEMORY 0x9fc00u
#define IMAGE_LOWEST 0x100000u

struct hvm_start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist_paddr, cmdline_paddr, rsdp_paddr;
	uint64_t memmap_paddr; /* from version 1 on */
	uint32_t memmap_entries, reserved;
};

struct hvm_modlist_entry {
	uint64_t paddr, size, cmdline_paddr, reserved;
};

struct hvm_memmap_entry {
	uint64_t addr, size;
	uint32_t type, reserved;
};

struct boot_data {
	struct hvm_start_info info;
	struct hvm_modlist_entry module;
	struct hvm_memmap_entry map[4];
};

/* ---- the image ---- */

static const char *add_segment(struct pvh_image *im, const GElf_Phdr *p)
{
	struct pvh_segment *s = &im->segments[im->nr_segments];

	if (im->nr_segments == PVH_MAX_SEGMENTS)
		return "has too many segments";
	if (p->p_offset > im->file_len || p->p_filesz > im->file_len - p->p_offset)
		return "is truncated: a segment reaches past the end of the file";
	if (p->p_memsz < p->p_filesz || p->p_paddr < IMAGE_LOWEST ||
	    p->p_memsz > UINT32_MAX - IMAGE_LOWEST || p->p_paddr > UINT32_MAX - p->p_memsz)
		return "has a segment outside of 1 MiB to 4 GiB of guest memory";
	*s = (struct pvh_segment){p->p_paddr, p->p_filesz, p->p_memsz, p->p_offset};
	im->nr_segments++;
	if (p->p_paddr + p->p_memsz > im->highest_paddr)
		im->highest_paddr = p->p_paddr + p->p_memsz;
	return NULL;
}

/* The entry point is the first word of the note. */
static bool find_entry(struct pvh_image *im, Elf *elf, const GElf_Phdr *p)
{
	Elf_Data *d = elf_getdata_rawchunk(elf, (int64_t)p->p_offset, p->p_filesz,
					   p->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	size_t at = 0, name, desc;
	GElf_Nhdr n;

	while (d && (at = gelf_getnote(d, at, &n, &name, &desc)) > 0) {
		if (n.n_type != XEN_ELFNOTE_PHYS32_ENTRY || n.n_namesz != 4 || n.n_descsz < 4 ||
		    memcmp((char *)d->d_buf + name, "Xen", 4))
			continue;
		memcpy(&im->entry, (char *)d->d_buf + desc, sizeof(im->entry));
		return true;
	}
	return false;
}

static bool entry_in_image(const struct pvh_image *im)
{
	for (unsigned i = 0; i < im->nr_segments; i++)
		if (im->entry >= im->segments[i].paddr &&
		    im->entry - im->segments[i].paddr < im->segments[i].file_size)
			return true;
	return false;
}

static const char *read_headers(struct pvh_image *im, Elf *elf)
{
	bool have_entry = false;
	const char *why;
	GElf_Ehdr ehdr;
	size_t n;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr))
		return "is not an ELF file";
	if (gelf_getclass(elf) != ELFCLASS64 || ehdr.e_machine != EM_X86_64)
		return "is not an x86-64 kernel";
	if (elf_getphdrnum(elf, &n))
		return "is damaged: it has no program headers";
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr p;

		if (!gelf_getphdr(elf, (int)i, &p))
			return "is truncated: its program headers are not all there";
		why = p.p_type == PT_LOAD ? add_segment(im, &p) : NULL;
		if (why)
			return why;
		if (p.p_type == PT_NOTE && !have_entry)
			have_entry = find_entry(im, elf, &p);
	}
	if (!have_entry)
		return "has no PVH note (XEN_ELFNOTE_PHYS32_ENTRY)";
	return entry_in_image(im) ? NULL : "has its PVH entry point outside of the image";
}

static const char *map_file(struct pvh_image *im, int fd)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return "is not an ELF file";
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return strerror(errno);
	im->file = p;
	im->file_len = (size_t)st.st_size;
	return NULL;
}

char *pvh_image_open(struct pvh_image *im, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why;
	char *message;

	memset(im, 0, sizeof(*im));
	if (fd < 0)
		return xasprintf("%s: %s", path, strerror(errno));
	why = map_file(im, fd);
	if (!why) {
		Elf *elf;

		elf_version(EV_CURRENT);
		elf = elf_begin(fd, ELF_C_READ, NULL);
		why = read_headers(im, elf);
		elf_end(elf);
	}
	close(fd);
	if (!why)
		return NULL;
	message = xasprintf("%s: %s", path, why);
	pvh_image_close(im);
	return message;
}

void pvh_image_close(struct pvh_image *im)
{
	if (im->file)
		munmap((void *)im->file, im->file_len);
	memset(im, 0, sizeof(*im));
}

/* ---- guest memory ---- */

static uint32_t fill_map(struct hvm_memmap_entry *map, uint64_t size, uint64_t low)
{
	uint32_t n = 0;

	map[n++] = (struct hvm_memmap_entry){0, BASE_MEMORY, HVM_MEMMAP_RAM, 0};
	map[n++] = (struct hvm_memmap_entry){BASE_MEMORY, IMAGE_LOWEST - BASE_MEMORY,
					     HVM_MEMMAP_RESERVED, 0};
	map[n++] = (struct hvm_memmap_entry){IMAGE_LOWEST, low - IMAGE_LOWEST, HVM_MEMMAP_RAM, 0};
	if (size > low)
		map[n++] = (struct hvm_memmap_entry){1ull << 32, size - low, HVM_MEMMAP_RAM, 0};
	return n;
}

uint64_t pvh_load(const struct pvh_image *im, uint8_t *mem, uint64_t size, uint64_t low,
		  const char *cmdline, const void *initrd, size_t initrd_len)
{
	struct boot_data *data = (struct boot_data *)(mem + START_INFO);
	uint64_t initrd_at = (low - initrd_len) & ~4095ull;

	if (strlen(cmdline) >= CMDLINE_ROOM || initrd_len > low || initrd_at < im->highest_paddr)
		return 0;
	for (unsigned i = 0; i < im->nr_segments; i++) {
		const struct pvh_segment *s = &im->segments[i];

		memcpy(mem + s->paddr, im->file + s->offset, s->file_size);
	}
	memcpy(mem + initrd_at, initrd, initrd_len);
	strcpy((char *)mem + CMDLINE, cmdline);
	data->info = (struct hvm_start_info){.magic = HVM_START_MAGIC, .version = 1};
	data->info.cmdline_paddr = CMDLINE;
	data->info.nr_modules = 1;
	data->info.modlist_paddr = START_INFO + offsetof(struct boot_data, module);
	data->module = (struct hvm_modlist_entry){initrd_at, initrd_len, 0, 0};
	data->info.memmap_paddr = START_INFO + offsetof(struct boot_data, map);
	data->info.memmap_entries = fill_map(data->map, size, low);
	return START_INFO;
}
