/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vmcore file: headers, notes, memory, and the damage done to it. */
#include <assert.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib_core_int.h"

#define DIRECT_MAP 0xffff888000000000ull
#define NOTES_ROOM ((size_t)256 << 10)

/* load PA SIZE [va=VA] [filesz=N]: a PT_LOAD. Without any there is one for each range of RAM. */
static void apply_load(struct mkcore *mk, const struct mk_line *l)
{
	struct mk_load *load = &mk->loads[mk->nloads++];

	if (mk->nloads == MK_MAX)
		mk_die(l, "too many PT_LOADs");
	load->pa = mk_number(l, l->tok[1]);
	load->size = mk_number(l, l->tok[2]);
	load->va = mk_option_number(l, "va", DIRECT_MAP + load->pa);
	load->filesz = mk_option_number(l, "filesz", load->size);
}

/* note NAME TYPE SIZE [namesz=N] [descsz=N]: as it is, and as it says it is. */
static void apply_note(struct mkcore *mk, const struct mk_line *l)
{
	struct mk_note *n = &mk->notes[mk->nnotes++];

	if (mk->nnotes == MK_MAX || strlen(l->tok[1]) >= sizeof(n->name))
		mk_die(l, "too many notes, or too long a name");
	memcpy(n->name, l->tok[1], strlen(l->tok[1]));
	n->type = (u32)mk_number(l, l->tok[2]);
	n->size = mk_number(l, l->tok[3]);
	n->namesz = (u32)mk_option_number(l, "namesz", strlen(n->name) + 1);
	n->descsz = (u32)mk_option_number(l, "descsz", n->size);
}

static void apply_no_vmcoreinfo(struct mkcore *mk, const struct mk_line *l)
{
	(void)l;
	mk->no_vmcoreinfo = true;
}

static void apply_later(struct mkcore *mk, const struct mk_line *l)
{
	(void)mk;
	(void)l;
}

const struct mk_directive mk_elf_directives[] = {
	{ "load", MK_LAYOUT, 2, apply_load },
	{ "note", MK_LAYOUT, 3, apply_note },
	{ "no-vmcoreinfo", MK_LAYOUT, 0, apply_no_vmcoreinfo },
	/* elf [class=N] [data=N] [type=N] [machine=N] [flags=N] [phnum=N] [phoff=end] */
	{ "elf", MK_FILE, 1, apply_later },
	/* phdr I [offset=N] [paddr=N] [filesz=N] [memsz=N] [type=N]; 0 is the PT_NOTE */
	{ "phdr", MK_FILE, 2, apply_later },
	/* truncate SIZE | truncate in-load I: in the middle of the I-th PT_LOAD */
	{ "truncate", MK_FILE, 1, apply_later },
	/* poke OFFSET BYTE... */
	{ "poke", MK_FILE, 2, apply_later },
	{ 0 },
};

static size_t put_note(u8 *to, const char *name, u32 namesz, u32 descsz, u32 type, const void *desc,
		       size_t size)
{
	u32 head[3] = { namesz, descsz, type };
	size_t name_room = align_up(strlen(name) + 1, 4);

	memcpy(to, head, sizeof(head));
	memcpy(to + sizeof(head), name, strlen(name));
	if (size)
		memcpy(to + sizeof(head) + name_room, desc, size);
	return sizeof(head) + name_room + align_up(size, 4);
}

/* CPUs, then VMCOREINFO, then what the text has. */
static size_t make_notes(const struct mkcore *mk, u8 *to)
{
	size_t at = 0, len = 0;
	char *info = calloc(1, NOTES_ROOM);
	u8 desc[4096];

	assert(info);
	for (size_t i = 0; i < mk->nnotes; i++) {
		const struct mk_note *n = &mk->notes[i];

		mk_seed(desc, sizeof(desc), i + 1);
		assert(n->size <= sizeof(desc));
		at += put_note(to + at, n->name, n->namesz, n->descsz, n->type, desc, n->size);
	}
	for (size_t i = 0; i < mk->ninfo; i++) {
		size_t n = strlen(mk->info[i]);

		memcpy(info + len, mk->info[i], n);
		info[len + n] = '\n';
		len += n + 1;
	}
	if (!mk->no_vmcoreinfo)
		at += put_note(to + at, "VMCOREINFO", 11, (u32)len, 0, info, len);
	free(info);
	return at;
}

static Elf64_Ehdr make_ehdr(size_t phnum)
{
	Elf64_Ehdr eh = { .e_ident = ELFMAG,
			  .e_type = ET_CORE,
			  .e_machine = EM_X86_64,
			  .e_version = EV_CURRENT,
			  .e_phoff = sizeof(Elf64_Ehdr),
			  .e_ehsize = sizeof(Elf64_Ehdr),
			  .e_phentsize = sizeof(Elf64_Phdr),
			  .e_phnum = (Elf64_Half)phnum };

	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	return eh;
}

static size_t make_loads(const struct mkcore *mk, struct mk_load *loads)
{
	if (mk->nloads) {
		memcpy(loads, mk->loads, sizeof(mk->loads));
		return mk->nloads;
	}
	for (size_t i = 0; i < mk->nram; i++) {
		const struct mk_ram *r = &mk->ram[i];

		loads[i] = (struct mk_load){
			.pa = r->pa, .va = DIRECT_MAP + r->pa, .size = r->size, .filesz = r->size
		};
	}
	return mk->nram;
}

static void write_at(int fd, const void *buf, size_t len, u64 off)
{
	ssize_t n = pwrite(fd, buf, len, (off_t)off);

	assert(n == (ssize_t)len);
	(void)n;
}

static void write_load(const struct mkcore *mk, int fd, const struct mk_load *load)
{
	for (u64 at = 0; at < load->filesz;) {
		const struct mk_ram *r = NULL;
		u64 pa = load->pa + at, n = load->filesz - at;

		for (size_t i = 0; i < mk->nram; i++) {
			if (pa >= mk->ram[i].pa && pa - mk->ram[i].pa < mk->ram[i].size)
				r = &mk->ram[i];
		}
		assert(r); /* a PT_LOAD shows RAM */
		n = MIN(n, r->size - (pa - r->pa));
		write_at(fd, r->bytes + (pa - r->pa), n, load->off + at);
		at += n;
	}
}

static void patch_ehdr(const struct mk_line *l, Elf64_Ehdr *eh, u64 end)
{
	const char *phoff = mk_option(l, "phoff");

	eh->e_ident[EI_CLASS] = (u8)mk_option_number(l, "class", eh->e_ident[EI_CLASS]);
	eh->e_ident[EI_DATA] = (u8)mk_option_number(l, "data", eh->e_ident[EI_DATA]);
	eh->e_type = (Elf64_Half)mk_option_number(l, "type", eh->e_type);
	eh->e_machine = (Elf64_Half)mk_option_number(l, "machine", eh->e_machine);
	eh->e_flags = (Elf64_Word)mk_option_number(l, "flags", eh->e_flags);
	eh->e_phnum = (Elf64_Half)mk_option_number(l, "phnum", eh->e_phnum);
	if (phoff)
		eh->e_phoff = strcmp(phoff, "end") == 0 ? end : mk_number(l, phoff);
}

static void patch_phdr(const struct mk_line *l, Elf64_Phdr *ph)
{
	ph->p_type = (Elf64_Word)mk_option_number(l, "type", ph->p_type);
	ph->p_offset = mk_option_number(l, "offset", ph->p_offset);
	ph->p_paddr = mk_option_number(l, "paddr", ph->p_paddr);
	ph->p_filesz = mk_option_number(l, "filesz", ph->p_filesz);
	ph->p_memsz = mk_option_number(l, "memsz", ph->p_memsz);
}

/* The damage that is done to the finished file. */
static void damage_file(const struct mkcore *mk, int fd, const struct mk_load *loads)
{
	for (size_t i = 0; i < mk->nlines; i++) {
		const struct mk_line *l = &mk->lines[i];

		if (strcmp(l->tok[0], "poke") == 0) {
			for (unsigned k = 2; k < l->ntok; k++) {
				u8 byte = (u8)mk_number(l, l->tok[k]);

				write_at(fd, &byte, 1, mk_number(l, l->tok[1]) + k - 2);
			}
		} else if (strcmp(l->tok[0], "truncate") == 0) {
			const struct mk_load *load = l->ntok > 2 ? &loads[mk_number(l, l->tok[2])]
								 : NULL;
			u64 size = load ? load->off + load->filesz / 2 : mk_number(l, l->tok[1]);
			int rc = ftruncate(fd, (off_t)size);

			assert(rc == 0);
			(void)rc;
		}
	}
}

void mkcore_write(const struct mkcore *mk, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct mk_load loads[MK_MAX];
	size_t nloads = make_loads(mk, loads), notes_len;
	Elf64_Ehdr eh = make_ehdr(1 + nloads);
	Elf64_Phdr ph[1 + MK_MAX] = { 0 };
	u8 *notes = calloc(1, NOTES_ROOM);
	u64 at = 64 + sizeof(ph[0]) * (1 + nloads);

	assert(fd >= 0 && notes);
	notes_len = make_notes(mk, notes);
	ph[0] = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = at, .p_filesz = notes_len, .p_memsz = notes_len
	};
	write_at(fd, notes, notes_len, at);
	at += notes_len;
	for (size_t i = 0; i < nloads; i++) {
		/* as /proc/vmcore has it: offset and address alike within a page */
		at = align_up(at, PAGE_SIZE) + loads[i].pa % PAGE_SIZE;
		loads[i].off = at;
		write_load(mk, fd, &loads[i]);
		at += loads[i].filesz;
		ph[1 + i] = (Elf64_Phdr){ .p_type = PT_LOAD,
					  .p_flags = PF_R | PF_W | PF_X,
					  .p_offset = loads[i].off,
					  .p_vaddr = loads[i].va,
					  .p_paddr = loads[i].pa,
					  .p_filesz = loads[i].filesz,
					  .p_memsz = loads[i].size };
	}
	for (size_t i = 0; i < mk->nlines; i++) {
		const struct mk_line *l = &mk->lines[i];

		if (strcmp(l->tok[0], "elf") == 0)
			patch_ehdr(l, &eh, at);
		else if (strcmp(l->tok[0], "phdr") == 0)
			patch_phdr(l, &ph[mk_number(l, l->tok[1])]);
	}
	write_at(fd, &eh, sizeof(eh), 0);
	write_at(fd, ph, sizeof(ph[0]) * (1 + nloads), eh.e_phoff);
	damage_file(mk, fd, loads);
	free(notes);
	close(fd);
}

bool mkcore_page(const struct mkcore *mk, u64 pfn, u8 *bytes, bool *in_file)
{
	struct mk_load loads[MK_MAX];
	size_t n = make_loads(mk, loads);
	u64 pa = pfn << PAGE_SHIFT;
	bool ram = false;

	*in_file = false;
	if (bytes)
		memset(bytes, 0, PAGE_SIZE);
	for (size_t i = 0; i < n; i++) {
		const struct mk_load *l = &loads[i];
		u64 from = MAX(pa, l->pa), to = MIN(pa + PAGE_SIZE, l->pa + l->filesz);

		ram |= l->pa < pa + PAGE_SIZE && pa < l->pa + l->size;
		if (from >= to)
			continue;
		*in_file = true;
		if (bytes)
			mk_read(mk, from, bytes + (from - pa), to - from);
	}
	return ram;
}

u64 mkcore_max_pfn(const struct mkcore *mk)
{
	struct mk_load loads[MK_MAX];
	size_t n = make_loads(mk, loads);
	u64 max = 0;

	for (size_t i = 0; i < n; i++)
		max = MAX(max, align_up(loads[i].pa + loads[i].size, PAGE_SIZE) >> PAGE_SHIFT);
	return max;
}
